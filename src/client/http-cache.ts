import type CachePolicy from 'http-cache-semantics'
import { BrokenError, NetError, ProtocolError, TimeoutError } from '../base/errors.js'
import { FieldList } from '../engine/http/field-list.js'
import type { Fields } from '../engine/http/fields.js'
import { tryContentLength } from './content-length.js'
import { systemClock } from '../transport/system-clock.js'
import { MemoryCacheStore, type CacheStore, type StoredResponse } from './cache-store.js'
import { passOver, readyIncoming, type Incoming } from './incoming.js'
import { originOf, resolveUrl } from './target.js'

type Pair = readonly [name: string, value: string]
type Policies = typeof CachePolicy

/** Forms of one URL (`Vary`) that are kept. */
const MAX_FORMS = 8
/** RFC 9110 §9.2.1: they change nothing. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])
/** With these the caller has a cache of its own, or wants a part: the response is not what the URL gives. */
const OWN_RULES: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
])

export interface HttpCacheOptions {
  /** Default: a `MemoryCacheStore`. */
  readonly store?: CacheStore | undefined
  /** Longer bodies are not kept. Default: 8 MiB. */
  readonly maxBodyBytes?: number | undefined
}

/** A request, as the cache sees it. */
export interface CachedRequest {
  readonly method: string
  readonly url: string
  readonly host: string
  readonly fields: readonly Pair[]
  /** Whose response it is, where credentials decide; `undefined` where that cannot be said: then nothing is kept. */
  readonly identity: string | undefined
  readonly hasBody: boolean
}

/** `hit`: nobody was asked; `revalidated`: the server said that it is the same still; `stale`: it may be used though it is old. */
export type CacheOutcome = 'hit' | 'revalidated' | 'stale'

export interface CachedIncoming {
  readonly incoming: Incoming
  readonly outcome: CacheOutcome | undefined
}

type Send = (fields: readonly Pair[]) => Promise<Incoming>

/** What was found for a request. */
interface Found {
  readonly stored: StoredResponse
  readonly policy: CachePolicy
}

/**
 * RFC 9111, as a browser has it: a cache of one user, by the rules of the package `http-cache-semantics`, which is loaded
 * with the first request. Give it to sessions of the same user. A response is kept when all of its body has come.
 * `Cache-Control` of a request has its say: `no-cache`, `no-store`, `max-stale`, `only-if-cached`.
 */
export class HttpCache {
  readonly #store: CacheStore
  readonly #maxBodyBytes: number
  #loading: Promise<Policies> | undefined
  /** What goes on behind responses: writes, and stale ones that are asked for again. */
  readonly #working = new Set<Promise<void>>()
  /** Keys that are asked for again now. */
  readonly #renewing = new Set<string>()
  hits = 0
  misses = 0

  constructor({ store = new MemoryCacheStore(), maxBodyBytes = 8 * 1024 * 1024 }: HttpCacheOptions = {}) {
    this.#store = store
    this.#maxBodyBytes = maxBodyBytes
  }

  /** Resolves when all that was read so far is kept. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working)
  }

  /** @internal Answers a request from what is kept, or by `send`. @throws what `send` throws. */
  async respond(request: CachedRequest, send: Send): Promise<CachedIncoming> {
    const { method, fields, identity, hasBody } = request
    if (!SAFE.has(method)) return { incoming: await this.#change(request, send), outcome: undefined }
    const hasOwnRules = fields.some(([name]) => OWN_RULES.has(name.toLowerCase()))
    if (method !== 'GET' || hasBody || identity === undefined || hasOwnRules)
      return { incoming: await send(fields), outcome: undefined }
    const Policy = await this.#policies()
    const asked = toAsked(request)
    const found = await this.#find(Policy, request, asked)
    if (found !== undefined) {
      const { response, revalidation } = found.policy.evaluateRequest(asked)
      const isForced = mustRevalidate(found.stored) && found.policy.stale()
      if (response !== undefined && !isForced) {
        this.hits += 1
        if (revalidation !== undefined) this.#renew(Policy, request, found, send)
        return { incoming: fromStored(request, found), outcome: revalidation === undefined ? 'hit' : 'stale' }
      }
    }
    if (/(?:^|,)\s*only-if-cached\s*(?:,|$)/i.test(asked.headers['cache-control'] ?? ''))
      return {
        incoming: readyIncoming(request, { status: 504, reason: 'Gateway Timeout', fields: NO_FIELDS }),
        outcome: undefined,
      }
    this.misses += 1
    return found === undefined
      ? { incoming: this.#keep(Policy, request, await send(fields)), outcome: undefined }
      : this.#revalidate(Policy, request, found, send)
  }

  async #policies(): Promise<Policies> {
    this.#loading ??= import('http-cache-semantics').then(({ default: made }) => made)
    return this.#loading
  }

  async #find(Policy: Policies, request: CachedRequest, asked: Asked): Promise<Found | undefined> {
    for (const stored of await this.#store.read(keyOf(request))) {
      const policy = policyOf(Policy, stored)
      if (policy !== undefined && isForm(policy, asked)) return { stored, policy }
    }
    return undefined
  }

