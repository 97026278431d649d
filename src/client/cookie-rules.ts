import type * as ToughCookie from 'tough-cookie'
import { hasControl, isMadeOf, VALUE_BYTES } from '../engine/http/characters.js'
import { MAX_COOKIE_ATTRIBUTE_BYTES, MAX_COOKIE_BYTES } from '../engine/http/set-cookie.js'
import { tryParseIpv4, tryParseIpv6 } from '../engine/ip-address.js'
import type { StoredCookie } from './cookie-files.js'

type Tough = typeof ToughCookie
type Cookie = ToughCookie.Cookie

/** RFC 6265bis §5.5: cookies end after 400 days, whatever they say. */
const MAX_AGE_MS = 400 * 86_400_000
/** Name, value and what attributes may have: a longer field is not looked at. */
const MAX_FIELD_BYTES = 16 * 1024

/**
 * RFC 6265bis §5.6 and §5.7: puts the cookie of a Set-Cookie field into the jar, and returns it; `undefined` for a field that
 * is to be ignored. Here stands what the library leaves to others: sizes, the longest time, prefixes in any case, and that a
 * response without TLS hides no cookie with Secure.
 */
export function setCookie(tough: Tough, jar: ToughCookie.CookieJar, url: string, field: string): Cookie | undefined {
  if (field.length > MAX_FIELD_BYTES || !isMadeOf(field, VALUE_BYTES)) return undefined
  const cookie = tough.Cookie.parse(field)
  if (cookie === undefined || cookie.key.length + cookie.value.length > MAX_COOKIE_BYTES) return undefined
  const { path, domain } = cookie
  if (path !== null && (path.length > MAX_COOKIE_ATTRIBUTE_BYTES || hasControl(path))) cookie.path = null
  if (!hasRightPrefix(cookie) || hidesSecure(tough, jar, url, cookie)) return undefined
  // §5.7, step 9: a host that is itself a public suffix may have cookies of its own.
  if (domain !== null && isPublicSuffix(tough, domain) && domain === new URL(url).hostname) cookie.domain = null
  endInTime(cookie)
  return jar.setCookieSync(cookie, url, { ignoreError: true })
}

/** RFC 6265bis §4.1.3: servers see a name in any case of its letters as one with the prefix. */
function hasRightPrefix({ key, secure, domain, path }: Cookie): boolean {
  const name = key.toLowerCase()
  if (name.startsWith('__secure-')) return secure
  return !name.startsWith('__host-') || (secure && domain === null && path === '/')
}

/** RFC 6265bis §5.7, step 15. */
function hidesSecure(tough: Tough, jar: ToughCookie.CookieJar, url: string, { key, path }: Cookie): boolean {
  if (!/^(?:http|ws):/i.test(url)) return false
  const own = path ?? tough.defaultPath(new URL(url).pathname)
  const isHidden = (other: Cookie): boolean =>
    other.secure && other.key === key && tough.pathMatch(own, other.path ?? '/')
  const seen = (from: string): boolean => jar.getCookiesSync(from, { allPaths: true }).some(isHidden)
  return seen(url.replace(/^\w+/, 'https')) && !seen(url)
}

/** From now on: the library would count the time of Max-Age anew with each use. */
function endInTime(cookie: Cookie): void {
  const { maxAge, expires } = cookie
  const now = Date.now()
  const latest = now + MAX_AGE_MS
  if (maxAge !== null) cookie.expires = new Date(Math.max(0, Math.min(latest, now + Number(maxAge) * 1000)))
  else if (expires instanceof Date && expires.getTime() > latest) cookie.expires = new Date(latest)
  cookie.maxAge = null
}

export const isOver = (cookie: Cookie): boolean => (cookie.expiryTime() ?? Infinity) <= Date.now()

function isPublicSuffix(tough: Tough, domain: string): boolean {
  if (tryParseIpv4(domain) !== undefined || tryParseIpv6(domain) !== undefined) return false
  return tough.getPublicSuffix(domain, { allowSpecialUseDomain: true, ignoreError: true }) === undefined
}

export function toStored(cookie: Cookie): StoredCookie {
  const { key: name, value, domain, hostOnly, path, secure, httpOnly, creation } = cookie
  const expiresMs = cookie.expiryTime() ?? Infinity
  return {
    name,
    value,
    domain: domain ?? '',
    hostOnly: hostOnly ?? true,
    path: path ?? '/',
    secure,
    httpOnly,
    ...(expiresMs === Infinity ? {} : { expiresMs }),
    ...(creation instanceof Date ? { createdMs: creation.getTime() } : {}),
  }
}

/** A cookie that was kept in a file; `undefined` for one that could not have come from a server, and so may not be sent. */
export function fromStored(tough: Tough, stored: StoredCookie): Cookie | undefined {
  const { name, value, hostOnly, path, secure, httpOnly, expiresMs, createdMs } = stored
  const domain = tough.canonicalDomain(stored.domain) ?? ''
  if (name === '' || domain === '' || !path.startsWith('/') || name.length + value.length > MAX_COOKIE_BYTES)
    return undefined
  if (/[=;]/.test(name) || value.includes(';') || path.length > MAX_COOKIE_ATTRIBUTE_BYTES) return undefined
  if (![name, value, domain, path].every((text) => isMadeOf(text, VALUE_BYTES) && !hasControl(text))) return undefined
  if (!hostOnly && isPublicSuffix(tough, domain)) return undefined
  const creation = new Date(createdMs ?? Date.now())
  const expires = expiresMs === undefined ? 'Infinity' : new Date(expiresMs)
  const times = { creation, lastAccessed: creation, expires } as const
  return new tough.Cookie({ key: name, value, domain, hostOnly, path, secure, httpOnly, ...times })
}
