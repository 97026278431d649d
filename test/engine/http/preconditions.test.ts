import { test } from 'node:test'
import {
  evaluatePreconditions,
  rangeApplies,
  type CurrentRepresentation,
  type PreconditionOutcome,
} from '#src/engine/http/preconditions.js'
import { checkTable, fieldsOf, type Row } from './_table.js'

const CHANGED = Date.UTC(2026, 4, 15, 12)
const NOW = CHANGED + 3_600_000
const AT = new Date(CHANGED).toUTCString()
const BEFORE = new Date(CHANGED - 1000).toUTCString()
const AFTER = new Date(CHANGED + 1000).toUTCString()

const STRONG: CurrentRepresentation = { exists: true, etag: { value: 'a', weak: false }, lastModifiedMs: CHANGED + 999 }
const WEAK: CurrentRepresentation = { ...STRONG, etag: { value: 'a', weak: true } }
const BARE: CurrentRepresentation = { exists: true }
const NOTHING: CurrentRepresentation = { exists: false }

type Fields = Readonly<Record<string, string>>
type Case = readonly [method: string, fields: Fields, current: CurrentRepresentation]
const ifMatch = (value: string): Fields => ({ 'if-match': value })
const ifNoneMatch = (value: string): Fields => ({ 'if-none-match': value })
const modified = (value: string): Fields => ({ 'if-modified-since': value })
const unmodified = (value: string): Fields => ({ 'if-unmodified-since': value })

const MATCH = 'RFC 9110 §13.1.1'
const NONE_MATCH = 'RFC 9110 §13.1.2'
const MODIFIED = 'RFC 9110 §13.1.3'
const UNMODIFIED = 'RFC 9110 §13.1.4'
const ORDER = 'RFC 9110 §13.2.2'

