import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteQueue } from '#src/base/byte-queue.js'
import { concatBytes } from '#src/base/bytes.js'

test('ByteQueue gives back what was pushed, in order, in whatever sizes it is taken', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), fc.array(fc.nat({ max: 12 })), (chunks, sizes) => {
      const queue = new ByteQueue()
      for (const chunk of chunks) queue.push(chunk)
      const whole = concatBytes(chunks)
      assert.equal(queue.bytes, whole.length)
      const taken: Uint8Array[] = []
      for (const size of sizes) taken.push(queue.take(Math.min(size, queue.bytes)))
      taken.push(queue.takeAll())
      assert.deepEqual(concatBytes(taken), whole)
      assert.equal(queue.bytes, 0)
      assert.equal(queue.chunks, 0)
    }),
  )
})

test('ByteQueue.unshift puts bytes in front, also after some were taken', () => {
  const queue = new ByteQueue()
  queue.push(Uint8Array.of(1, 2))
  queue.push(Uint8Array.of(3))
  queue.take(2)
  queue.unshift(Uint8Array.of(9))
  assert.deepEqual(queue.takeAll(), Uint8Array.of(9, 3))
})

test('ByteQueue.take refuses more than is held', () => {
  assert.throws(() => new ByteQueue().take(1), RangeError)
})
