import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { serveHttp } from '#src/http/server.js'
import { MemoryBroker } from '#src/pubsub/memory/memory-broker.js'
import { formatPosition } from '#src/pubsub/position.js'
import { until, within } from '#src/testing/contract-row.js'
import { roomEvents } from '#src/websocket/room-events.js'
import { followRoom } from '#src/websocket/room-follower.js'

const TIMEOUT = { timeout: 60_000 }
const SETTINGS = { last: 0, maxQueuedMessages: 1024, maxQueuedBytes: 1024 * 1024 }
const never = new AbortController().signal

/** The offsets of messages and gaps in a text of events. */
const offsetsOf = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((block) => block.includes('id: '))
    .map((block) => `${block.startsWith('event: gap') ? 'gap ' : ''}${/^id: .*:(\d+)$/m.exec(block)?.[1] ?? ''}`)

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`)

suite('rooms as server-sent events', () => {
  test('all that history holds comes, at the pace of the client, however much may be queued', TIMEOUT, async () => {
    await using broker = new MemoryBroker()
    const room = broker.room('news')
    const first = await room.publish('first')
    for (let i = 0; i < 100; i += 1) await room.publish(new Uint8Array(9000).fill(i))
    await using server = await serveHttp('http://127.0.0.1:0', roomEvents(broker))
    const stop = new AbortController()
    const headers = { 'Last-Event-ID': formatPosition(first) }
    const answer = await fetch(`${server.endpoint}?room=news`, { headers, signal: stop.signal })
    let text = ''
    for await (const part of answer.body ?? []) {
      text += Buffer.from(part).toString()
      if (text.includes(':101\n') && text.endsWith('\n\n')) break
    }
    assert.deepEqual(offsetsOf(text), numbers(2, 101))
    stop.abort()
    await until('the end of the subscription', () => broker.metrics.subscriptions === 0)
  })

  for (const limits of [{ maxQueuedMessages: 2 }, { maxQueuedBytes: 20 }])
    test(`what a slow reader cannot hold is read from history (${Object.keys(limits).join()})`, TIMEOUT, async () => {
      await using broker = new MemoryBroker()
      const room = broker.room('news')
      const events = await followRoom(room, undefined, { ...SETTINGS, ...limits }, never)
      const got: string[] = []
      for (let round = 0; round < 10; round += 1) {
        for (let i = 0; i < 40; i += 1) await room.publish('ten octets')
        for (let i = 0; i < 30; i += 1) got.push(/:(\d+)$/.exec((await events.next()).value?.id ?? '')?.[1] ?? '')
      }
      assert.deepEqual(got, numbers(1, 300))
      await events.return?.()
      assert.equal(broker.metrics.subscriptions, 0)
    })

  test('what history has lost meanwhile is told as a gap, once', TIMEOUT, async () => {
    await using broker = new MemoryBroker({ historyMessages: 10 })
    const room = broker.room('news')
    const events = await followRoom(room, undefined, { ...SETTINGS, maxQueuedMessages: 5 }, never)
    const take = async (count: number): Promise<string[]> => {
      let text = ''
      for (let i = 0; i < count; i += 1) {
        const { value } = await events.next()
        text += `${value?.event === undefined ? '' : 'event: gap\n'}id: ${value?.id ?? ''}\n\n`
      }
      return offsetsOf(text)
    }
    // It has read that there is nothing, and takes what comes.
    const waiting = take(1)
    await until('it to wait', () => broker.metrics.subscriptions === 1)
    for (let i = 0; i < 100; i += 1) await room.publish('x')
    const got = [...(await waiting), ...(await take(15 - 1))]
    const gap = got.findIndex((name) => name.startsWith('gap '))
    assert.deepEqual(got.slice(0, gap), numbers(1, gap))
    assert.deepEqual(got.slice(gap, gap + 11), ['gap 90', ...numbers(91, 100)].slice(0, 15 - gap))
    await events.return?.()
  })

  test('the newest come first without a gap before them', TIMEOUT, async () => {
    await using broker = new MemoryBroker({ historyMessages: 10 })
    const room = broker.room('news')
    for (let i = 0; i < 30; i += 1) await room.publish('x')
    for (const [last, first] of [
      [3, 28],
      [Infinity, 21],
      [0, 31],
    ] as const) {
      const events = await followRoom(room, undefined, { ...SETTINGS, last }, never)
      if (last === 0) await room.publish('new')
      assert.match((await events.next()).value?.id ?? '', new RegExp(`:${first}$`))
      await events.return?.()
    }
  })

  test('each end ends the subscription: of the client, of the server, of the broker, also before the first event', async () => {
    const broker = new MemoryBroker()
    const room = broker.room('news')
    const left = await followRoom(room, undefined, SETTINGS, never)
    const waiting = left.next()
    await left.return?.()
    assert.deepEqual(await within('the end', waiting), { done: true, value: undefined })
    const draining = new AbortController()
    const [idle, drained] = [
      await followRoom(room, undefined, SETTINGS, draining.signal),
      await followRoom(room, undefined, SETTINGS, draining.signal),
    ]
    const last = drained.next()
    draining.abort()
    for (const next of [last, idle.next()]) assert.equal((await within('the end', next)).done, true)
    assert.equal(broker.metrics.subscriptions, 0)
    const late = await followRoom(room, undefined, SETTINGS, draining.signal)
    assert.equal((await late.next()).done, true)
    assert.equal(broker.metrics.subscriptions, 0)
    const orphan = await followRoom(room, undefined, SETTINGS, never)
    const end = orphan.next()
    await broker.close()
    assert.equal((await within('the end', end)).done, true)
  })

  test('many streams at once are no leak of listeners', TIMEOUT, async () => {
    const warnings: string[] = []
    const warned = ({ name }: Error): void => void warnings.push(name)
    process.on('warning', warned)
    await using broker = new MemoryBroker()
    await using server = await serveHttp('http://127.0.0.1:0', roomEvents(broker))
    const stop = new AbortController()
    await Promise.all(Array.from({ length: 15 }, () => fetch(`${server.endpoint}?room=news`, { signal: stop.signal })))
    assert.equal(broker.metrics.subscriptions, 15)
    stop.abort()
    await until('the end of the subscriptions', () => broker.metrics.subscriptions === 0)
    process.off('warning', warned)
    assert.deepEqual(warnings, [])
  })
})
