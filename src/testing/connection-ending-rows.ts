import assert from 'node:assert/strict'
import type { Connection } from '../transport/connection.js'
import { BrokenError, ClosedError, errorCodeOf } from '../base/errors.js'
import {
  assertSameBytes,
  bothWays,
  isPending,
  readAll,
  readAllText,
  readText,
  saturate,
  type ConnectionContractRow,
} from './connection-pair.js'
import { patternBytes, turns, within, withCode } from './contract-row.js'

const MIB = 1024 * 1024
const soon = <T>(promise: Promise<T>): Promise<T> => within('an end', promise)

/** Resolves when the network has taken as much as it takes: nothing more leaves for a while. */
async function settled(connection: Connection): Promise<void> {
  let before = -1
  for (let still = 0; still < 5; still += 1) {
    if (connection.bufferedBytes !== before) still = 0
    before = connection.bufferedBytes
    await new Promise((resolve) => void setTimeout(resolve, 2))
  }
}

/** Half-close, close, destroy, resets and what the report says of them. */
export const endingRows: readonly ConnectionContractRow[] = [
  bothWays('half-close: the peer sees the end and can still send', async ({ near, far }) => {
    await near.write('question')
    await near.closeWrite()
    assert.equal(await readAllText(far), 'question')
    await far.write('answer')
    await far.closeWrite()
    assert.equal(await readAllText(near), 'answer')
    const [one, other] = await soon(Promise.all([near.closed, far.closed]))
    assert.deepEqual([one.reason, one.bytesRead, one.bytesWritten, one.bytesUnsent], ['ended', 6, 8, 0])
    assert.deepEqual([other.reason, other.bytesRead, other.bytesWritten, other.bytesUnsent], ['ended', 8, 6, 0])
    assert.equal(one.error, undefined)
  }),
  bothWays(
    'a slow reader of a connection that both have ended sees the rest, and then the end',
    async ({ near, far }) => {
      await near.closeWrite()
      await far.write('answer')
      assert.equal(await readText(near, 3), 'ans')
      await far.closeWrite()
      assert.equal((await soon(near.closed)).reason, 'ended')
      assert.equal(await readAllText(near), 'wer')
      assert.equal(await near.read(), null)
      assert.equal(await near.readLine(), null)
      for await (const bytes of near) assert.fail(`${bytes.length} more bytes`)
    },
  ),
  bothWays('closeWrite sends what is queued before the end, and is idempotent', async ({ near, far }) => {
    const bytes = patternBytes(3 * MIB, 6)
    void near.write(bytes.slice())
    const ending = near.closeWrite()
    assert.equal(near.closeWrite(), ending)
    assertSameBytes(await readAll(far), bytes)
    await soon(ending)
  }),
  bothWays('write after closeWrite rejects with ERR_WRITE_AFTER_END, also unawaited', async ({ near, far }) => {
    await near.closeWrite()
    void near.write('nobody awaits this one')
    await assert.rejects(near.write('x'), withCode('ERR_WRITE_AFTER_END'))
    assert.equal(await soon(far.read()), null)
  }),
  bothWays('close delivers everything that write took to a peer that reads slowly', async ({ near, far }) => {
    const bytes = patternBytes(4 * MIB, 7)
    for (let at = 0; at < bytes.length; at += 65_521) void near.write(bytes.slice(at, at + 65_521))
    const closing = near.close({ graceMs: 60_000 })
    const parts: Uint8Array[] = []
    for (let chunk = await soon(far.read()); chunk !== null; chunk = await soon(far.read({ maxBytes: 100_003 }))) {
      parts.push(chunk)
      await turns(3)
    }
    assertSameBytes(Buffer.concat(parts), bytes)
    await far.close()
    await soon(closing)
    const report = await near.closed
    assert.deepEqual([report.reason, report.bytesUnsent, report.bytesWritten], ['closed', 0, bytes.length])
  }),
  bothWays('close ends at its deadline when the peer does not read, and reports what was cut', async ({ near }) => {
    const written = await saturate(near)
    const buffered = near.bufferedBytes
    await within('close', near.close({ graceMs: 20 }), 2000)
    const report = await near.closed
    assert.equal(report.reason, 'destroyed')
    assert.equal(errorCodeOf(report.error), 'ERR_CLOSE_TIMEOUT')
    assert.equal(report.bytesWritten, written)
    assert.ok(report.bytesUnsent > 0 && report.bytesUnsent <= buffered, `${report.bytesUnsent} of ${buffered}`)
    assert.equal(near.bufferedBytes, 0)
  }),
  bothWays(
    'close waits no longer than lingerMs for a peer that never ends',
    async ({ near, far }) => {
      await near.write('bye')
      await within('close', near.close(), 2000)
      assert.equal((await near.closed).reason, 'closed')
      assert.equal(await readText(far, 3), 'bye')
    },
    { lingerMs: 10 },
  ),
  bothWays(
    'a deadline that passes while close only waits for the end of the peer cuts nothing',
    async ({ near, far }) => {
      await near.write('all of it')
      await within('close', near.close({ graceMs: 20 }), 2000)
      const report = await near.closed
      assert.deepEqual([report.reason, report.error, report.bytesUnsent], ['closed', undefined, 0])
      assert.equal(await readText(far, 9), 'all of it')
    },
    { lingerMs: 60_000 },
  ),
  bothWays('close reads on for a peer that still writes: it sees the end, not a reset', async ({ near, far }) => {
    const closing = near.close()
    await far.write(new Uint8Array(300_000))
    assert.equal(await soon(far.read()), null)
    await far.closeWrite()
    await soon(closing)
    assert.equal((await soon(far.closed)).error, undefined)
  }),
  bothWays('close and destroy are idempotent, in any order', async ({ near, far }) => {
    const closing = near.close()
    assert.equal(near.close({ graceMs: 1 }), closing)
    await far.close()
    await soon(closing)
    near.destroy(new Error('too late'))
    near.destroy()
    await soon(near.close())
    await soon(near.closeWrite())
    await soon(Promise.resolve(near[Symbol.asyncDispose]()))
    assert.equal((await near.closed).error, undefined)
  }),
  bothWays('close rejects a read that waits with ERR_CLOSED', async ({ near, far }) => {
    const reading = near.read()
    const closing = near.close()
    await assert.rejects(soon(reading), withCode('ERR_CLOSED'))
    await far.close()
    await soon(closing)
    await assert.rejects(near.read({ timeoutMs: 1000 }).then(failUnlessEnd), withCode('ERR_CLOSED'))
    await assert.rejects(near.write('x'), ClosedError)
  }),
  bothWays(
    'destroy ends it now: waiting reads and writes reject, the report counts what was dropped',
    async ({ near }) => {
      await saturate(near)
      const reading = near.read()
      const writing = near.write('never sent')
      assert.equal(await isPending(writing), true)
      const buffered = near.bufferedBytes
      near.destroy()
      await assert.rejects(soon(reading), withCode('ERR_CLOSED'))
      await assert.rejects(soon(writing), withCode('ERR_CLOSED'))
      const report = await soon(near.closed)
      assert.deepEqual([report.reason, report.error, report.bytesUnsent], ['destroyed', undefined, buffered])
      await assert.rejects(near.read(), withCode('ERR_CLOSED'))
      await assert.rejects(near.write('x'), withCode('ERR_CLOSED'))
    },
  ),
  bothWays(
    'the reason of destroy is the error of the report, of the signal and of what waits',
    async ({ near, far }) => {
      const reason = new Error('mine')
      const { signal } = near
      const reading = near.read()
      near.destroy(reason)
      await assert.rejects(soon(reading), (thrown) => thrown === reason)
      const report = await soon(near.closed)
      assert.equal(report.reason, 'failed')
      assert.equal(report.error, reason)
      assert.equal(signal.reason, reason)
      assert.equal(signal.aborted, true)
      await soon(far.read().catch(() => null))
    },
  ),
  bothWays('signal aborts when the connection is gone, also when it is asked for later', async ({ near, far }) => {
    assert.equal(far.signal.aborted, false)
    near.destroy()
    await soon(near.closed)
    assert.equal(near.signal.aborted, true)
    assert.ok(near.signal.reason instanceof ClosedError)
  }),
  bothWays(
    'a peer that resets is a BrokenError for whoever reads or writes',
    async ({ near, far }, { resets = true }) => {
      if (!resets) return { skipped: 'this transport cannot reset' }
      await saturate(near)
      await settled(near)
      far.destroy()
      await assert.rejects(soon(near.read()), BrokenError)
      const report = await soon(near.closed)
      assert.equal(report.reason, 'failed')
      assert.ok(report.error instanceof BrokenError)
      assert.ok(report.bytesUnsent > 0)
      await assert.rejects(near.write('x'), BrokenError)
      return undefined
    },
  ),
  bothWays('both ends know their addresses, also when they are first asked after the end', async ({ near, far }) => {
    near.destroy()
    far.destroy()
    await soon(Promise.all([near.closed, far.closed]))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      assert.equal(one.local.kind, other.remote.kind)
      if (one.local.kind === 'ip') assert.deepEqual(one.local, other.remote)
    }
  }),
  bothWays(
    'a peer that goes away in order is the end, and what it sent can still be read',
    async ({ near, far }) => {
      await far.write('last words')
      await soon(far.close({ graceMs: 20 }))
      assert.equal(await readAllText(near), 'last words')
    },
    { lingerMs: 10 },
  ),
  bothWays(
    'a connection on which nothing moves is destroyed with ERR_IDLE_TIMEOUT',
    async ({ near, far }) => {
      const report = await soon(near.closed)
      assert.equal(report.reason, 'failed')
      assert.equal(errorCodeOf(report.error), 'ERR_IDLE_TIMEOUT')
      await soon(far.closed)
    },
    // Longer than making the pair takes on a busy machine.
    { idleTimeoutMs: 300 },
  ),
]

function failUnlessEnd(bytes: Uint8Array | null): never {
  throw bytes === null ? new ClosedError('ERR_CLOSED', 'the end was seen') : new Error('bytes came after close')
}
