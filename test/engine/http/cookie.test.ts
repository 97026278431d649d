import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCookies, isCookieValue, parseCookies, tryParseCookies } from '#src/engine/http/cookie.js'
import { checkParsers, checkTable, parametersOf, refused, textOf, type Row } from './_table.js'

const COOKIE = 'RFC 6265bis §4.2'
const SYNTAX = 'RFC 6265bis §4.1.1'
const pairs = (count: number): string => Array.from({ length: count }, (_, i) => `c${i}=${i}`).join('; ')

const ROWS: readonly Row<string, ReadonlyMap<string, string> | undefined>[] = [
  ['one', 'a=b', parametersOf({ a: 'b' }), COOKIE],
  ['two', 'a=b; c=d', parametersOf({ a: 'b', c: 'd' }), COOKIE],
  ['without a space', 'a=b;c=d', parametersOf({ a: 'b', c: 'd' }), COOKIE],
  ['names have case', 'a=b; A=c', parametersOf({ a: 'b', A: 'c' }), COOKIE],
  ['the first of two', 'a=b; a=c', parametersOf({ a: 'b' }), COOKIE],
  ['an empty value', 'a=', parametersOf({ a: '' }), COOKIE],
  ['= in a value', 'a=b=c', parametersOf({ a: 'b=c' }), COOKIE],
  ['quotes are part of a value', 'a="b"', parametersOf({ a: '"b"' }), SYNTAX],
  ['quotes hide no semicolon', 'a="b; c=d"', parametersOf({ a: '"b', c: 'd"' }), COOKIE],
  ['nothing is decoded', 'a=%20\\054', parametersOf({ a: '%20\\054' }), COOKIE],
  ['what servers should not send', 'a=b c,{"d"}\xff', parametersOf({ a: 'b c,{"d"}\xff' }), COOKIE],
  ['spaces at the ends', ' a\t= b ;\tc =d ', parametersOf({ a: 'b', c: 'd' }), COOKIE],
  ['no-break spaces are no spaces', 'a=\xa0b\xa0', parametersOf({ a: '\xa0b\xa0' }), COOKIE],
  ['no =', 'a; b=c', parametersOf({ b: 'c' }), COOKIE],
  ['no name', '=a; b=c', parametersOf({ b: 'c' }), COOKIE],
  ['a name that is none', 'a b=c; d[e]=f; g=h', parametersOf({ g: 'h' }), COOKIE],
  [
    'names of all objects',
    '__proto__=a; constructor=b',
    new Map([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]),
    COOKIE,
  ],
  ['empty pairs', ';; a=b;', parametersOf({ a: 'b' }), COOKIE],
  ['nothing', '', parametersOf(), COOKIE],
  ['a control character', 'a=b\0', undefined, COOKIE],
  ['a line break', 'a=b\r\nc', undefined, COOKIE],
  ['beyond Latin-1', 'a=\u0100', undefined, COOKIE],
  ['201 pairs', pairs(201), undefined, COOKIE],
  ['200 semicolons', ';'.repeat(200), undefined, COOKIE],
  ['199 semicolons', ';'.repeat(199), parametersOf(), COOKIE],
]

test('tryParseCookies reads its table', () => {
  checkTable(tryParseCookies, ROWS)
  assert.equal(parseCookies(pairs(200)).size, 200)
  checkParsers(tryParseCookies, parseCookies, 'a=b', 'a=\n', COOKIE)
})

test('isCookieValue knows every character that a server may send', () => {
  const allowed: string[] = []
  for (let code = 0; code < 300; code += 1)
    if (isCookieValue(String.fromCharCode(code))) allowed.push(String.fromCharCode(code))
  const expected = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
    (character) => !'",;\\'.includes(character),
  )
  assert.deepEqual(allowed, expected)
  checkTable(isCookieValue, [
    ['empty', '', true, SYNTAX],
    ['quoted', '"a"', true, SYNTAX],
    ['quotes alone', '""', true, SYNTAX],
    ['one quote', '"', false, SYNTAX],
    ['a quote at one end', '"a', false, SYNTAX],
    ['a quote within', '"a"b"', false, SYNTAX],
    ['a space in quotes', '"a b"', false, SYNTAX],
  ])
})

test('what formatCookies writes is read back, and it refuses the rest', () => {
  const name = textOf('aZ09_-.!', { minLength: 1, maxLength: 4 })
  const value = textOf('aZ09 ="\\,%\t\xe4;\n', { maxLength: 6 })
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, value), { maxLength: 5, selector: ([key]) => key }), (cookies) => {
      const isRight = cookies.every(([, text]) => !/[;\n]|^[ \t]|[ \t]$/.test(text))
      if (isRight) assert.deepEqual(parseCookies(formatCookies(cookies)), new Map(cookies))
      else assert.throws(() => formatCookies(cookies), refused)
    }),
  )
  for (const wrong of ['', 'a b', 'a=']) assert.throws(() => formatCookies([[wrong, 'x']]), refused)
})
