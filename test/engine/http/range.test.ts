import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatContentRange,
  parseContentRange,
  resolveRanges,
  tryParseContentRange,
  type ByteRange,
  type ContentRange,
  type RangeOutcome,
} from '#src/engine/http/range.js'
import { checkParsers, checkTable, refused, type Row } from './_table.js'

const SPEC = 'RFC 9110 §14.1.2'
const FIELD = 'RFC 9110 §14.2'
const JOIN = 'RFC 9110 §15.3.7.2'
const CONTENT = 'RFC 9110 §14.4'
const bytes = (start: number, end: number): ByteRange => ({ start, end })
/** `bytes=0-0,2-2,4-4,…`: none of them touch. */
const apart = (count: number): string => `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join()}`

/** Of ten bytes. */
const ROWS: readonly Row<string, RangeOutcome>[] = [
  ['the first five', 'bytes=0-4', [bytes(0, 5)], SPEC],
  ['one byte', 'bytes=0-0', [bytes(0, 1)], SPEC],
  ['the last byte', 'bytes=9-9', [bytes(9, 10)], SPEC],
  ['from one on', 'bytes=3-', [bytes(3, 10)], SPEC],
  ['from the last on', 'bytes=9-', [bytes(9, 10)], SPEC],
  ['from behind the end on', 'bytes=10-', 'unsatisfiable', SPEC],
  ['behind the end', 'bytes=10-12', 'unsatisfiable', SPEC],
  ['beyond the end', 'bytes=3-10', [bytes(3, 10)], SPEC],
  ['to the end', 'bytes=3-9', [bytes(3, 10)], SPEC],
  ['a suffix', 'bytes=-3', [bytes(7, 10)], SPEC],
  ['a suffix of all', 'bytes=-10', [bytes(0, 10)], SPEC],
  ['a suffix of more', 'bytes=-11', [bytes(0, 10)], SPEC],
  ['a suffix of nothing', 'bytes=-0', 'unsatisfiable', SPEC],
  ['leading zeros', 'bytes=002-0004', [bytes(2, 5)], SPEC],
  ['numbers of any length', `bytes=2-1${'0'.repeat(400)}`, [bytes(2, 10)], SPEC],
  ['a start of any length', `bytes=1${'0'.repeat(400)}-`, 'unsatisfiable', SPEC],
  ['long, and the wrong way round', `bytes=1${'0'.repeat(30)}1-1${'0'.repeat(31)}`, 'whole', SPEC],
  ['the wrong way round', 'bytes=4-3', 'whole', SPEC],
  ['the wrong way round, by its length', 'bytes=10-9', 'whole', SPEC],
  ['the wrong way round, among good ones', 'bytes=0-1,4-3', 'whole', SPEC],
  ['a capital unit', 'Bytes=0-4', [bytes(0, 5)], 'RFC 9110 §14.1'],
  ['another unit', 'lines=0-4', 'whole', FIELD],
  ['no unit', '0-4', 'whole', FIELD],
  ['no ranges', 'bytes=', 'whole', FIELD],
  ['only commas', 'bytes=,,', 'whole', FIELD],
  ['a hyphen alone', 'bytes=-', 'whole', FIELD],
  ['no hyphen', 'bytes=5', 'whole', FIELD],
  ['two hyphens', 'bytes=1--3', 'whole', FIELD],
  ['three numbers', 'bytes=1-2-3', 'whole', FIELD],
  ['letters', 'bytes=a-b', 'whole', FIELD],
  ['hexadecimal', 'bytes=0x1-2', 'whole', FIELD],
  ['space around the hyphen', 'bytes=0 - 4', 'whole', FIELD],
  ['space around =', 'bytes =0-4', 'whole', FIELD],
  ['space before', ' bytes=0-4', 'whole', FIELD],
  ['a line behind', 'bytes=0-4\n', 'whole', FIELD],
  ['several', 'bytes=0-1,4-5', [bytes(0, 2), bytes(4, 6)], FIELD],
  ['several, with spaces and empty ones', 'bytes= 0-1 ,, 4-5,', [bytes(0, 2), bytes(4, 6)], 'RFC 9110 §5.6.1.2'],
  ['several, in the order asked for', 'bytes=8-9,0-1,-6', [bytes(4, 10), bytes(0, 2)], JOIN],
  ['some behind the end', 'bytes=20-,0-1,30-40', [bytes(0, 2)], SPEC],
  ['all behind the end', 'bytes=20-,30-40,-0', 'unsatisfiable', SPEC],
  ['overlapping', 'bytes=0-4,3-6', [bytes(0, 7)], JOIN],
  ['one within another', 'bytes=2-3,0-8', [bytes(0, 9)], JOIN],
  ['touching', 'bytes=0-1,2-3', [bytes(0, 4)], JOIN],
  ['almost touching', 'bytes=0-1,3-4', [bytes(0, 2), bytes(3, 5)], JOIN],
  ['touching, the other way', 'bytes=2-3,0-1', [bytes(0, 4)], JOIN],
  ['joined by a third', 'bytes=6-7,0-1,9-9,2-5', [bytes(0, 8), bytes(9, 10)], JOIN],
  ['the same a hundred times', `bytes=${Array.from({ length: 100 }, () => '0-').join()}`, [bytes(0, 10)], JOIN],
  ['101 of them', `bytes=${Array.from({ length: 101 }, () => '0-').join()}`, 'whole', FIELD],
]

test('resolveRanges reads its table', () => {
  checkTable((value) => resolveRanges(value, 10), ROWS)
})

