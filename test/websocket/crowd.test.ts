// Five thousand peers when the server closes, and when it comes again.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MemoryBroker } from '#src/pubsub/memory/memory-broker.js'
import { serveHttp } from '#src/http/server.js'
import { until } from '#src/testing/contract-row.js'
import { connectWebSocket } from '#src/websocket/client.js'
import type { WebSocketReport } from '#src/websocket/link.js'
import { connectRooms, type RoomsClient } from '#src/websocket/rooms-client.js'
import { roomsHandler } from '#src/websocket/rooms-server.js'
import { websocket } from '#src/websocket/server.js'
import { descriptorLimit } from './_descriptors.js'

const PEERS = 5000
const BATCH = 250
const SKIP = descriptorLimit() < 3 * PEERS ? { skip: `fewer than ${3 * PEERS} descriptors may be open here` } : {}
const OPTIONS = { timeout: 240_000, ...SKIP }
const LIMITS = { maxConnections: 2 * PEERS, maxConnectionsPerAddress: 2 * PEERS, backlog: 4096 }

async function inBatches<T>(make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let at = 0; at < PEERS; at += BATCH)
    made.push(...(await Promise.all(Array.from({ length: BATCH }, (_, i) => make(at + i)))))
  return made
}

suite('a crowd of 5,000', () => {
  test('each gets 1001 and a clean close within the deadline', OPTIONS, async () => {
    const ends: WebSocketReport[] = []
    const service = websocket(async (peer) => {
      for await (const _ of peer);
      ends.push(await peer.closed)
    })
    const server = await serveHttp('http://127.0.0.1:0', service, LIMITS)
    const clients = await inBatches(() => connectWebSocket(server.endpoint))
    assert.equal(service.peers(), PEERS)
    const report = await server.close({ graceMs: 30_000 })
    assert.deepEqual([report.cutCount, report.handlersLeft], [0, 0])
    assert.ok(report.tookMs < 30_000)
    const codes = new Map<number, number>()
    for (const { code, wasClean } of await Promise.all(clients.map(({ closed }) => closed)))
      if (wasClean) codes.set(code, (codes.get(code) ?? 0) + 1)
    assert.deepEqual([...codes], [[1001, PEERS]])
    assert.equal(ends.filter(({ wasClean }) => wasClean).length, PEERS)
  })

  test('told of a restart they come back spread out over time, and miss nothing', OPTIONS, async () => {
    const broker = new MemoryBroker({ maxSubscriptions: 4 * PEERS, maxMembers: 4 * PEERS })
    const room = broker.room('news')
    const service = websocket(roomsHandler(broker))
    const server = await serveHttp('http://127.0.0.1:0', service, LIMITS)
    const { endpoint } = server
    const offsets: number[][] = Array.from({ length: PEERS }, () => [])
    const reconnect = { minDelayMs: 8000, maxDelayMs: 8000 }
    const backAt: number[] = []
    const clients = await inBatches(async (i): Promise<RoomsClient> => {
      const client = await connectRooms(endpoint, { reconnect })
      client.socket.onReconnect(() => backAt.push(performance.now()))
      await client.follow('news', { message: ({ offset }) => void offsets[i]?.push(offset) })
      return client
    })
    await room.publish('before')
    await until('all to have it', () => offsets.every(({ length }) => length === 1), 60_000)
    const codes = Promise.all(clients.map(({ socket }) => socket.peer.closed))
    await server.close({ restart: true, graceMs: 30_000 })
    const told = await codes
    assert.equal(told.filter(({ code, wasClean }) => code === 1012 && wasClean).length, PEERS)
    for (let i = 0; i < 10; i += 1) await room.publish(`while they were away ${i}`)
    const next = await serveHttp(endpoint, service, LIMITS)
    await until('all to be back', () => backAt.length >= PEERS && service.peers() === PEERS, 60_000)
    await room.publish('behind')
    await until('all to have the rest', () => offsets.every(({ length }) => length >= 12), 60_000)
    const expected = Array.from({ length: 12 }, (_, i) => i + 1)
    assert.equal(offsets.filter((list) => list.join() === expected.join()).length, PEERS)
    // Chosen at random over eight seconds: no tenth of that has more than three times its share.
    const first = Math.min(...backAt)
    const bins = Array.from({ length: 10 }, () => 0)
    const width = (Math.max(...backAt) - first) / 10
    for (const at of backAt)
      bins[Math.min(9, Math.floor((at - first) / width))] =
        (bins[Math.min(9, Math.floor((at - first) / width))] ?? 0) + 1
    assert.ok(width * 10 > 4000, `they came back within ${width * 10} ms`)
    assert.ok(Math.max(...bins) < (3 * PEERS) / 10, `in tenths: ${bins.join(' ')}`)
    await Promise.all(clients.map((client) => client.close()))
    await next.close({ graceMs: 10_000 })
    await broker.close()
  })
})
