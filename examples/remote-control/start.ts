// Runs allowed commands for known clients, over TLS: `npm run example -- remote-control <config.json> [endpoint]`.
// Without a configuration it does nothing: there is no default list, token or port that is open.
import { readFileSync } from 'node:fs'
import { serve } from 'moorage'
import { ensureCertificate } from 'moorage/certificate'
import { toConfig } from './allow-list.js'
import { RemoteControl } from './handler.js'

const [file, endpoint = 'tls://127.0.0.1:7443', clientCa] = process.argv.slice(2)
if (file === undefined) {
  console.error('remote-control is off: give a configuration file, as docs/examples.md shows it')
  process.exit(2)
}
const config = toConfig(JSON.parse(readFileSync(file, 'utf8')))
const { cert, key } = await ensureCertificate()
const server = await serve(endpoint, RemoteControl, {
  data: config,
  tls: { cert, key, ...(clientCa === undefined ? {} : { ca: readFileSync(clientCa), clientCertificate: 'request' }) },
  maxConnections: 16,
})
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