  /** RFC 9111 §4.3. */
  async #revalidate(Policy: Policies, request: CachedRequest, found: Found, send: Send): Promise<CachedIncoming> {
    const asked = toAsked(request)
    const conditions = conditionsOf(found.policy, asked, request.fields)
    let incoming: Incoming
    try {
      incoming = await send(conditions)
    } catch (error) {
      if (!isOfNetwork(error) || !mayBeStale(found, asked)) throw error
      return { incoming: fromStored(request, found), outcome: 'stale' }
    }
    const { status } = incoming.head
    const isFailure = status >= 500 && mayBeStale(found, asked)
    if (status !== 304 && !isFailure) return { incoming: this.#keep(Policy, request, incoming), outcome: undefined }
    await passOver(incoming, systemClock)
    if (isFailure) return { incoming: fromStored(request, found), outcome: 'stale' }
    const { fields } = incoming.head
    const headers = withoutMustRevalidate(toHeaders(fields))
    const { policy } = found.policy.revalidatedPolicy(asked, { status, headers })
    // Where the 304 says nothing of it, what was said before holds.
    const isForced = fields.has('cache-control') ? saysMustRevalidate(fields) : mustRevalidate(found.stored)
    const stored = { ...found.stored, policy: { ...policy.toObject(), mustRevalidate: isForced } }
    this.#work(this.#write(Policy, request, stored))
    return { incoming: fromStored(request, { stored, policy }), outcome: 'revalidated' }
  }

  /** RFC 5861 §3. Whoever asked has an answer already; what goes wrong is met by the next who asks. */
  #renew(Policy: Policies, request: CachedRequest, found: Found, send: Send): void {
    const key = keyOf(request)
    if (this.#renewing.has(key)) return
    this.#renewing.add(key)
    const renew = async (): Promise<void> => {
      try {
        const { incoming, outcome } = await this.#revalidate(Policy, request, found, send)
        if (outcome === undefined) await incoming.body.whole(this.#maxBodyBytes)
      } finally {
        this.#renewing.delete(key)
      }
    }
    this.#work(renew())
  }

  /** RFC 9111 §4.4: what was changed is not what was kept. */
  async #change(request: CachedRequest, send: Send): Promise<Incoming> {
    const incoming = await send(request.fields)
    const { status, fields } = incoming.head
    if (status < 200 || status > 399 || request.identity === undefined) return incoming
    const origin = originOf(request.url)
    const places = [request.url, fields.get('location'), fields.get('content-location')]
    for (const place of places) {
      const url = place === undefined ? undefined : tryParseUrl(place, request.url)
      if (url !== undefined && originOf(url) === origin) await this.#store.write(keyOf({ ...request, url }), [])
    }
    return incoming
  }

