import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { connect as netConnect, type NetConnectOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import type { StreamFunction } from '#src/server/handlers.js'
import { processes, threads } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import type { StreamServerOptions } from '#src/server/stream-server.js'
import { turns, until } from '#src/testing/contract-row.js'
import { connectDatagram } from '#src/transport/datagrams.js'
import { fastReceiveWorks } from '#src/transport/node/fast-receive.js'
import { nativeStreams } from '#src/transport/node/native-streams.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { parseEndpoint } from '#src/transport/endpoint.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-after-close-'))
after(() => rmSync(folder, { recursive: true }))
const { cert, key } = await localhostCertificate()
const CLIENTS = 20

const descriptors = (): number => readdirSync('/proc/self/fd').length

/** A client that neither reads nor ends: its descriptor stays open until the test destroys it. */
async function idleClient(endpoint: string, secure: boolean): Promise<Socket> {
  const parsed = parseEndpoint(endpoint)
  const where: NetConnectOpts =
    'port' in parsed ? { host: parsed.host, port: parsed.port } : { path: join(folder, 's') }
  const socket = netConnect({ ...where, allowHalfOpen: true })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  if (!secure) return socket.pause()
  const secured = tlsConnect({ socket, ca: cert, servername: 'localhost' })
  secured.on('error', () => undefined)
  await new Promise((resolve) => secured.once('secureConnect', resolve))
  return socket
}

/** Never returns, and never reads. */
const stuck: StreamFunction = () => new Promise(() => undefined)
const flood: StreamFunction = async (connection) => {
  for (;;) await connection.write(new Uint8Array(100_000))
}
const waiting: StreamFunction = async (connection) => {
  while ((await connection.read()) !== null);
}

interface Row {
  readonly name: string
  readonly endpoint: string
  readonly handler: StreamFunction
  readonly options?: StreamServerOptions
  readonly secure?: boolean
}

const rows: readonly Row[] = [
  { name: 'tcp, a handler that never returns', endpoint: 'tcp://127.0.0.1:0', handler: stuck },
  { name: 'tcp, a handler that writes to nobody', endpoint: 'tcp://127.0.0.1:0', handler: flood },
  { name: 'tcp, peers that never end', endpoint: 'tcp://127.0.0.1:0', handler: waiting },
  {
    name: 'tcp by the portable path',
    endpoint: 'tcp://127.0.0.1:0',
    handler: flood,
    options: { fastReceive: false },
  },
  { name: 'a Unix socket', endpoint: `unix:${join(folder, 's')}`, handler: flood },
  {
    name: 'tls',
    endpoint: 'tls://127.0.0.1:0',
    handler: flood,
    options: { tls: { cert, key } },
    secure: true,
  },
  {
    name: 'tls, peers that never begin the handshake',
    endpoint: 'tls://127.0.0.1:0',
    handler: stuck,
    options: { tls: { cert, key } },
  },
  {
    name: 'tcp, connections that wait and are refused with a text',
    endpoint: 'tcp://127.0.0.1:0',
    handler: stuck,
    options: { maxConnections: 2, refusal: 'no room\n' },
  },
  {
    name: 'tcp, connections that are being refused with a text',
    endpoint: 'tcp://127.0.0.1:0',
    handler: stuck,
    options: { maxConnections: 2, onOverload: 'refuse', refusal: 'no room\n' },
  },
]

for (const { name, endpoint, handler, options, secure = false } of rows) {
  test(`after close() no socket of the server is open: ${name}`, { timeout: 30_000 }, async () => {
    // What a thread has once for all its connections is there before they are counted.
    await Promise.all([fastReceiveWorks('tcp'), fastReceiveWorks('unix')])
    nativeStreams()
    await turns(10)
    const before = descriptors()
    const server = await serve(endpoint, handler, options)
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => idleClient(server.endpoint, secure)))
    const held = (): number => {
      const { active, waiting: queued, refused } = server.metrics
      return active + queued + refused.maxConnections
    }
    await until('all to be held', () => held() === CLIENTS)
    await server.close({ graceMs: 20 })
    // In this very turn: nothing has had time to end by itself.
    assert.deepEqual([server.metrics.active, descriptors() - before - CLIENTS], [0, 0])
    for (const client of clients) client.destroy()
    await until('the clients to be gone', () => descriptors() === before)
  })
}

const sockets = (): number =>
  readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length

for (const [way, model] of [
  ['threads({ size: 2 })', threads({ size: 2 })],
  ['processes({ size: 2 })', processes({ size: 2 })],
] as const) {
  for (const options of [{}, { tls: { cert, key } }]) {
    const scheme = 'tls' in options ? 'tls' : 'tcp'
    test(`after close() no socket of the server is open: ${way} over ${scheme}`, { timeout: 60_000 }, async () => {
      const before = sockets()
      const server = await serve(`${scheme}://127.0.0.1:0`, new URL('../fixtures/states.js', import.meta.url), {
        ...options,
        model,
      })
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, () => idleClient(server.endpoint, scheme === 'tls')),
      )
      await until('all to be held', () => server.metrics.active === CLIENTS)
      await server.close({ graceMs: 20 })
      assert.deepEqual([server.metrics.active, sockets() - before - CLIENTS], [0, 0])
      for (const client of clients) client.destroy()
      await until('the clients to be gone', () => sockets() === before)
    })
  }
}

const datagramEndpoints: readonly (`udp:${string}` | `unixgram:${string}`)[] = [
  'udp://127.0.0.1:0',
  `unixgram:${join(folder, 'datagrams')}`,
]
for (const endpoint of datagramEndpoints) {
  for (const native of ['auto', 'never'] as const) {
    const scheme = endpoint.replace(/:.*/, '')
    if (scheme === 'unixgram' && (native === 'never' || tryLoadNative() === undefined)) continue
    test(`after close() no socket of the server is open: ${scheme}, native ${native}`, async () => {
      const before = sockets()
      const server = await serve(endpoint, () => new Promise(() => undefined), { native })
      const client = await connectDatagram(server.endpoint)
      await client.send('wait')
      await until('it to be handled', () => server.metrics.active === 1)
      await server.close({ graceMs: 20 })
      assert.equal(sockets() - before, 1)
      await client.close()
    })
  }
}
