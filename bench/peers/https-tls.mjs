// The least that an answer can cost on node:tls: it looks for the end of a head, and reads nothing in it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:tls'

const [folder] = process.argv.slice(2)
const pair = { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) }
const END = Buffer.from('\r\n\r\n')
const answer = () =>
  `HTTP/1.1 200 OK\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, world!\n`
let cached = answer()
setInterval(() => (cached = answer()), 1000).unref()

const server = createServer(pair, (socket) => {
  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    let out = ''
    for (let at = chunk.indexOf(END); at !== -1; at = chunk.indexOf(END, at + 4)) out += cached
    socket.write(out, 'latin1')
  })
  socket.on('error', () => undefined)
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(server.address().port))
