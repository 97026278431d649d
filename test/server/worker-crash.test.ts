import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processes, threads, type Model } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import type { StreamServer } from '#src/server/stream-server.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'

const handler = new URL('../fixtures/crashing.js', import.meta.url)
const LIVE = 200
const AFTERWARDS = 10_000
const AT_ONCE = 50

interface Live {
  readonly connection: Connection
  readonly worker: number
  readonly pid: number
}

async function connectLive(endpoint: string): Promise<Live> {
  const connection = await connect(endpoint)
  await connection.write('who\n')
  const [worker = 0, pid = 0] = ((await connection.readLine({ keepEnd: false })) ?? '').split(' ').map(Number)
  return { connection, worker, pid }
}

async function echo(connection: Connection, text: string): Promise<void> {
  await connection.write(`${text}\n`)
  assert.equal(await within('an echo', connection.readLine({ keepEnd: false })), text)
}

/** Every one of them must succeed: connect, echo, end. */
async function connectAfterwards(endpoint: string, count: number): Promise<void> {
  let begun = 0
  const client = async (): Promise<void> => {
    while (begun < count) {
      begun += 1
      const connection = await connect(endpoint)
      await echo(connection, `number ${begun}`)
      connection.destroy()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, client))
}

/** Milliseconds that a server with the same workers needs now. */
async function timeToStart(model: Model): Promise<number> {
  const began = performance.now()
  const server = await serve('tcp://127.0.0.1:0', handler, { model })
  const took = performance.now() - began
  await server.close()
  return took
}

async function crashUnderLoad(
  model: Model,
  crash: (victim: Live) => Promise<void>,
  afterwards: number,
): Promise<StreamServer> {
  const crashes: string[] = []
  const logger = {
    debug: (): void => undefined,
    info: (): void => undefined,
    warn: (): void => undefined,
    error: (message: string): void => void crashes.push(message),
  }
  const server = await serve('tcp://127.0.0.1:0', handler, { model, logger })
  const live = await Promise.all(Array.from({ length: LIVE }, () => connectLive(server.endpoint)))
  try {
    const [victim] = live
    if (victim === undefined) throw new Error('nobody is connected')
    const lost = live.filter(({ worker }) => worker === victim.worker)
    const kept = live.filter(({ worker }) => worker !== victim.worker)
    assert.ok(lost.length > 0 && kept.length > 0, `${lost.length} of ${LIVE} are on the worker that crashes`)
    await crash(victim)
    await until('the crash', () => server.metrics.workerRestarts === 1)
    const crashedAt = performance.now()
    // Meanwhile the others serve whoever comes.
    const afterCrash = connectAfterwards(server.endpoint, afterwards)
    const another = timeToStart(model)
    await until('the new worker', () => server.metrics.workers === 2, 60_000)
    const took = performance.now() - crashedAt
    // A second, or on a machine that is busy with other things as long as it takes there to start such workers meanwhile.
    const limitMs = Math.max(1000, 3 * (await another))
    assert.ok(took < limitMs, `the new worker came after ${Math.round(took)} ms of ${Math.round(limitMs)}`)
    await within('their end', Promise.all(lost.map(({ connection }) => connection.read().catch(() => null))))
    await Promise.all(kept.map(({ connection }, i) => echo(connection, `still here ${i}`)))
    await within('all connections', afterCrash, 60_000)
    assert.equal(crashes.length, 1)
    assert.deepEqual(
      [server.metrics.workerRestarts, server.metrics.failed, server.metrics.refusedTotal],
      [1, lost.length, 0],
    )
    await until('the counts', () => server.metrics.active === kept.length)
    for (let seen = 0, tries = 0; seen !== victim.worker; tries += 1) {
      assert.ok(tries < 500, 'the new worker takes connections')
      const { connection, worker } = await connectLive(server.endpoint)
      seen = worker
      connection.destroy()
    }
  } finally {
    for (const { connection } of live) connection.destroy()
    await server.close({ graceMs: 100 })
  }
  return server
}

test('kill -9 of a worker process ends its own connections, and nobody else notices', { timeout: 120_000 }, () =>
  crashUnderLoad(processes({ size: 2 }), async ({ pid }) => void process.kill(pid, 'SIGKILL'), AFTERWARDS).then(
    () => undefined,
  ),
)

test('a thread that throws outside of a handler is replaced, and nobody else notices', { timeout: 120_000 }, () =>
  crashUnderLoad(threads({ size: 2 }), ({ connection }) => connection.write('throw\n'), AFTERWARDS).then(
    () => undefined,
  ),
)

test('a thread that exhausts its heap is replaced, and nobody else notices', { timeout: 120_000 }, () =>
  crashUnderLoad(
    threads({ size: 2, maxHeapBytes: 64 * 1024 * 1024 }),
    ({ connection }) => connection.write('exhaust\n'),
    AFTERWARDS,
  ).then(() => undefined),
)

test('a connection on its way to a worker that is killed goes to another', { timeout: 60_000 }, async () => {
  const server = await serve('tcp://127.0.0.1:0', handler, { model: processes({ size: 2 }) })
  try {
    const { pid, connection } = await connectLive(server.endpoint)
    // It stops without a word: it answers no offer, and has not ended either.
    process.kill(pid, 'SIGSTOP')
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectLive(server.endpoint)))
    assert.ok(clients.every((client) => client.pid !== pid))
    process.kill(pid, 'SIGKILL')
    await until('the crash', () => server.metrics.workerRestarts === 1)
    for (const client of clients) await echo(client.connection, 'on')
    for (const client of clients) client.connection.destroy()
    connection.destroy()
  } finally {
    await server.close({ graceMs: 100 })
  }
})
