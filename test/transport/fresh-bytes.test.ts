import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { copyBytes, freshBytes } from '#src/transport/fresh-bytes.js'

void suite('freshBytes', () => {
  void test('gives as many as are asked for, and none of them twice', () => {
    const all = [1, 4095, 4096, 5001, 16_384, 16_385, 100_000, 4097, 4096].map((length, i) => {
      const bytes = freshBytes(length)
      assert.equal(bytes.length, length)
      return bytes.fill(i)
    })
    for (const [i, bytes] of all.entries()) assert.ok(bytes.every((byte) => byte === i))
  })

  void test('shared memory does not go to another thread and take the bytes of others along', () => {
    const [mine, others] = [freshBytes(5000), freshBytes(5000)]
    assert.equal(mine.buffer, others.buffer)
    assert.ok(mine.buffer instanceof ArrayBuffer)
    try {
      structuredClone(mine, { transfer: [mine.buffer] })
    } catch (error) {
      // Newer Node says so; older ones copy.
      assert.ok(error instanceof Error && error.name === 'DataCloneError')
    }
    assert.equal(others.length, 5000)
  })

  void test('copyBytes gives memory that is the caller’s', () => {
    const from = Buffer.from('borrowed')
    const copy = copyBytes(from)
    from.fill(0)
    assert.equal(copy.toString(), 'borrowed')
  })
})
