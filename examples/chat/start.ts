// A chat: `npm run example -- chat [tcp endpoint] [http endpoint]`, then `nc 127.0.0.1 7000` in a terminal and
// http://127.0.0.1:8002 in a browser: all are in the same rooms. With `--model threads` or `--model processes`, and
// `--size 4`, users of TCP are spread over workers.
import { parseArgs } from 'node:util'
import { concurrent, processes, serve, threads } from 'moorage'
import { serveHttp } from 'moorage/http'
import web from './web.js'

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
const [tcp = 'tcp://127.0.0.1:7000', http = 'http://127.0.0.1:8002'] = positionals
const data = { broker: values.broker }
const lines = await serve(tcp, new URL('./chat.js', import.meta.url), { model: makeModel(), data })
console.log(`listening on ${lines.endpoint}`)
const pages = await serveHttp(http, web, { data })
console.log(`listening on ${pages.endpoint}`)
await Promise.all([lines.serveForever(), pages.serveForever()])
