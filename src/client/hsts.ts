import { UsageError } from '../base/errors.js'
import { tryParseIpv4, tryParseIpv6 } from '../engine/ip-address.js'

/** RFC 6797 §6.1: what a Strict-Transport-Security field says. */
export interface HstsPolicy {
  /** 0 takes back what was said before. */
  readonly maxAgeSeconds: number
  readonly includeSubDomains: boolean
}

/** No two runs of space stand beside each other: looking for a place to part them would take quadratic time. */
const DIRECTIVE =
  /[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)[ \t]*(?:=[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?)?(;|$)/sy

/**
 * RFC 6797 §6.1: directives parted by semicolons, the names in any case, each at most once. Those that are not known are
 * passed over. `undefined` when it is malformed or has no `max-age`: the field is ignored then (§8.1).
 */
export function tryParseHsts(value: string): HstsPolicy | undefined {
  const found = new Map<string, string>()
  DIRECTIVE.lastIndex = 0
  for (;;) {
    const match = DIRECTIVE.exec(value)
    if (match === null) return undefined
    const [, name, token, quoted, end] = match
    const key = name?.toLowerCase()
    if (key !== undefined) {
      if (found.has(key)) return undefined
      found.set(key, token ?? quoted?.replace(/\\(.)/gs, '$1') ?? '')
    }
    if (end === '') break
  }
  const maxAge = found.get('max-age') ?? ''
  if (!/^\d+$/.test(maxAge)) return undefined
  return { maxAgeSeconds: Number(maxAge), includeSubDomains: found.has('includesubdomains') }
}

interface Entry {
  readonly expiresMs: number
  readonly includeSubDomains: boolean
}

/** What a store looks like as JSON. */
export interface HstsJson {
  readonly hosts: readonly {
    readonly host: string
    /** Milliseconds since 1970. */
    readonly expiresMs: number
    readonly includeSubDomains: boolean
  }[]
}

/** The default of `maxHosts`: some hundred bytes each. curl keeps at most 1,000, Firefox 1,024. */
const MAX_HOSTS = 10_000
/** The longest a host is kept: ten years. Longer ones are cut to it, as no one can mean them. */
const MAX_AGE_MS = 10 * 365 * 86_400_000
const MAX_HOST_LENGTH = 253

/** RFC 6797: which hosts want to be talked to over TLS only. */
export class HstsStore {
  /** In the order in which they were last noted. */
  readonly #hosts = new Map<string, Entry>()
  readonly #maxHosts: number

  /** `maxHosts`: with one more, the one that was noted longest ago is forgotten; 10,000 by default. */
  constructor({ maxHosts = MAX_HOSTS }: { readonly maxHosts?: number } = {}) {
    this.#maxHosts = maxHosts
  }

  get size(): number {
    return this.#hosts.size
  }

  /**
   * RFC 6797 §8.1: takes over what a response said: its first Strict-Transport-Security field. One that came without TLS,
   * from an address, or malformed, says nothing. `isTls` must be false too when the certificate was not verified.
   */
  note(host: string, headerValue: string, nowMs: number, isTls: boolean): void {
    const name = canonicalHost(host)
    const policy = isTls && name !== undefined ? tryParseHsts(headerValue) : undefined
    if (policy === undefined || name === undefined) return
    this.#hosts.delete(name)
    if (policy.maxAgeSeconds === 0) return
    const ageMs = Math.min(policy.maxAgeSeconds * 1000, MAX_AGE_MS)
    this.#put(name, { expiresMs: nowMs + ageMs, includeSubDomains: policy.includeSubDomains })
  }

  /** RFC 6797 §8.2 and §8.3: whether `http:` has to become `https:` for this host, and port 80, where given, 443. */
  isSecure(host: string, nowMs: number): boolean {
    if (this.#hosts.size === 0) return false
    const name = canonicalHost(host)
    if (name === undefined) return false
    for (let at = 0; ;) {
      const candidate = name.slice(at)
      const entry = this.#hosts.get(candidate)
      if (entry !== undefined) {
        if (entry.expiresMs <= nowMs) this.#hosts.delete(candidate)
        else if (at === 0 || entry.includeSubDomains) return true
      }
      const dot = name.indexOf('.', at)
      if (dot === -1) return false
      at = dot + 1
    }
  }

  toJSON(): HstsJson {
    return { hosts: Array.from(this.#hosts, ([host, entry]) => ({ host, ...entry })) }
  }

  /** What `toJSON` gave, parsed. @throws UsageError `ERR_ARGUMENT`. */
  static fromJSON(json: unknown, options: { readonly maxHosts?: number } = {}): HstsStore {
    const store = new HstsStore(options)
    const hosts: unknown = typeof json === 'object' && json !== null && 'hosts' in json ? json.hosts : undefined
    if (!Array.isArray(hosts)) throw notJson('no list of hosts')
    for (const given of hosts) {
      if (!isHostJson(given)) throw notJson('a host without a name, a time or includeSubDomains')
      const name = canonicalHost(given.host)
      const { expiresMs, includeSubDomains } = given
      if (name === undefined) continue
      store.#hosts.delete(name)
      store.#put(name, { expiresMs, includeSubDomains })
    }
    return store
  }

  #put(name: string, entry: Entry): void {
    this.#hosts.set(name, entry)
    if (this.#hosts.size <= this.#maxHosts) return
    const [oldest] = this.#hosts.keys()
    if (oldest !== undefined) this.#hosts.delete(oldest)
  }
}

function isHostJson(given: unknown): given is HstsJson['hosts'][number] {
  if (typeof given !== 'object' || given === null) return false
  if (!('host' in given) || !('expiresMs' in given) || !('includeSubDomains' in given)) return false
  return (
    typeof given.host === 'string' && Number.isFinite(given.expiresMs) && typeof given.includeSubDomains === 'boolean'
  )
}

const notJson = (what: string): UsageError =>
  new UsageError('ERR_ARGUMENT', `Cannot read an HSTS store from JSON: it has ${what}`)

/** RFC 6797 §8.1.1: in lower case, without a dot at its end; `undefined` for an address and for what is no name. */
function canonicalHost(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (name === '' || name.length > MAX_HOST_LENGTH || name.startsWith('[')) return undefined
  return tryParseIpv4(name) === undefined && tryParseIpv6(name) === undefined ? name : undefined
}
