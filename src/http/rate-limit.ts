import { errorCodeOf } from '../base/errors.js'
import type { RateDecision, RateLimiter } from '../pubsub/rate-limit.js'
import type { Address } from '../transport/address.js'
import { around, toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import type { HttpRequest } from './request.js'
import { HttpError } from './response.js'
import { withAnswers } from './wrapping.js'

export interface RateLimitOptions {
  /**
   * Whose rate a request takes from: an address, a user, a key of an API; `undefined` takes from none. Default: the
   * address of the client, of IPv6 its first 64 bits, which one customer has all of. Behind a proxy put
   * `withTrustedProxies` around.
   */
  readonly key?: (request: HttpRequest) => string | undefined
  /** How much a request takes. Default: 1. */
  readonly cost?: (request: HttpRequest) => number
  /** Whether requests are answered while the broker of the limiter is away. Default: false, they are refused with 503. */
  readonly allowWhenAway?: boolean
}

const AWAY = new Set(['ERR_BROKER_AWAY', 'ERR_BROKER_GONE', 'ERR_BROKER_CLOSED', 'ERR_BROKER_FULL', 'ERR_QUEUE_LIMIT'])

/**
 * Answers as many requests as the limiter allows, and others with 429 and `Retry-After` (RFC 6585 §4). Every answer says
 * what is left, in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10). A limiter of a broker that
 * several servers have counts for all of them.
 * @example
 * const logins = broker.limiter('logins', { limit: 10, perMs: 60_000 })
 * routes.post('/login', withRateLimit(login, logins))
 */
export function withRateLimit(
  source: HttpHandlerSource,
  limiter: RateLimiter,
  { key = addressKey, cost = () => 1, allowWhenAway = false }: RateLimitOptions = {},
): HttpFunction {
  const handler = toHttpFunction(source)
  const { limit, perMs, burst } = limiter.rate
  const name = quoted(limiter.name)
  const policy = `${name};q=${limit};w=${Math.max(1, Math.round(perMs / 1000))}`
  return around(handler, async (request, server) => {
    const whose = key(request)
    if (whose === undefined) return handler(request, server)
    let decision: RateDecision
    try {
      decision = await limiter.take(whose, Math.min(cost(request), burst))
    } catch (error) {
      if (!AWAY.has(errorCodeOf(error) ?? '')) throw error
      if (allowWhenAway) return handler(request, server)
      throw new HttpError(503, 'Requests cannot be counted now', { headers: { 'Retry-After': '1' }, cause: error })
    }
    const { isAllowed, remaining, retryAfterMs, resetMs } = decision
    const fields = [
      ['RateLimit-Policy', policy],
      ['RateLimit', `${name};r=${remaining};t=${Math.ceil(resetMs / 1000)}`],
    ] as const
    if (isAllowed) return withAnswers(handler, request, server, fields)
    const headers = [...fields, ['Retry-After', String(Math.ceil(retryAfterMs / 1000))] as const]
    throw new HttpError(429, 'Too many requests', { headers })
  })
}

function addressKey({ remote }: HttpRequest): string {
  return remote.kind === 'ip' ? networkOf(remote) : remote.kind
}

/** The address, or the first 64 bits of one of IPv6. */
function networkOf({ host }: Address & { readonly kind: 'ip' }): string {
  if (!host.includes(':') || host.startsWith('::ffff:')) return host
  const [head = '', tail] = host.split('%', 1).join('').split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => '0')
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}

/** A string of structured fields (RFC 9651 §3.3.3): printable ASCII. */
const quoted = (name: string): string => `"${name.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`
