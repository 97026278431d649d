import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  charsetOf,
  formatMediaType,
  matchesMediaRange,
  parseMediaType,
  tryParseMediaRange,
  tryParseMediaType,
  type MediaType,
} from '#src/engine/http/media-type.js'
import { checkParsers, checkTable, parametersOf, refused, type Row } from './_table.js'

const TYPE = 'RFC 9110 §8.3.1'
const CHARSET = 'RFC 9110 §8.3.2'
const RANGE = 'RFC 9110 §12.5.1'
const media = (type: string, subtype: string, parameters: Readonly<Record<string, string>> = {}): MediaType => {
  return { type, subtype, parameters: parametersOf(parameters) }
}

test('tryParseMediaType reads its table', () => {
  checkTable(tryParseMediaType, [
    ['plain', 'text/html', media('text', 'html'), TYPE],
    ['capitals', 'Text/HTML;Charset=UTF-8', media('text', 'html', { charset: 'UTF-8' }), TYPE],
    ['a quoted parameter', 'text/html ; charset="utf-8"', media('text', 'html', { charset: 'utf-8' }), TYPE],
    ['a suffix', 'application/vnd.a.b+json', media('application', 'vnd.a.b+json'), TYPE],
    ['no subtype', 'text/', undefined, TYPE],
    ['no type', '/html', undefined, TYPE],
    ['no slash', 'text', undefined, TYPE],
    ['nothing', '', undefined, TYPE],
    ['space before', ' text/html', undefined, TYPE],
    ['space before the slash', 'text /html', undefined, TYPE],
    ['two', 'text/html, text/plain', undefined, TYPE],
    ['a range', 'text/*', undefined, TYPE],
    ['the range of all', '*/*', undefined, TYPE],
    ['a parameter without a value', 'text/html;charset', undefined, TYPE],
  ])
  checkParsers(tryParseMediaType, parseMediaType, 'a/b', 'a', TYPE)
})

test('tryParseMediaRange also reads what leaves the type open', () => {
  checkTable(tryParseMediaRange, [
    ['subtype', 'text/*;q=0.5', media('text', '*', { q: '0.5' }), RANGE],
    ['both', '*/*', media('*', '*'), RANGE],
    ['the type alone', '*/html', undefined, RANGE],
  ])
})

test('matchesMediaRange compares as its table says', () => {
  const rows: readonly Row<readonly [type: string, range: string], boolean>[] = [
    ['the same', ['text/html', 'TEXT/html'], true, RANGE],
    ['another subtype', ['text/html', 'text/plain'], false, RANGE],
    ['another type', ['text/xml', 'application/xml'], false, RANGE],
    ['open subtype', ['text/html', 'text/*'], true, RANGE],
    ['open subtype of another type', ['text/html', 'image/*'], false, RANGE],
    ['all', ['text/html', '*/*'], true, RANGE],
    ['more parameters than wanted', ['text/html;level=1', 'text/html'], true, RANGE],
    ['fewer parameters than wanted', ['text/html', 'text/html;level=1'], false, RANGE],
    ['another value', ['text/html;level=2', 'text/html;level=1'], false, RANGE],
    ['the same value', ['text/html;level=1', 'text/html;level=1'], true, RANGE],
    ['a charset in another case', ['text/html;charset=UTF-8', 'text/html;charset=utf-8'], true, CHARSET],
    ['and the other way', ['text/html;charset=utf-8', 'text/html;charset=UTF-8'], true, CHARSET],
    ['another charset', ['text/html;charset=latin1', 'text/html;charset=utf-8'], false, CHARSET],
    ['no charset', ['text/html', 'text/html;charset=utf-8'], false, CHARSET],
    ['another value’s case', ['a/b;c=D', 'a/b;c=d'], false, RANGE],
  ]
  checkTable(([type, range]) => {
    const parsedRange = tryParseMediaRange(range)
    return parsedRange !== undefined && matchesMediaRange(parseMediaType(type), parsedRange)
  }, rows)
})

test('charsetOf knows texts from what is none', () => {
  checkTable(
    (value) => charsetOf(parseMediaType(value)),
    [
      ['said', 'text/html;charset=ISO-8859-1', 'iso-8859-1', CHARSET],
      ['not said', 'text/plain', 'utf-8', 'RFC 6657 §3'],
      ['JSON', 'application/json;charset=latin1', 'utf-8', 'RFC 8259 §8.1'],
      ['JSON by suffix', 'application/problem+json', 'utf-8', 'RFC 8259 §8.1'],
      ['XML', 'application/xml', 'utf-8', 'RFC 7303 §3'],
      ['XML by suffix', 'image/svg+xml;charset=UTF-16', 'utf-16', 'RFC 7303 §3'],
      ['a script', 'application/javascript', 'utf-8', 'RFC 9239 §4'],
      ['bytes', 'application/octet-stream', undefined, CHARSET],
      ['bytes with a charset', 'image/png;charset=utf-8', undefined, CHARSET],
    ],
  )
})

test('formatMediaType writes what parseMediaType reads, and refuses the rest', () => {
  assert.equal(formatMediaType({ type: 'text', subtype: 'html' }), 'text/html')
  assert.equal(formatMediaType(parseMediaType('a/B;c="d e";F=g')), 'a/b; c="d e"; f=g')
  for (const [type, subtype] of [
    ['', 'a'],
    ['a', ''],
    ['a/b', 'c'],
    ['a', 'b c'],
    ['*', '*'],
    ['a', '*'],
  ] as const)
    assert.throws(() => formatMediaType({ type, subtype }), refused)
})