  /** Keeps what comes, when it was read to its end. */
  #keep(Policy: Policies, request: CachedRequest, incoming: Incoming): Incoming {
    const { head, body } = incoming
    const policy = new Policy(
      toAsked(request),
      { status: head.status, headers: withoutMustRevalidate(toHeaders(head.fields)) },
      { shared: false },
    )
    if (!policy.storable() || head.status === 206) return incoming
    if ((tryContentLength(head.fields) ?? 0) > this.#maxBodyBytes) return incoming
    body.keep(this.#maxBodyBytes, (bytes) => {
      const { status, reason, httpVersion } = head
      const isForced = saysMustRevalidate(head.fields)
      const kept = {
        policy: { ...policy.toObject(), mustRevalidate: isForced },
        status,
        reason,
        httpVersion,
        body: bytes,
      }
      this.#work(this.#write(Policy, request, kept))
    })
    return incoming
  }

  /** In front of the other forms of its URL, in place of the same one. */
  async #write(Policy: Policies, request: CachedRequest, stored: StoredResponse): Promise<void> {
    const asked = toAsked(request)
    const key = keyOf(request)
    const others = (await this.#store.read(key)).filter((each) => {
      const policy = policyOf(Policy, each)
      return policy !== undefined && !isForm(policy, asked)
    })
    await this.#store.write(key, [stored, ...others].slice(0, MAX_FORMS))
  }

  /** A store that fails has nothing; the next request asks the server. */
  #work(work: Promise<void>): void {
    const watched: Promise<void> = work.then(ignore, ignore).finally(() => this.#working.delete(watched))
    this.#working.add(watched)
  }
}

const ignore = (): void => undefined
const NO_FIELDS: Fields = new FieldList([])

interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
}

const keyOf = ({ url, identity }: CachedRequest): string => `${identity ?? ''} ${url}`

function toAsked({ method, url, host, fields }: CachedRequest): Asked {
  return { method, url, headers: { ...toHeaders(fields), host } }
}

function toHeaders(fields: Iterable<Pair>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    // The cookies of a response are of its first time, and cannot be joined.
    if (lower === 'set-cookie') continue
    const before = headers[lower]
    headers[lower] = before === undefined ? value : `${before}, ${value}`
  }
  return headers
}

/** The package revalidates what has it each time; RFC 9111 §5.2.2.2 wants that of what is stale. */
function withoutMustRevalidate(headers: Record<string, string>): Record<string, string> {
  const control = headers['cache-control']
  if (control === undefined) return headers
  const kept = control.split(',').filter((each) => !/^\s*must-revalidate\s*$/i.test(each))
  return { ...headers, 'cache-control': kept.join(',') }
}

const saysMustRevalidate = (fields: Fields): boolean =>
  /(?:^|,)\s*must-revalidate\b/i.test(fields.get('cache-control') ?? '')

const mustRevalidate = ({ policy }: StoredResponse): boolean =>
  typeof policy === 'object' && policy !== null && 'mustRevalidate' in policy && policy.mustRevalidate === true

const isPolicy = (policy: unknown): policy is CachePolicy.CachePolicyObject =>
  typeof policy === 'object' && policy !== null && 'v' in policy

/** `undefined` for one of another version of the package. */
function policyOf(Policy: Policies, { policy }: StoredResponse): CachePolicy | undefined {
  try {
    return isPolicy(policy) ? Policy.fromObject(policy) : undefined
  } catch {
    return undefined
  }
}

/** Whether it is the form of the URL that is asked for: a request for an old one may be answered by it. */
const isForm = (policy: CachePolicy, asked: Asked): boolean =>
  policy.evaluateRequest({ ...asked, headers: { ...asked.headers, 'cache-control': 'max-stale' } }).response !==
  undefined

/** RFC 5861 §4: an old one is better than none, where the server has allowed it. */
const mayBeStale = ({ stored, policy }: Found, asked: Asked): boolean =>
  !mustRevalidate(stored) && !policy.revalidatedPolicy(asked, { status: 504, headers: {} }).modified

function conditionsOf(policy: CachePolicy, asked: Asked, fields: readonly Pair[]): readonly Pair[] {
  const headers = policy.revalidationHeaders(asked)
  const added = ['if-none-match', 'if-modified-since'].flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return [...fields, ...added]
}

function fromStored(request: CachedRequest, { stored, policy }: Found): Incoming {
  const pairs = Object.entries(policy.responseHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  )
  const { status, reason, httpVersion, body } = stored
  return readyIncoming(request, { status, reason, httpVersion, fields: new FieldList(pairs), body })
}

const isOfNetwork = (error: unknown): boolean =>
  error instanceof NetError ||
  error instanceof BrokenError ||
  error instanceof TimeoutError ||
  (error instanceof ProtocolError && error.code === 'ERR_UNEXPECTED_END')

function tryParseUrl(text: string, base: string): string | undefined {
  try {
    return resolveUrl(text, base)
  } catch {
    return undefined
  }
}
