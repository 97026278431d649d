import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkSignals, onFirstAbort, type AbortSignalLike } from '#src/base/cancellation.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'

/** A signal that counts who listens to it. */
class Counted implements AbortSignalLike {
  readonly heard = new Set<() => void>()
  aborted = false
  reason: unknown

  addEventListener(_type: 'abort', listener: () => void): void {
    this.heard.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.heard.delete(listener)
  }

  abort(reason: unknown): void {
    this.aborted = true
    this.reason = reason
    for (const listener of this.heard) listener()
  }
}

const SIGNAL_1 = new Error('the first signal')
const SIGNAL_2 = new Error('the second signal')
const TOO_LATE = new Error('the deadline')

interface Row {
  readonly name: string
  readonly run: (one: Counted, other: Counted, clock: FakeClock) => void | Promise<void>
  readonly reason: Error | undefined
}

const rows: readonly Row[] = [
  { name: 'nothing that happens', run: () => undefined, reason: undefined },
  { name: 'the first of the signals', run: (one) => one.abort(SIGNAL_1), reason: SIGNAL_1 },
  { name: 'the last of the signals', run: (_one, other) => other.abort(SIGNAL_2), reason: SIGNAL_2 },
  { name: 'a moment before the deadline', run: (_one, _other, clock) => clock.advance(99), reason: undefined },
  { name: 'the deadline', run: (_one, _other, clock) => clock.advance(100), reason: TOO_LATE },
  {
    name: 'both signals and then the deadline',
    async run(one, other, clock) {
      other.abort(SIGNAL_2)
      one.abort(SIGNAL_1)
      await clock.advance(100)
    },
    reason: SIGNAL_2,
  },
]

for (const { name, run, reason } of rows) {
  test(`linkSignals aborts once, with the reason of the first: ${name}`, async () => {
    const [one, other, clock] = [new Counted(), new Counted(), new FakeClock()]
    const linked = linkSignals([one, undefined, other], { clock, timeoutMs: 100, reason: () => TOO_LATE })
    const reasons: unknown[] = []
    linked.addEventListener('abort', () => reasons.push(linked.reason))
    await run(one, other, clock)
    assert.deepEqual(reasons, reason === undefined ? [] : [reason])
    assert.equal(linked.aborted, reason !== undefined)
    linked.unlink()
    assert.deepEqual([one.heard.size, other.heard.size, clock.pending], [0, 0, 0], 'nobody listens any more')
  })
}

test('linkSignals with a signal that has aborted is aborted, and links nothing else', () => {
  const [one, other, clock] = [new Counted(), new Counted(), new FakeClock()]
  other.abort(SIGNAL_2)
  const linked = linkSignals([one, other], { clock, timeoutMs: 100, reason: () => TOO_LATE })
  assert.equal(linked.aborted, true)
  assert.equal(linked.reason, SIGNAL_2)
  assert.deepEqual([one.heard.size, other.heard.size, clock.pending], [0, 0, 0])
})

test('linkSignals that was unlinked never aborts, and a removed listener hears nothing', async () => {
  const [one, clock] = [new Counted(), new FakeClock()]
  const unlinked = linkSignals([one], { clock, timeoutMs: 100, reason: () => TOO_LATE })
  unlinked.unlink()
  const linked = linkSignals([one], undefined)
  const heard: string[] = []
  const listener = (): void => void heard.push('removed')
  linked.addEventListener('abort', listener)
  linked.addEventListener('abort', () => heard.push('kept'))
  linked.removeEventListener('abort', listener)
  one.abort(SIGNAL_1)
  await clock.advance(1000)
  assert.equal(unlinked.aborted, false)
  assert.deepEqual(heard, ['kept'])
})

test('onFirstAbort holds 1,000 waits on one long-lived signal by no listener once they are over', () => {
  const signal = new Counted()
  const waits = Array.from({ length: 1000 }, () => onFirstAbort([signal], undefined, () => assert.fail('not aborted')))
  assert.equal(signal.heard.size, 1000)
  for (const unlink of waits) unlink()
  assert.equal(signal.heard.size, 0)
})
