// Events: `echo` comes back, `all` goes to everyone else. Clients speak WebSocket from the first byte.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const server = createServer()
const io = new Server(server, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => {
  socket.on('echo', (text) => socket.emit('echo', text))
  socket.on('all', (text) => socket.broadcast.emit('all', text))
})
server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port))
