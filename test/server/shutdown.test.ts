import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { concurrent, processes, serial, threads, type Model } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import type { StreamServer } from '#src/server/stream-server.js'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes, turns, until, within } from '#src/testing/contract-row.js'
import { formatAddress } from '#src/transport/address.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { connectDatagram } from '#src/transport/datagrams.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const handler = new URL('../fixtures/states.js', import.meta.url)
const { cert, key } = await localhostCertificate()
const tls = { cert, key }
const STREAM_BYTES = 1_500_000
const pattern = patternBytes(STREAM_BYTES)
/** For the messages to workers and for machines under load, on top of the deadline. */
const SLACK_MS = 3000

const STATES = [
  'idle',
  'in a line',
  'mid-write',
  'accepted',
  'paused peer',
  'half-open',
  'half-open and written to',
  'handshaking',
  'upgraded to TLS',
] as const
type State = (typeof STATES)[number]

interface Client {
  readonly state: State
  readonly connection: Connection
  /** What is read, for those that read; it resolves at the end, in whatever way it came. */
  readonly received: Promise<Uint8Array> | undefined
}

async function readWhatComes(connection: Connection): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  try {
    for await (const bytes of connection) parts.push(bytes)
  } catch {
    // Cut: what came before counts.
  }
  void connection.close({ graceMs: 0 })
  return Buffer.concat(parts)
}

async function bring(server: StreamServer, state: State): Promise<Client> {
  const connection = await connect(server.endpoint)
  const say = async (line: string): Promise<void> => {
    await connection.write(`${line}\n`)
    assert.equal(await connection.readLine({ keepEnd: false }), line)
  }
  const reading = (): Client => ({ state, connection, received: readWhatComes(connection) })
  switch (state) {
    case 'idle':
      await say('hello')
      break
    case 'in a line':
      await say('hello')
      await connection.write('no end of this li')
      break
    case 'mid-write':
      await connection.write(`stream ${STREAM_BYTES}\n`)
      return reading()
    case 'accepted':
      await connection.write(`accept ${STREAM_BYTES}\n`)
      return reading()
    case 'paused peer':
      await connection.write('flood\n')
      break
    case 'half-open':
      await say('hello')
      await connection.closeWrite()
      break
    case 'half-open and written to':
      await connection.write(`accept ${STREAM_BYTES}\n`)
      await connection.closeWrite()
      return reading()
    case 'handshaking':
      await connection.write('starttls\n')
      assert.equal(await connection.readLine(), 'go\n')
      break
    case 'upgraded to TLS':
      await connection.write('starttls\n')
      assert.equal(await connection.readLine(), 'go\n')
      await connection.startTls({ role: 'client', serverName: 'localhost', ca: cert })
      await connection.write(`accept ${STREAM_BYTES}\n`)
      return reading()
  }
  return { state, connection, received: undefined }
}

async function closesInTime(model: Model, states: readonly State[], graceMs: number, wait: number): Promise<void> {
  const server = await serve('tcp://127.0.0.1:0', handler, { model, data: tls })
  const clients = await Promise.all(states.map((state) => bring(server, state)))
  try {
    await turns(wait)
    const began = performance.now()
    const report = await within('close', server.close({ graceMs }), graceMs + SLACK_MS)
    const tookMs = performance.now() - began
    assert.ok(report.tookMs <= tookMs + 1)
    const { metrics } = server
    await until('those that were cut to be gone', () => server.metrics.active === 0)
    const settled = metrics.accepted - metrics.refusedTotal - report.drained - report.cutCount
    assert.ok(settled >= 0 && settled <= states.length, 'each was drained or cut once, or had ended before')
    assert.equal(report.cut.length, report.cutCount)
    const cut = new Set(report.cut.map(({ remote }) => remote))
    for (const { state, connection, received } of clients) {
      const isCut = cut.has(formatAddress(connection.local))
      if (received === undefined) continue
      const bytes = await within(`the end of ${state}`, received)
      assert.equal(
        Buffer.compare(bytes, pattern.subarray(0, bytes.length)),
        0,
        `${state}: other bytes than were written`,
      )
      if (isCut) continue
      // A request that was never read is the client's to repeat; one that was is answered to the end.
      const whole = bytes.length === STREAM_BYTES || bytes.length === 0
      assert.ok(whole, `${state}: ${bytes.length} of ${STREAM_BYTES} bytes came, and it is not in the report`)
    }
    for (const { remote, activity, bytesUnsent } of report.cut) {
      const client = clients.find(({ connection }) => formatAddress(connection.local) === remote)
      assert.ok(client !== undefined, `${remote} is nobody's address`)
      if (activity === 'writing') assert.ok(bytesUnsent > 0, client.state)
    }
  } finally {
    for (const { connection } of clients) connection.destroy()
    await Promise.all(clients.map(({ connection }) => connection.closed))
    await server.close({ graceMs: 0 })
  }
}

