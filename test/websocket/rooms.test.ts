import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { Broker } from '#src/pubsub/broker.js'
import { openBroker } from '#src/pubsub/open-broker.js'
import type { Room } from '#src/pubsub/room.js'
import { MemoryBroker } from '#src/pubsub/memory/memory-broker.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { concurrent, processes, threads, type Model } from '#src/server/models/model.js'
import { until, within } from '#src/testing/contract-row.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { connectRooms, type ReceivedGap, type ReceivedMessage, type RoomsClient } from '#src/websocket/rooms-client.js'
import { roomsHandler } from '#src/websocket/rooms-server.js'
import { ROOMS_PROTOCOL } from '#src/websocket/rooms-protocol.js'
import { websocket } from '#src/websocket/server.js'

const handler = new URL('../fixtures/room-server.js', import.meta.url)
const TIMEOUT = { timeout: 60_000 }

/** What a listener was told. */
class Log {
  readonly messages: ReceivedMessage[] = []
  readonly gaps: ReceivedGap[] = []
  readonly presence: string[] = []
  message(message: ReceivedMessage): void {
    this.messages.push(message)
  }
  gap(gap: ReceivedGap): void {
    this.gaps.push(gap)
  }
  event({ type, member }: { readonly type: string; readonly member: { readonly id: string } }): void {
    this.presence.push(`${type} ${member.id}`)
  }
  get said(): string[] {
    return this.messages.map(({ data }) => String(data))
  }
  get listener() {
    return {
      message: (message: ReceivedMessage) => this.message(message),
      gap: (gap: ReceivedGap) => this.gap(gap),
      presence: (event: { readonly type: string; readonly member: { readonly id: string } }) => this.event(event),
    }
  }
}

/** The events of a stream until so many are there. */
async function readEvents(url: string, count: number, headers: Record<string, string> = {}): Promise<string[]> {
  const stop = new AbortController()
  const response = await fetch(url, { headers, signal: stop.signal })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const events: string[] = []
  let text = ''
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString()
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    events.push(...blocks.filter((block) => block !== ':'))
    if (events.length >= count) break
  }
  stop.abort()
  return events
}

const idOf = (event: string | undefined): string => /^id: (.*)$/m.exec(event ?? '')?.[1] ?? ''
const dataOf = (event: string | undefined): string => JSON.parse(/^data: (.*)$/m.exec(event ?? '')?.[1] ?? '{}').data

const models: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'concurrent()', model: concurrent() },
  { name: 'threads()', model: threads({ size: 2 }) },
  { name: 'processes()', model: processes({ size: 2 }) },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }) },
]

