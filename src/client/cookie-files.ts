import { hasControl } from '../engine/http/characters.js'

/** A cookie as it is kept in files. */
export interface StoredCookie {
  readonly name: string
  readonly value: string
  /** In lower case, without a dot before it. */
  readonly domain: string
  /** Whether the names below the domain do not get it. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  /** Milliseconds since 1970; none for a cookie of the session. */
  readonly expiresMs?: number
  /** Milliseconds since 1970: the older ones are sent first. */
  readonly createdMs?: number
}

/** What a jar looks like as JSON. */
export interface CookieJarJson {
  readonly cookies: readonly StoredCookie[]
}

/** What is wrong with a file, and in which line where it has some. */
export class MalformedCookies {
  readonly problem: string
  readonly line: number | undefined

  constructor(problem: string, line?: number) {
    this.problem = problem
    this.line = line
  }
}

/** The cookies of either kind of file; one that begins with `{` is JSON. */
export function parseCookieFile(text: string): readonly StoredCookie[] | MalformedCookies {
  return /^\ufeff?\s*\{/.test(text) ? parseJson(text) : parseNetscape(text)
}

function parseJson(text: string): readonly StoredCookie[] | MalformedCookies {
  try {
    return cookiesOfJson(JSON.parse(text.replace(/^\ufeff/, ''))) ?? new MalformedCookies('it has no list of cookies')
  } catch {
    return new MalformedCookies('it begins as JSON and is none') // What stands in it may be secret.
  }
}

/** `undefined` for what no jar can have given. */
export function cookiesOfJson(json: unknown): readonly StoredCookie[] | undefined {
  const cookies: unknown = typeof json === 'object' && json !== null && 'cookies' in json ? json.cookies : undefined
  return Array.isArray(cookies) && cookies.every(isStoredCookie) ? cookies : undefined
}

const KINDS: readonly (readonly [name: keyof StoredCookie, kind: string])[] = [
  ['name', 'string'],
  ['value', 'string'],
  ['domain', 'string'],
  ['hostOnly', 'boolean'],
  ['path', 'string'],
  ['secure', 'boolean'],
  ['httpOnly', 'boolean'],
]

function isStoredCookie(given: unknown): given is StoredCookie {
  if (typeof given !== 'object' || given === null) return false
  const times: readonly unknown[] = [Reflect.get(given, 'expiresMs'), Reflect.get(given, 'createdMs')]
  return (
    KINDS.every(([name, kind]) => typeof Reflect.get(given, name) === kind) &&
    times.every((time) => time === undefined || Number.isFinite(time))
  )
}

const HTTP_ONLY = '#HttpOnly_'

/**
 * The `cookies.txt` of Netscape, as curl and Python read and write it: a cookie a line of seven fields with tabs between,
 * domain, whether names below it get the cookie, path, Secure, the second at which it ends or 0 for a cookie of the session,
 * name, value. A line that begins with `#HttpOnly_` is a cookie, too; others with `#` are comments.
 */
function parseNetscape(text: string): readonly StoredCookie[] | MalformedCookies {
  const cookies: StoredCookie[] = []
  for (const [at, whole] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const httpOnly = whole.startsWith(HTTP_ONLY)
    const line = httpOnly ? whole.slice(HTTP_ONLY.length) : whole
    if (line.trim() === '' || line.startsWith('#')) continue
    const cookie = parseLine(line, httpOnly)
    if (cookie === undefined) return new MalformedCookies('seven fields with tabs between are expected', at + 1)
    cookies.push(cookie)
  }
  return cookies
}

const IS_TRUE: ReadonlyMap<string, boolean> = new Map([
  ['TRUE', true],
  ['FALSE', false],
])

function parseLine(line: string, httpOnly: boolean): StoredCookie | undefined {
  const [domain = '', below = '', path = '', secured = '', ends = '', name = '', value = '', ...more] = line.split('\t')
  const hasSubdomains = IS_TRUE.get(below.toUpperCase())
  const secure = IS_TRUE.get(secured.toUpperCase())
  if (hasSubdomains === undefined || secure === undefined || name === '' || more.length > 0) return undefined
  // Some programs write parts of a second, and nothing for a cookie of the session.
  if (!/^-?\d*(?:\.\d*)?$/.test(ends)) return undefined
  const expires = Number(ends) === 0 ? {} : { expiresMs: Number(ends) * 1000 }
  const bare = domain.replace(/^\./, '').toLowerCase()
  return { name, value, domain: bare, hostOnly: !hasSubdomains, path, secure, httpOnly, ...expires }
}

/** As `parseNetscape` reads it. The first line is the one by which Python knows such a file. */
export function formatNetscape(cookies: readonly StoredCookie[]): string {
  const lines = ['# Netscape HTTP Cookie File', '']
  for (const { name, value, domain, hostOnly, path, secure, httpOnly, expiresMs } of cookies) {
    const shown = `${httpOnly ? HTTP_ONLY : ''}${hostOnly ? '' : '.'}${domain}`
    const ends = expiresMs === undefined ? '0' : String(Math.max(1, Math.floor(expiresMs / 1000)))
    const fields = [shown, hostOnly ? 'FALSE' : 'TRUE', path, secure ? 'TRUE' : 'FALSE', ends, name, value]
    if (!fields.some(hasControl)) lines.push(fields.join('\t'))
  }
  return `${lines.join('\n')}\n`
}