const models: readonly { readonly name: string; readonly model: Model; readonly runs: number }[] = [
  { name: 'concurrent()', model: concurrent(), runs: 30 },
  { name: 'threads()', model: threads({ size: 2 }), runs: 8 },
  { name: 'processes()', model: processes({ size: 2 }), runs: 8 },
]
const seed = Number(process.env['MOORAGE_SEED'] ?? Date.now() % 1_000_000)

for (const { name, model, runs } of models) {
  test(`close() ends in time and loses nothing under ${name} (MOORAGE_SEED=${seed})`, { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...STATES), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(0, 20, 200, 600),
        fc.nat({ max: 30 }),
        (states, graceMs, wait) => closesInTime(model, states, graceMs, wait),
      ),
      { seed, numRuns: runs, endOnFailure: true },
    ),
  )
}

test('close() of a serial server turns away those that wait', { timeout: 30_000 }, async () => {
  const server = await serve('tcp://127.0.0.1:0', handler, { model: serial() })
  const first = await bring(server, 'idle')
  const others = await Promise.all([connect(server.endpoint), connect(server.endpoint)])
  await until('them to wait', () => server.metrics.waiting === 2)
  const report = await server.close({ graceMs: 5000 })
  assert.deepEqual([report.turnedAway, report.drained, report.cutCount], [2, 1, 0])
  for (const { connection } of [first, ...others.map((connection) => ({ connection }))]) {
    await readAll(connection).catch(() => undefined)
    connection.destroy()
  }
})

test('close() turns away those that no worker has answered for yet', { timeout: 30_000 }, async () => {
  const server = await serve('tcp://127.0.0.1:0', handler, { model: threads({ size: 1 }) })
  const burning = await connect(server.endpoint)
  await burning.write('burn 300\n')
  assert.equal(await burning.readLine(), 'burning\n')
  const others = await Promise.all([connect(server.endpoint), connect(server.endpoint), connect(server.endpoint)])
  await until('them to be offered', () => server.metrics.active === 4)
  const report = await within('close', server.close({ graceMs: 5000 }))
  assert.deepEqual([report.turnedAway, report.drained, report.cutCount], [3, 1, 0])
  for (const connection of [burning, ...others]) connection.destroy()
})

test(
  'close() called again with a shorter deadline cuts sooner, and gives the same report',
  { timeout: 30_000 },
  async () => {
    const server = await serve('tcp://127.0.0.1:0', handler)
    const { connection } = await bring(server, 'paused peer')
    await until('it to write', () => server.metrics.active === 1)
    await turns(20)
    const slow = server.close({ graceMs: 60_000 })
    const quick = server.close({ graceMs: 10 })
    const [one, other] = await within('both', Promise.all([slow, quick]), SLACK_MS)
    assert.equal(one, other)
    assert.equal(one.cutCount, 1)
    connection.destroy()
  },
)

for (const model of [threads({ size: 2 }), processes({ size: 2 })]) {
  test(
    `close() kills a worker of ${model.kind}() that burns CPU past the deadline, and reports its connections`,
    {
      timeout: 60_000,
    },
    async () => {
      const server = await serve('tcp://127.0.0.1:0', handler, { model })
      const connection = await connect(server.endpoint)
      await connection.write('burn 60000\n')
      assert.equal(await connection.readLine(), 'burning\n')
      const report = await within('close', server.close({ graceMs: 50 }), 50 + SLACK_MS)
      assert.deepEqual(
        [report.cutCount, report.cut.map(({ remote }) => remote), server.metrics.active],
        [1, [formatAddress(connection.local)], 0],
      )
      assert.equal(
        await within(
          'the end',
          connection.read().catch(() => null),
        ),
        null,
      )
      connection.destroy()
    },
  )
}

test('close() called again with a shorter deadline ends a datagram worker that comes round to nothing', async () => {
  const server = await serve('udp://127.0.0.1:0', new URL('../fixtures/datagrams.js', import.meta.url), {
    model: threads({ size: 1 }),
  })
  const socket = await connectDatagram(server.endpoint)
  await socket.send('block')
  await until('it to be handled', () => server.metrics.active === 1)
  const slow = server.close({ graceMs: 60_000 })
  const quick = server.close({ graceMs: 10 })
  await within('both', Promise.all([slow, quick]), SLACK_MS)
  await socket.close()
})
