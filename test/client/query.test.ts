import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appendQuery, encodeForm, type QueryInit } from '#src/client/query.js'

const QUERIES: readonly (readonly [name: string, query: QueryInit, expected: string])[] = [
  ['a text', { a: 'b' }, 'a=b'],
  ['a number', { a: 1, b: -1.5, c: 1e21, d: NaN }, 'a=1&b=-1.5&c=1e%2B21&d=NaN'],
  ['a bigint', { a: 12_345_678_901_234_567_890n }, 'a=12345678901234567890'],
  ['booleans', { a: true, b: false }, 'a=true&b=false'],
  ['a Date', { a: new Date(0) }, 'a=1970-01-01T00:00:00.000Z'],
  ['null', { a: null }, 'a='],
  ['undefined', { a: undefined, b: '1' }, 'b=1'],
  ['only undefined', { a: undefined }, ''],
  ['an empty text', { a: '' }, 'a='],
  ['an empty name', { '': 'a' }, '=a'],
  ['a list', { a: ['1', 2, null, undefined, true] }, 'a=1&a=2&a=&a=true'],
  ['an empty list', { a: [] }, ''],
  [
    'pairs',
    [
      ['a', 1],
      ['b', [2, 3]],
      ['a', 4],
    ],
    'a=1&b=2&b=3&a=4',
  ],
  ['a Map', new Map([['a', 1]]), 'a=1'],
  ['URLSearchParams', new URLSearchParams('a=b+c&a=%26'), 'a=b%20c&a=%26'],
  ['what parts pairs', { 'a&=+#%': '&=+#%' }, 'a%26%3D%2B%23%25=%26%3D%2B%23%25'],
  ['space and quotes', { a: ` "'<>` }, 'a=%20%22%27%3C%3E'],
  ['what stays bare', { a: `!$()*,-./:;?@_~` }, 'a=!$()*,-./:;?@_~'],
  ['what RFC 3986 has in no query', { a: '[]\\^`{|}' }, 'a=%5B%5D%5C%5E%60%7B%7C%7D'],
  ['UTF-8', { ä: '€😀' }, '%C3%A4=%E2%82%AC%F0%9F%98%80'],
  ['half a pair', { a: '\ud83d!' }, 'a=%EF%BF%BD!'],
  ['lines', { a: '\r\n' }, 'a=%0D%0A'],
]

test('appendQuery encodes its table', () => {
  for (const [name, query, expected] of QUERIES)
    assert.equal(appendQuery('http://a/', query), expected === '' ? 'http://a/' : `http://a/?${expected}`, name)
})

test('appendQuery keeps what is there', () => {
  const rows: readonly (readonly [url: string, expected: string])[] = [
    ['http://a/b', 'http://a/b?x=1'],
    ['http://a/b?', 'http://a/b?x=1'],
    ['http://a/b?c=%zz+d', 'http://a/b?c=%zz+d&x=1'],
    ['http://a/b?c&', 'http://a/b?c&x=1'],
    ['http://a/b#c', 'http://a/b?x=1#c'],
    ['http://a/b?c=d#e?f', 'http://a/b?c=d&x=1#e?f'],
    ['/b', '/b?x=1'],
    ['', '?x=1'],
  ]
  for (const [url, expected] of rows) {
    assert.equal(appendQuery(url, { x: 1 }), expected)
    assert.equal(appendQuery(url, {}), url)
  }
})

test('a URL with what appendQuery wrote is read as it was meant, and written no other way', () => {
  const pairs = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), { minLength: 1 })
  fc.assert(
    fc.property(pairs, (given) => {
      const url = appendQuery('http://a/', given)
      const parsed = new URL(url)
      assert.equal(parsed.href, url)
      assert.deepEqual([...parsed.searchParams], given)
    }),
  )
})

test('encodeForm writes as URLSearchParams does', () => {
  assert.equal(
    encodeForm({ a: 'b c', 'ä~': [1, null, new Date(0)] }),
    'a=b+c&%C3%A4%7E=1&%C3%A4%7E=&%C3%A4%7E=1970-01-01T00%3A00%3A00.000Z',
  )
  assert.equal(encodeForm({}), '')
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('\ud83d', '\ude00'), fc.string({ unit: 'binary', maxLength: 1 })),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
      const browser = new URLSearchParams()
      for (const [name, value] of pairs) browser.append(name, value)
      assert.equal(encodeForm(pairs), String(browser))
    }),
  )
})

test('appendQuery and encodeForm refuse what they cannot send', () => {
  const wrong: readonly unknown[] = [
    'a=b',
    null,
    1,
    { a: {} },
    { a: [[1]] },
    { a: () => 1 },
    { a: Symbol('a') },
    { a: new Date(NaN) },
    ['a=b'],
    [['a']],
    [['a', 'b', 'c']],
    [[1, 'a']],
  ]
  for (const given of wrong) {
    assert.throws(() => encodeForm(given as QueryInit), { name: 'UsageError', code: 'ERR_ARGUMENT' })
    assert.throws(() => appendQuery('http://a/', given as QueryInit), { name: 'UsageError', code: 'ERR_ARGUMENT' })
  }
})
