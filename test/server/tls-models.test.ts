import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { encodeProxyHeader } from '#src/engine/proxy-protocol/encode.js'
import { concurrent, processes, serial, threads, type Model } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import type { StreamServer } from '#src/server/stream-server.js'
import type { ModelServerOptions } from '#src/testing/model-contract.js'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes, until, withCode, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import type { TlsClientOptions } from '#src/transport/tls-options.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const handler = new URL('../fixtures/conversation.js', import.meta.url)
const states = new URL('../fixtures/states.js', import.meta.url)
const TIMEOUT = { timeout: 30_000 }
const UPGRADED_BYTES = 1_000_000
const [first, second, client, stranger] = await Promise.all([
  localhostCertificate(),
  localhostCertificate(),
  localhostCertificate(),
  localhostCertificate(),
])
const folder = mkdtempSync(join(tmpdir(), 'moorage-tls-models-'))
let names = 0

const models: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'serial()', model: serial() },
  { name: 'concurrent()', model: concurrent() },
  { name: 'threads()', model: threads({ size: 2 }) },
  { name: 'processes()', model: processes({ size: 2 }) },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }) },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared' }) },
]

const ask = async (connection: Connection, question: string): Promise<string> => {
  await connection.write(`${question}\n`)
  return (await within('an answer', connection.readLine({ keepEnd: false }))) ?? ''
}

interface Trial {
  readonly server: StreamServer
  /** What the handler says of the connection that such a client makes, and what the client says. */
  tls(options: TlsClientOptions): Promise<{ readonly server: Record<string, unknown>; readonly client: Connection }>
}

async function withServer(
  endpoint: string,
  options: ModelServerOptions,
  model: Model,
  body: (trial: Trial) => Promise<void>,
): Promise<void> {
  const server = await serve(endpoint, handler, { ...options, model })
  const made: Connection[] = []
  try {
    await body({
      server,
      async tls(tls) {
        const connection = await connect(server.endpoint, { tls })
        made.push(connection)
        await ask(connection, 'you')
        const answer: Record<string, unknown> = JSON.parse(await ask(connection, 'tls'))
        await ask(connection, 'leave')
        connection.destroy()
        return { server: answer, client: connection }
      },
    })
  } finally {
    for (const connection of made) connection.destroy()
    await server.close({ graceMs: 100 })
  }
}

