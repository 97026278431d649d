import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker } from '#src/pubsub/memory/memory-broker.js'
import { MESSAGE_COST_BYTES } from '#src/pubsub/message-size.js'
import { openBroker } from '#src/pubsub/open-broker.js'
import { Heard, numbered, publishAll } from '#src/testing/broker-trial.js'
import { until, withCode } from '#src/testing/contract-row.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'

test('a room without users is forgotten after historyTtlMs, and one that is used is not', async () => {
  const clock = new FakeClock()
  await using broker = new MemoryBroker({ clock, historyTtlMs: 1000 })
  const { epoch } = await broker.room('a').publish('1')
  await broker.room('used').subscribe(new Heard())
  await clock.advance(900)
  await broker.room('b').publish('1')
  await broker.room('a').publish('2')
  await clock.advance(999)
  assert.deepEqual((await broker.room('b').history()).messages.length, 1)
  const ann = await broker.room('a').enter({ id: 'ann' })
  await clock.advance(5000)
  assert.equal(broker.metrics.rooms, 2)
  assert.equal((await broker.room('a').history()).messages.length, 2)
  await ann.leave()
  await clock.advance(999)
  assert.equal(broker.metrics.historyMessages, 2)
  await clock.advance(1)
  assert.deepEqual([broker.metrics.rooms, broker.metrics.historyMessages, broker.metrics.historyBytes], [1, 0, 0])
  const heard = new Heard()
  await broker.room('a').subscribe(heard, { from: { epoch, offset: 2 } })
  assert.equal(heard.gaps.length, 1, 'the new room has another epoch')
})

test('historyTtlMs of Infinity keeps rooms, and close leaves no timer', async () => {
  const clock = new FakeClock()
  const forever = new MemoryBroker({ clock, historyTtlMs: Infinity })
  await forever.room('a').publish('1')
  assert.equal(clock.pending, 0)
  await forever.close()
  const broker = new MemoryBroker({ clock })
  await broker.room('a').publish('1')
  assert.equal(clock.pending, 1)
  await broker.close()
  assert.equal(clock.pending, 0)
})

test('maxRooms: the room that rests longest makes room, and when none rests there is an error', async () => {
  await using broker = new MemoryBroker({ maxRooms: 3 })
  for (const name of ['a', 'b', 'c']) await broker.room(name).publish(name)
  await broker.room('a').publish('again')
  await broker.room('d').publish('d')
  assert.equal(broker.metrics.rooms, 3)
  assert.equal((await broker.room('a').history()).messages.length, 2)
  for (const name of ['a', 'c', 'd']) await broker.room(name).enter({ id: 'ann' })
  await assert.rejects(broker.room('b').publish('b'), withCode('ERR_ROOM_LIMIT'))
  await assert.rejects(broker.room('b').subscribe(new Heard()), withCode('ERR_ROOM_LIMIT'))
  assert.deepEqual(await broker.room('b').members(), [])
})

test('maxMembers and maxSubscriptions bound all rooms together', async () => {
  await using broker = new MemoryBroker({ maxMembers: 2, maxSubscriptions: 2 })
  const ann = await broker.room('a').enter({ id: 'ann' })
  await broker.room('b').enter({ id: 'ann' })
  await assert.rejects(broker.room('c').enter({ id: 'ann' }), withCode('ERR_ROOM_LIMIT'))
  await ann.leave()
  await broker.room('c').enter({ id: 'ann' })
  const subscription = await broker.room('a').subscribe(new Heard())
  await broker.room('b').subscribe(new Heard())
  await assert.rejects(broker.room('a').subscribe(new Heard()), withCode('ERR_ROOM_LIMIT'))
  await subscription.close()
  await broker.room('a').subscribe(new Heard())
})

test('maxHistoryMessages and maxHistoryBytes: the oldest of all rooms go first', async () => {
  await using broker = new MemoryBroker({ maxHistoryMessages: 5 })
  await publishAll(broker.room('a'), numbered('a', 1, 3))
  await publishAll(broker.room('b'), numbered('b', 1, 2))
  assert.equal(broker.metrics.historyMessages, 5)
  await publishAll(broker.room('c'), numbered('c', 1, 2))
  const held = async (name: string): Promise<unknown[]> =>
    (await broker.room(name).history()).messages.map(({ data }) => data)
  assert.deepEqual([await held('a'), await held('b')], [['a 3'], ['b 1', 'b 2']])
  assert.equal(broker.metrics.historyMessages, 5)

  const each = 1000 + MESSAGE_COST_BYTES
  await using bytes = new MemoryBroker({ maxHistoryBytes: 2 * each })
  for (const name of ['a', 'b']) await bytes.room(name).publish('x'.repeat(1000))
  assert.equal(bytes.metrics.historyBytes, 2 * each)
  await bytes.room('c').publish('')
  assert.deepEqual((await bytes.room('a').history()).messages, [])
  assert.equal(bytes.metrics.historyBytes, each + MESSAGE_COST_BYTES)
})

