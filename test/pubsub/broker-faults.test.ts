import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '#src/pubsub/open-broker.js'
import { Heard, numbered, publishAll } from '#src/testing/broker-trial.js'
import { until, within, withCode } from '#src/testing/contract-row.js'
import { NatsServer, noNats } from '../fixtures/nats.js'
import { Program } from '../fixtures/program.js'
import { noRedis, RedisServer } from '../fixtures/redis.js'

const MEMBER = fileURLToPath(new URL('../fixtures/room-member.js', import.meta.url))

const SERVERS = [
  { name: 'redis', data: 'appendonlydir', start: (context: TestContext) => RedisServer.start(context), skip: noRedis },
  { name: 'nats', data: 'jetstream', start: (context: TestContext) => NatsServer.start(context), skip: noNats },
] as const

for (const { name, data, start, skip } of SERVERS) {
  test(
    `${name}: a server that is restarted: what is asked meanwhile waits, nothing is lost and nothing comes twice`,
    { skip },
    async (context) => {
      const server = await start(context)
      await using first = await openBroker(server.url())
      await using second = await openBroker(server.url())
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
        const stopping = server.stop(signal)
        for (let i = 0; i < 50; i += 1) publish(i % 2 === 0 ? first : second)
        await stopping
        for (let i = 0; i < 50; i += 1) publish(i % 2 === 0 ? first : second)
        await server.startAgain()
      }
      await within('what was published', Promise.all(published), 15_000)
      await until('all of it', () => here.messages.length >= sent && there.messages.length >= sent)
      assert.deepEqual(here.texts, there.texts)
      assert.deepEqual(new Set(here.texts).size, sent)
      assert.equal(here.messages.length, sent)
      assert.ok([here, there].every(({ gaps }) => gaps.every(({ missed }) => missed === 0)))
    },
  )

  test(
    `${name}: a server that stays away: what waits is bounded in number, in bytes and in time`,
    { skip },
    async (context) => {
      const server = await start(context)
      const limits = { maxQueuedMessages: 3, maxQueuedBytes: 2000, maxAwayMs: 300 }
      await using broker = await openBroker(server.url(), limits)
      const room = broker.room('a')
      const heard = new Heard()
      const subscription = await room.subscribe(heard)
      await server.stop()
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
      await server.startAgain()
      await until('it to be there', () => heard.gaps.length > 0)
      await room.publish('again')
      await heard.hears('again')
    },
  )

  test(`${name}: members of a process that is killed leave within five seconds`, { skip }, async (context) => {
    const server = await start(context)
    await using broker = await openBroker(server.url())
    const heard = new Heard()
    await broker.room('a').subscribe(heard)
    const member = new Program(context, process.execPath, [MEMBER, server.url(), 'a', 'ann'])
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
    `${name}: a server that answers nothing any more is given up, and found again; members that were taken for dead come back`,
    { skip },
    async (context) => {
      const server = await start(context)
      await using stalled = await openBroker(server.url(), { leaseMs: 600 })
      const heard = new Heard()
      await stalled.room('a').subscribe(heard)
      await stalled.room('a').enter({ id: 'ann' })
      server.pause()
      const published = stalled.room('a').publish('while it stood still')
      await new Promise((resolve) => {
        setTimeout(resolve, 1500)
      })
      server.resume()
      await within('the publish', published)
      await until('presence to be missed', () => heard.gaps.some(({ missed }) => missed === 0))
      assert.deepEqual(heard.texts, ['while it stood still'])
      await using other = await openBroker(server.url())
      await until('ann', () => stalled.metrics.members === 1)
      assert.deepEqual(await other.room('a').members(), [{ id: 'ann' }])
    },
  )

  test(`${name}: a position of before a restart is good as far as nothing was lost`, { skip }, async (context) => {
    const server = await start(context)
    await using broker = await openBroker(server.url())
    const room = broker.room('a')
    const { position: begun } = await room.subscribe(new Heard())
    await publishAll(room, numbered('m', 1, 5))
    const copy = `${server.folder}.copy`
    context.after(() => rmSync(copy, { recursive: true, force: true }))
    cpSync(server.folder, copy, { recursive: true })
    await publishAll(room, numbered('m', 6, 9))
    const heard = new Heard()
    const subscription = await room.subscribe(heard)
    const { epoch } = begun

    // As when a machine lost power, or a replica took over that had not got everything.
    await server.stop('SIGKILL')
    rmSync(join(server.folder, data), { recursive: true })
    cpSync(join(copy, data), join(server.folder, data), { recursive: true })
    await server.startAgain()
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
    await server.stop()
    await server.startAgain()
    const [before, behind] = [new Heard(), new Heard()]
    await room.subscribe(before, { from: { epoch, offset: 4 } })
    await room.subscribe(behind, { from: { epoch, offset: 6 } })
    const torn = ({ gaps }: Heard): number => gaps.filter(({ missed }) => missed !== 0).length
    assert.deepEqual([before.texts, torn(before)], [['m 5', 'm 6 anew', 'm 7 anew'], 0])
    assert.deepEqual([behind.texts, torn(behind)], [['m 6 anew', 'm 7 anew'], 1])
  })

  test(`${name}: a server that has lost everything: a gap, and members come again`, { skip }, async (context) => {
    const server = await start(context)
    await using first = await openBroker(server.url())
    await using second = await openBroker(server.url())
    const heard = new Heard()
    await first.room('a').subscribe(heard)
    await first.room('a').enter({ id: 'ann', data: { n: 1 } })
    await publishAll(first.room('a'), numbered('m', 1, 3))
    await server.stop('SIGKILL')
    rmSync(join(server.folder, data), { recursive: true })
    await server.startAgain()
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
}
