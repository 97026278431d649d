import type * as ToughCookie from 'tough-cookie'
import { messageOf, NetError, UsageError } from '../base/errors.js'
import {
  cookiesOfJson,
  formatNetscape,
  MalformedCookies,
  parseCookieFile,
  type CookieJarJson,
  type StoredCookie,
} from './cookie-files.js'
import { fromStored, isOver, setCookie, toStored } from './cookie-rules.js'
import { readWhole, replaceWhole } from './whole-file.js'

type Cookie = ToughCookie.Cookie
type Memory = ToughCookie.MemoryCookieStore

export interface CookieJarOptions {
  /**
   * The most cookies in all: for one more, the one that was used longest ago is dropped. 3,000 by default, as RFC 6265 §6.1
   * asks for; Chrome has 3,300, Firefox 3,000.
   */
  readonly maxCookies?: number
  /** The most of one domain; those without Secure are dropped first. 180 by default, as in Chrome and Firefox. */
  readonly maxCookiesPerHost?: number
}

/** Some thousand cookies of 4 KiB. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** What is there once a cookie came. */
interface Opened {
  readonly tough: typeof ToughCookie
  readonly jar: ToughCookie.CookieJar
  readonly memory: Memory
}

/**
 * RFC 6265bis: the cookies of a session. Most rules are those of the package `tough-cookie`, loaded when the first cookie
 * comes: domains and paths, public suffixes, `Secure` (also taken from and sent to this machine without TLS, as browsers do).
 * `SameSite` is about pages that make requests to other sites; here nobody but the program makes any, and so it is not
 * looked at. Time is that of the system.
 */
export class CookieJar {
  readonly #maxCookies: number
  readonly #maxCookiesPerHost: number
  #opening: Promise<Opened> | undefined
  #opened: Opened | undefined
  /** At least as many as there are: what was replaced or has ended counts until all are counted again. */
  #count = 0
  #dropped = 0

  constructor({ maxCookies = 3000, maxCookiesPerHost = 180 }: CookieJarOptions = {}) {
    this.#maxCookies = maxCookies
    this.#maxCookiesPerHost = maxCookiesPerHost
  }

  /** Whether nothing would be sent to anybody: then `cookieHeader` need not be asked. */
  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** How many cookies were not taken, as they were malformed or not allowed, or had to go for others. */
  get dropped(): number {
    return this.#dropped
  }

  /** The Cookie field for a request to this URL; `undefined` for none. @throws TypeError for what is no URL. */
  async cookieHeader(url: string): Promise<string | undefined> {
    return this.cookieHeaderNow(url)
  }

