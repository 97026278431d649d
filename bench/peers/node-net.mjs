// A plain node:net echo: what a Node user writes first.
import { createServer } from 'node:net'

const server = createServer((socket) => {
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('error', () => undefined)
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(server.address().port))
