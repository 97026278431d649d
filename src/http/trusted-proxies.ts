import { UsageError } from '../base/errors.js'
import { tryParseForwarded, tryParseXForwarded, type ForwardedHop } from '../engine/http/forwarded.js'
import { AddressList } from '../transport/node/address-list.js'
import type { Address } from '../transport/address.js'
import { toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import type { HttpRequest, RequestOrigin } from './request.js'
import { HttpError } from './response.js'

export interface TrustedProxies {
  /** Addresses and networks of the proxies, `10.0.0.0/8`; `unix` for whoever connects to a Unix socket. */
  readonly proxies: readonly string[]
  /** Which fields they write: a proxy writes one kind, and passes the other on as a client made it up. Default: `x-forwarded`. */
  readonly fields?: 'forwarded' | 'x-forwarded'
}

/**
 * Believes what proxies tell of the client: `request.remote`, `isSecure`, `host` and `url` become those that it used
 * (RFC 7239; X-Forwarded-For, -Proto, -Host). Only for requests that come from one of the proxies, and only as many hops
 * as are trusted: what stands before them was written by strangers. What of it is unreadable is answered with 400. Put it
 * around everything else.
 * @throws UsageError `ERR_OPTION_VALUE`.
 */
export function withTrustedProxies(source: HttpHandlerSource, options: TrustedProxies): HttpFunction {
  const handler = toHttpFunction(source)
  const { proxies, fields = 'x-forwarded' } = options
  if (fields !== 'forwarded' && fields !== 'x-forwarded')
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot trust the fields ${String(fields)}: expected 'forwarded' or 'x-forwarded'`,
    )
  const list = new AddressList(proxies.filter((entry) => entry !== 'unix'))
  const trustsUnix = proxies.includes('unix')
  const isTrusted = (address: Address): boolean => (address.kind === 'ip' ? list.has(address) : trustsUnix)
  return (request, server) => {
    if (!isTrusted(request.remote)) return handler(request, server)
    const hops = hopsOf(request, fields)
    return handler(hops.length === 0 ? request : request.from(originOf(hops, isTrusted)), server)
  }
}

const X_FIELDS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']

/** The nearest to the client first. */
function hopsOf({ headers }: HttpRequest, kind: 'forwarded' | 'x-forwarded'): readonly ForwardedHop[] {
  const forwarded = headers.get('forwarded')
  const isThere = kind === 'forwarded' ? forwarded !== undefined : X_FIELDS.some((name) => headers.has(name))
  if (!isThere) return []
  const hops = kind === 'forwarded' ? tryParseForwarded(forwarded ?? '') : tryParseXForwarded(headers)
  if (hops === undefined) throw new HttpError(400, 'Cannot read what the proxies tell of the client')
  return hops
}

function originOf(hops: readonly ForwardedHop[], isTrusted: (address: Address) => boolean): RequestOrigin {
  let origin: RequestOrigin = {}
  for (let at = hops.length - 1; at >= 0; at -= 1) {
    const { for: node, proto, host } = hops[at] ?? {}
    // A later hop that says nothing leaves what the one before it, nearer to this server, has told.
    const remote = addressOf(node)
    origin = {
      ...origin,
      ...(remote === undefined ? {} : { remote }),
      ...(proto === undefined ? {} : { isSecure: proto === 'https' || proto === 'wss' }),
      ...(host === undefined ? {} : { host }),
    }
    if (remote === undefined || !isTrusted(remote)) break
  }
  return origin
}

/** Names that proxies made up are no addresses. */
function addressOf(node: ForwardedHop['for']): Address | undefined {
  if (node === undefined || (node.kind !== 'ipv4' && node.kind !== 'ipv6')) return undefined
  return { kind: 'ip', host: node.name, port: typeof node.port === 'number' ? node.port : 0 }
}
