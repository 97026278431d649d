import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openBroker } from '#src/pubsub/open-broker.js'
import { concurrent, processes, threads, type Model } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import { brokerContract } from '#src/testing/broker-contract.js'
import { Heard } from '#src/testing/broker-trial.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'

const handler = new URL('../fixtures/rooms.js', import.meta.url)

const models: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'threads()', model: threads({ size: 2, restartDelayMs: 1 }) },
  { name: 'processes()', model: processes({ size: 2, restartDelayMs: 1 }) },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared', restartDelayMs: 1 }) },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared', restartDelayMs: 1 }) },
]

const line = (connection: Connection): Promise<string | null> =>
  within('a line', connection.readLine({ keepEnd: false }), 30_000)

/** Lines until one is as wanted; those before it come along. */
async function hear(connection: Connection, wanted: string): Promise<string[]> {
  const heard: string[] = []
  for (;;) {
    const next = await line(connection)
    if (next === null) throw new Error(`the end came before "${wanted}", after ${heard.join(', ')}`)
    heard.push(next)
    if (next === wanted) return heard
  }
}

/** A connection to each of the two workers. */
async function connectToBoth(endpoint: string): Promise<[Connection, Connection]> {
  const byWorker = new Map<string | null, Connection>()
  const made: Connection[] = []
  await within(
    'both workers',
    (async () => {
      while (byWorker.size < 2) {
        const connection = await connect(endpoint)
        made.push(connection)
        const worker = await line(connection)
        if (!byWorker.has(worker)) byWorker.set(worker, connection)
      }
    })(),
  )
  const [one, two] = byWorker.values()
  if (one === undefined || two === undefined) throw new Error('there are no two')
  for (const connection of made) if (connection !== one && connection !== two) connection.destroy()
  return [one, two]
}

for (const { name, model } of models) {
  suite(`rooms under ${name}`, () => {
    test('the contract of brokers holds in a worker', { timeout: 60_000 }, async () => {
      await using server = await serve('tcp://127.0.0.1:0', handler, { model })
      const connection = await connect(server.endpoint)
      await connection.write('contract\n')
      const [, ...results] = await hear(connection, 'done')
      assert.deepEqual(results, [...brokerContract.map((row) => `ok ${row.name}`), 'done'])
      connection.destroy()
    })

    test('workers and their server are in one room; a worker that dies leaves it', { timeout: 60_000 }, async () => {
      await using server = await serve('tcp://127.0.0.1:0', handler, { model })
      await using broker = await openBroker('memory:rooms-fixture')
      // Each model has a room of its own: the process of this test has them all.
      const room = name.replaceAll(/\W/g, '')
      const heard = new Heard()
      await broker.room(room).subscribe(heard)
      const [one, two] = await connectToBoth(server.endpoint)
      for (const connection of [one, two]) {
        await connection.write(`listen ${room}\n`)
        await hear(connection, 'listening')
      }
      await one.write(`enter ${room} ann\n`)
      await hear(two, 'join ann')
      await two.write(`enter ${room} bob\nsay ${room} hello\n`)
      assert.deepEqual(await hear(two, 'said 1'), ['join bob', 'entered', '1 hello', 'said 1'])
      assert.deepEqual((await hear(one, '1 hello')).at(-1), '1 hello')
      await broker.room(room).publish('from the server')
      await hear(one, '2 from the server')
      await hear(two, '2 from the server')
      await two.write(`members ${room}\n`)
      await hear(two, 'members ann bob')
      await one.write('die\n')
      await hear(two, 'leave ann')
      assert.deepEqual(heard.presences, ['join ann', 'join bob', 'leave ann'])
      await two.write(`say ${room} still here\n`)
      await hear(two, 'said 3')
      assert.deepEqual(heard.texts, ['hello', 'from the server', 'still here'])
      await until('another worker', () => server.metrics.workers === 2, 30_000)
      const again = await connectToBoth(server.endpoint)
      for (const connection of again) {
        await connection.write(`say ${room} again\n`)
        await line(connection)
      }
      assert.equal(heard.texts.length, 5)
      for (const connection of [one, two, ...again]) connection.destroy()
      await server.close()
      await heard.sees('leave bob')
    })
  })
}

test('rooms in the process that serves are the same ones', async () => {
  await using server = await serve('tcp://127.0.0.1:0', handler, { model: concurrent() })
  await using broker = await openBroker('memory:rooms-fixture')
  const connection = await connect(server.endpoint)
  await connection.write('listen local\n')
  await hear(connection, 'listening')
  await broker.room('local').publish('hello')
  await hear(connection, '1 hello')
  connection.destroy()
})
