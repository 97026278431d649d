import { bindDatagram, formatAddress } from 'moorage'

const socket = await bindDatagram(`udp://127.0.0.1:${process.argv[2] ?? 9999}`)
socket.sinkTo((data, remote) => {
  void socket.send(Buffer.from(data).toString().toUpperCase(), remote)
})
console.log(`listening on udp://${formatAddress(socket.local)}`)
await socket.closed
