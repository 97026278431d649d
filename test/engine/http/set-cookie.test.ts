import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatSetCookie, parseSetCookie, tryParseSetCookie, type SetCookie } from '#src/engine/http/set-cookie.js'
import { checkParsers, checkTable, refused, textOf, type Row } from './_table.js'

const FIELD = 'RFC 6265bis §5.6'
const DATE = 'RFC 6265bis §5.1.1'
const PREFIX = 'RFC 6265bis §4.1.3'
const STORAGE = 'RFC 6265bis §5.7'
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37)
const plain: SetCookie = { name: 'a', value: 'b' }
const long = (count: number): string => 'x'.repeat(count)

const ROWS: readonly Row<string, SetCookie | undefined>[] = [
  ['a pair', 'a=b', plain, FIELD],
  ['spaces', ' a = b ; Secure ', { ...plain, secure: true }, FIELD],
  ['an empty value', 'a=', { name: 'a', value: '' }, FIELD],
  ['quotes are kept', 'a="b"', { name: 'a', value: '"b"' }, FIELD],
  ['no =', 'a', undefined, FIELD],
  ['no name', '=b', undefined, FIELD],
  ['a name that is no token', 'a b=c', undefined, FIELD],
  ['nothing', '', undefined, FIELD],
  ['a control character', 'a=b\0', undefined, FIELD],
  ['a control character in an attribute', 'a=b; Path=/\x7f', undefined, FIELD],
  ['4096 bytes', `a=${long(4095)}`, { name: 'a', value: long(4095) }, FIELD],
  ['4097 bytes', `a=${long(4096)}`, undefined, FIELD],
  ['flags', 'a=b; secure; HTTPONLY; partitioned', { ...plain, secure: true, httpOnly: true, partitioned: true }, FIELD],
  ['flags with values', 'a=b; Secure=no', { ...plain, secure: true }, 'RFC 6265bis §5.6.5'],
  ['what is not known', 'a=b; Priority=High; X', plain, FIELD],
  ['50 attributes', `a=b${'; x'.repeat(49)}; Secure`, { ...plain, secure: true }, FIELD],
  ['51 attributes', `a=b${'; x'.repeat(50)}; Secure`, undefined, FIELD],
  ['Max-Age', 'a=b; max-age=60', { ...plain, maxAgeSeconds: 60 }, 'RFC 6265bis §5.6.2'],
  ['Max-Age in the past', 'a=b; Max-Age=-1', { ...plain, maxAgeSeconds: 0 }, 'RFC 6265bis §5.6.2'],
  [
    'Max-Age without end',
    `a=b; Max-Age=${'9'.repeat(400)}`,
    { ...plain, maxAgeSeconds: 2 ** 53 - 1 },
    'RFC 6265bis §5.6.2',
  ],
  ['Max-Age with a point', 'a=b; Max-Age=1.5', plain, 'RFC 6265bis §5.6.2'],
  ['Max-Age with a plus', 'a=b; Max-Age=+1', plain, 'RFC 6265bis §5.6.2'],
  ['Max-Age, a hyphen alone', 'a=b; Max-Age=-', plain, 'RFC 6265bis §5.6.2'],
  ['Max-Age, nothing', 'a=b; Max-Age=', plain, 'RFC 6265bis §5.6.2'],
  ['Max-Age twice', 'a=b; Max-Age=1; Max-Age=2', { ...plain, maxAgeSeconds: 2 }, FIELD],
  ['Domain', 'a=b; Domain=.Example.COM', { ...plain, domain: 'example.com' }, 'RFC 6265bis §5.6.3'],
  ['an empty Domain takes back', 'a=b; Domain=a; Domain=', plain, 'RFC 6265bis §5.6.3'],
  ['Path', 'a=b; Path=/A b', { ...plain, path: '/A b' }, 'RFC 6265bis §5.6.4'],
  ['Path without a slash takes back', 'a=b; Path=/; Path=x', plain, 'RFC 6265bis §5.6.4'],
  ['Path of 1024 bytes', `a=b; Path=/${long(1023)}`, { ...plain, path: `/${long(1023)}` }, FIELD],
  ['Path of 1025 bytes', `a=b; Path=/; Path=/${long(1024)}`, { ...plain, path: '/' }, FIELD],
  ['SameSite', 'a=b; SameSite=STRICT', { ...plain, sameSite: 'strict' }, 'RFC 6265bis §5.6.7'],
  ['SameSite, lax', 'a=b; SameSite=Lax', { ...plain, sameSite: 'lax' }, 'RFC 6265bis §5.6.7'],
  ['SameSite that is not known takes back', 'a=b; SameSite=Lax; SameSite=x', plain, 'RFC 6265bis §5.6.7'],
  ['SameSite, none, secure', 'a=b; SameSite=None; Secure', { ...plain, sameSite: 'none', secure: true }, STORAGE],
  ['SameSite, none, not secure', 'a=b; SameSite=None', undefined, STORAGE],
  ['Partitioned, not secure', 'a=b; Partitioned', undefined, 'cookies with partitioned state §2.1'],
  ['__Secure-', '__Secure-a=b; Secure', { name: '__Secure-a', value: 'b', secure: true }, PREFIX],
  ['__Secure-, not secure', '__Secure-a=b', undefined, PREFIX],
  ['__Secure- in capitals', '__SECURE-a=b', undefined, PREFIX],
  ['__Secure without its hyphen', '__Secure=b', { name: '__Secure', value: 'b' }, PREFIX],
  ['__Host-', '__Host-a=b; Secure; Path=/', { name: '__Host-a', value: 'b', secure: true, path: '/' }, PREFIX],
  ['__Host-, not secure', '__Host-a=b; Path=/', undefined, PREFIX],
  ['__Host- with a domain', '__Host-a=b; Secure; Path=/; Domain=a', undefined, PREFIX],
  ['__Host- with another path', '__Host-a=b; Secure; Path=/a', undefined, PREFIX],
  ['__Host- without a path', '__Host-a=b; Secure', undefined, PREFIX],
  ['__host- in other letters', '__host-a=b; Secure', undefined, PREFIX],
]

