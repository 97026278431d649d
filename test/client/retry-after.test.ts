import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryParseRetryAfter } from '#src/client/retry-after.js'

const NOW = Date.UTC(1999, 11, 31, 23, 59, 0)

const ROWS: readonly (readonly [name: string, value: string, ms: number | undefined])[] = [
  ['seconds', '120', 120_000],
  ['no seconds', '0', 0],
  ['zeros in front', '007', 7000],
  ['a date', 'Fri, 31 Dec 1999 23:59:59 GMT', 59_000],
  ['now', 'Fri, 31 Dec 1999 23:59:00 GMT', 0],
  ['a second ago', 'Fri, 31 Dec 1999 23:58:59 GMT', 0],
  ['a date in the form of RFC 850', 'Friday, 31-Dec-99 23:59:59 GMT', 59_000],
  ['a date in the form of asctime', 'Fri Dec 31 23:59:59 1999', 59_000],
  ['seconds that no clock has', '9'.repeat(30), Number.MAX_SAFE_INTEGER],
  ['a negative number', '-1', undefined],
  ['a sign', '+1', undefined],
  ['a fraction', '1.5', undefined],
  ['an exponent', '1e3', undefined],
  ['a unit', '1s', undefined],
  ['space', '1 ', undefined],
  ['nothing', '', undefined],
  ['a date that is none', 'Fri, 32 Dec 1999 23:59:59 GMT', undefined],
]

test('tryParseRetryAfter reads its table', () => {
  for (const [name, value, ms] of ROWS) assert.equal(tryParseRetryAfter(value, NOW), ms, name)
})
