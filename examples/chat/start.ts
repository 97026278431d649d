// A chat over TCP: `npm run example -- chat [endpoint]`, then `nc 127.0.0.1 7000` in several terminals. With
// `--model threads` or `--model processes`, and `--size 4`, its users are spread over workers, in the same rooms.
import { parseArgs } from 'node:util'
import { concurrent, processes, serve, threads } from 'moorage'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'concurrent' },
    size: { type: 'string', default: '2' },
    broker: { type: 'string' },
  },
})
const size = Number(values.size)
const models = {
  concurrent: () => concurrent(),
  threads: () => threads({ size }),
  processes: () => processes({ size }),
}
const makeModel = Object.entries(models).find(([name]) => name === values.model)?.[1]
if (makeModel === undefined) {
  console.error(`--model is one of ${Object.keys(models).join(', ')}`)
  process.exit(2)
}
const server = await serve(positionals[0] ?? 'tcp://127.0.0.1:7000', new URL('./chat.js', import.meta.url), {
  model: makeModel(),
  data: { broker: values.broker },
})
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
