import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '#src/pubsub/open-broker.js'
import { Heard, numbered, publishAll } from '#src/testing/broker-trial.js'
import { until, within, withCode } from '#src/testing/contract-row.js'
import { freePort } from '../fixtures/free-port.js'
import { Program } from '../fixtures/program.js'
import { noRedis, RedisServer } from '../fixtures/redis.js'

const skip = noRedis
const MEMBER = fileURLToPath(new URL('../fixtures/room-member.js', import.meta.url))

/** The code and the message of what a broker could not be opened for. */
async function refusal(url: string): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await (await openBroker(url)).close()
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error)
    return { code: String(error.code), message: error.message }
  }
  throw new Error('It was opened')
}

test('what is wrong with a URL of Redis is said in a line, without its password', async () => {
  for (const url of [
    'redis://u:secret@host/first',
    'redis://u:secret@host?prefix=a%20b',
    'redis://u:secret@host?prefixes=a',
    'rediss://u:secret@',
  ]) {
    const { code, message } = await refusal(url)
    assert.equal(code, 'ERR_BROKER_URL')
    assert.doesNotMatch(message, /secret|\n/)
  }
})

test('nobody listens, and no such name: one line that says what to do', async () => {
  const port = await freePort()
  assert.deepEqual(await refusal(`redis://u:secret@127.0.0.1:${port}`), {
    code: 'ERR_BROKER_AWAY',
    message: `Cannot reach redis://127.0.0.1:${port}: nothing listens there; start it, or correct the host and the port`,
  })
  assert.deepEqual(await refusal('redis://no-such-host.invalid'), {
    code: 'ERR_BROKER_AWAY',
    message: 'Cannot reach redis://no-such-host.invalid:6379: its name is not known; correct the host',
  })
})

test('a password that is missing, wrong or right', { skip }, async (context) => {
  const redis = await RedisServer.start(context, { password: 'secret' })
  const address = `127.0.0.1:${redis.port}`
  for (const user of ['', ':wr0ng@', 'nobody:secret@']) {
    const { code, message } = await refusal(`redis://${user}${address}`)
    assert.equal(code, 'ERR_BROKER_AUTH', message)
    assert.match(message, /refuses the user or the password/)
    assert.doesNotMatch(message, /wr0ng|secret|\n/)
  }
  await using broker = await openBroker(`redis://:secret@${address}`)
  assert.equal((await broker.room('a').publish('1')).offset, 1)
})

test(
  'a server that is restarted: what is asked meanwhile waits, nothing is lost and nothing comes twice',
  { skip },
  async (context) => {
    const redis = await RedisServer.start(context)
    await using first = await openBroker(redis.url())
    await using second = await openBroker(redis.url())
    const [here, there] = [new Heard(), new Heard()]
    await first.room('a').subscribe(here)
    await second.room('a').subscribe(there)
    const published: Promise<unknown>[] = []
    let sent = 0
    const publish = (broker: typeof first): void => {
      sent += 1
      published.push(broker.room('a').publish(`m ${sent}`))
    }
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (let i = 0; i < 50; i += 1) publish(i % 2 === 0 ? first : second)
      const stopping = redis.stop(signal)
      for (let i = 0; i < 50; i += 1) publish(i % 2 === 0 ? first : second)
      await stopping
      for (let i = 0; i < 50; i += 1) publish(i % 2 === 0 ? first : second)
      await redis.startAgain()
    }
    await within('what was published', Promise.all(published), 15_000)
    await until('all of it', () => here.messages.length >= sent && there.messages.length >= sent)
    assert.deepEqual(here.texts, there.texts)
    assert.deepEqual(new Set(here.texts).size, sent)
    assert.equal(here.messages.length, sent)
    assert.ok([here, there].every(({ gaps }) => gaps.every(({ missed }) => missed === 0)))
  },
)