const expires = (value: string): number | undefined => parseSetCookie(`a=b; Expires=${value}`).expiresMs

const DATES: readonly Row<string, number | undefined>[] = [
  ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE, DATE],
  ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE, DATE],
  ['asctime', 'Sun Nov  6 08:49:37 1994', EXAMPLE, DATE],
  ['any order, long names', '8:49:37 1994 november 06', EXAMPLE, DATE],
  ['letters behind numbers', '06th Nov 1994x 08:49:37z', EXAMPLE, DATE],
  ['year 69', '06 Nov 69 00:00:00', Date.UTC(2069, 10, 6), DATE],
  ['year 70', '06 Nov 70 00:00:00', Date.UTC(1970, 10, 6), DATE],
  ['year 99', '06 Nov 99 00:00:00', Date.UTC(1999, 10, 6), DATE],
  ['year 100', '06 Nov 100 00:00:00', undefined, DATE],
  ['year 1600', '06 Nov 1600 00:00:00', undefined, DATE],
  ['year 1601', '06 Nov 1601 00:00:00', Date.UTC(1601, 10, 6), DATE],
  ['five digits', '06 Nov 19940 00:00:00', undefined, DATE],
  ['day 0', '00 Nov 1994 00:00:00', undefined, DATE],
  ['day 31 of November', '31 Nov 1994 00:00:00', undefined, DATE],
  ['hour 23, minute 59, second 59', '06 Nov 1994 23:59:59', Date.UTC(1994, 10, 6, 23, 59, 59), DATE],
  ['hour 24', '06 Nov 1994 24:00:00', undefined, DATE],
  ['minute 60', '06 Nov 1994 00:60:00', undefined, DATE],
  ['second 60', '06 Nov 1994 00:00:60', undefined, DATE],
  ['three digits for a second', '06 Nov 1994 00:00:000', undefined, DATE],
  ['no time', '06 Nov 1994', undefined, DATE],
  ['no month', '06 1994 00:00:00', undefined, DATE],
  ['no year', '06 Nov 00:00:00', undefined, DATE],
  ['no day', 'Nov 1994 00:00:00', undefined, DATE],
  ['nothing', '', undefined, DATE],
  ['too many parts', `${'x '.repeat(40)}06 Nov 1994 08:49:37`, undefined, DATE],
]

