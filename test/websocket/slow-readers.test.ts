// What becomes of messages for peers that do not read: every one that was accepted is delivered, dropped or failed.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { MemoryBroker } from '#src/pubsub/memory/memory-broker.js'
import { serveHttp } from '#src/http/server.js'
import { until, within } from '#src/testing/contract-row.js'
import { Groups } from '#src/websocket/groups.js'
import type { WebSocketReport } from '#src/websocket/link.js'
import type { SlowReaderPolicy } from '#src/websocket/options.js'
import type { WebSocketPeer } from '#src/websocket/peer.js'
import { websocket } from '#src/websocket/server.js'
import { RawClient, whole } from './_raw.js'

const TIMEOUT = { timeout: 120_000 }
const CLOSE = 8

/** A client that reads when it is told to. */
class Reader {
  readonly client: RawClient
  received = 0
  lastText = ''
  isOver = false

  constructor(client: RawClient) {
    this.client = client
  }

  /** Reads so many messages, or to the end. */
  async read(count: number = Infinity): Promise<void> {
    for (let left = count; left > 0 && !this.isOver; left -= 1) {
      const frame = await this.client.frame()
      if (frame === null || (frame.first & 15) === CLOSE) this.isOver = true
      else if ((frame.first & 15) < CLOSE) {
        this.received += 1
        this.lastText = frame.payload.toString('latin1', 0, 32)
      }
    }
  }
}

interface Trial {
  readonly peers: readonly WebSocketPeer[]
  readonly readers: readonly Reader[]
  readonly reports: readonly WebSocketReport[]
  readonly groups: Groups
  readonly service: ReturnType<typeof websocket>
  end(): Promise<void>
}

async function begin(count: number, options: Parameters<typeof websocket>[1]): Promise<Trial> {
  const broker = new MemoryBroker()
  const groups = new Groups(broker)
  const peers: WebSocketPeer[] = []
  const reports: WebSocketReport[] = []
  const service = websocket(async (peer) => {
    await groups.group('all').join(peer)
    peers.push(peer)
    reports.push(await peer.closed)
  }, options)
  // The queue of the connection is what comes before that of the peer: as short as it may be.
  const connection = { writeHighWaterBytes: 4096 }
  const server = await serveHttp(`memory:${randomUUID()}`, service, connection)
  const readers: Reader[] = []
  for (let i = 0; i < count; i += 1) {
    readers.push(new Reader(await RawClient.open(server.endpoint, '/')))
    await until('the peer', () => peers.length === i + 1)
  }
  return {
    ...{ peers, readers, reports, groups, service },
    async end() {
      await server.close({ graceMs: 200 })
      await until('all reports', () => reports.length === count)
      await broker.close()
    },
  }
}

const sum = ({ delivered, dropped, failed }: { delivered: number; dropped: number; failed: number }): number =>
  delivered + dropped + failed

type Step =
  | { readonly what: 'send' | 'publish'; readonly peer: number; readonly bytes: number; readonly times: number }
  | { readonly what: 'read'; readonly peer: number; readonly count: number }
  | { readonly what: 'vanish' | 'goodbye' | 'close' | 'destroy' | 'turn'; readonly peer: number }

const peer = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constantFrom('send' as const, 'publish' as const),
      peer,
      bytes: fc.constantFrom(1, 100, 5000, 70_000),
      times: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('read' as const), peer, count: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom(
        'vanish' as const,
        'goodbye' as const,
        'close' as const,
        'destroy' as const,
        'turn' as const,
      ),
      peer,
    }),
  },
)

