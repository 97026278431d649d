import { connectWebSocket } from 'moorage/websocket'

const socket = await connectWebSocket(process.argv[2] ?? 'ws://127.0.0.1:8000/talk', { connectTimeoutMs: 5000 })
console.log(await socket.receive())
for (const text of ['hello', 'Grüße', 'bye']) {
  await socket.send(text)
  console.log(await socket.receive())
}
const { code } = await socket.closed
console.log('closed with', code)
