import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseEncoding, chooseMediaType } from '#src/engine/http/negotiation.js'
import { checkTable, refused, type Row } from './_table.js'

const ACCEPT = 'RFC 9110 §12.5.1'
const ENCODING = 'RFC 9110 §12.5.3'
const WEIGHT = 'RFC 9110 §12.4.2'
type Choice = readonly [wanted: string | undefined, offered: readonly string[]]

const TYPES: readonly Row<Choice, string | undefined>[] = [
  ['no field', [undefined, ['a/b', 'c/d']], 'a/b', ACCEPT],
  ['an empty field', ['', ['a/b', 'c/d']], 'a/b', ACCEPT],
  ['a malformed field', ['c/d;q=3', ['a/b', 'c/d']], 'a/b', WEIGHT],
  ['quotes without an end', ['c/d;e="', ['a/b', 'c/d']], 'a/b', ACCEPT],
  ['a range twice: the first', ['a/b;q=0.1, a/b, c/d;q=0.5', ['a/b', 'c/d']], 'c/d', ACCEPT],
  ['one malformed member', ['c/d, e', ['a/b', 'c/d']], 'a/b', ACCEPT],
  ['nothing offered', ['*/*', []], undefined, ACCEPT],
  ['the one that is wanted', ['c/d', ['a/b', 'c/d']], 'c/d', ACCEPT],
  ['none that is wanted', ['e/f', ['a/b', 'c/d']], undefined, ACCEPT],
  ['equal wishes: the order offered', ['c/d, a/b', ['a/b', 'c/d']], 'a/b', ACCEPT],
  ['equal wishes, the other way', ['c/d, a/b', ['c/d', 'a/b']], 'c/d', ACCEPT],
  ['a higher weight', ['a/b;q=0.8, c/d;q=0.9', ['a/b', 'c/d']], 'c/d', WEIGHT],
  ['refused', ['*/*, a/b;q=0', ['a/b', 'c/d']], 'c/d', WEIGHT],
  ['all refused', ['*/*;q=0', ['a/b']], undefined, WEIGHT],
  ['a range of subtypes', ['text/*', ['a/b', 'text/css']], 'text/css', ACCEPT],
  ['the more specific decides', ['text/*;q=1, text/css;q=0.1, */*;q=0.5', ['text/css', 'a/b']], 'a/b', ACCEPT],
  ['in any order', ['*/*;q=0.5, text/css;q=0.1, text/*;q=1', ['text/css', 'a/b']], 'a/b', ACCEPT],
  [
    'parameters are more specific yet',
    ['text/html;q=0.2, text/html;level=1;q=0.9', ['text/html', 'text/html;level=1']],
    'text/html;level=1',
    ACCEPT,
  ],
  ['the weight before a parameter', ['text/html;q=0.2;level=1, a/b;q=0.1', ['text/html', 'a/b']], 'a/b', WEIGHT],
  ['a weight in capitals', ['a/b;Q=0.1, c/d;Q=0.2', ['a/b', 'c/d']], 'c/d', WEIGHT],
  [
    'what a browser sends',
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', ['application/json', 'text/html']],
    'text/html',
    ACCEPT,
  ],
]

const CODINGS: readonly Row<Choice, string | undefined>[] = [
  ['no field: no coding', [undefined, ['br', 'gzip', 'identity']], 'identity', ENCODING],
  ['no field, and only codings', [undefined, ['br', 'gzip']], 'br', ENCODING],
  ['a malformed field', ['br;q=2', ['br', 'identity']], 'identity', ENCODING],
  ['an empty field', ['', ['br', 'identity']], 'identity', ENCODING],
  ['an empty field, and only codings', ['', ['br']], undefined, ENCODING],
  ['wanted', ['gzip', ['br', 'gzip', 'identity']], 'gzip', ENCODING],
  ['wanted little, but named', ['gzip;q=0.001', ['identity', 'gzip']], 'gzip', ENCODING],
  ['identity named', ['gzip;q=0.5, identity', ['gzip', 'identity']], 'identity', ENCODING],
  ['identity named and equal', ['gzip, identity', ['gzip', 'identity']], 'gzip', ENCODING],
  ['none that is wanted', ['zstd', ['br', 'identity']], 'identity', ENCODING],
  ['identity refused', ['zstd, identity;q=0', ['br', 'identity']], undefined, ENCODING],
  ['all others refused', ['zstd, *;q=0', ['br', 'identity']], undefined, ENCODING],
  ['all others refused, but identity', ['*;q=0, identity;q=0.1', ['br', 'identity']], 'identity', ENCODING],
  ['any', ['*', ['br', 'gzip', 'identity']], 'br', ENCODING],
  ['any but one', ['*, br;q=0', ['br', 'gzip', 'identity']], 'gzip', ENCODING],
  ['any, with a weight, and one', ['*;q=0.5, gzip', ['br', 'gzip', 'identity']], 'gzip', ENCODING],
  ['equal wishes: the order offered', ['gzip, deflate, br', ['br', 'gzip', 'identity']], 'br', ENCODING],
  ['capitals', ['GZIP', ['gzip', 'identity']], 'gzip', 'RFC 9110 §8.4.1'],
  ['the old name of gzip', ['x-gzip', ['gzip', 'identity']], 'gzip', 'RFC 9110 §8.4.1.3'],
  ['the old name of compress', ['x-compress', ['compress', 'identity']], 'compress', 'RFC 9110 §8.4.1.1'],
  ['twice: the first', ['gzip;q=0, gzip', ['gzip', 'identity']], 'identity', ENCODING],
  ['an offer in capitals', ['gzip', ['identity', 'GZIP']], 'GZIP', 'RFC 9110 §8.4.1'],
  ['no field, identity in capitals', [undefined, ['br', 'Identity']], 'Identity', 'RFC 9110 §8.4.1'],
  ['nothing offered', ['gzip', []], undefined, ENCODING],
]

test('chooseMediaType chooses as its table says', () => {
  checkTable(([wanted, offered]) => chooseMediaType(wanted, offered), TYPES)
  assert.throws(() => chooseMediaType('a/b', ['a']), refused)
  assert.throws(() => chooseMediaType('a/b', ['a/*']), refused)
})

test('chooseEncoding chooses as its table says', () => {
  checkTable(([wanted, offered]) => chooseEncoding(wanted, offered), CODINGS)
  assert.throws(() => chooseEncoding('gzip', ['g zip']), refused)
})