const ROWS: readonly Row<Case, PreconditionOutcome>[] = [
  ['no conditions', ['GET', {}, STRONG], 'proceed', ORDER],
  ['If-Match: the tag', ['PUT', ifMatch('"a"'), STRONG], 'proceed', MATCH],
  ['If-Match: another tag', ['PUT', ifMatch('"b"'), STRONG], 'failed', MATCH],
  ['If-Match: one of two', ['PUT', ifMatch('"b", "a"'), STRONG], 'proceed', MATCH],
  ['If-Match is strong: weak in the field', ['PUT', ifMatch('W/"a"'), STRONG], 'failed', MATCH],
  ['If-Match is strong: weak here', ['PUT', ifMatch('"a"'), WEAK], 'failed', MATCH],
  ['If-Match: no tag here', ['PUT', ifMatch('"a"'), BARE], 'failed', MATCH],
  ['If-Match: nothing here', ['PUT', ifMatch('"a"'), NOTHING], 'failed', MATCH],
  ['If-Match: * and something', ['PUT', ifMatch('*'), BARE], 'proceed', MATCH],
  ['If-Match: * and nothing', ['PUT', ifMatch('*'), NOTHING], 'failed', MATCH],
  ['If-Match: malformed', ['PUT', ifMatch('a'), STRONG], 'failed', MATCH],
  ['If-Match: empty', ['PUT', ifMatch(''), STRONG], 'failed', MATCH],
  ['If-Match of GET', ['GET', ifMatch('"b"'), STRONG], 'failed', MATCH],
  ['If-None-Match: the tag, GET', ['GET', ifNoneMatch('"a"'), STRONG], 'not-modified', NONE_MATCH],
  ['If-None-Match: the tag, HEAD', ['HEAD', ifNoneMatch('"a"'), STRONG], 'not-modified', NONE_MATCH],
  ['If-None-Match: the tag, PUT', ['PUT', ifNoneMatch('"a"'), STRONG], 'failed', NONE_MATCH],
  ['If-None-Match: another tag, GET', ['GET', ifNoneMatch('"b"'), STRONG], 'proceed', NONE_MATCH],
  ['If-None-Match: another tag, PUT', ['PUT', ifNoneMatch('"b"'), STRONG], 'proceed', NONE_MATCH],
  ['If-None-Match is weak: weak in the field', ['GET', ifNoneMatch('W/"a"'), STRONG], 'not-modified', NONE_MATCH],
  ['If-None-Match is weak: weak here', ['GET', ifNoneMatch('"a"'), WEAK], 'not-modified', NONE_MATCH],
  ['If-None-Match: no tag here', ['GET', ifNoneMatch('"a"'), BARE], 'proceed', NONE_MATCH],
  ['If-None-Match: * and something, GET', ['GET', ifNoneMatch('*'), BARE], 'not-modified', NONE_MATCH],
  ['If-None-Match: * and something, PUT', ['PUT', ifNoneMatch('*'), BARE], 'failed', NONE_MATCH],
  ['If-None-Match: * and nothing, PUT', ['PUT', ifNoneMatch('*'), NOTHING], 'proceed', NONE_MATCH],
  ['If-None-Match: malformed, GET', ['GET', ifNoneMatch('a'), STRONG], 'proceed', NONE_MATCH],
  ['If-None-Match: malformed, PUT', ['PUT', ifNoneMatch('a'), STRONG], 'failed', NONE_MATCH],
  ['If-None-Match: empty', ['GET', ifNoneMatch(''), STRONG], 'proceed', NONE_MATCH],
  ['If-Modified-Since: not since', ['GET', modified(AT), STRONG], 'not-modified', MODIFIED],
  ['If-Modified-Since: a second before', ['GET', modified(BEFORE), STRONG], 'proceed', MODIFIED],
  ['If-Modified-Since: a second after', ['GET', modified(AFTER), STRONG], 'not-modified', MODIFIED],
  ['If-Modified-Since of HEAD', ['HEAD', modified(AT), STRONG], 'not-modified', MODIFIED],
  ['If-Modified-Since of POST', ['POST', modified(AT), STRONG], 'proceed', MODIFIED],
  ['If-Modified-Since: malformed', ['GET', modified(`${AT}, ${AT}`), STRONG], 'proceed', MODIFIED],
  ['If-Modified-Since: no date here', ['GET', modified(AT), BARE], 'proceed', MODIFIED],
  ['If-Modified-Since: nothing here', ['GET', modified(AT), { ...STRONG, exists: false }], 'proceed', MODIFIED],
  ['If-Unmodified-Since: not since', ['PUT', unmodified(AT), STRONG], 'proceed', UNMODIFIED],
  ['If-Unmodified-Since: a second before', ['PUT', unmodified(BEFORE), STRONG], 'failed', UNMODIFIED],
  ['If-Unmodified-Since: a second after', ['PUT', unmodified(AFTER), STRONG], 'proceed', UNMODIFIED],
  ['If-Unmodified-Since of GET', ['GET', unmodified(BEFORE), STRONG], 'failed', UNMODIFIED],
  ['If-Unmodified-Since: malformed', ['PUT', unmodified('then'), STRONG], 'proceed', UNMODIFIED],
  ['If-Unmodified-Since: no date here', ['PUT', unmodified(BEFORE), BARE], 'proceed', UNMODIFIED],
  [
    'If-Match before If-Unmodified-Since',
    ['PUT', { ...ifMatch('"a"'), ...unmodified(BEFORE) }, STRONG],
    'proceed',
    ORDER,
  ],
  ['If-Match fails whatever the date', ['PUT', { ...ifMatch('"b"'), ...unmodified(AT) }, STRONG], 'failed', ORDER],
  [
    'If-None-Match before If-Modified-Since',
    ['GET', { ...ifNoneMatch('"b"'), ...modified(AT) }, STRONG],
    'proceed',
    ORDER,
  ],
  [
    'If-None-Match matches whatever the date',
    ['GET', { ...ifNoneMatch('"a"'), ...modified(BEFORE) }, STRONG],
    'not-modified',
    ORDER,
  ],
  [
    'a malformed If-None-Match hides the date',
    ['GET', { ...ifNoneMatch('a'), ...modified(AT) }, STRONG],
    'proceed',
    ORDER,
  ],
  [
    'If-Match, then If-None-Match',
    ['GET', { ...ifMatch('"a"'), ...ifNoneMatch('"a"') }, STRONG],
    'not-modified',
    ORDER,
  ],
  ['If-Match first', ['GET', { ...ifMatch('"b"'), ...ifNoneMatch('"a"') }, STRONG], 'failed', ORDER],
  [
    'If-Unmodified-Since, then If-Modified-Since',
    ['GET', { ...unmodified(AT), ...modified(AT) }, STRONG],
    'not-modified',
    ORDER,
  ],
  ['CONNECT', ['CONNECT', ifMatch('"b"'), STRONG], 'proceed', 'RFC 9110 §13.2.1'],
  ['OPTIONS', ['OPTIONS', ifMatch('"b"'), STRONG], 'proceed', 'RFC 9110 §13.2.1'],
  ['TRACE', ['TRACE', ifMatch('"b"'), STRONG], 'proceed', 'RFC 9110 §13.2.1'],
  ['a method in lower case is another', ['options', ifMatch('"b"'), STRONG], 'failed', 'RFC 9110 §9.1'],
]

