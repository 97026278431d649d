import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '#src/server/serve.js'
import type { ShutdownReport } from '#src/server/outcome.js'
import type { StreamServer, StreamServerOptions } from '#src/server/stream-server.js'
import { readAllText } from '#src/testing/connection-pair.js'
import { turns, until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'

const echo = async (connection: Connection): Promise<void> => {
  for await (const bytes of connection) await connection.write(bytes)
}

interface Trial {
  readonly server: StreamServer
  readonly connect: (localAddress?: string) => Promise<Connection>
  readonly connectMany: (count: number) => Promise<Connection[]>
}

async function withServer(
  options: StreamServerOptions,
  body: (trial: Trial) => Promise<void>,
): Promise<ShutdownReport> {
  const server = await serve('tcp://127.0.0.1:0', echo, options)
  const made: Connection[] = []
  const connectOne = async (localAddress?: string): Promise<Connection> => {
    const connection = await connect(server.endpoint, localAddress === undefined ? {} : { localAddress })
    made.push(connection)
    return connection
  }
  try {
    await body({
      server,
      connect: connectOne,
      connectMany: (count) => Promise.all(Array.from({ length: count }, () => connectOne())),
    })
  } finally {
    for (const connection of made) connection.destroy()
    await Promise.all(made.map(({ closed }) => closed))
  }
  return server.close({ graceMs: 1000 })
}

async function isServed(connection: Connection): Promise<boolean> {
  await connection.write('x')
  return (
    (await within(
      'an echo',
      connection.read().catch(() => null),
    )) !== null
  )
}

const endOf = (connection: Connection): Promise<string> =>
  within(
    'the end',
    readAllText(connection).catch(() => 'reset'),
  )

suite('maxConnections', () => {
  test('exactly so many are in, the others wait, and one that ends lets one in', { timeout: 60_000 }, () =>
    withServer({ maxConnections: 500 }, async ({ server, connectMany }) => {
      const inside = await connectMany(500)
      assert.ok((await Promise.all(inside.map(isServed))).every(Boolean))
      const outside = await connectMany(30)
      await until('them to wait', () => server.metrics.waiting === 30)
      for (const connection of outside) await connection.write('x')
      await turns(20)
      assert.deepEqual([server.metrics.active, server.metrics.waiting, server.metrics.refusedTotal], [500, 30, 0])
      for (let i = 0; i < 30; i += 1) inside[i]?.destroy()
      const answers = await within('those that waited', Promise.all(outside.map((connection) => connection.read())))
      assert.ok(answers.every((bytes) => bytes?.length === 1))
      assert.deepEqual([server.metrics.active, server.metrics.waiting, server.metrics.accepted], [500, 0, 530])
    }).then(() => undefined),
  )

  test('the others are refused with the refusal line, and counted', { timeout: 60_000 }, () =>
    withServer(
      { maxConnections: 500, onOverload: 'refuse', refusal: 'busy\n' },
      async ({ server, connect: one, connectMany }) => {
        const inside = await connectMany(500)
        assert.ok((await Promise.all(inside.map(isServed))).every(Boolean))
        const outside = await connectMany(20)
        assert.deepEqual(new Set(await Promise.all(outside.map(endOf))), new Set(['busy\n']))
        assert.deepEqual([server.metrics.active, server.metrics.refused.maxConnections], [500, 20])
        inside[0]?.destroy()
        await until('the place', () => server.metrics.active === 499)
        assert.equal(await isServed(await one()), true)
      },
    ).then(() => undefined),
  )

  test('at maxWaiting they wait, one past it is refused', { timeout: 30_000 }, () =>
    withServer({ maxConnections: 1, maxWaiting: 3 }, async ({ server, connect: one, connectMany }) => {
      assert.equal(await isServed(await one()), true)
      await connectMany(3)
      await until('them to wait', () => server.metrics.waiting === 3)
      assert.equal(server.metrics.refusedTotal, 0)
      await endOf(await one())
      assert.deepEqual([server.metrics.waiting, server.metrics.refused.maxWaiting], [3, 1])
    }).then(() => undefined),
  )

  test('with maxWaiting 0 nobody waits', { timeout: 30_000 }, () =>
    withServer({ maxConnections: 1, maxWaiting: 0 }, async ({ server, connect: one }) => {
      assert.equal(await isServed(await one()), true)
      await endOf(await one())
      assert.equal(server.metrics.refused.maxWaiting, 1)
    }).then(() => undefined),
  )

  test('one that waits and goes away makes no room and does no harm', { timeout: 30_000 }, () =>
    withServer({ maxConnections: 1 }, async ({ server, connect: one }) => {
      const first = await one()
      assert.equal(await isServed(first), true)
      const gone = await one()
      await until('it to wait', () => server.metrics.waiting === 1)
      gone.destroy()
      const third = await one()
      first.destroy()
      assert.equal(await isServed(third), true)
      await until('the counts', () => server.metrics.active === 1 && server.metrics.waiting === 0)
    }).then(() => undefined),
  )
})

suite('limits by address', () => {
  test('maxConnectionsPerAddress holds for one address, and the others pass those that wait', { timeout: 30_000 }, () =>
    withServer({ maxConnectionsPerAddress: 2 }, async ({ server, connect: from }) => {
      const mine = [await from('127.0.0.2'), await from('127.0.0.2')]
      assert.ok((await Promise.all(mine.map(isServed))).every(Boolean))
      const third = await from('127.0.0.2')
      await until('it to wait', () => server.metrics.waiting === 1)
      assert.equal(await isServed(await from('127.0.0.3')), true)
      assert.equal(server.metrics.waiting, 1)
      mine[0]?.destroy()
      assert.equal(await isServed(third), true)
    }).then(() => undefined),
  )

  test('deny goes before allow, and who is on no list of allow is refused', { timeout: 30_000 }, () =>
    withServer({ allow: ['127.0.0.0/30'], deny: ['127.0.0.2'] }, async ({ server, connect: from }) => {
      assert.equal(await isServed(await from('127.0.0.1')), true)
      assert.equal(await isServed(await from('127.0.0.3')), true)
      for (const refused of ['127.0.0.2', '127.0.0.4']) await endOf(await from(refused))
      assert.equal(server.metrics.refused.denied, 2)
    }).then(() => undefined),
  )
})

suite('limits that time lifts', () => {
  test(
    'acceptRate lets acceptBurst begin at once and the others one by one, by the clock',
    { timeout: 30_000 },
    async () => {
      const clock = new FakeClock()
      const network = new MemoryNetwork({}, clock)
      const server = await serve('memory:rate', echo, { network, acceptRate: 10, acceptBurst: 3 })
      const clients = await Promise.all(Array.from({ length: 8 }, () => connect('memory:rate', { network })))
      await clock.advance(0)
      assert.deepEqual([server.metrics.active, server.metrics.waiting], [3, 5])
      await clock.advance(99)
      assert.equal(server.metrics.active, 3)
      await clock.advance(1)
      assert.equal(server.metrics.active, 4)
      await clock.advance(300)
      assert.equal(server.metrics.active, 7)
      await clock.advance(100)
      assert.deepEqual([server.metrics.active, server.metrics.waiting], [8, 0])
      for (const client of clients) client.destroy()
      const closing = server.close({ graceMs: 10 })
      await clock.advance(5000)
      await closing
    },
  )

  test('a memory budget that is exceeded refuses, and says why', { timeout: 30_000 }, () =>
    withServer(
      { memoryBudgetBytes: 1024 * 1024, onOverload: 'refuse', refusal: 'full\n' },
      async ({ server, connect: one }) => {
        assert.equal(await endOf(await one()), 'full\n')
        assert.equal(server.metrics.refused.memoryBudget, 1)
      },
    ).then(() => undefined),
  )

  test('a memory budget that is not exceeded lets everyone in', { timeout: 30_000 }, () =>
    withServer({ memoryBudgetBytes: 1024 ** 4 }, async ({ connect: one }) => {
      assert.equal(await isServed(await one()), true)
    }).then(() => undefined),
  )
})

test(
  'at ulimit -n 256 the server sheds before the system does, counts what clients see, and recovers',
  { timeout: 60_000 },
  async () => {
    const program = fileURLToPath(new URL('../fixtures/few-descriptors.js', import.meta.url))
    const child = spawn('bash', ['-c', 'ulimit -n 256 && exec "$0" "$1"', process.execPath, program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      const out = child.stdout[Symbol.asyncIterator]()
      const answer = async (): Promise<Record<string, number | string>> => {
        const { value } = await within('an answer', out.next())
        return JSON.parse(String(value))
      }
      const { endpoint } = await answer()
      // From addresses of its own, as many clients as never fit; they stay.
      const clients = await Promise.all(Array.from({ length: 600 }, () => connect(String(endpoint))))
      const served = await Promise.all(
        clients.map(async (client) => {
          void client.write('x')
          return (
            (await within(
              'an answer or the end',
              client.read().catch(() => null),
            )) !== null
          )
        }),
      )
      const servedCount = served.filter(Boolean).length
      child.stdin.write('metrics\n')
      const at = await answer()
      assert.equal(at['active'], servedCount)
      assert.equal(at['accepted'], 600)
      assert.equal(at['descriptors'], 600 - servedCount)
      assert.ok(servedCount > 150 && servedCount <= 240, `${servedCount} were served`)
      assert.equal(at['acceptErrors'], 0)
      // It does not spin: while this loop comes round a hundred times, its loop does for the questions, and little else.
      child.stdin.write('turns\n')
      const { turns: before } = await answer()
      for (let i = 0; i < 100; i += 1) await new Promise((resolve) => void setTimeout(resolve, 1))
      child.stdin.write('turns\n')
      const { turns: after } = await answer()
      assert.ok(Number(after) - Number(before) < 30, `its loop came round ${Number(after) - Number(before)} times`)
      for (const client of clients) client.destroy()
      await Promise.all(clients.map(({ closed }) => closed))
      for (;;) {
        child.stdin.write('metrics\n')
        if ((await answer())['active'] === 0) break
      }
      const again = await Promise.all(Array.from({ length: 100 }, () => connect(String(endpoint))))
      assert.ok((await Promise.all(again.map(isServed))).every(Boolean))
      for (const client of again) client.destroy()
      child.stdin.end()
      const [code] = await within('its end', once(child, 'exit'))
      assert.equal(code, 0)
    } finally {
      if (child.exitCode === null) child.kill('SIGKILL')
    }
  },
)