for (const { name, model } of models) {
  suite(`TLS under ${name}`, () => {
    const tls = { cert: first.cert, key: first.key }
    test('a handler sees what was negotiated: name, protocol, version', { timeout: 30_000 }, () =>
      withServer('tls://127.0.0.1:0', { tls: { ...tls, alpn: ['b', 'a'] } }, model, async (trial) => {
        const { server, client: near } = await trial.tls({ ca: first.cert, alpn: ['a', 'b'], serverName: 'localhost' })
        assert.deepEqual([server['alpn'], server['serverName'], server['version']], ['b', 'localhost', 'TLSv1.3'])
        assert.equal(near.tls?.authorized, true)
        await assert.rejects(trial.tls({ ca: second.cert }), withCode('ERR_TLS_HANDSHAKE'))
        await assert.rejects(trial.tls({ ca: first.cert, alpn: ['c'] }), withCode('ERR_TLS_HANDSHAKE'))
      }),
    )
    test('the certificate is chosen by the name that the client asks for', { timeout: 30_000 }, () => {
      const serverNames = {
        'other.example': { cert: second.cert, key: second.key },
        '*.wild.example': { cert: client.cert, key: client.key },
      }
      return withServer('tls://127.0.0.1:0', { tls: { ...tls, serverNames } }, model, async (trial) => {
        const shown = async (serverName: string): Promise<string | undefined> => {
          const { client: near } = await trial.tls({ serverName, verify: false })
          return near.tls?.peerCertificate?.fingerprint256
        }
        assert.equal(await shown('other.example'), second.fingerprint)
        assert.equal(await shown('OTHER.example'), second.fingerprint)
        assert.equal(await shown('any.wild.example'), client.fingerprint)
        assert.equal(await shown('two.labels.wild.example'), first.fingerprint)
        assert.equal(await shown('wild.example'), first.fingerprint)
        assert.equal(await shown('localhost'), first.fingerprint)
      })
    })
    test('a client certificate is required, verified, and shown to the handler', { timeout: 30_000 }, () => {
      const rules = { ...tls, ca: client.cert, clientCertificate: 'require' as const }
      return withServer('tls://127.0.0.1:0', { tls: rules }, model, async (trial) => {
        const { server } = await trial.tls({ ca: first.cert, cert: client.cert, key: client.key })
        assert.equal(server['authorized'], true)
        assert.equal(typeof server['peerCertificate'], 'string')
        await assert.rejects(trial.tls({ ca: first.cert }))
        await assert.rejects(trial.tls({ ca: first.cert, cert: stranger.cert, key: stranger.key }))
      })
    })
    test('a session resumes, in whichever worker', { timeout: 30_000 }, () =>
      withServer('tls://127.0.0.1:0', { tls }, model, async (trial) => {
        let session: Uint8Array | undefined
        const onSession = (made: Uint8Array): void => {
          session = made
        }
        const begun = await trial.tls({ ca: first.cert, onSession })
        assert.equal(begun.server['resumed'], false)
        await until('a ticket', () => session !== undefined)
        for (let i = 0; i < 4; i += 1) {
          const again = await trial.tls({ ca: first.cert, onSession, ...(session === undefined ? {} : { session }) })
          assert.deepEqual([again.client.tls?.resumed, again.server['resumed']], [true, true])
        }
      }),
    )
    test('certificates are replaced without a restart, and bad ones leave the old in use', { timeout: 30_000 }, () =>
      withServer('tls://127.0.0.1:0', { tls }, model, async (trial) => {
        const shown = async (): Promise<string | undefined> =>
          (await trial.tls({ verify: false })).client.tls?.peerCertificate?.fingerprint256
        assert.equal(await shown(), first.fingerprint)
        assert.throws(
          () => trial.server.replaceTls({ cert: 'no certificate', key: first.key }),
          withCode('ERR_TLS_CERTIFICATE'),
        )
        assert.throws(
          () => trial.server.replaceTls({ cert: second.cert, key: first.key }),
          withCode('ERR_TLS_CERTIFICATE'),
        )
        assert.equal(await shown(), first.fingerprint)
        trial.server.replaceTls({ cert: second.cert, key: second.key })
        // Workers hear of it by a message each.
        for (let same = 0; same < 4;) same = (await shown()) === second.fingerprint ? same + 1 : 0
      }),
    )
  })

  suite(`STARTTLS under ${name}`, () => {
    for (const scheme of ['tcp', 'unix'] as const) {
      test(`a handler secures an open connection over ${scheme}, and each half ends by itself`, TIMEOUT, async () => {
        const endpoint = scheme === 'tcp' ? 'tcp://127.0.0.1:0' : `unix:${join(folder, `${(names += 1)}.sock`)}`
        const data = { cert: first.cert, key: first.key }
        const server = await serve(endpoint, states, { model, data })
        const connection = await connect(server.endpoint)
        try {
          assert.equal(await ask(connection, 'plain'), 'plain')
          assert.equal(await ask(connection, 'starttls'), 'go')
          await connection.startTls({ role: 'client', ca: first.cert, serverName: 'localhost' })
          assert.equal(await ask(connection, 'secured'), 'secured')
          await connection.write(`accept ${UPGRADED_BYTES}\n`)
          await connection.closeWrite()
          const received = await within('all of it', readAll(connection))
          assert.equal(Buffer.compare(received, patternBytes(UPGRADED_BYTES)), 0)
          const report = await within('the report', connection.closed)
          assert.equal(report.reason, 'ended')
          await until('its end on the other side', () => server.metrics.active === 0)
          assert.equal(server.metrics.failed, 0)

          const stranger = await connect(server.endpoint)
          assert.equal(await ask(stranger, 'starttls'), 'go')
          await stranger.write('this is no handshake\n')
          await within(
            'the end',
            readAll(stranger).catch(() => undefined),
          )
          stranger.destroy()
          await until('the failure', () => server.metrics.failed === 1)
        } finally {
          connection.destroy()
          await server.close({ graceMs: 100 })
        }
      })
    }
  })

  suite(`PROXY headers under ${name}`, () => {
    const source = { family: 'ipv4', address: '203.0.113.9', port: 4711 } as const
    const destination = { family: 'ipv4', address: '198.51.100.1', port: 443 } as const
    const ways = [
      { over: 'tcp', endpoint: () => 'tcp://127.0.0.1:0', options: {}, secured: false },
      { over: 'unix', endpoint: () => `unix:${join(folder, `${(names += 1)}.sock`)}`, options: {}, secured: false },
      {
        over: 'tls',
        endpoint: () => 'tls://127.0.0.1:0',
        options: { tls: { cert: first.cert, key: first.key } },
        secured: true,
      },
    ]
    for (const { over, endpoint, options, secured } of ways) {
      test(`the handler sees the remote address of the header over ${over}`, { timeout: 30_000 }, () =>
        withServer(endpoint(), { ...options, proxyProtocol: 'require' }, model, async ({ server }) => {
          const plain = server.endpoint.replace(/^tls:/, 'tcp:')
          for (const version of [1, 2] as const) {
            const connection = await connect(plain)
            const route = { transport: 'stream', source, destination } as const
            const header = encodeProxyHeader({ version, command: 'proxy', route })
            await connection.write(header)
            if (secured) await connection.startTls({ role: 'client', ca: first.cert, serverName: 'localhost' })
            assert.equal(await ask(connection, 'you'), 'hello you')
            const { remote, local } = JSON.parse(await ask(connection, 'addresses'))
            assert.deepEqual(remote, { kind: 'ip', host: source.address, port: source.port })
            assert.deepEqual(local, { kind: 'ip', host: destination.address, port: destination.port })
            connection.destroy()
          }
          const refused = await connect(plain)
          await refused.write('no header at all\n')
          assert.equal(
            await within(
              'the end',
              refused.read().catch(() => null),
            ),
            null,
          )
          refused.destroy()
          await until('the count', () => server.metrics.failed >= 1)
        }),
      )
    }
  })
}

after(() => rmSync(folder, { recursive: true, force: true }))
