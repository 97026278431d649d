// Runs allowed commands for known clients, over TLS: `npm run example -- remote-control <config.json> [endpoint]
// [client-ca.pem] [--page <https endpoint>]`; with `--page` also from a page in the browser. Without a configuration it does
// nothing: there is no default list, token or port that is open.
import { appendFileSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { serve, UsageError } from 'moorage'
import { ensureCertificate } from 'moorage/certificate'
import { serveHttp } from 'moorage/http'
import { toConfig } from './allow-list.js'
import { RemoteControl } from './handler.js'
import { controlPage } from './web.js'

/** One line, and nothing was started. */
function refuse(why: string, code: number = 2): never {
  console.error(`remote-control: ${why}`)
  process.exit(code)
}

function or<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    return refuse(`${what}${error instanceof Error ? error.message : String(error)}`)
  }
}

const failed = (error: unknown): never =>
  refuse(error instanceof Error ? error.message : String(error), error instanceof UsageError ? 2 : 1)

const { values, positionals } = or('', () =>
  parseArgs({ allowPositionals: true, options: { page: { type: 'string' } } }),
)
const [file, endpoint = 'tls://127.0.0.1:7443', clientCa] = positionals
if (file === undefined) refuse('it is off: give a configuration file, as docs/examples.md shows it')
const text = or('Cannot read the configuration: ', () => readFileSync(file, 'utf8'))
const parsed: unknown = or(`Cannot use the configuration ${file}: `, () => JSON.parse(text))
const config = or('', () => toConfig(parsed))
if (config.token === undefined && clientCa === undefined)
  refuse('Cannot know a client: give "token" in the configuration, or an authority for client certificates')
if (values.page !== undefined && !values.page.startsWith('https://'))
  refuse('Cannot serve the page: give --page an https endpoint, since tokens do not travel in clear')
const ca = clientCa === undefined ? undefined : or('Cannot read the authority: ', () => readFileSync(clientCa))
// What cannot be noted must not happen.
or('Cannot open the audit log: ', () => appendFileSync(config.auditLog, '', { mode: 0o600 }))

const { cert, key } = await ensureCertificate()
const tls = { cert, key, ...(ca === undefined ? {} : { ca, clientCertificate: 'request' as const }) }
const lines = await serve(endpoint, RemoteControl, { data: config, tls, maxConnections: 16 }).catch(failed)
console.log(`listening on ${lines.endpoint}`)
const serving: Promise<unknown>[] = [lines.serveForever()]
if (values.page !== undefined) {
  const pages = await serveHttp(values.page, controlPage(config), { tls, maxConnections: 64 }).catch(failed)
  console.log(`listening on ${pages.endpoint}`)
  serving.push(pages.serveForever())
}
await Promise.all(serving)
