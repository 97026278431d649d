import type { UsageError } from '../../base/errors.js'
import { tryParseChallenges } from '../../engine/http/authorization.js'
import { isFieldValue, isToken } from '../../engine/http/characters.js'
import { formatDate, tryParseDate } from '../../engine/http/date.js'
import { tryParseEntityTag } from '../../engine/http/etag.js'
import { tryParseList } from '../../engine/http/list.js'
import { tryParseMediaType } from '../../engine/http/media-type.js'
import { tryParseContentRange } from '../../engine/http/range.js'
import { tryParseSetCookie } from '../../engine/http/set-cookie.js'
import { problem, shown } from './problem.js'

interface FieldRule {
  readonly expected: string
  readonly section: string
  readonly isRight: (value: string) => boolean
}

/** RFC 9110 §5.6.7: three forms are read, and one is written. */
function isWrittenDate(value: string): boolean {
  const ms = tryParseDate(value, Date.now())
  return ms !== undefined && formatDate(ms) === value
}

const isListOfTokens = (value: string): boolean => tryParseList(value)?.every(isToken) === true

/** Fields that say how a message travels on one connection: RFC 9110 §7.6.1. They are the server's. */
const HOP_BY_HOP = [
  ...['connection', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'],
] as const

const DATE = 'a date such as Sun, 06 Nov 1994 08:49:37 GMT'

const FORMS: readonly (readonly [name: string, rule: FieldRule])[] = [
  ['allow', { expected: 'methods', section: 'RFC 9110 §10.2.1', isRight: isListOfTokens }],
  ['content-length', { expected: 'digits', section: 'RFC 9110 §8.6', isRight: (value) => /^\d{1,15}$/.test(value) }],
  [
    'content-range',
    {
      expected: 'a range such as bytes 0-4/10',
      section: 'RFC 9110 §14.4',
      isRight: (value) => !/^bytes\b/i.test(value) || tryParseContentRange(value) !== undefined,
    },
  ],
  [
    'content-type',
    {
      expected: 'a media type',
      section: 'RFC 9110 §8.3',
      isRight: (value) => tryParseMediaType(value) !== undefined,
    },
  ],
  ['date', { expected: DATE, section: 'RFC 9110 §6.6.1', isRight: isWrittenDate }],
  [
    'etag',
    {
      expected: 'an entity tag in quotes',
      section: 'RFC 9110 §8.8.3',
      isRight: (value) => tryParseEntityTag(value) !== undefined,
    },
  ],
  ['last-modified', { expected: DATE, section: 'RFC 9110 §8.8.2', isRight: isWrittenDate }],
  ['location', { expected: 'an address', section: 'RFC 9110 §10.2.2', isRight: isReference }],
  [
    'proxy-authenticate',
    {
      expected: 'challenges',
      section: 'RFC 9110 §11.7.1',
      isRight: (value) => tryParseChallenges(value) !== undefined,
    },
  ],
  [
    'retry-after',
    {
      expected: 'seconds or a date',
      section: 'RFC 9110 §10.2.3',
      isRight: (value) => /^\d+$/.test(value) || isWrittenDate(value),
    },
  ],
  ['vary', { expected: 'names of fields, or *', section: 'RFC 9110 §12.5.5', isRight: isListOfTokens }],
  [
    'www-authenticate',
    {
      expected: 'challenges',
      section: 'RFC 9110 §11.6.1',
      isRight: (value) => tryParseChallenges(value) !== undefined,
    },
  ],
]

function isReference(value: string): boolean {
  return !/[\s<>"]/.test(value) && URL.canParse(value, 'http://localhost/')
}

/** What is wrong with fields alone, whatever the status. The rule is `field-` and the name. */
export function* fieldProblems(headers: Headers): Generator<UsageError, void, undefined> {
  for (const name of HOP_BY_HOP) {
    if (headers.has(name))
      yield wrong('hop-by-hop', `Cannot send ${name}: how a message travels is the server's`, 'RFC 9110 §7.6.1')
  }
  for (const [name, value] of headers) {
    if (!isFieldValue(value))
      yield wrong('field-value', `Cannot send ${name}: ${shown(value)} has a control character`, 'RFC 9110 §5.5')
  }
  for (const [name, { expected, section, isRight }] of FORMS) {
    const value = headers.get(name)
    if (value !== null && !isRight(value))
      yield wrong(`field-${name}`, `Cannot send ${name}: expected ${expected}, got ${shown(value)}`, section)
  }
  for (const cookie of headers.getSetCookie()) {
    if (tryParseSetCookie(cookie) === undefined)
      yield wrong('field-set-cookie', `Cannot send set-cookie: browsers drop ${shown(cookie)}`, 'RFC 6265bis §5.6')
  }
}

const wrong = (rule: string, message: string, section: string): UsageError =>
  problem('ERR_FETCH_FIELD', rule, message, section)
