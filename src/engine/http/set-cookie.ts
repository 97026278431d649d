import { UsageError } from '../../base/errors.js'
import { tryParseCookieDate } from './_cookie-date.js'
import { checkArgument, parsed } from './_refuse.js'
import { byteSet, isMadeOf, isToken, VALUE_BYTES, type ByteSet } from './characters.js'
import { isCookieValue, splitPair } from './cookie.js'
import { formatDate } from './date.js'

export type SameSite = 'strict' | 'lax' | 'none'

/** One Set-Cookie field: RFC 6265bis, and `Partitioned` of the draft for cookies with partitioned state. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  /** Milliseconds since 1970. Without it and `maxAgeSeconds`, until the browser is closed. */
  readonly expiresMs?: number | undefined
  /** Counts before `expiresMs`. 0 deletes the cookie; a negative one is read as 0. */
  readonly maxAgeSeconds?: number | undefined
  /** In lower case, without a dot before it. Without it, the host that sends the cookie, and none below. */
  readonly domain?: string | undefined
  /** Begins with "/". Without it, the folder of the request's path. */
  readonly path?: string | undefined
  readonly secure?: boolean | undefined
  readonly httpOnly?: boolean | undefined
  readonly sameSite?: SameSite | undefined
  readonly partitioned?: boolean | undefined
}

/** RFC 6265bis §5.6: browsers drop a cookie whose name and value have more bytes than this. */
export const MAX_COOKIE_BYTES = 4096
/** RFC 6265bis §5.6: and they pass over an attribute with a longer value. */
export const MAX_COOKIE_ATTRIBUTE_BYTES = 1024
/** Ten are known; more than this make the field malformed. */
const MAX_ATTRIBUTES = 50

const DOMAIN = /^[a-z\d][a-z\d._-]*$/i
/** RFC 6265bis §4.1.1: printable ASCII without a semicolon. */
const PATH_BYTES: ByteSet = byteSet([0x20, 0x3a], [0x3c, 0x7e])
const MAX_AGE = /^-?\d+$/
const SAME_SITE: ReadonlyMap<string, SameSite> = new Map([
  ['strict', 'strict'],
  ['lax', 'lax'],
  ['none', 'none'],
])
const SAME_SITE_NAMES: Readonly<Record<SameSite, string>> = { strict: 'Strict', lax: 'Lax', none: 'None' }

type Mutable = { -readonly [K in keyof SetCookie]: SetCookie[K] }

/**
 * RFC 6265bis §5.6 and §5.7: what a client keeps of a Set-Cookie field. Attributes that are not known or malformed are
 * passed over, and of two the last counts. Whether the domain fits the request is for the caller.
 *
 * `undefined`, and the field is to be ignored, for a control character, a name that is no token, name and value of more than
 * 4096 bytes, and attributes that do not go together: see `formatSetCookie`.
 */
export function tryParseSetCookie(value: string): SetCookie | undefined {
  if (!isMadeOf(value, VALUE_BYTES)) return undefined
  const parts = value.split(';', MAX_ATTRIBUTES + 2)
  const [name, text] = splitPair(parts[0] ?? '')
  if (text === undefined || !isToken(name) || parts.length > MAX_ATTRIBUTES + 1) return undefined
  const cookie: Mutable = { name, value: text }
  for (const part of parts.slice(1)) readAttribute(cookie, ...splitPair(part))
  return name.length + text.length <= MAX_COOKIE_BYTES && conflictIn(cookie) === undefined ? cookie : undefined
}

