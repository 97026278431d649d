// Echo at /, broadcast at /all: ws, with the native parts of bufferutil unless WS_NO_BUFFER_UTIL is set.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const deflate = process.argv[2] === 'deflate'
const wss = new WebSocketServer({ noServer: true, perMessageDeflate: deflate })
const all = new Set()
wss.on('connection', (ws, { url }) => {
  if (url !== '/all') {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
    return
  }
  all.add(ws)
  ws.on('close', () => all.delete(ws))
  ws.on('error', () => all.delete(ws))
  ws.on('message', (data, isBinary) => {
    for (const other of all) if (other !== ws) other.send(data, { binary: isBinary })
  })
})
const server = createServer().on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
})
server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port))
