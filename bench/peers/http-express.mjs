import express from 'express'

const app = express()
app.disable('etag')
app.get('/', (request, response) => response.type('text/plain').send('Hello, world!\n'))
app.get('/json', (request, response) => response.json({ agent: request.get('user-agent') ?? '', hello: 'world' }))
const server = app.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port))