suite('messages for slow readers', () => {
  test(
    'delivered, dropped and failed add up to accepted, under every policy and whatever happens',
    TIMEOUT,
    async () => {
      const policy = fc.constantFrom<SlowReaderPolicy>('wait', 'drop', 'latest', 'close')
      const limits = fc.record({
        maxQueuedMessages: fc.integer({ min: 1, max: 20 }),
        maxQueuedBytes: fc.constantFrom(1, 10_000, 200_000),
      })
      await fc.assert(
        fc.asyncProperty(policy, limits, fc.array(step, { maxLength: 40 }), async (slowReader, queue, steps) => {
          const trial = await begin(3, { slowReader, ...queue, closeTimeoutMs: 50 })
          const { peers, readers, groups, service } = trial
          const gone = new Set<number>()
          for (const each of steps) {
            const [at, reader] = [peers[each.peer], readers[each.peer]]
            if (at === undefined || reader === undefined) continue
            if (each.what === 'send') for (let i = 0; i < each.times; i += 1) void at.send('x'.repeat(each.bytes))
            else if (each.what === 'publish')
              for (let i = 0; i < each.times; i += 1) await groups.group('all').publish('y'.repeat(each.bytes))
            else if (each.what === 'read') {
              if (at.isOpen && !gone.has(each.peer)) void reader.read(each.count).catch(() => undefined)
            } else if (each.what === 'vanish') {
              gone.add(each.peer)
              reader.client.connection.destroy()
            } else if (each.what === 'goodbye') await reader.client.send(whole(CLOSE)).catch(() => undefined)
            else if (each.what === 'close') void at.close(4000)
            else if (each.what === 'destroy') at.destroy()
            await new Promise((resolve) => setImmediate(resolve))
            // At every moment: what is not settled is on its way.
            const { counts } = at
            assert.ok(sum(counts) <= counts.accepted)
          }
          await trial.end()
          for (const { counts } of trial.reports) assert.equal(sum(counts), counts.accepted)
          const all = service.counts()
          assert.equal(sum(all), all.accepted)
          assert.equal(
            trial.reports.reduce((total, { counts }) => total + counts.accepted, 0),
            all.accepted,
          )
          for (const { client } of readers) client.connection.destroy()
        }),
        { numRuns: 150 },
      )
    },
  )

  test('what a peer reads to the end is what was delivered to it', TIMEOUT, async () => {
    for (const slowReader of ['drop', 'latest'] as const) {
      const trial = await begin(1, { slowReader, maxQueuedMessages: 10 })
      const [[peer], [reader]] = [trial.peers, trial.readers]
      assert.ok(peer !== undefined && reader !== undefined)
      for (let i = 0; i < 1000; i += 1) void peer.send(`${i} ${'x'.repeat(1000)}`)
      const reading = reader.read()
      await until('what is queued to be sent', () => peer.bufferedBytes === 0)
      void peer.close()
      await within('the end', reading)
      await reader.client.send(whole(CLOSE))
      await trial.end()
      const [report] = trial.reports
      assert.equal(report?.counts.accepted, 1000)
      assert.equal(report?.counts.delivered, reader.received)
      assert.equal(report?.counts.dropped, 1000 - reader.received)
      assert.ok(reader.received > 0 && reader.received < 1000)
      // The newest is what `latest` is for; `drop` keeps what came first.
      assert.equal(Number.parseInt(reader.lastText, 10) === 999, slowReader === 'latest')
      reader.client.connection.destroy()
    }
  })

  test(
    'a queue that is full closes with 1013 under wait and close, and its memory stays within the limits',
    TIMEOUT,
    async () => {
      for (const slowReader of ['wait', 'close'] as const) {
        const trial = await begin(1, { slowReader, maxQueuedBytes: 100_000, closeTimeoutMs: 100 })
        const [[peer], [reader]] = [trial.peers, trial.readers]
        assert.ok(peer !== undefined && reader !== undefined)
        let most = 0
        for (let i = 0; i < 10_000 && peer.isOpen; i += 1) {
          void peer.send(Buffer.alloc(1000))
          most = Math.max(most, peer.bufferedBytes)
        }
        assert.equal(peer.isOpen, false)
        // What the memory network holds on the way counts too.
        assert.ok(most < 400_000, `${most} bytes`)
        await until('its report', () => trial.reports.length === 1)
        const error = trial.reports[0]?.error
        assert.equal(error !== undefined && 'code' in error ? error.code : '', 'ERR_WEBSOCKET_SLOW_READER')
        await trial.end()
        reader.client.connection.destroy()
      }
    },
  )

  test('send waits under wait until the peer has read, and loses nothing', TIMEOUT, async () => {
    const trial = await begin(1, { slowReader: 'wait' })
    const [[peer], [reader]] = [trial.peers, trial.readers]
    assert.ok(peer !== undefined && reader !== undefined)
    const sending = (async () => {
      for (let i = 0; i < 2000; i += 1) assert.equal(await peer.send(`${i} ${'x'.repeat(1000)}`), true)
      await peer.close()
    })()
    const reading = reader.read()
    await within('all of it', reading)
    assert.equal(reader.received, 2000)
    await reader.client.send(whole(CLOSE))
    await sending
    await trial.end()
    reader.client.connection.destroy()
  })
})
