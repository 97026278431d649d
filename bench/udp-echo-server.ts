// One echo server of the UDP bench: udp-echo-server.js addon | addon-async | fallback | dgram. Prints its port, then on each line of
// standard input its CPU time (microseconds) and the datagrams it has answered.
import { createSocket } from 'node:dgram'
import type { DatagramSocket } from '#src/transport/datagram-socket.js'
import { bindDatagram } from '#src/transport/datagrams.js'

const kind = process.argv[2]
let answered: () => number

async function echo(socket: DatagramSocket): Promise<void> {
  for await (const { data, remote } of socket) await socket.send(data, remote)
}

if (kind === 'dgram') {
  let count = 0
  const socket = createSocket('udp4')
  socket.on('message', (data, { port, address }) => {
    count += 1
    socket.send(data, port, address)
  })
  socket.bind(0, '127.0.0.1', () => console.log(socket.address().port))
  answered = () => count
} else {
  const socket = await bindDatagram('udp://127.0.0.1:0', { native: kind === 'fallback' ? 'never' : 'always' })
  if (kind === 'addon-async') void echo(socket)
  else socket.sinkTo((data, remote) => void socket.send(data, remote))
  answered = () => socket.statistics.sent
  if (socket.local.kind === 'ip') console.log(socket.local.port)
}

process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ user, system, answered: answered() }))
})
process.stdin.on('end', () => process.exit(0))
