// A worker that echoes on a UDP and a Unix socket and sends to itself without end, so that it is always in the middle.
import { parentPort, threadId } from 'node:worker_threads'
import { bindDatagram, connectDatagram } from '#src/transport/datagrams.js'

const udp = await bindDatagram('udp://127.0.0.1:0', { native: 'always' })
const unix = await bindDatagram(`unixgram:@moorage-worker-${process.pid}-${threadId}`)
udp.sinkTo((data, remote) => void udp.send(data, remote))
const target = udp.local.kind === 'ip' ? udp.local.port : 0
const client = await connectDatagram(`udp://127.0.0.1:${target}`, { native: 'always' })
client.sinkTo((data) => void client.send(data))
for (let i = 0; i < 32; i += 1) await client.send('round and round')
parentPort?.postMessage({ port: target, unix: unix.local })
