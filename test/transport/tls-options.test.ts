import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TlsServer } from '#src/server/stream-servers.js'
import { connect } from '#src/transport/connect.js'
import { listen } from '#src/transport/listen.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const { cert, key } = await localhostCertificate()
const ENDPOINT = 'tls://127.0.0.1:0'

// A rule that is misspelt, or has Node's name, would be one that silently does not hold.
const rows: readonly (readonly [code: string, side: 'server' | 'client' | 'both', tls: object])[] = [
  ['ERR_OPTION_UNKNOWN', 'server', { clientCertificates: 'require' }],
  ['ERR_OPTION_UNKNOWN', 'server', { requestCert: true }],
  ['ERR_OPTION_UNKNOWN', 'client', { clientCertificate: 'require' }],
  ['ERR_OPTION_UNKNOWN', 'client', { rejectUnauthorized: false }],
  ['ERR_OPTION_UNKNOWN', 'both', { minversion: 'TLSv1.3' }],
  ['ERR_OPTION_VALUE', 'server', { clientCertificate: true }],
  ['ERR_OPTION_VALUE', 'server', { serverNames: 'example.org' }],
  ['ERR_OPTION_VALUE', 'client', { verify: 'no' }],
  ['ERR_OPTION_VALUE', 'both', { minVersion: 'TLSv1.1' }],
  ['ERR_OPTION_VALUE', 'both', { alpn: 'h2' }],
  ['ERR_OPTION_VALUE', 'both', { ca: [1] }],
  ['ERR_OPTION_VALUE', 'both', { key: 5 }],
]

for (const [code, side, rule] of rows) {
  const shown = JSON.stringify(rule)
  if (side !== 'client') {
    test(`TLS of a server refuses ${shown}, wherever it is given`, async () => {
      const tls = { cert, key, ...rule }
      assert.throws(() => new TlsServer(ENDPOINT, () => undefined, { tls }), { code })
      await assert.rejects(listen(ENDPOINT, { tls }), { code })
      await using server = await new TlsServer(ENDPOINT, (connection) => connection.write('as before'), {
        tls: { cert, key },
      }).listen()
      assert.throws(() => server.replaceTls(tls), { code })
      await using connection = await connect(server.endpoint, { tls: { ca: cert } })
      assert.equal(String(await connection.read()), 'as before')
    })
  }
  if (side !== 'server') {
    test(`TLS of a client refuses ${shown}, wherever it is given`, async () => {
      const tls = { ca: cert, ...rule }
      await assert.rejects(connect('tls://127.0.0.1:1', { tls }), { code })
      await using listener = await listen('tcp://127.0.0.1:0')
      await using connection = await connect(listener.endpoint)
      await assert.rejects(connection.startTls({ role: 'client', ...tls }), { code })
      await connection.write('still plain')
    })
  }
}