test('resolveRanges gives the whole for more than 16 ranges that do not touch, or another limit', () => {
  const single = (count: number): ByteRange[] => Array.from({ length: count }, (_, i) => bytes(i * 2, i * 2 + 1))
  assert.deepEqual(resolveRanges(apart(16), 1000), single(16))
  assert.equal(resolveRanges(apart(17), 1000), 'whole')
  assert.deepEqual(resolveRanges(apart(17), 1000, 17), single(17))
  assert.deepEqual(resolveRanges(apart(1), 1000, 1), [bytes(0, 1)])
  assert.equal(resolveRanges(apart(2), 1000, 1), 'whole')
})

test('resolveRanges finds nothing in nothing, and its last bytes are all of it', () => {
  checkTable<string, RangeOutcome>(
    (value) => resolveRanges(value, 0),
    [
      ['from the start', 'bytes=0-', 'unsatisfiable', SPEC],
      ['a suffix', 'bytes=-5', 'whole', SPEC],
      ['a suffix of nothing', 'bytes=-0', 'unsatisfiable', SPEC],
      ['both', 'bytes=0-,-5', 'whole', SPEC],
    ],
  )
  const huge = Number.MAX_SAFE_INTEGER
  assert.deepEqual(resolveRanges(`bytes=${huge - 1}-${huge}`, huge), [bytes(huge - 1, huge)])
})

test('resolveRanges gives exactly the bytes asked for, once each, apart from one another', () => {
  const number = fc.nat({ max: 40 })
  const spec = fc.oneof(
    fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    number.map((from) => `${from}-`),
    number.map((count) => `-${count}`),
  )
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 32 }), (specs, size) => {
      const wanted = new Set<number>()
      for (const text of specs) {
        const [first = '', last = ''] = text.split('-')
        const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
        const to = first === '' || last === '' ? size - 1 : Number(last)
        for (let at = from; at <= Math.min(to, size - 1); at += 1) wanted.add(at)
      }
      const found = resolveRanges(`bytes=${specs.join()}`, size)
      if (typeof found === 'string') {
        assert.deepEqual([found, wanted.size], ['unsatisfiable', 0])
        return
      }
      const given = found.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i))
      assert.deepEqual(
        given.toSorted((a, b) => a - b),
        [...wanted].toSorted((a, b) => a - b),
      )
      for (const { start, end } of found) assert.ok(!wanted.has(start - 1) && !wanted.has(end))
    }),
  )
})

const range = (start: number, end: number, size?: number): ContentRange => ({ range: bytes(start, end), size })

test('tryParseContentRange reads its table', () => {
  checkTable(tryParseContentRange, [
    ['a part', 'bytes 0-4/10', range(0, 5, 10), CONTENT],
    ['a size that is not known', 'bytes 0-4/*', range(0, 5), CONTENT],
    ['a size alone', 'bytes */10', { range: undefined, size: 10 }, CONTENT],
    ['neither', 'bytes */*', undefined, CONTENT],
    ['up to the end', 'bytes 0-9/10', range(0, 10, 10), CONTENT],
    ['beyond the end', 'bytes 0-10/10', undefined, CONTENT],
    ['one byte', 'bytes 5-5/10', range(5, 6, 10), CONTENT],
    ['the wrong way round', 'bytes 5-4/10', undefined, CONTENT],
    ['another unit', 'lines 0-4/10', undefined, CONTENT],
    ['capitals', 'BYTES 0-4/10', range(0, 5, 10), 'RFC 9110 §14.1'],
    ['=', 'bytes=0-4/10', undefined, CONTENT],
    ['two spaces', 'bytes  0-4/10', undefined, CONTENT],
    ['no size', 'bytes 0-4', undefined, CONTENT],
    ['no end', 'bytes 0-/10', undefined, CONTENT],
    ['the largest size', `bytes */${2 ** 53 - 1}`, { range: undefined, size: 2 ** 53 - 1 }, CONTENT],
    ['one more', `bytes */${2 ** 53}`, undefined, CONTENT],
    ['the last byte of that', `bytes 0-${2 ** 53 - 2}/*`, range(0, 2 ** 53 - 1), CONTENT],
    ['the byte behind it', `bytes 0-${2 ** 53 - 1}/*`, undefined, CONTENT],
    ['17 digits', `bytes 0-4/${'0'.repeat(15)}10`, undefined, CONTENT],
    ['a line behind', 'bytes 0-4/10\n', undefined, CONTENT],
    ['nothing', '', undefined, CONTENT],
  ])
  checkParsers(tryParseContentRange, parseContentRange, 'bytes 0-4/10', 'bytes 0-4', CONTENT)
})

test('what formatContentRange writes is read back, and it refuses the rest', () => {
  const count = fc.nat({ max: 20 })
  fc.assert(
    fc.property(
      fc.option(fc.tuple(count, count), { nil: undefined }),
      fc.option(count, { nil: undefined }),
      (pair, size) => {
        const part = pair === undefined ? undefined : bytes(...pair)
        const isRight =
          part === undefined ? size !== undefined : part.start < part.end && part.end <= (size ?? Infinity)
        if (isRight) assert.deepEqual(parseContentRange(formatContentRange(part, size)), { range: part, size })
        else assert.throws(() => formatContentRange(part, size), refused)
      },
    ),
  )
  assert.equal(formatContentRange(bytes(0, 5), 10), 'bytes 0-4/10')
  assert.equal(formatContentRange(undefined, 10), 'bytes */10')
  for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => formatContentRange(bytes(wrong, 5), undefined), refused)
    assert.throws(() => formatContentRange(bytes(0, wrong), undefined), refused)
    assert.throws(() => formatContentRange(undefined, wrong), refused)
  }
})