test('a listener that publishes more than may be queued is refused, and what was queued is delivered', async () => {
  await using broker = new MemoryBroker({ maxQueuedMessages: 3, maxQueuedBytes: 100 })
  const room = broker.room('flood')
  const refused: unknown[] = []
  const heard = new Heard(({ data }) => {
    const texts = data === 'count' ? numbered('m', 1, 4) : data === 'bytes' ? ['x'.repeat(99), 'y', 'z'] : []
    for (const text of texts) room.publish(text).catch(({ code }: { code: unknown }) => refused.push(code))
  })
  await room.subscribe(heard)
  await room.publish('count')
  assert.deepEqual(heard.texts, ['count', 'm 1', 'm 2', 'm 3'])
  await room.publish('bytes')
  assert.deepEqual(heard.texts.slice(5), ['x'.repeat(99), 'y'])
  assert.deepEqual(refused, ['ERR_QUEUE_LIMIT', 'ERR_QUEUE_LIMIT'])
  assert.deepEqual(
    heard.messages.map(({ offset }) => offset),
    heard.messages.map((_, i) => i + 1),
    'what is refused has no offset',
  )
})

test('two listeners that answer each other for ever do not block the event loop', async () => {
  await using broker = new MemoryBroker()
  const room = broker.room('echo')
  let answers = 0
  const answering = await room.subscribe({ message: () => void ((answers += 1), room.publish('again')) })
  await room.publish('begin')
  await until('thousands of answers', () => answers > 5000)
  await answering.close()
  const heard = new Heard()
  await room.subscribe(heard)
  await room.publish('after it')
  await heard.hears('after it')
})

test('what a listener does while history is replayed to it comes behind the history', async () => {
  await using broker = new MemoryBroker()
  const room = broker.room('replay')
  await publishAll(room, numbered('m', 1, 3))
  const heard = new Heard(({ data }) => {
    if (data === 'm 1') void room.publish('answer')
  })
  await room.subscribe(heard, { last: 3 })
  assert.deepEqual(heard.texts, [...numbered('m', 1, 3), 'answer'])
  const once: Heard = new Heard(() => void closing.then((subscription) => subscription.close()))
  const closing = room.subscribe(once, { last: 1 })
  await (await closing).close()
  assert.equal(broker.metrics.subscriptions, 1)
})

test('a MemoryBroker is its own; openBroker shares rooms by name, which live on for their time', async () => {
  await using own = new MemoryBroker()
  await using another = new MemoryBroker()
  await own.room('a').publish('1')
  assert.equal((await another.room('a').history()).head.offset, 0)
  const shared = await openBroker('memory:shared-name', { historyMessages: 2 })
  await publishAll(shared.room('a'), numbered('m', 1, 3))
  await shared.close()
  await using again = await openBroker('memory:shared-name')
  assert.equal((await again.room('a').history()).messages.length, 2, 'the first one has set the limits')
  await using unnamed = await openBroker()
  await using same = await openBroker('memory:')
  await unnamed.room('a').publish('1')
  assert.equal((await same.room('a').history()).head.offset, 1)
})

test('openBroker says which URLs are known, and shows none of its own', async () => {
  for (const url of [
    'amqp://user:secret@host',
    'memory',
    '',
    'memory://host',
    'redis:host',
    'redis://u:secret@/0',
    'MEMORY2:a',
  ])
    await assert.rejects(openBroker(url), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_BROKER_URL')
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  await assert.rejects(openBroker('memory:a\nb'), withCode('ERR_ROOM_NAME'))
  await assert.rejects(openBroker('memory:', { maxRoms: 1 } as object), withCode('ERR_OPTION_UNKNOWN'))
  await assert.rejects(openBroker('memory:', { maxRooms: 0 }), withCode('ERR_OPTION_VALUE'))
})