/** As `tryParseSetCookie`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseSetCookie(value: string): SetCookie {
  return parsed(tryParseSetCookie(value), 'Set-Cookie', undefined, 'RFC 6265bis §5.6')
}

function readAttribute(cookie: Mutable, name: string, value: string = ''): void {
  if (value.length > MAX_COOKIE_ATTRIBUTE_BYTES) return
  switch (name.toLowerCase()) {
    case 'expires':
      cookie.expiresMs = tryParseCookieDate(value) ?? cookie.expiresMs
      return
    case 'max-age':
      if (MAX_AGE.test(value)) cookie.maxAgeSeconds = clamped(Number(value))
      return
    case 'domain':
      setOrDelete(cookie, 'domain', value.replace(/^\./, '').toLowerCase())
      return
    case 'path':
      setOrDelete(cookie, 'path', value.startsWith('/') ? value : '')
      return
    case 'samesite':
      cookie.sameSite = SAME_SITE.get(value.toLowerCase())
      if (cookie.sameSite === undefined) delete cookie.sameSite
      return
    case 'secure':
      cookie.secure = true
      return
    case 'httponly':
      cookie.httpOnly = true
      return
    case 'partitioned':
      cookie.partitioned = true
      return
    default:
  }
}

/** An empty value takes back what an earlier attribute said (§5.6.3, §5.6.4). */
function setOrDelete(cookie: Mutable, name: 'domain' | 'path', value: string): void {
  if (value === '') delete cookie[name]
  else cookie[name] = value
}

const clamped = (count: number): number => Math.max(0, Math.min(count, Number.MAX_SAFE_INTEGER))

/** RFC 6265bis §4.1.3 and §5.7: why browsers would drop it; prefixes count in any case of their letters. */
function conflictIn({ name, domain, path, secure, sameSite, partitioned }: SetCookie): string | undefined {
  const prefix = name.toLowerCase()
  const isHostOnly = prefix.startsWith('__host-')
  if (secure !== true) {
    if (isHostOnly || prefix.startsWith('__secure-')) return 'a name with that prefix needs secure'
    if (sameSite === 'none') return 'sameSite "none" needs secure'
    if (partitioned === true) return 'partitioned needs secure'
  }
  if (isHostOnly && (domain !== undefined || path !== '/')) return '__Host- needs the path "/" and no domain'
  return undefined
}

/**
 * RFC 6265bis §4.1.1: the value of a Set-Cookie field. A value is not encoded: what cannot stand there is refused.
 * @throws UsageError `ERR_ARGUMENT` for what browsers would drop or read differently: a name that is no token; a value with
 * space, quote, comma, semicolon, backslash or beyond ASCII; sizes over the limits; a path without "/"; a prefix `__Secure-`,
 * `sameSite: 'none'` or `partitioned` without `secure`; a prefix `__Host-` with a domain or a path other than "/".
 */
export function formatSetCookie(cookie: SetCookie): string {
  const { name, value, expiresMs, maxAgeSeconds, domain, path, secure, httpOnly, sameSite, partitioned } = cookie
  checkArgument(isToken(name), 'Set-Cookie', name, 'a token for a name')
  checkArgument(
    isCookieValue(value),
    'Set-Cookie',
    name,
    'its value to be visible ASCII without quote, comma, ; and \\',
  )
  checkArgument(name.length + value.length <= MAX_COOKIE_BYTES, 'Set-Cookie', name, 'at most 4096 bytes')
  const conflict = conflictIn(cookie)
  if (conflict !== undefined) throw new UsageError('ERR_ARGUMENT', `Cannot format Set-Cookie ${name}: ${conflict}`)
  let text = `${name}=${value}`
  if (expiresMs !== undefined) text += `; Expires=${formatDate(expiresMs)}`
  if (maxAgeSeconds !== undefined) {
    const isRight = Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0
    checkArgument(isRight, 'Set-Cookie', String(maxAgeSeconds), 'a whole number of seconds from 0 up')
    text += `; Max-Age=${maxAgeSeconds}`
  }
  if (domain !== undefined) {
    const isRight = DOMAIN.test(domain) && domain.length <= MAX_COOKIE_ATTRIBUTE_BYTES
    checkArgument(isRight, 'Set-Cookie', domain, 'a domain name without a dot before it')
    text += `; Domain=${domain}`
  }
  if (path !== undefined) {
    checkArgument(isPath(path), 'Set-Cookie', path, 'a path that begins with "/", without ; and control characters')
    text += `; Path=${path}`
  }
  if (secure === true) text += '; Secure'
  if (httpOnly === true) text += '; HttpOnly'
  if (sameSite !== undefined) text += `; SameSite=${SAME_SITE_NAMES[sameSite]}`
  return partitioned === true ? `${text}; Partitioned` : text
}

const isPath = (path: string): boolean =>
  path.startsWith('/') && path.length <= MAX_COOKIE_ATTRIBUTE_BYTES && isMadeOf(path, PATH_BYTES) && !path.endsWith(' ')
