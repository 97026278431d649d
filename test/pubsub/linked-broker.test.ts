import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BrokerLimits } from '#src/pubsub/options.js'
import { openBroker } from '#src/pubsub/open-broker.js'
import { brokerContract } from '#src/testing/broker-contract.js'
import { Heard, numbered, publishAll } from '#src/testing/broker-trial.js'
import { turns, until, within, withCode } from '#src/testing/contract-row.js'
import { LinkedPair } from './_linked.js'

let names = 0
const newName = (): string => `linked-${(names += 1)}`

suite('memory: from two workers', () => {
  for (const row of brokerContract) {
    test(row.name, { timeout: 40_000 }, async () => {
      await row.run({
        open: (count, limits) => {
          const name = newName()
          return Promise.all(Array.from({ length: count }, () => new LinkedPair().open(name, limits)))
        },
      })
    })
  }
})

suite('memory: from a server and one of its workers', () => {
  for (const row of brokerContract) {
    test(row.name, { timeout: 40_000 }, async () => {
      await row.run({
        open: (_count, limits) => {
          const name = newName()
          return Promise.all([openBroker(`memory:${name}`, limits), new LinkedPair().open(name, limits)])
        },
      })
    })
  }
})

test('two brokers of one worker have rooms, counts and ends of their own', async () => {
  const pair = new LinkedPair()
  const [one, two] = [await pair.open(newName()), await pair.open(newName())]
  const [heardOne, heardTwo] = [new Heard(), new Heard()]
  await one.room('a').subscribe(heardOne)
  await two.room('a').subscribe(heardTwo)
  await one.room('a').publish('1')
  await one.close()
  await two.room('a').publish('2')
  await heardTwo.hears('2')
  assert.deepEqual([heardOne.texts, heardTwo.texts], [['1'], ['2']])
  await two.close()
})

test('a room is followed once for all subscriptions of a worker', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name)
  await using parent = await openBroker(`memory:${name}`)
  const heard = Array.from({ length: 100 }, () => new Heard())
  await Promise.all(heard.map((listener) => broker.room('a').subscribe(listener)))
  const before = pair.batches
  await parent.room('a').publish('once')
  await Promise.all(heard.map((listener) => listener.hears('once')))
  assert.equal(pair.batches, before + 1)
  const [first] = heard
  assert.ok(
    heard.every(({ messages }) => messages[0] === first?.messages[0]),
    'the same object for all',
  )
  await broker.close()
})

test('a lost worker: its members leave, and the others go on', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const lost = await pair.open(name)
  await using parent = await openBroker(`memory:${name}`)
  const heard = new Heard()
  await parent.room('a').subscribe(heard)
  await lost.room('a').enter({ id: 'ann' }, { unique: true })
  await lost.room('a').subscribe(new Heard())
  pair.host.close()
  assert.deepEqual(heard.presences, ['join ann', 'leave ann'])
  assert.deepEqual(await parent.room('a').members(), [])
})

test('a lost parent: what has no answer and what comes later is refused, and subscriptions end', async () => {
  const pair = new LinkedPair()
  const broker = await pair.open(newName())
  const heard = new Heard()
  await broker.room('a').subscribe(heard)
  const member = await broker.room('a').enter({ id: 'ann' })
  pair.stalled = true
  const publishing = broker.room('a').publish('1')
  void broker.room('a').publish('nobody awaits this')
  const closed = broker.closed
  pair.link.close()
  await assert.rejects(publishing, withCode('ERR_BROKER_GONE'))
  await within('closed', closed)
  await within('leave', member.leave())
  assert.deepEqual(
    heard.ends.map((error) => (error as { code?: string }).code),
    ['ERR_BROKER_GONE'],
  )
  await assert.rejects(broker.room('a').publish('2'), withCode('ERR_BROKER_CLOSED'))
  await assert.rejects(pair.open(newName()), withCode('ERR_BROKER_GONE'))
  await within('close', broker.close())
  pair.host.close()
})

const SMALL: Partial<BrokerLimits> = { maxQueuedMessages: 10, maxQueuedBytes: 100_000 }

test('a worker that does not keep up goes on from history, and misses nothing that is held', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name, SMALL)
  await using parent = await openBroker(`memory:${name}`)
  const heard = new Heard()
  await broker.room('a').subscribe(heard)
  await turns(3)
  pair.stalled = true
  await publishAll(parent.room('a'), numbered('m', 1, 900))
  await turns(2)
  assert.ok(pair.waiting <= 10, `${pair.waiting} are held for it`)
  pair.resume()
  await heard.hears('m 900')
  assert.deepEqual([heard.texts, heard.gaps], [numbered('m', 1, 900), []])
  await parent.room('a').publish('live again')
  await heard.hears('live again')
  await broker.close()
})

