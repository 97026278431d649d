// A plain node:http server: what a Node user writes first.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.url === '/json') {
    const body = JSON.stringify({ agent: request.headers['user-agent'] ?? '', hello: 'world' })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  } else {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': 14 })
    response.end('Hello, world!\n')
  }
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(server.address().port))
