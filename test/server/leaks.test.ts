import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { threads, processes, type Model } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import { turns, until } from '#src/testing/contract-row.js'
import { connect, type ConnectOptions } from '#src/transport/connect.js'
import type { ListenOptions } from '#src/transport/listen-options.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-leaks-'))
const { cert, key } = await localhostCertificate()
const handler = new URL('../fixtures/conversation.js', import.meta.url)
const SIGNALS = ['SIGINT', 'SIGTERM', 'exit', 'uncaughtException', 'unhandledRejection', 'warning', 'disconnect']

interface Held {
  readonly descriptors: number
  readonly resources: string
  readonly listeners: string
}

/** What the process holds: open descriptors, what keeps its loop alive, and who listens to it. */
function held(): Held {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process
      .getActiveResourcesInfo()
      .filter((kind) => kind !== 'Immediate' && kind !== 'TickObject')
      .sort()
      .join(' '),
    listeners: SIGNALS.map((name) => process.listenerCount(name)).join(' '),
  }
}

async function settle(before: Held): Promise<void> {
  await until('everything to be given back', () => held().descriptors <= before.descriptors).catch(() => undefined)
  await turns(10)
  assert.deepEqual(held(), before)
}

const ways: readonly {
  readonly endpoint: string
  readonly listen?: ListenOptions
  readonly connect?: ConnectOptions
}[] = [
  { endpoint: 'tcp://127.0.0.1:0' },
  { endpoint: `unix:${join(folder, 'rounds.sock')}` },
  { endpoint: 'tls://127.0.0.1:0', listen: { tls: { cert, key } }, connect: { tls: { ca: cert } } },
  { endpoint: 'tcp://127.0.0.1:0', listen: { fastReceive: false }, connect: { fastReceive: false } },
]

async function round(way: (typeof ways)[number], model: Model | undefined, ending: number): Promise<void> {
  const server = await serve(way.endpoint, handler, { ...way.listen, ...(model === undefined ? {} : { model }) })
  const serving = ending % 2 === 0 ? server.serveForever() : undefined
  const connection = await connect(server.endpoint, way.connect)
  await connection.write('you\n')
  assert.equal(await connection.readLine(), 'hello you\n')
  // Ended by the client, by the server in order, and cut.
  if (ending % 3 === 0) await connection.close()
  const closing = server.close({ graceMs: ending % 3 === 1 ? 0 : 5000 })
  if (ending % 3 === 2) {
    while ((await connection.read()) !== null);
    await connection.close()
  }
  await closing
  await serving
  connection.destroy()
  await connection.closed
}

test('1,000 start and stop rounds leave no descriptor, timer or listener behind', { timeout: 120_000 }, async () => {
  for (let i = 0; i < 12; i += 1) await round(ways[i % ways.length] ?? { endpoint: '' }, undefined, i)
  await turns(10)
  const before = held()
  for (let i = 0; i < 1000; i += 1) await round(ways[i % ways.length] ?? { endpoint: '' }, undefined, i)
  await settle(before)
})

for (const [name, model] of [
  ['threads', threads({ size: 2 })],
  ['processes', processes({ size: 2 })],
] as const) {
  test(`start and stop rounds under ${name}() leave nothing behind`, { timeout: 120_000 }, async () => {
    await round({ endpoint: 'tcp://127.0.0.1:0' }, model, 0)
    await turns(10)
    const before = held()
    for (let i = 0; i < 12; i += 1) await round(ways[i % 3] ?? { endpoint: '' }, model, i)
    await settle(before)
  })
}

test('start and stop rounds over datagrams leave nothing behind', { timeout: 60_000 }, async () => {
  const datagrams = new URL('../fixtures/datagrams.js', import.meta.url)
  const start = async (i: number): Promise<{ close(): Promise<unknown> }> =>
    i % 2 === 0 || tryLoadNative() === undefined
      ? serve('udp://127.0.0.1:0', datagrams)
      : serve(`unixgram:${join(folder, 'rounds.dgram')}`, datagrams)
  for (let i = 0; i < 4; i += 1) await (await start(i)).close()
  await turns(10)
  const before = held()
  for (let i = 0; i < 200; i += 1) await (await start(i)).close()
  await settle(before)
})

after(() => rmSync(folder, { recursive: true, force: true }))