test('a worker that is behind by much goes on in one go, when there is room for it', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name, { maxQueuedMessages: 1000, historyMessages: 5000 })
  await using parent = await openBroker(`memory:${name}`)
  const heard = new Heard()
  await broker.room('a').subscribe(heard)
  await turns(3)
  pair.stalled = true
  await publishAll(parent.room('a'), numbered('m', 1, 1700))
  pair.resume()
  await heard.hears('m 1700')
  assert.deepEqual([heard.texts, heard.gaps], [numbered('m', 1, 1700), []])
  await broker.close()
})

test('a worker that takes a little at a time while more is published stays in order', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name, SMALL)
  await using parent = await openBroker(`memory:${name}`)
  const heard = new Heard()
  await broker.room('a').subscribe(heard)
  await turns(3)
  pair.stalled = true
  for (const text of numbered('m', 1, 20)) {
    await parent.room('a').publish(text)
    await turns(1)
  }
  pair.resume()
  for (const text of numbered('m', 21, 100)) {
    await parent.room('a').publish(text)
    await turns(1)
  }
  await heard.hears('m 100')
  assert.deepEqual([heard.texts, heard.gaps], [numbered('m', 1, 100), []])
  await broker.close()
})

test('a worker that does not keep up, in bytes, is told a gap where history is too short', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name, { ...SMALL, maxQueuedMessages: 1000, historyMessages: 5 })
  await using parent = await openBroker(`memory:${name}`)
  const heard = new Heard()
  const { position } = await broker.room('a').subscribe(heard)
  await turns(3)
  pair.stalled = true
  for (let i = 0; i < 40; i += 1) await parent.room('a').publish('x'.repeat(10_000))
  await turns(2)
  assert.ok(pair.waiting <= 10, `${pair.waiting} are held for it`)
  pair.resume()
  await until('the last one', () => heard.messages.at(-1)?.offset === 40)
  const [gap, ...others] = heard.gaps
  assert.deepEqual(others, [])
  assert.deepEqual(gap?.until, { epoch: position.epoch, offset: 35 })
  assert.equal(heard.messages.length + (gap?.missed ?? 0), 40)
  await broker.close()
})

test('a worker that missed presence is told so, once', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name, SMALL)
  await using parent = await openBroker(`memory:${name}`)
  const heard = new Heard()
  await broker.room('a').subscribe(heard)
  await turns(3)
  pair.stalled = true
  for (let i = 0; i < 20; i += 1) await parent.room('a').enter({ id: `m${i}` })
  pair.resume()
  await until('the gap', () => heard.gaps.length === 1)
  assert.equal(heard.gaps[0]?.missed, 0)
  assert.ok(heard.events.length < 20)
  assert.equal((await broker.room('a').members()).length, 20)
  await parent.room('a').enter({ id: 'one more' })
  await heard.sees('join one more')
  assert.equal(heard.gaps.length, 1)
  await broker.close()
})

test('requests without an answer are bounded in number and in bytes, at the limit and one past it', async () => {
  const pair = new LinkedPair()
  const limits = { maxQueuedMessages: 3, maxQueuedBytes: 2000 }
  const broker = await pair.open(newName(), limits)
  const room = broker.room('a')
  const settled = await Promise.allSettled(['1', '2', '3', '4'].map((text) => room.publish(text)))
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  )
  const large = 'x'.repeat(1900)
  const both = await Promise.allSettled([room.publish(large), room.publish('y'.repeat(100))])
  assert.deepEqual(
    both.map((result) => (result.status === 'rejected' ? (result.reason as { code?: string }).code : result.status)),
    ['fulfilled', 'ERR_QUEUE_LIMIT'],
  )
  await within('close', broker.close())
})

test('close while the worker is behind: what was asked before is done first', async () => {
  const name = newName()
  const pair = new LinkedPair()
  const broker = await pair.open(name, { ...SMALL, maxQueuedMessages: 5 })
  await using parent = await openBroker(`memory:${name}`)
  await broker.room('a').subscribe(new Heard())
  await broker.room('a').enter({ id: 'ann' })
  await turns(3)
  pair.stalled = true
  await publishAll(parent.room('a'), numbered('m', 1, 20))
  const last = broker.room('a').publish('last words')
  const closing = broker.close()
  await turns(3)
  pair.resume()
  assert.equal((await within('the publish', last)).offset, 21)
  await within('close', closing)
  assert.deepEqual(await parent.room('a').members(), [])
})
