import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatEntityTag,
  isStrongMatch,
  isWeakMatch,
  parseEntityTag,
  parseEntityTags,
  tryParseEntityTag,
  tryParseEntityTags,
} from '#src/engine/http/etag.js'
import { checkParsers, checkTable, refused } from './_table.js'

const TAG = 'RFC 9110 §8.8.3'
const LIST = 'RFC 9110 §13.1.1'
const strong = (value: string) => ({ value, weak: false })
const weak = (value: string) => ({ value, weak: true })
const tags = (count: number): string => Array.from({ length: count }, () => '"a"').join()

test('tryParseEntityTag reads its table', () => {
  checkTable(tryParseEntityTag, [
    ['strong', '"a"', strong('a'), TAG],
    ['weak', 'W/"a"', weak('a'), TAG],
    ['empty', '""', strong(''), TAG],
    ['the first and last that may stand in it', '"!#~\x80\xff"', strong('!#~\x80\xff'), TAG],
    ['a backslash escapes nothing', '"a\\"', strong('a\\'), TAG],
    ['a comma', '"a,b"', strong('a,b'), TAG],
    ['no beginning', 'a"', undefined, TAG],
    ['lower case', 'w/"a"', undefined, TAG],
    ['space behind the slash', 'W/ "a"', undefined, TAG],
    ['no slash', 'W"a"', undefined, TAG],
    ['no quotes', 'a', undefined, TAG],
    ['no end', '"a', undefined, TAG],
    ['one quote', '"', undefined, TAG],
    ['a quote within', '"a"b"', undefined, TAG],
    ['a space within', '"a b"', undefined, TAG],
    ['DEL', '"\x7f"', undefined, TAG],
    ['beyond Latin-1', '"\u0100"', undefined, TAG],
    ['space before', ' "a"', undefined, TAG],
    ['two', '"a","b"', undefined, TAG],
    ['any', '*', undefined, TAG],
    ['nothing', '', undefined, TAG],
  ])
  checkParsers(tryParseEntityTag, parseEntityTag, '"a"', 'a', TAG)
})

test('tryParseEntityTags reads its table', () => {
  checkTable<string, ReturnType<typeof tryParseEntityTags>>(tryParseEntityTags, [
    ['any', '*', '*', LIST],
    ['one', '"a"', [strong('a')], LIST],
    ['two', '"a", W/"b"', [strong('a'), weak('b')], LIST],
    ['commas within', '"a,b" ,"c"', [strong('a,b'), strong('c')], LIST],
    ['empty members', ', "a",, ', [strong('a')], 'RFC 9110 §5.6.1.2'],
    ['nothing', '', [], LIST],
    ['any and one', '*, "a"', undefined, LIST],
    ['one and any', '"a", *', undefined, LIST],
    ['any twice', '*, *', undefined, LIST],
    ['no comma', '"a" "b"', undefined, LIST],
    ['no quotes', '"a", b', undefined, LIST],
    ['no end', '"a', undefined, LIST],
    ['no tag behind W/', 'W/, "a"', undefined, LIST],
    ['100', tags(100), Array.from({ length: 100 }, () => strong('a')), LIST],
    ['101', tags(101), undefined, LIST],
    ['100 empty ones', ','.repeat(99), [], LIST],
    ['101 empty ones', ','.repeat(100), undefined, LIST],
  ])
  checkParsers(tryParseEntityTags, parseEntityTags, '*', 'a', LIST)
})

test('isStrongMatch and isWeakMatch compare as the table of the section', () => {
  const rows = [
    [weak('1'), weak('1'), false, true],
    [weak('1'), weak('2'), false, false],
    [weak('1'), strong('1'), false, true],
    [strong('1'), weak('1'), false, true],
    [strong('1'), strong('1'), true, true],
    [strong('1'), strong('2'), false, false],
  ] as const
  for (const [left, right, isStrong, isWeak] of rows)
    assert.deepEqual([isStrongMatch(left, right), isWeakMatch(left, right)], [isStrong, isWeak])
})

const character = fc.integer({ min: 0, max: 0x101 }).map((code) => String.fromCharCode(code))

test('what formatEntityTag writes is read back, and it refuses the rest', () => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 3 }), fc.boolean(), (value, isWeak) => {
      const tag = { value, weak: isWeak }
      const written = `${isWeak ? 'W/' : ''}"${value}"`
      if (tryParseEntityTag(written) === undefined) {
        assert.throws(() => formatEntityTag(tag), refused)
      } else {
        assert.equal(formatEntityTag(tag), written)
        assert.deepEqual(parseEntityTag(written), tag)
      }
    }),
  )
  for (const value of ['"', ' ', '\n', '\u0100']) assert.throws(() => formatEntityTag(strong(value)), refused)
})
