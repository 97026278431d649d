import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from 'moorage'
import { FakeClock } from 'moorage/testing'
import { Allowance } from '../../../examples/game/allowance.js'
import { Samples } from '../../../examples/game/samples.js'
import { Ticker } from '../../../examples/game/ticker.js'

/** A fake clock that also goes on within a tick. */
class WorkingClock implements Clock {
  readonly fake = new FakeClock()
  #workedMs = 0

  now(): number {
    return this.fake.now() + this.#workedMs
  }

  after(milliseconds: number, run: () => void): () => void {
    return this.fake.after(milliseconds, run)
  }

  soon(run: () => void): void {
    this.fake.soon(run)
  }

  work(milliseconds: number): void {
    this.#workedMs += milliseconds
  }
}

const INTERVAL_MS = 100

function started(durationsMs: Readonly<Record<number, number>> = {}) {
  const clock = new WorkingClock()
  const at: number[] = []
  const ticker = new Ticker(clock, INTERVAL_MS, () => {
    at.push(clock.now())
    clock.work(durationsMs[at.length] ?? 0)
  })
  ticker.start()
  return { clock, at, ticker }
}

test('Ticker calls at its rate, and not any more behind stop', async () => {
  const { clock, at, ticker } = started()
  await clock.fake.advance(1000)
  assert.deepEqual(at, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
  ticker.stop()
  assert.equal(clock.fake.pending, 0)
  await clock.fake.advance(1000)
  assert.equal(at.length, 10)
})

test('Ticker does not drift: whatever ticks take, the next comes at its time', async () => {
  const { clock, at, ticker } = started({ 2: 30, 5: 60 })
  await clock.fake.advance(810)
  assert.deepEqual(at, [100, 200, 300, 400, 500, 600, 700, 800, 900])
  assert.deepEqual(ticker.report().durationMs, { p50: 0, p99: 60, max: 60 })
  assert.equal(ticker.report().lateMs.max, 0)
})

test('Ticker makes up for ticks that were missed, at once, and says how late they were', async () => {
  const { clock, at, ticker } = started({ 1: 350 })
  await clock.fake.advance(150)
  assert.deepEqual(at, [100, 450, 450, 450, 500])
  const { ticks, skipped, lateMs, intervalMs } = ticker.report()
  assert.deepEqual([ticks, skipped, lateMs.max, intervalMs.max], [5, 0, 250, 350])
})

test('Ticker may be stopped by a tick', async () => {
  const clock = new FakeClock()
  let ticks = 0
  const ticker = new Ticker(clock, INTERVAL_MS, () => {
    ticks += 1
    if (ticks === 3) ticker.stop()
  })
  ticker.start()
  await clock.advance(1000)
  assert.deepEqual([ticks, clock.pending], [3, 0])
})

test('Ticker makes up for 15 ticks, and lets the time go when there were more', async () => {
  for (const [missedMs, ticks, skipped] of [
    [1699, 17, 0],
    [1700, 2, 16],
  ] as const) {
    const { clock, ticker } = started({ 1: missedMs })
    await clock.fake.advance(100)
    const report = ticker.report()
    assert.deepEqual([report.ticks, report.skipped], [ticks, skipped], `${missedMs}`)
  }
})

test('Ticker waits on when a timer fires early', async () => {
  const early = new FakeClock()
  const clock: Clock = {
    now: () => early.now(),
    after: (milliseconds, run) => early.after(milliseconds > 10 ? milliseconds - 10 : milliseconds, run),
    soon: (run) => early.soon(run),
  }
  const at: number[] = []
  new Ticker(clock, INTERVAL_MS, () => at.push(early.now())).start()
  await early.advance(250)
  assert.deepEqual(at, [100, 200])
})

test('Samples gives the spread of the newest', () => {
  const samples = new Samples()
  assert.deepEqual(samples.spread(), { p50: 0, p99: 0, max: 0 })
  for (let value = 1; value <= 5000; value += 1) samples.add(value)
  assert.deepEqual(samples.spread(100), { p50: 4951, p99: 5000, max: 5000 })
  // The first ones are forgotten.
  assert.equal(samples.spread().p50, 5000 - 4096 + 2049)
})

test('Allowance gives so many at once, and so many a second', () => {
  const allowance = new Allowance(10, 3, 0)
  const taken = (nowMs: number): number => {
    let count = 0
    while (allowance.take(nowMs)) count += 1
    return count
  }
  assert.deepEqual([0, 99, 100, 100, 250, 60_000].map(taken), [3, 0, 1, 0, 1, 3])
})
