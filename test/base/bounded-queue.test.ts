import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedQueue, type FullPolicy } from '#src/base/bounded-queue.js'

const POLICIES: readonly FullPolicy[] = ['refuse', 'drop-oldest', 'drop-newest']

/** A queue of numbers, each as many bytes as it says. */
const queueOf = (policy: FullPolicy, maxCount: number, maxBytes: number): BoundedQueue<number> =>
  new BoundedQueue({ policy, maxCount, maxBytes }, (size) => size)

function takeAll(queue: BoundedQueue<number>): number[] {
  const taken: number[] = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
  return taken
}

interface Row {
  readonly name: string
  readonly limits: readonly [maxCount: number, maxBytes: number]
  readonly atTheLimit: readonly number[]
  readonly onePast: number
  readonly left: Readonly<Record<Exclude<FullPolicy, 'refuse'>, readonly number[]>>
}

const rows: readonly Row[] = [
  {
    name: 'in counts',
    limits: [3, 1000],
    atTheLimit: [1, 2, 3],
    onePast: 4,
    left: { 'drop-oldest': [2, 3, 4], 'drop-newest': [1, 2, 3] },
  },
  {
    name: 'in bytes',
    limits: [100, 10],
    atTheLimit: [5, 3, 2],
    onePast: 1,
    left: { 'drop-oldest': [3, 2, 1], 'drop-newest': [5, 3, 2] },
  },
  {
    name: 'in bytes, for an item that takes the room of several',
    limits: [100, 10],
    atTheLimit: [4, 3, 3],
    onePast: 6,
    left: { 'drop-oldest': [3, 6], 'drop-newest': [4, 3, 3] },
  },
]

for (const { name, limits, atTheLimit, onePast, left } of rows) {
  for (const policy of POLICIES) {
    test(`BoundedQueue holds what fits ${name}, and one past it is treated by '${policy}'`, () => {
      const queue = queueOf(policy, ...limits)
      for (const item of atTheLimit) assert.equal(queue.put(item), true)
      assert.deepEqual([queue.count, queue.dropped], [atTheLimit.length, 0])
      if (policy === 'refuse') {
        assert.throws(() => queue.put(onePast), { code: 'ERR_QUEUE_LIMIT' })
        assert.equal(queue.dropped, 0)
        assert.deepEqual(takeAll(queue), atTheLimit)
      } else {
        assert.equal(queue.put(onePast), policy === 'drop-oldest')
        assert.equal(queue.dropped, atTheLimit.length + 1 - left[policy].length)
        assert.deepEqual(takeAll(queue), left[policy])
      }
      assert.deepEqual([queue.count, queue.bytes], [0, 0])
    })
  }
}

test('BoundedQueue refuses an item larger than the whole of it, and drops nothing for it', () => {
  for (const policy of POLICIES) {
    const queue = queueOf(policy, 10, 10)
    queue.put(10)
    assert.throws(() => queue.put(11), { code: 'ERR_QUEUE_LIMIT' })
    assert.deepEqual([queue.count, queue.bytes, queue.dropped], [1, 10, 0])
  }
})

test('BoundedQueue loses nothing but what it counts as dropped, in order, over thousands of items', () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.nat({ max: 12 }) },
    { weight: 2, arbitrary: fc.constant('take') },
  )
  fc.assert(
    fc.property(
      fc.constantFrom('drop-oldest', 'drop-newest'),
      fc.array(operation, { maxLength: 5000, size: 'max' }),
      (policy: FullPolicy, operations) => {
        const queue = queueOf(policy, 1500, 9000)
        const model: number[] = []
        let dropped = 0
        for (const operation of operations) {
          if (typeof operation === 'string') {
            assert.equal(queue.take(), model.shift())
            continue
          }
          const fits = (): boolean =>
            model.length < 1500 && model.reduce((sum, size) => sum + size, 0) + operation <= 9000
          if (policy === 'drop-oldest') {
            while (!fits()) {
              model.shift()
              dropped += 1
            }
          }
          if (fits()) model.push(operation)
          else dropped += 1
          queue.put(operation)
          assert.deepEqual([queue.count, queue.dropped], [model.length, dropped])
        }
        assert.deepEqual(takeAll(queue), model)
      },
    ),
    { numRuns: 10 },
  )
})