test('a position of before a restart is good as far as nothing was lost', { skip }, async (context) => {
  const redis = await RedisServer.start(context)
  await using broker = await openBroker(redis.url())
  const room = broker.room('a')
  const { position: start } = await room.subscribe(new Heard())
  await publishAll(room, numbered('m', 1, 5))
  const copy = `${redis.folder}.copy`
  context.after(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(redis.folder, copy, { recursive: true })
  await publishAll(room, numbered('m', 6, 9))
  const heard = new Heard()
  const subscription = await room.subscribe(heard)
  const { epoch } = start

  // As when a machine lost power, or a replica took over that had not got everything.
  await redis.stop('SIGKILL')
  rmSync(join(redis.folder, 'appendonlydir'), { recursive: true })
  cpSync(join(copy, 'appendonlydir'), join(redis.folder, 'appendonlydir'), { recursive: true })
  await redis.startAgain()
  await publishAll(room, ['m 6 anew', 'm 7 anew'])
  await heard.hears('m 7 anew')
  const lost = heard.gaps.filter(({ missed }) => missed === undefined)
  assert.deepEqual(
    [heard.texts, lost.map(({ after, until: { offset } }) => [after, offset])],
    [['m 6 anew', 'm 7 anew'], [[{ epoch, offset: 9 }, 5]]],
  )
  assert.equal(subscription.position.offset, 7)
  assert.notEqual(subscription.position.epoch, epoch)

  // Whoever stands before what was lost misses nothing, also behind another restart; who stands behind it is told.
  await redis.stop()
  await redis.startAgain()
  const [before, behind] = [new Heard(), new Heard()]
  await room.subscribe(before, { from: { epoch, offset: 4 } })
  await room.subscribe(behind, { from: { epoch, offset: 6 } })
  const torn = ({ gaps }: Heard): number => gaps.filter(({ missed }) => missed !== 0).length
  assert.deepEqual([before.texts, torn(before)], [['m 5', 'm 6 anew', 'm 7 anew'], 0])
  assert.deepEqual([behind.texts, torn(behind)], [['m 6 anew', 'm 7 anew'], 1])
})

test('a server that has lost everything: a gap, and members come again', { skip }, async (context) => {
  const redis = await RedisServer.start(context, { keeps: false })
  await using first = await openBroker(redis.url())
  await using second = await openBroker(redis.url())
  const heard = new Heard()
  await first.room('a').subscribe(heard)
  await first.room('a').enter({ id: 'ann', data: { n: 1 } })
  await publishAll(first.room('a'), numbered('m', 1, 3))
  await redis.stop('SIGKILL')
  await redis.startAgain()
  const { offset } = await second.room('a').publish('anew')
  assert.equal(offset, 1)
  await heard.hears('anew')
  assert.ok(heard.gaps.some(({ missed }) => missed === undefined))
  let members: readonly unknown[] = []
  await until('ann to be there again', () => {
    void second
      .room('a')
      .members()
      .then((there) => (members = there))
    return members.length === 1
  })
  assert.deepEqual(members, [{ id: 'ann', data: { n: 1 } }])
})

test('a server that stays away: what waits is bounded in number, in bytes and in time', { skip }, async (context) => {
  const redis = await RedisServer.start(context)
  const limits = { maxQueuedMessages: 3, maxQueuedBytes: 2000, maxAwayMs: 300 }
  await using broker = await openBroker(redis.url(), limits)
  const room = broker.room('a')
  const heard = new Heard()
  const subscription = await room.subscribe(heard)
  await redis.stop()
  const codes = (await Promise.allSettled(['1', '2', '3', '4'].map((text) => room.publish(text)))).map((result) =>
    result.status === 'rejected' ? (result.reason as { code?: string }).code : result.status,
  )
  assert.deepEqual(codes, ['ERR_BROKER_AWAY', 'ERR_BROKER_AWAY', 'ERR_BROKER_AWAY', 'ERR_QUEUE_LIMIT'])
  const large = await Promise.allSettled([room.publish('x'.repeat(1500)), room.publish('y'.repeat(600))])
  assert.deepEqual(
    large.map((result) => result.status === 'rejected' && (result.reason as { code?: string }).code),
    ['ERR_BROKER_AWAY', 'ERR_QUEUE_LIMIT'],
  )
  await assert.rejects(room.members(), withCode('ERR_BROKER_AWAY'))
  assert.deepEqual([broker.state, subscription.closed], ['open', false])
  await redis.startAgain()
  await until('it to be there', () => heard.gaps.length > 0)
  await room.publish('again')
  await heard.hears('again')
})

test('members of a process that is killed leave within five seconds', { skip }, async (context) => {
  const redis = await RedisServer.start(context)
  await using broker = await openBroker(redis.url())
  const heard = new Heard()
  await broker.room('a').subscribe(heard)
  const member = new Program(context, process.execPath, [MEMBER, redis.url(), 'a', 'ann'])
  await member.printed(/entered/)
  await heard.sees('join ann')
  assert.deepEqual(await broker.rooms(), [{ name: 'a', members: 1 }])
  const killed = performance.now()
  await member.stop('SIGKILL')
  await heard.sees('leave ann')
  assert.ok(performance.now() - killed < 5000)
  assert.deepEqual([await broker.room('a').members(), await broker.rooms()], [[], []])
})

test(
  'a server that answers nothing any more is given up, and found again; members that were taken for dead come back',
  { skip },
  async (context) => {
    const redis = await RedisServer.start(context)
    await using stalled = await openBroker(redis.url(), { leaseMs: 600 })
    const heard = new Heard()
    await stalled.room('a').subscribe(heard)
    await stalled.room('a').enter({ id: 'ann' })
    redis.pause()
    const published = stalled.room('a').publish('while it stood still')
    await new Promise((resolve) => {
      setTimeout(resolve, 1500)
    })
    redis.resume()
    await within('the publish', published)
    await until('presence to be missed', () => heard.gaps.some(({ missed }) => missed === 0))
    assert.deepEqual(heard.texts, ['while it stood still'])
    await using other = await openBroker(redis.url())
    await until('ann', () => stalled.metrics.members === 1)
    assert.deepEqual(await other.room('a').members(), [{ id: 'ann' }])
  },
)

test('a full memory refuses what is published, and says so', { skip }, async (context) => {
  const redis = await RedisServer.start(context, { more: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
  await using broker = await openBroker(redis.url(), { historyBytes: 64 * 1024 * 1024 })
  const large = 'x'.repeat(100_000)
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 100; i += 1) await broker.room('a').publish(large)
  }
  await assert.rejects(fill(), withCode('ERR_BROKER_FULL'))
  assert.equal(broker.state, 'open')
})
