import polka from 'polka'

const app = polka()
app.get('/', (request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': 14 })
  response.end('Hello, world!\n')
})
app.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(app.server.address().port))
