// Loss and jitter of datagrams: `npm run example -- jitter serve [endpoint]` on one side,
// `npm run example -- jitter <endpoint> [count] [interval ms]` on the other.
import { UdpServer } from 'moorage'
import { measure } from './measure.js'

const [first = 'serve', second, third] = process.argv.slice(2)
if (first === 'serve') {
  const server = new UdpServer(second ?? 'udp://127.0.0.1:7005', (datagram) => datagram.reply(datagram.data))
  await server.listen()
  console.log(`listening on ${server.endpoint}`)
  await server.serveForever()
} else {
  const report = await measure(first, { count: Number(second ?? 200), intervalMs: Number(third ?? 20), waitMs: 1000 })
  const { sent, received, lost, reordered, duplicates, minMs, meanMs, maxMs, jitterMs } = report
  console.log(
    `${sent} sent, ${received} back, ${lost} lost (${((lost / sent) * 100).toFixed(1)} %), ${reordered} out of order, ${duplicates} twice`,
  )
  console.log(
    `round trip ${minMs.toFixed(2)} / ${meanMs.toFixed(2)} / ${maxMs.toFixed(2)} ms (least, mean, most), jitter ${jitterMs.toFixed(3)} ms`,
  )
}
