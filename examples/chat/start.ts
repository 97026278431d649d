// A chat: `npm run example -- chat [tcp endpoint] [http endpoint]`, then `nc 127.0.0.1 7000` in a terminal and
// http://127.0.0.1:8002 in a browser: all are in the same rooms. With `--model threads` or `--model processes`, and
// `--size 4`, users of TCP are spread over workers.
import { parseArgs } from 'node:util'
import { concurrent, processes, serve, threads, UsageError } from 'moorage'
import { serveHttp } from 'moorage/http'
import web from './web.js'

/** One line, and nothing was started. */
function refuse(why: string, code: number = 2): never {
  console.error(`chat: ${why}`)
  process.exit(code)
}

/** What was asked for cannot be, or it went wrong. */
function failed(error: unknown): never {
  const isWrong = error instanceof UsageError || error instanceof TypeError
  return refuse(error instanceof Error ? error.message : String(error), isWrong ? 2 : 1)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        model: { type: 'string', default: 'concurrent' },
        size: { type: 'string', default: '2' },
        broker: { type: 'string' },
      },
    })
  } catch (error) {
    return failed(error)
  }
}

const { values, positionals } = readArguments()
const size = Number(values.size)
const models = {
  concurrent: () => concurrent(),
  threads: () => threads({ size }),
  processes: () => processes({ size }),
}
const makeModel = Object.entries(models).find(([name]) => name === values.model)?.[1]
if (makeModel === undefined) refuse(`--model is one of ${Object.keys(models).join(', ')}`)
if (!Number.isSafeInteger(size) || size < 1) refuse('--size is a number from 1 up')
const [tcp = 'tcp://127.0.0.1:7000', http = 'http://127.0.0.1:8002'] = positionals
const data = { broker: values.broker }
const lines = await serve(tcp, new URL('./chat.js', import.meta.url), { model: makeModel(), data }).catch(failed)
console.log(`listening on ${lines.endpoint}`)
const pages = await serveHttp(http, web, { data }).catch(failed)
console.log(`listening on ${pages.endpoint}`)
await Promise.all([lines.serveForever(), pages.serveForever()])