const RANGE = 'RFC 9110 §14.2'
const IF_RANGE = 'RFC 9110 §13.1.5'
const range = (ifRange?: string): Fields => ({
  range: 'bytes=0-',
  ...(ifRange === undefined ? {} : { 'if-range': ifRange }),
})

const RANGE_ROWS: readonly Row<Case, boolean>[] = [
  ['no Range', ['GET', {}, STRONG], false, RANGE],
  ['Range', ['GET', range(), STRONG], true, RANGE],
  ['Range of HEAD', ['HEAD', range(), STRONG], false, RANGE],
  ['Range of POST', ['POST', range(), STRONG], false, RANGE],
  ['Range of nothing', ['GET', range(), NOTHING], false, RANGE],
  ['If-Range without Range', ['GET', { 'if-range': '"a"' }, STRONG], false, IF_RANGE],
  ['the tag', ['GET', range('"a"'), STRONG], true, IF_RANGE],
  ['another tag', ['GET', range('"b"'), STRONG], false, IF_RANGE],
  ['a weak tag', ['GET', range('W/"a"'), STRONG], false, IF_RANGE],
  ['a weak tag here', ['GET', range('"a"'), WEAK], false, IF_RANGE],
  ['weak tags both', ['GET', range('W/"a"'), WEAK], false, IF_RANGE],
  ['no tag here', ['GET', range('"a"'), BARE], false, IF_RANGE],
  ['two tags', ['GET', range('"a", "b"'), STRONG], false, IF_RANGE],
  ['the date', ['GET', range(AT), STRONG], true, IF_RANGE],
  ['a date before', ['GET', range(BEFORE), STRONG], false, IF_RANGE],
  ['a date after', ['GET', range(AFTER), STRONG], false, IF_RANGE],
  ['no date here', ['GET', range(AT), BARE], false, IF_RANGE],
  ['malformed', ['GET', range('then'), STRONG], false, IF_RANGE],
]

test('evaluatePreconditions decides as its table says', () => {
  checkTable(([method, fields, current]) => evaluatePreconditions(method, fieldsOf(fields), current, NOW), ROWS)
})

test('rangeApplies decides as its table says', () => {
  checkTable(([method, fields, current]) => rangeApplies(method, fieldsOf(fields), current, NOW), RANGE_ROWS)
})

test('rangeApplies takes a date for strong only when its second is over', () => {
  checkTable(
    (now) => rangeApplies('GET', fieldsOf(range(AT)), STRONG, now),
    [
      ['the same second', CHANGED + 999, false, 'RFC 9110 §8.8.2.2'],
      ['the next', CHANGED + 1000, true, 'RFC 9110 §8.8.2.2'],
    ],
  )
})