for (const { name, model } of models) {
  suite(`rooms under ${name}`, () => {
    let server: HttpServer
    let url = ''
    before(async () => {
      server = await serveHttp('http://127.0.0.1:0', handler, { model })
      url = server.endpoint.replace('http:', 'ws:')
    })
    after(() => server.close({ graceMs: 1000 }))
    const open = (): Promise<RoomsClient> => connectRooms(`${url}/rooms`, { reconnect: { maxAttempts: 1 } })

    test('each message reaches all who follow, once and in order, in whichever worker they are', TIMEOUT, async () => {
      const room = randomUUID()
      const clients = await Promise.all(Array.from({ length: 6 }, open))
      const logs = clients.map(() => new Log())
      await Promise.all(clients.map((client, i) => client.follow(room, logs[i]?.listener ?? new Log().listener)))
      const sent = await Promise.all(
        Array.from({ length: 60 }, async (_, i) =>
          clients[i % 6]?.publish(room, i % 2 === 0 ? `text ${i}` : Buffer.of(i)),
        ),
      )
      assert.equal(new Set(sent.map((position) => position?.offset)).size, 60)
      await until('all messages', () => logs.every(({ messages }) => messages.length === 60))
      const [first] = logs
      for (const { messages } of logs) {
        assert.deepEqual(
          messages.map(({ offset }) => offset),
          Array.from({ length: 60 }, (_, i) => i + 1),
        )
        assert.deepEqual(messages, first?.messages)
      }
      await Promise.all(clients.map((client) => client.close()))
    })

    test('who comes late gets the newest first, and who comes back what was missed', TIMEOUT, async () => {
      const room = randomUUID()
      const writer = await open()
      for (let i = 1; i <= 5; i += 1) await writer.publish(room, `message ${i}`)
      const late = new Log()
      const reader = await open()
      await reader.follow(room, late.listener, { last: 2 })
      assert.deepEqual(late.said, ['message 4', 'message 5'])
      const [, seen] = late.messages
      await reader.close()
      for (let i = 6; i <= 9; i += 1) await writer.publish(room, `message ${i}`)
      const back = new Log()
      const again = await open()
      assert.ok(seen !== undefined)
      await again.follow(room, back.listener, { from: seen })
      await writer.publish(room, 'message 10')
      await until('the live message', () => back.said.length === 5)
      assert.deepEqual(
        back.said,
        [6, 7, 8, 9, 10].map((i) => `message ${i}`),
      )
      assert.equal(back.gaps.length, 0)
      await again.unfollow(room)
      await Promise.all([writer.close(), again.close()])
    })

    test('who is there is told, and told when they leave or are lost', TIMEOUT, async () => {
      const room = randomUUID()
      const [watcher, ann, bob] = [await open(), await open(), await open()]
      const log = new Log()
      await watcher.follow(room, log.listener)
      await ann.enter(room, { id: 'ann', data: { colour: 'red' } })
      await bob.enter(room, { id: 'bob' })
      assert.deepEqual(await watcher.members(room), [{ id: 'ann', data: { colour: 'red' } }, { id: 'bob' }])
      await ann.leave(room)
      bob.socket.destroy()
      await until('both to have left', () => log.presence.length === 4)
      assert.deepEqual(log.presence, ['join ann', 'join bob', 'leave ann', 'leave bob'])
      await Promise.all([watcher.close(), ann.close()])
    })

    test('what is not allowed is refused, and costs nothing else', TIMEOUT, async () => {
      const client = await open()
      const refused = { code: 'ERR_ROOM_REFUSED' }
      await assert.rejects(client.publish('secret', 'x'), refused)
      await assert.rejects(client.follow('secret', new Log().listener), refused)
      await assert.rejects(client.follow('', new Log().listener), refused)
      for (const room of ['a', 'b', 'c']) await client.follow(room + randomUUID(), new Log().listener)
      await assert.rejects(client.follow('d', new Log().listener), refused)
      const socket = await connectWebSocket(`${url}/rooms`, { protocols: [ROOMS_PROTOCOL] })
      await socket.send('{"type":"follow"}')
      assert.equal((await within('the end', socket.closed)).code, 1003)
      await client.close()
    })

    test('a group passes over who sent a message', TIMEOUT, async () => {
      const [ann, bob] = [
        await connectWebSocket(`${url}/hall?name=ann`),
        await connectWebSocket(`${url}/hall?name=bob`),
      ]
      for (const socket of [ann, bob]) assert.equal(await within('the welcome', socket.receive()), 'welcome')
      await ann.send('from ann')
      await bob.send('from bob')
      assert.equal(await within('a message', ann.receive()), 'from bob')
      assert.equal(await within('a message', bob.receive()), 'from ann')
      await Promise.all([ann.close(), bob.close()])
    })

    test('server-sent events carry the same messages, and go on behind Last-Event-ID', TIMEOUT, async () => {
      const room = randomUUID()
      const writer = await open()
      for (let i = 1; i <= 5; i += 1) await writer.publish(room, `message ${i}`)
      const events = `${server.endpoint}/events?room=${room}`
      const newest = await readEvents(events, 2)
      assert.deepEqual(newest.map(dataOf), ['message 4', 'message 5'])
      await writer.publish(room, 'message 6')
      const missed = await readEvents(events, 2, { 'Last-Event-ID': idOf(newest[0]) })
      assert.deepEqual(missed.map(dataOf), ['message 5', 'message 6'])
      const [gap] = await readEvents(events, 1, { 'Last-Event-ID': 'another-epoch:7' })
      assert.match(gap ?? '', /^event: gap$/m)
      await writer.close()
    })
  })
}

