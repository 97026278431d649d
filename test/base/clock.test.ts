import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { systemClock } from '#src/transport/system-clock.js'

test('FakeClock runs what falls due in the order of its time, and of its asking at the same time', async () => {
  const clock = new FakeClock()
  const ran: string[] = []
  const run = (name: string) => (): void => void ran.push(`${name} at ${clock.now()}`)
  clock.after(20, run('late'))
  clock.after(10, run('first'))
  clock.after(10, run('second'))
  clock.soon(run('soon'))
  clock.after(Infinity, run('never'))
  const cancel = clock.after(15, run('cancelled'))
  cancel()
  cancel()
  assert.deepEqual(ran, [], 'nothing runs by itself')
  await clock.advance(19)
  assert.deepEqual(ran, ['soon at 0', 'first at 10', 'second at 10'])
  assert.equal(clock.pending, 1)
  await clock.advance(1)
  assert.equal(ran.at(-1), 'late at 20')
  assert.deepEqual([clock.now(), clock.pending], [20, 0])
})

test('FakeClock runs what was asked for on the way, when it falls due on the way', async () => {
  const clock = new FakeClock()
  const at: number[] = []
  const again = (): void => {
    at.push(clock.now())
    clock.after(10, () => void Promise.resolve().then(again))
  }
  again()
  await clock.advance(35)
  assert.deepEqual(at, [0, 10, 20, 30])
  assert.equal(clock.now(), 35)
})

test('systemClock never goes back, calls soon and after, and not what was cancelled or is too far away', async () => {
  const ran: string[] = []
  const before = systemClock.now()
  for (const milliseconds of [Infinity, 2 ** 31]) systemClock.after(milliseconds, () => ran.push('far'))
  systemClock.after(1, () => ran.push('cancelled'))()
  const soon = new Promise<void>((resolve) => systemClock.soon(resolve))
  await new Promise<void>((resolve) => void systemClock.after(5, resolve))
  await soon
  assert.deepEqual(ran, [])
  assert.ok(systemClock.now() > before)
})
