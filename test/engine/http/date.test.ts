import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, parseDate, tryParseDate } from '#src/engine/http/date.js'
import { checkParsers, checkTable, refused, type Row } from './_table.js'

const DATE = 'RFC 9110 §5.6.7'
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37)
const NOW = Date.UTC(2026, 4, 15, 12)
const imf = (date: string, time = '08:49:37'): string => `Sun, ${date} ${time} GMT`
const good = (name: string, value: string, ms: number): Row<string, number | undefined> => [name, value, ms, DATE]
const bad = (name: string, value: string): Row<string, number | undefined> => [name, value, undefined, DATE]

const ROWS: readonly Row<string, number | undefined>[] = [
  good('IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE),
  good('RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE),
  good('asctime', 'Sun Nov  6 08:49:37 1994', EXAMPLE),
  good('asctime, two digits', 'Wed Nov 16 08:49:37 1994', EXAMPLE + 10 * 86_400_000),
  good('another weekday', 'Mon, 06 Nov 1994 08:49:37 GMT', EXAMPLE),
  bad('no weekday', 'Xyz, 06 Nov 1994 08:49:37 GMT'),
  bad('a long weekday in the short form', 'Sunday, 06 Nov 1994 08:49:37 GMT'),
  bad('a short weekday in the long form', 'Sun, 06-Nov-94 08:49:37 GMT'),
  bad('lower case', 'sun, 06 nov 1994 08:49:37 gmt'),
  bad('another zone', 'Sun, 06 Nov 1994 08:49:37 UTC'),
  bad('an offset', 'Sun, 06 Nov 1994 08:49:37 +0000'),
  bad('one digit for the day', 'Sun, 6 Nov 1994 08:49:37 GMT'),
  bad('two spaces', 'Sun, 06 Nov 1994  08:49:37 GMT'),
  bad('a space before', ' Sun, 06 Nov 1994 08:49:37 GMT'),
  bad('a space behind', 'Sun, 06 Nov 1994 08:49:37 GMT '),
  bad('a line behind', 'Sun, 06 Nov 1994 08:49:37 GMT\n'),
  bad('asctime with one space', 'Sun Nov 6 08:49:37 1994'),
  bad('asctime with a zone', 'Sun Nov  6 08:49:37 1994 GMT'),
  bad('a number', '784111777'),
  bad('nothing', ''),
  good('the first of a month', imf('01 Jan 1970', '00:00:00'), 0),
  bad('day zero', imf('00 Jan 1970')),
  good('the 31st of January', imf('31 Jan 2000', '00:00:00'), Date.UTC(2000, 0, 31)),
  bad('the 32nd', imf('32 Jan 2000')),
  good('the 30th of April', imf('30 Apr 2000', '00:00:00'), Date.UTC(2000, 3, 30)),
  bad('the 31st of April', imf('31 Apr 2000')),
  good('the 28th of February', imf('28 Feb 2023', '00:00:00'), Date.UTC(2023, 1, 28)),
  bad('the 29th in a year that is no leap year', imf('29 Feb 2023')),
  good('the 29th in a leap year', imf('29 Feb 2024', '00:00:00'), Date.UTC(2024, 1, 29)),
  bad('the 30th of February', imf('30 Feb 2024')),
  good('a century that is a leap year', imf('29 Feb 2000', '00:00:00'), Date.UTC(2000, 1, 29)),
  bad('a century that is none', imf('29 Feb 1900')),
  good('the end of a year', imf('31 Dec 1999', '23:59:59'), Date.UTC(2000, 0, 1) - 1000),
  bad('hour 24', imf('06 Nov 1994', '24:00:00')),
  bad('minute 60', imf('06 Nov 1994', '23:60:00')),
  good('a leap second', imf('31 Dec 2016', '23:59:60'), Date.UTC(2017, 0, 1)),
  bad('second 61', imf('31 Dec 2016', '23:59:61')),
  good('year 0', imf('01 Jan 0000', '00:00:00'), -62_167_219_200_000),
  good('year 9999', imf('31 Dec 9999', '23:59:59'), 253_402_300_799_000),
  good('50 years ahead', 'Friday, 15-May-76 12:00:00 GMT', Date.UTC(2076, 4, 15, 12)),
  good('a second more', 'Friday, 15-May-76 12:00:01 GMT', Date.UTC(1976, 4, 15, 12, 0, 1)),
  good('this century', 'Friday, 01-Jan-00 00:00:00 GMT', Date.UTC(2000, 0, 1)),
  good('the last', 'Friday, 01-Jan-99 00:00:00 GMT', Date.UTC(1999, 0, 1)),
  good('a leap day by its century', 'Tuesday, 29-Feb-00 00:00:00 GMT', Date.UTC(2000, 1, 29)),
]

test('tryParseDate reads its table', () => {
  checkTable((value) => tryParseDate(value, NOW), ROWS)
  const parse = (value: string): number => parseDate(value, NOW)
  checkParsers((value) => tryParseDate(value, NOW), parse, imf('06 Nov 1994'), imf('06 Nov 94'), DATE)
})

test('years of two digits go on behind the turn of a century', () => {
  checkTable(
    (value) => tryParseDate(value, Date.UTC(2090, 0, 1)),
    [
      good('20 years ahead', 'Friday, 01-Jan-10 00:00:00 GMT', Date.UTC(2110, 0, 1)),
      good('50 years ahead', 'Friday, 01-Jan-40 00:00:00 GMT', Date.UTC(2140, 0, 1)),
      good('51 years ahead', 'Friday, 01-Jan-41 00:00:00 GMT', Date.UTC(2041, 0, 1)),
      bad('a leap day of a century that has none', 'Friday, 29-Feb-00 00:00:00 GMT'),
    ],
  )
})

test('formatDate writes IMF-fixdate for the years 0 to 9999', () => {
  assert.equal(formatDate(EXAMPLE + 999), 'Sun, 06 Nov 1994 08:49:37 GMT')
  assert.equal(formatDate(-1), 'Wed, 31 Dec 1969 23:59:59 GMT')
  assert.equal(formatDate(-62_167_219_200_000), 'Sat, 01 Jan 0000 00:00:00 GMT')
  assert.equal(formatDate(253_402_300_799_999), 'Fri, 31 Dec 9999 23:59:59 GMT')
  for (const ms of [-62_167_219_200_001, 253_402_300_800_000, NaN, Infinity, -Infinity])
    assert.throws(() => formatDate(ms), refused)
})

test('formatDate writes as Date does, and tryParseDate reads it back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
      const written = formatDate(ms)
      assert.equal(written, new Date(ms).toUTCString())
      assert.equal(tryParseDate(written, NOW), Math.floor(ms / 1000) * 1000)
    }),
    { numRuns: 2000 },
  )
})