  /** As `cookieHeader`, at once: cookies that are there need nothing to be waited for. */
  cookieHeaderNow(url: string): string | undefined {
    if (this.#opened === undefined || this.#count === 0) return undefined
    const cookies = this.#opened.jar.getCookiesSync(url, { sort: true, expire: true })
    return cookies.length === 0 ? undefined : cookies.map((cookie) => `${cookie.key}=${cookie.value}`).join('; ')
  }

  /**
   * Takes over the Set-Cookie fields of a response from this URL. Those that are malformed, or that it may not set, are
   * dropped and counted.
   */
  async store(url: string, setCookieValues: readonly string[]): Promise<void> {
    if (setCookieValues.length === 0) return
    const opened = this.#opened ?? (await this.#open())
    for (const value of setCookieValues) this.#add(opened, setCookie(opened.tough, opened.jar, url, value))
  }

  /** Forgets all cookies. */
  clear(): void {
    this.#opened?.jar.removeAllCookiesSync()
    this.#count = 0
  }

  /** All cookies that have not ended, those of the session too, the oldest first. */
  toJSON(): CookieJarJson {
    const cookies = this.#opened === undefined ? [] : allOf(this.#opened.memory)
    cookies.sort((left, right) => left.creationIndex - right.creationIndex)
    return { cookies: cookies.filter((cookie) => !isOver(cookie)).map(toStored) }
  }

  /** What `toJSON` gave, parsed. @throws UsageError `ERR_ARGUMENT`. */
  static async fromJSON(json: unknown, options: CookieJarOptions = {}): Promise<CookieJar> {
    const cookies = cookiesOfJson(json)
    if (cookies === undefined) throw new UsageError('ERR_ARGUMENT', 'Cannot read a cookie jar from JSON: it is none')
    const jar = new CookieJar(options)
    await jar.#addStored(cookies)
    return jar
  }

  /**
   * Adds the cookies of a file: JSON of a jar, or a Netscape `cookies.txt`. Those that have ended are passed over; those for
   * a whole public suffix, and others that no server can have set, are dropped. Returns how many the file has.
   * @throws NetError `ERR_COOKIE_FILE`: it cannot be read (`cause` says why), is malformed, or has more than 16 MiB.
   */
  async load(path: string): Promise<number> {
    const text = await readWhole(path, MAX_FILE_BYTES).catch((cause: unknown) => {
      throw fileError('read', path, messageOf(cause), { cause })
    })
    const cookies = parseCookieFile(text)
    if (cookies instanceof MalformedCookies) {
      const { problem, line } = cookies
      if (line === undefined) throw fileError('parse', path, problem)
      throw fileError('parse', path, `line ${line}: ${problem}`, { details: { line } })
    }
    await this.#addStored(cookies)
    return cookies.length
  }

  /**
   * Writes all cookies to a file that only its owner may read: beside it at first, so that it is never half written. Without
   * a `format`, a name that ends with `.json` is for JSON, any other for a Netscape `cookies.txt`; comments that such a file
   * had are gone.
   * @throws NetError `ERR_COOKIE_FILE`.
   */
  async save(path: string, { format }: { readonly format?: 'json' | 'netscape' } = {}): Promise<void> {
    const json = this.toJSON()
    const isJson = format === undefined ? path.endsWith('.json') : format === 'json'
    const text = isJson ? `${JSON.stringify(json, undefined, 2)}\n` : formatNetscape(json.cookies)
    await replaceWhole(path, text).catch((cause: unknown) => {
      throw fileError('write', path, messageOf(cause), { cause })
    })
  }

  async #open(): Promise<Opened> {
    this.#opening ??= import('tough-cookie').then((tough) => {
      const memory = new tough.MemoryCookieStore()
      return (this.#opened = { tough, memory, jar: new tough.CookieJar(memory, { prefixSecurity: 'silent' }) })
    })
    return this.#opening
  }

  async #addStored(cookies: readonly StoredCookie[]): Promise<void> {
    if (cookies.length === 0) return
    const opened = this.#opened ?? (await this.#open())
    for (const stored of cookies) {
      const cookie = fromStored(opened.tough, stored)
      if (cookie !== undefined) opened.memory.putCookie(cookie, () => undefined)
      this.#add(opened, cookie)
    }
  }

  /** Counts what was put into the memory, and holds the limits. */
  #add({ memory }: Opened, cookie: Cookie | undefined): void {
    if (cookie === undefined) {
      this.#dropped += 1
      return
    }
    this.#count += 1
    if (isOver(cookie)) {
      // So do servers delete one.
      forget(memory, cookie)
      this.#count = allOf(memory).length
    }
    const beside = ofDomain(memory, cookie.domain ?? '')
    if (beside.length > this.#maxCookiesPerHost) this.#evict(memory, beside, this.#maxCookiesPerHost, bySecurity)
    if (this.#count <= this.#maxCookies) return
    const all = allOf(memory)
    if (all.length > this.#maxCookies) this.#evict(memory, all, this.#maxCookies, byUse)
    this.#count = Math.min(all.length, this.#maxCookies)
  }

  /** RFC 6265bis §5.7: those that have ended first. */
  #evict(memory: Memory, cookies: Cookie[], keep: number, order: (left: Cookie, right: Cookie) => number): void {
    const living = cookies.filter((cookie) => !isOver(cookie)).sort(order)
    const leaving = living.slice(0, Math.max(0, living.length - keep))
    for (const cookie of [...cookies.filter(isOver), ...leaving]) forget(memory, cookie)
    this.#dropped += leaving.length
  }
}

const usedMs = ({ lastAccessed }: Cookie): number => (lastAccessed instanceof Date ? lastAccessed.getTime() : 0)
const byUse = (left: Cookie, right: Cookie): number =>
  usedMs(left) - usedMs(right) || left.creationIndex - right.creationIndex
const bySecurity = (left: Cookie, right: Cookie): number =>
  Number(left.secure) - Number(right.secure) || byUse(left, right)

const ofDomain = ({ idx }: Memory, domain: string): Cookie[] => Object.values(idx[domain] ?? {}).flatMap(Object.values)

const allOf = (memory: Memory): Cookie[] => Object.keys(memory.idx).flatMap((domain) => ofDomain(memory, domain))

/** The library's own way leaves empty tables behind. */
function forget({ idx }: Memory, { domain, path, key }: Cookie): void {
  const paths = idx[domain ?? '']
  const keys = paths?.[path ?? '']
  if (paths === undefined || keys === undefined) return
  delete keys[key]
  if (Object.keys(keys).length === 0) delete paths[path ?? '']
  if (Object.keys(paths).length === 0) delete idx[domain ?? '']
}

function fileError(
  verb: string,
  path: string,
  why: string,
  { cause, details = {} }: { readonly cause?: unknown; readonly details?: object } = {},
): NetError {
  const message = `Cannot ${verb} the cookies of ${JSON.stringify(path)}: ${why}`
  return new NetError('ERR_COOKIE_FILE', message, {
    ...(cause === undefined ? {} : { cause }),
    details: { path, ...details },
  })
}
