import assert from 'node:assert/strict'
import { concatBytes } from '../base/bytes.js'
import { errorCodeOf } from '../base/errors.js'
import { StreamConnection } from '../transport/stream-connection.js'
import {
  assertSameBytes,
  bothWays,
  isPending,
  readAll,
  readAllText,
  readBytes,
  readText,
  saturate,
  withPair,
  type ConnectionContractRow,
} from './connection-pair.js'
import { patternBytes, turns, until, within, withCode } from './contract-row.js'

const MIB = 1024 * 1024

/** Bytes there and back, whose they are, back-pressure. */
export const exchangeRows: readonly ConnectionContractRow[] = [
  bothWays('what is written arrives, and an echo comes back', async ({ near, far }) => {
    await near.write('hello')
    await far.write(await readBytes(far, 5))
    assert.equal(await readText(near, 5), 'hello')
  }),
  bothWays('a megabyte passes in each direction at once, whole and in order', async ({ near, far }) => {
    const there = patternBytes(MIB, 1)
    const back = patternBytes(MIB, 2)
    const send = async (connection: typeof near, bytes: Uint8Array): Promise<void> => {
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3 + 7) % 90_001) {
        await connection.write(bytes.slice(at, at + size))
      }
      await connection.closeWrite()
    }
    const [, , atFar, atNear] = await Promise.all([send(near, there), send(far, back), readAll(far), readAll(near)])
    assertSameBytes(atFar, there)
    assertSameBytes(atNear, back)
  }),
  bothWays('a string is written as UTF-8, and nothing of nothing is sent', async ({ near, far }) => {
    await near.write('')
    await near.write(new Uint8Array(0))
    await near.write('grüße ✓')
    await near.closeWrite()
    assert.equal(await readAllText(far), 'grüße ✓')
    assert.equal((await reportAfterEnd(near, far)).bytesWritten, Buffer.byteLength('grüße ✓'))
  }),
  bothWays('bytes that were read are the reader’s: later reads leave them as they were', async ({ near, far }) => {
    const kept: Uint8Array[] = []
    const sent: Uint8Array[] = []
    for (let round = 0; round < 20; round += 1) {
      const bytes = patternBytes(1000 + round, round)
      sent.push(bytes)
      await near.write(bytes.slice())
      kept.push(await readBytes(far, bytes.length))
    }
    kept.forEach((bytes, round) => assertSameBytes(bytes, sent[round] ?? new Uint8Array(0)))
    kept[0]?.fill(0)
    await near.write('more')
    assert.equal(await readText(far, 4), 'more')
  }),
  {
    name: 'two connections that share a buffer do not mix: an echo to a peer that does not read differs in no byte',
    async run(factory) {
      await withPair(factory, undefined, (slow) =>
        withPair(factory, undefined, async (quick) => {
          const total = 3 * MIB
          const streams = [
            { pair: slow, bytes: patternBytes(total, 3) },
            { pair: quick, bytes: patternBytes(total, 4) },
          ]
          const echoing = streams.map(async ({ pair }) => {
            for await (const bytes of pair.server) void pair.server.write(bytes)
            await pair.server.closeWrite()
          })
          const sending = streams.map(async ({ pair, bytes }) => {
            for (let at = 0; at < total; at += 10_007) await pair.client.write(bytes.slice(at, at + 10_007))
            await pair.client.closeWrite()
          })
          assertSameBytes(await readAll(quick.client), patternBytes(total, 4))
          await within('the sender of the slow one', Promise.all(sending))
          assertSameBytes(await readAll(slow.client), patternBytes(total, 3))
          await Promise.all(echoing)
        }),
      )
    },
  },
  bothWays('a sink’s borrowed bytes, written as borrowed, arrive whole at a slow peer', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package have sinks' }
    const bytes = patternBytes(2 * MIB, 5)
    let ended = false
    near.sinkTo({
      data: (borrowed) => void near.writeNow(borrowed, true),
      end: () => {
        ended = true
        void near.closeWrite()
      },
      close: () => undefined,
    })
    for (let at = 0; at < bytes.length; at += 50_021) await far.write(bytes.slice(at, at + 50_021))
    await far.closeWrite()
    assertSameBytes(await readAll(far), bytes)
    assert.equal(ended, true)
    return undefined
  }),
  bothWays('a sink is told to wait, and of the drain that lifts it', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package have sinks' }
    let drains = 0
    near.sinkTo({ data: () => undefined, end: () => undefined, drain: () => (drains += 1), close: () => undefined })
    const chunk = new Uint8Array(256 * 1024)
    let written = 0
    let below = true
    while (below) {
      below = near.writeNow(chunk, false)
      written += chunk.length
      await turns(1)
    }
    await readBytes(far, written)
    await until('the drain', () => drains === 1)
    assert.equal(near.bufferedBytes, 0)
    return undefined
  }),
  bothWays('write waits while the peer does not read, and resolves once it has', async ({ near, far }) => {
    const written = await saturate(near)
    const waiting = near.write('last')
    assert.equal(await isPending(waiting), true)
    assert.ok(near.bufferedBytes > 0)
    await readBytes(far, written + 4)
    await within('the write', waiting)
    assert.equal(near.bufferedBytes, 0)
  }),
  bothWays('writes that nobody awaits keep their order', async ({ near, far }) => {
    const expected: Uint8Array[] = []
    for (let i = 0; i < 500; i += 1) {
      const bytes = patternBytes((i * 37) % 900, i)
      expected.push(bytes.slice())
      void near.write(bytes)
    }
    const ending = near.closeWrite()
    assertSameBytes(await readAll(far), concatBytes(expected))
    await ending
  }),
  bothWays(
    'a reader that stops makes the peer wait: what is held stays near the high-water mark',
    async ({ near, far }) => {
      await far.write('x')
      await near.read({ maxBytes: 1 })
      await saturate(far)
      await turns(20)
      near.destroy()
      const { bytesRead } = await within('the report', near.closed)
      assert.ok(bytesRead <= 2048 + MIB, `${bytesRead} bytes were taken for a reader whose mark is 2,048`)
    },
    { readHighWaterBytes: 2048 },
  ),
  bothWays(
    'past the hard cap in bytes the connection is destroyed, at the cap it is not',
    async ({ near }) => {
      await saturate(near)
      void near.write(new Uint8Array(32 * MIB - 1 - near.bufferedBytes))
      assert.equal(near.bufferedBytes, 32 * MIB - 1)
      void near.write('x')
      assert.equal(near.bufferedBytes, 32 * MIB)
      await assert.rejects(near.write('y'), withCode('ERR_WRITE_BUFFER_LIMIT'))
      const report = await within('the end', near.closed)
      assert.equal(report.reason, 'failed')
      assert.equal(errorCodeOf(report.error), 'ERR_WRITE_BUFFER_LIMIT')
      assert.equal(report.bytesUnsent, 32 * MIB)
      await assert.rejects(near.write('z'), withCode('ERR_WRITE_BUFFER_LIMIT'))
    },
    { maxWriteBufferBytes: 32 * MIB },
  ),
  bothWays(
    'past the hard cap in writes the connection is destroyed, at the cap it is not',
    async ({ near }) => {
      await saturate(near)
      // Those that saturated it count too: the first to be queued, and this one makes the cap.
      let queued = 1
      while (!near.signal.aborted && queued < 100) {
        void near.write('x')
        queued += 1
      }
      const report = await within('the end', near.closed)
      assert.equal(errorCodeOf(report.error), 'ERR_WRITE_BUFFER_LIMIT')
      const saturating = 1024 * 1024
      assert.equal(report.bytesWritten % saturating, 5, 'the first that had to wait, and five more')
    },
    { maxQueuedWrites: 6 },
  ),
]

async function reportAfterEnd(
  near: { readonly closed: Promise<{ readonly bytesWritten: number }> },
  far: { closeWrite(): Promise<void> },
): Promise<{ readonly bytesWritten: number }> {
  await far.closeWrite()
  if (near instanceof StreamConnection) void near.read().catch(() => undefined)
  return within('the report', near.closed)
}
