import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, equalBytes, indexOfBytes } from '#src/base/bytes.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const found: readonly [text: string, pattern: string, from: number, at: number][] = [
  ['', 'a', 0, -1],
  ['abc', '', 2, 2],
  ['abc', 'abc', 0, 0],
  ['abc', 'abcd', 0, -1],
  ['xabc', 'abc', 0, 1],
  ['abab', 'ab', 1, 2],
  ['aab', 'ab', 0, 1],
  ['a\r\r\n', '\r\n', 0, 2],
  ['abcab', 'abc', 1, -1],
  ['ab', 'b', 2, -1],
]

test('indexOfBytes finds a pattern only where it stands whole, at or after the place it is asked from', () => {
  for (const [text, pattern, from, at] of found) {
    assert.equal(indexOfBytes(bytes(text), bytes(pattern), from), at, JSON.stringify([text, pattern, from]))
  }
})

test('indexOfBytes finds what a search in text finds', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(letters, letters, fc.nat({ max: 12 }), (text, pattern, from) => {
      fc.pre(from <= text.length)
      assert.equal(indexOfBytes(bytes(text), bytes(pattern), from), text.indexOf(pattern, from))
    }),
  )
})

test('equalBytes compares every byte and the length', () => {
  const one = Uint8Array.of(1, 2, 3)
  for (const [other, isEqual] of [
    [[1, 2, 3], true],
    [[0, 2, 3], false],
    [[1, 2, 4], false],
    [[1, 2], false],
    [[1, 2, 3, 0], false],
  ] as const) {
    assert.equal(equalBytes(one, Uint8Array.from(other)), isEqual, String(other))
  }
  assert.equal(equalBytes(new Uint8Array(0), new Uint8Array(0)), true)
})

test('concatBytes joins parts into bytes of its own, with the length counted or given', () => {
  const parts = [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]
  for (const joined of [concatBytes(parts), concatBytes(parts, 3)]) {
    assert.deepEqual(joined, Uint8Array.of(1, 2, 3))
    joined.fill(9)
    assert.deepEqual(parts[0], Uint8Array.of(1))
  }
  assert.equal(concatBytes([]).length, 0)
})
