// `npm run torture -- rooms [redis|nats]`: three servers behind haproxy, 300 clients in 20 rooms, 100,000 messages; servers are killed
// every few seconds, and the broker is restarted twice.
import { storm } from './room-storm.js'

const broker = process.argv[2] === 'nats' ? 'nats' : 'redis'
const report = await storm({
  broker,
  nodes: 3,
  clients: 300,
  rooms: 20,
  messages: 100_000,
  killEveryMs: 4000,
  brokerRestarts: 2,
  say: (line) => console.log(line),
})
console.log(JSON.stringify({ ...report, faults: report.faults.length }, undefined, 2))
for (const fault of report.faults.slice(0, 50)) console.log(`FAULT ${fault}`)
process.exit(report.faults.length === 0 ? 0 : 1)