test('tryParseSetCookie reads its table', () => {
  checkTable(tryParseSetCookie, ROWS)
  checkParsers(tryParseSetCookie, parseSetCookie, 'a=b', 'a', FIELD)
})

test('tryParseSetCookie reads the dates of old servers', () => {
  checkTable(expires, DATES)
  assert.equal(expires('06 Nov 1994 08:49:37; Expires=never'), EXAMPLE)
})

test('formatSetCookie writes every attribute', () => {
  const full: SetCookie = {
    name: 'a',
    value: 'b',
    expiresMs: EXAMPLE,
    maxAgeSeconds: 0,
    domain: 'example.com',
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'none',
    partitioned: true,
  }
  assert.equal(
    formatSetCookie(full),
    'a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=0; Domain=example.com; Path=/; Secure; HttpOnly; SameSite=None; Partitioned',
  )
  assert.equal(formatSetCookie({ ...plain, secure: false, sameSite: 'lax' }), 'a=b; SameSite=Lax')
})

test('formatSetCookie refuses what browsers would drop or read differently', () => {
  const wrong: Readonly<Record<string, Partial<SetCookie>>> = {
    'no name': { name: '' },
    'a name with =': { name: 'a=' },
    'a value with a semicolon': { value: 'a;b' },
    'a value with a line break': { value: 'a\r\nb' },
    'a value with a space': { value: 'a b' },
    'a value beyond ASCII': { value: 'ä' },
    '4097 bytes': { value: long(4096) },
    'a negative age': { maxAgeSeconds: -1 },
    'half a second': { maxAgeSeconds: 0.5 },
    'an age without end': { maxAgeSeconds: Infinity },
    'a date without end': { expiresMs: Infinity },
    'an empty domain': { domain: '' },
    'a domain with a dot before it': { domain: '.a' },
    'a domain with a semicolon': { domain: 'a;b' },
    'a domain of 1025 bytes': { domain: long(1025) },
    'a path without a slash': { path: 'a' },
    'a path with a semicolon': { path: '/a;b' },
    'a path with a line break': { path: '/\n' },
    'a path that ends with a space': { path: '/ ' },
    'a path beyond ASCII': { path: '/ä' },
    'a path of 1025 bytes': { path: `/${long(1024)}` },
    'none without secure': { sameSite: 'none' },
    'partitioned without secure': { partitioned: true },
    '__Secure- without secure': { name: '__Secure-a' },
    '__Host- without secure': { name: '__Host-a', path: '/' },
    '__Host- without a path': { name: '__Host-a', secure: true },
    '__Host- with a domain': { name: '__Host-a', secure: true, path: '/', domain: 'a' },
  }
  for (const [name, part] of Object.entries(wrong))
    assert.throws(() => formatSetCookie({ ...plain, ...part }), refused, name)
  const atLimits = { value: long(4095), domain: long(1024), path: `/${long(1023)}`, maxAgeSeconds: 2 ** 53 - 1 }
  assert.deepEqual(parseSetCookie(formatSetCookie({ ...plain, ...atLimits })), { ...plain, ...atLimits })
})

test('what formatSetCookie writes is read back', () => {
  const cookie = fc.record(
    {
      name: fc.constantFrom('a', '__Host', 'B-!', '~'),
      value: textOf('aZ09=!#~', { maxLength: 6 }),
      expiresMs: fc
        .integer({ min: Date.UTC(1601, 0), max: 253_402_300_799_999 })
        .map((ms) => Math.floor(ms / 1000) * 1000),
      maxAgeSeconds: fc.maxSafeNat(),
      domain: fc.constantFrom('a', 'example.com', '127.0.0.1'),
      path: fc.constantFrom('/', '/a=b', '/a b/%20'),
      secure: fc.constant(true as const),
      httpOnly: fc.constant(true as const),
      sameSite: fc.constantFrom('lax' as const, 'strict' as const),
    },
    { requiredKeys: ['name', 'value'] },
  )
  fc.assert(
    fc.property(cookie, (given) => {
      assert.deepEqual(parseSetCookie(formatSetCookie(given)), { ...given })
    }),
  )
})