suite('a client that loses its server', () => {
  test('it comes back, and misses nothing that history holds', TIMEOUT, async () => {
    const broker = new MemoryBroker()
    const room = broker.room('news')
    const service = websocket(roomsHandler(broker), { protocols: [ROOMS_PROTOCOL] })
    let server = await serveHttp('http://127.0.0.1:0', service)
    const { endpoint } = server
    const log = new Log()
    await using client = await connectRooms(endpoint, { reconnect: { minDelayMs: 20, maxDelayMs: 50 } })
    await client.follow('news', log.listener)
    await client.enter('news', { id: 'reader' })
    for (let round = 0; round < 3; round += 1) {
      await room.publish(`before ${round}`)
      await until('the message', () => log.said.at(-1) === `before ${round}`)
      await server.close({ restart: true, graceMs: 500 })
      for (let i = 0; i < 20; i += 1) await room.publish(`away ${round} ${i}`)
      server = await serveHttp(endpoint, service)
      await until('what was missed', () => log.said.at(-1) === `away ${round} 19`)
      await until('the member', () => log.presence.length > round)
    }
    assert.deepEqual(
      log.messages.map(({ offset }) => offset),
      Array.from({ length: 63 }, (_, i) => i + 1),
    )
    assert.equal(log.gaps.length, 0)
    assert.equal(client.socket.reconnects, 3)
    await server.close()
    await broker.close()
  })

  test('what history does not hold any more is told as a gap', TIMEOUT, async () => {
    const broker = new MemoryBroker({ maxHistoryMessages: 5 })
    const room = broker.room('news')
    const service = websocket(roomsHandler(broker))
    let server = await serveHttp('http://127.0.0.1:0', service)
    const { endpoint } = server
    const log = new Log()
    await using client = await connectRooms(endpoint, { reconnect: { minDelayMs: 20, maxDelayMs: 50 } })
    await client.follow('news', log.listener)
    await room.publish('seen')
    await until('the message', () => log.said.length === 1)
    await server.close()
    for (let i = 0; i < 20; i += 1) await room.publish(`away ${i}`)
    server = await serveHttp(endpoint, service)
    await until('what is left', () => log.said.length === 6)
    assert.deepEqual(
      log.said.slice(1),
      [15, 16, 17, 18, 19].map((i) => `away ${i}`),
    )
    assert.deepEqual(
      log.gaps.map(({ missed }) => missed),
      [15],
    )
    await server.close()
    await broker.close()
  })

  test('a broker that ends closes those in its rooms with 1012', TIMEOUT, async () => {
    const broker = await openBroker(`memory:${randomUUID()}`)
    await using server = await serveHttp('http://127.0.0.1:0', websocket(roomsHandler(broker)))
    const client = await connectRooms(server.endpoint, { reconnect: undefined })
    await client.follow('news', new Log().listener)
    await broker.close()
    assert.equal((await within('the end', client.closed)).code, 1012)
  })
})

/** Rooms whose history is ahead of what is told live, as when a broker elsewhere answers faster than it tells. */
function toldLate(broker: MemoryBroker, lateMs: number): Broker {
  const room = (name: string): Room => {
    const real = broker.room(name)
    return {
      name,
      publish: (...given) => real.publish(...given),
      history: (options) => real.history(options),
      enter: (...given) => real.enter(...given),
      members: () => real.members(),
      subscribe: (listener, options) =>
        real.subscribe({ message: (message) => void setTimeout(() => listener.message(message), lateMs) }, options),
    }
  }
  return new Proxy<Broker>(broker, {
    get: (target, key) => (key === 'room' ? room : Reflect.get(target, key)),
  })
}

test('what history had already is not told again when it comes live behind it', TIMEOUT, async () => {
  await using broker = new MemoryBroker()
  const rooms = websocket(roomsHandler(toldLate(broker, 100)), { protocols: [ROOMS_PROTOCOL] })
  await using server = await serveHttp('http://127.0.0.1:0', rooms)
  await using first = await connectRooms(server.endpoint)
  const [here, late] = [new Log(), new Log()]
  await first.follow('a', here.listener)
  for (const text of ['1', '2', '3']) await first.publish('a', text)
  await using second = await connectRooms(server.endpoint)
  await second.follow('a', late.listener, { last: 10 })
  await first.publish('a', '4')
  await until('the last one', () => here.said.includes('4') && late.said.includes('4'))
  assert.deepEqual(
    [here.said, late.said],
    [
      ['1', '2', '3', '4'],
      ['1', '2', '3', '4'],
    ],
  )
})
