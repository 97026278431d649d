import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatParameters,
  parseList,
  parseParameters,
  quote,
  tryParseList,
  tryParseParameters,
  tryUnquote,
  unquote,
} from '#src/engine/http/list.js'
import { checkParsers, checkTable, parametersOf, refused, textOf, type Row } from './_table.js'

const LIST = 'RFC 9110 §5.6.1'
const EMPTY = 'RFC 9110 §5.6.1.2'
const QUOTED = 'RFC 9110 §5.6.4'
const PARAMETERS = 'RFC 9110 §5.6.6'
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i}`)
const parameters = (count: number): string =>
  names(count)
    .map((name) => `;${name}=1`)
    .join('')

const LISTS: readonly Row<string, readonly string[] | undefined>[] = [
  ['two members', 'a, b', ['a', 'b'], LIST],
  ['no space', 'a,b', ['a', 'b'], LIST],
  ['spaces and tabs', ' a \t,\t b ', ['a', 'b'], LIST],
  ['space within a member', 'a b, c', ['a b', 'c'], LIST],
  ['nothing', '', [], LIST],
  ['empty members', ',a,, ,b,', ['a', 'b'], EMPTY],
  ['a comma in quotes', '"a,b", c', ['"a,b"', 'c'], QUOTED],
  ['quotes later in a member', 'a="b,c";d=",", e', ['a="b,c";d=","', 'e'], QUOTED],
  ['an escaped quote', '"a\\",b", c', ['"a\\",b"', 'c'], QUOTED],
  ['quotes without an end', 'a, "b', undefined, QUOTED],
  ['quotes that end with a backslash', '"b\\', undefined, QUOTED],
  ['a control character', 'a\0', undefined, 'RFC 9110 §5.5'],
  ['a control character in quotes', '"a\n"', undefined, QUOTED],
  ['an escaped control character', '"\\\n"', undefined, QUOTED],
  ['beyond Latin-1', 'a\u0100', undefined, 'RFC 9110 §5.5'],
  ['the last of Latin-1', 'a\u00ff', ['a\u00ff'], 'RFC 9110 §5.5'],
  ['100 members', names(100).join(), names(100), LIST],
  ['101 members', names(101).join(), undefined, LIST],
  ['99 commas', ','.repeat(99), [], EMPTY],
  ['100 commas', ','.repeat(100), undefined, EMPTY],
]

const PARAMETER_ROWS: readonly Row<string, ReadonlyMap<string, string> | undefined>[] = [
  ['none', '', parametersOf(), PARAMETERS],
  ['one', ';a=b', parametersOf({ a: 'b' }), PARAMETERS],
  ['space around the semicolon', ' ;\ta=b ; c=d ', parametersOf({ a: 'b', c: 'd' }), PARAMETERS],
  ['names in capitals', ';AbC=DeF', parametersOf({ abc: 'DeF' }), PARAMETERS],
  ['a quoted value', ';a="b;\\"c\\\\"', parametersOf({ a: 'b;"c\\' }), QUOTED],
  ['an empty quoted value', ';a=""', parametersOf({ a: '' }), QUOTED],
  ['empty parameters', ';;a=b; ;', parametersOf({ a: 'b' }), PARAMETERS],
  ['space before =', ';a =b', undefined, PARAMETERS],
  ['space after =', ';a= b', undefined, PARAMETERS],
  ['no value', ';a=', undefined, PARAMETERS],
  ['no =', ';a', undefined, PARAMETERS],
  ['no name', ';=b', undefined, PARAMETERS],
  ['no semicolon', 'a=b', undefined, PARAMETERS],
  ['something behind a quoted value', ';a="b"c', undefined, PARAMETERS],
  ['twice', ';a=b;A=b', undefined, PARAMETERS],
  ['a value that is no token', ';a=b/c', undefined, PARAMETERS],
  ['32', parameters(32), parametersOf(Object.fromEntries(names(32).map((name) => [name, '1']))), PARAMETERS],
  ['33', parameters(33), undefined, PARAMETERS],
  ['32 semicolons', ';'.repeat(32), parametersOf(), PARAMETERS],
  ['33 semicolons', ';'.repeat(33), undefined, PARAMETERS],
]

const UNQUOTED: readonly Row<string, string | undefined>[] = [
  ['empty', '""', '', QUOTED],
  ['text', '"a b"', 'a b', QUOTED],
  ['escapes', '"\\a\\"\\\\"', 'a"\\', QUOTED],
  ['a tab', '"\t\\\t"', '\t\t', QUOTED],
  ['no quotes', 'a', undefined, QUOTED],
  ['nothing', '', undefined, QUOTED],
  ['no beginning', 'a"', undefined, QUOTED],
  ['one quote', '"', undefined, QUOTED],
  ['text behind', '"a"b', undefined, QUOTED],
  ['text before', 'a"b"', undefined, QUOTED],
  ['DEL', '"\x7f"', undefined, QUOTED],
]

test('tryParseList reads its table', () => {
  checkTable(tryParseList, LISTS)
  checkTable(
    (value) => tryParseList(value, 2),
    [
      ['at a limit of one’s own', 'a,b', ['a', 'b'], LIST],
      ['one past it', 'a,b,c', undefined, LIST],
    ],
  )
  checkParsers(tryParseList, parseList, 'a,b', '"', LIST)
})

test('tryParseParameters reads its table', () => {
  checkTable(tryParseParameters, PARAMETER_ROWS)
  checkParsers(tryParseParameters, parseParameters, ';a=b', ';a', PARAMETERS)
})

test('tryUnquote reads its table', () => {
  checkTable(tryUnquote, UNQUOTED)
  checkParsers(tryUnquote, unquote, '"a"', 'a', QUOTED)
})

test('quote refuses what no field may hold', () => {
  assert.equal(quote('a"\\\t\u00ff'), '"a\\"\\\\\t\u00ff"')
  for (const text of ['\r', '\n', '\0', '\x1f', '\x7f', '\u0100']) assert.throws(() => quote(text), refused)
})

test('formatParameters quotes where it must, and refuses names that are no tokens', () => {
  assert.equal(
    formatParameters([
      ['a', 'b'],
      ['c', ''],
      ['d', 'e f'],
    ]),
    '; a=b; c=""; d="e f"',
  )
  for (const name of ['', 'a b', 'a=']) assert.throws(() => formatParameters([[name, 'x']]), refused)
})

const latin1 = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
})
const token = textOf("abcz019!#$%&'*+-.^_`|~", { minLength: 1 })

test('what quote and formatParameters write is read back, also as a member of a list', () => {
  fc.assert(
    fc.property(
      latin1,
      fc.uniqueArray(fc.tuple(token, latin1), { maxLength: 32, selector: ([name]) => name }),
      (text, pairs) => {
        assert.equal(unquote(quote(text)), text)
        const written = formatParameters(pairs)
        assert.deepEqual(parseParameters(written), new Map(pairs))
        assert.deepEqual(parseList(`x${written}, ${quote(text)}`), [`x${written}`, quote(text)])
      },
    ),
  )
})
