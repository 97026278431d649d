import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errorCodeOf } from '#src/base/errors.js'
import { within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { listen } from '#src/transport/listen.js'
import { writesDirectly } from '#src/transport/node/fast-write.js'
import { StreamConnection } from '#src/transport/stream-connection.js'

const TIMEOUT = { timeout: 30_000 }

async function pair(): Promise<{ near: StreamConnection; far: Connection; [Symbol.asyncDispose](): Promise<void> }> {
  const listener = await listen('tcp://127.0.0.1:0')
  const [near, far] = await Promise.all([listener.accept(), connect(listener.endpoint)])
  assert.ok(near instanceof StreamConnection)
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.destroy()
      far.destroy()
      await listener.close()
    },
  }
}

suite('writes past the stream machinery', () => {
  test('every version of Node.js that is promised can do them', TIMEOUT, async () => {
    await using both = await pair()
    assert.ok(both.near.remote.kind === 'ip')
    assert.equal(writesDirectly(), true)
  })

  test('bytes and text keep their order while the system takes no more', TIMEOUT, async () => {
    await using both = await pair()
    const { near, far } = both
    let expected = ''
    let drains = 0
    near.sinkTo({ data: () => undefined, end: () => undefined, drain: () => (drains += 1), close: () => undefined })
    let wasBelow = true
    for (let i = 0; wasBelow || i % 7 !== 0; i += 1) {
      const text = `${i}:${'é'.repeat(60_000)}\n`
      expected += text
      wasBelow = i % 2 === 0 ? near.writeNowLatin1(text) : near.writeNow(Buffer.from(text, 'latin1'), i % 3 === 0)
    }
    assert.ok(near.bufferedBytes > 0)
    assert.equal(drains, 0)
    let got = ''
    while (got.length < expected.length) {
      const bytes = await within('bytes', far.read())
      assert.ok(bytes !== null)
      got += Buffer.from(bytes).toString('latin1')
    }
    assert.equal(got === expected, true)
    assert.equal(drains, 1)
    assert.equal(near.bufferedBytes, 0)
  })

  test('what a slow peer takes bit by bit is seen in bufferedBytes', TIMEOUT, async () => {
    await using both = await pair()
    const { near, far } = both
    const whole = 14 * 1024 * 1024
    near.writeNow(new Uint8Array(whole), false)
    void near.write('behind')
    const first = near.bufferedBytes
    assert.ok(first > whole / 2 && first <= whole + 6)
    let seen = first
    for (let taken = 0, steps = 0; steps < 3;) {
      const bytes = await within('bytes', far.read())
      taken += bytes?.length ?? 0
      await nextTurn()
      if (near.bufferedBytes >= seen) continue
      seen = near.bufferedBytes
      steps += 1
      assert.ok(whole + 6 - seen <= taken + 10 * 1024 * 1024, `${first} ${seen} ${taken}`)
    }
    while (near.bufferedBytes > 0) await within('bytes', far.read())
  })

  test('a peer that is gone ends the connection with a coded error', TIMEOUT, async () => {
    await using both = await pair()
    const { near, far } = both
    far.destroy()
    const writing = (async () => {
      for (; !near.signal.aborted; await nextTurn()) await near.write('x'.repeat(1000))
    })()
    const report = await within('the end', near.closed)
    await writing.catch(() => undefined)
    assert.match(String(errorCodeOf(report.error)), /^ERR_PEER_(GONE|RESET)$/)
  })
})
