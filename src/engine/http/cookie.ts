import { checkArgument, parsed } from './_refuse.js'
import { byteSet, isMadeOf, isSpace, isToken, VALUE_BYTES, type ByteSet } from './characters.js'

/** More pairs than this make a Cookie field malformed. Tomcat's limit is 200, Go's 3000; browsers keep 180 for a site. */
export const MAX_COOKIES = 200

/**
 * RFC 6265bis §4.1.1: what a server may send in a value: visible ASCII, without quote, comma, semicolon and backslash. One
 * pair of quotes may stand around it; they are part of it.
 */
const COOKIE_BYTES: ByteSet = byteSet('!', [0x23, 0x2b], [0x2d, 0x3a], [0x3c, 0x5b], [0x5d, 0x7e])

/**
 * RFC 6265bis §4.2: the cookies of a request by name, with case. Of two with one name the first counts: browsers send the
 * one with the longer path first.
 *
 * It is cut at semicolons alone, as a browser puts it together, so there is one reading: quotes hide nothing, they are part
 * of the value, and nothing is decoded. A value may hold whatever a field may, as browsers keep what servers should not
 * send. A pair without `=` or with a name that is no token is passed over: another application may have set it.
 *
 * `undefined` for a control character, and for more than 200 pairs.
 */
export function tryParseCookies(value: string): ReadonlyMap<string, string> | undefined {
  if (!isMadeOf(value, VALUE_BYTES)) return undefined
  const cookies = new Map<string, string>()
  let from = 0
  for (let count = 1; count <= MAX_COOKIES; count += 1) {
    const semicolon = value.indexOf(';', from)
    const end = semicolon === -1 ? value.length : semicolon
    const [name, text] = splitPair(value.slice(from, end))
    if (text !== undefined && isToken(name) && !cookies.has(name)) cookies.set(name, text)
    if (semicolon === -1) return cookies
    from = semicolon + 1
  }
  return undefined
}

/** As `tryParseCookies`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseCookies(value: string): ReadonlyMap<string, string> {
  return parsed(tryParseCookies(value), 'Cookie', undefined, 'RFC 6265bis §4.2')
}

/** Cut at the first `=`, without the space around either half. */
export function splitPair(pair: string): readonly [name: string, value: string | undefined] {
  const equals = pair.indexOf('=')
  if (equals === -1) return [trimmed(pair), undefined]
  return [trimmed(pair.slice(0, equals)), trimmed(pair.slice(equals + 1))]
}

/** Without spaces and tabs at the ends: `trim` would take more, as no-break spaces. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** RFC 6265bis §4.1.1: whether a server may send it as a value. */
export function isCookieValue(value: string): boolean {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"')
  return isMadeOf(isQuoted ? value.slice(1, -1) : value, COOKIE_BYTES)
}

/**
 * RFC 6265bis §5.8.3: the value of a Cookie field, as a client sends it, in the order given.
 * @throws UsageError `ERR_ARGUMENT` for a name that is no token, and a value that could not be read back.
 */
export function formatCookies(cookies: Iterable<readonly [name: string, value: string]>): string {
  const pairs: string[] = []
  for (const [name, value] of cookies) {
    checkArgument(isToken(name), 'Cookie', name, 'a token for a name')
    const isRight = isMadeOf(value, VALUE_BYTES) && !value.includes(';') && trimmed(value) === value
    checkArgument(
      isRight,
      'Cookie',
      name,
      'its value without semicolon and control characters, and without space at its ends',
    )
    pairs.push(`${name}=${value}`)
  }
  return pairs.join('; ')
}
