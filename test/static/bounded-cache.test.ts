import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedCache } from '#src/static/bounded-cache.js'

const ENTRY = 1024

test('BoundedCache holds to its count, and lets the one go that was not asked for the longest', () => {
  const cache = new BoundedCache<number>(1e6, 2)
  cache.set('a', 1, 1)
  cache.set('b', 2, 1)
  assert.equal(cache.get('a'), 1)
  cache.set('c', 3, 1)
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c'), cache.count], [1, undefined, 3, 2])
})
test('BoundedCache holds to its bytes, which count what an entry costs besides', () => {
  const cache = new BoundedCache<number>(2 * ENTRY + 200, 100)
  cache.set('a', 1, 100)
  cache.set('b', 2, 100)
  assert.deepEqual([cache.count, cache.bytes], [2, 2 * ENTRY + 200])
  cache.set('c', 3, 1)
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [undefined, 2, 3])
  cache.set('b', 4, 2000)
  assert.deepEqual([cache.get('b'), cache.count, cache.bytes], [undefined, 1, ENTRY + 1])
  cache.delete('c')
  cache.delete('c')
  assert.deepEqual([cache.count, cache.bytes], [0, 0])
})
test('BoundedCache takes a value that just fits, and not one of a byte more', () => {
  const cache = new BoundedCache<number>(ENTRY + 10, 1)
  assert.deepEqual([cache.fits(10), cache.fits(11)], [true, false])
  cache.set('a', 1, 10)
  cache.set('b', 2, 11)
  assert.deepEqual([cache.get('a'), cache.get('b')], [1, undefined])
  assert.equal(new BoundedCache(1e6, 0).fits(1), false)
})
