import fastify from 'fastify'

const app = fastify()
app.get('/', (request, reply) => reply.type('text/plain; charset=utf-8').send('Hello, world!\n'))
app.get('/json', (request) => Promise.resolve({ agent: request.headers['user-agent'] ?? '', hello: 'world' }))
await app.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
console.log(app.server.address().port)
