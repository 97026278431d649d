// Runs allowed commands for known clients, over TLS: `npm run example -- remote-control <config.json> [endpoint] [client-ca.pem]`.
// Without a configuration it does nothing: there is no default list, token or port that is open.
import { appendFileSync, readFileSync } from 'node:fs'
import { serve, UsageError } from 'moorage'
import { ensureCertificate } from 'moorage/certificate'
import { toConfig } from './allow-list.js'
import { RemoteControl } from './handler.js'

const [file, endpoint = 'tls://127.0.0.1:7443', clientCa] = process.argv.slice(2)

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

if (file === undefined) refuse('it is off: give a configuration file, as docs/examples.md shows it')
const text = or('Cannot read the configuration: ', () => readFileSync(file, 'utf8'))
const parsed: unknown = or(`Cannot use the configuration ${file}: `, () => JSON.parse(text))
const config = or('', () => toConfig(parsed))
if (config.token === undefined && clientCa === undefined)
  refuse('Cannot know a client: give "token" in the configuration, or an authority for client certificates')
const ca = clientCa === undefined ? undefined : or('Cannot read the authority: ', () => readFileSync(clientCa))
// What cannot be noted must not happen.
or('Cannot open the audit log: ', () => appendFileSync(config.auditLog, '', { mode: 0o600 }))

const { cert, key } = await ensureCertificate()
const server = await serve(endpoint, RemoteControl, {
  data: config,
  tls: { cert, key, ...(ca === undefined ? {} : { ca, clientCertificate: 'request' }) },
  maxConnections: 16,
}).catch((error: unknown) =>
  refuse(error instanceof Error ? error.message : String(error), error instanceof UsageError ? 2 : 1),
)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
