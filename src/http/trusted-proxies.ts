import { UsageError } from '../base/errors.js'
import { tryParseForwarded, tryParseXForwarded, type ForwardedHop } from '../engine/http/forwarded.js'
import { AddressList } from '../transport/node/address-list.js'
import type { Address } from '../transport/address.js'
import { around, toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import type { HttpRequest, RequestOrigin } from './request.js'
import { HttpError } from './response.js'

/** What a proxy may tell of the client, besides `Forwarded`. */
export type XForwardedField = 'x-forwarded-for' | 'x-forwarded-proto' | 'x-forwarded-host'

export interface TrustedProxies {
  /** Addresses and networks of the proxies, `10.0.0.0/8`; `unix` for whoever connects to a Unix socket. */
  readonly proxies: readonly string[]
  /**
   * The fields that they set, each of them for every request: what they leave alone is what a client made up. Default:
   * `['x-forwarded-for', 'x-forwarded-proto']`: nginx is told to set these as a rule; Caddy and Traefik set them and the
   * host; `option forwardfor` of HAProxy sets the first alone, so name no other there.
   */
  readonly fields?: 'forwarded' | readonly XForwardedField[]
}

const X_FIELDS: readonly string[] = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']
const DEFAULT_FIELDS: readonly XForwardedField[] = ['x-forwarded-for', 'x-forwarded-proto']

/**
 * Believes what proxies tell of the client: `request.remote`, `isSecure`, `host` and `url` become those that it used
 * (RFC 7239; X-Forwarded-For, -Proto, -Host), as far as the `fields` are named that tell it. Only for requests that come
 * from one of the proxies, and only as many hops as are trusted: what stands before them was written by strangers. What of
 * it is unreadable is answered with 400. Put it around everything else.
 * @throws UsageError `ERR_OPTION_VALUE`.
 */
export function withTrustedProxies(source: HttpHandlerSource, options: TrustedProxies): HttpFunction {
  const handler = toHttpFunction(source)
  const { proxies, fields = DEFAULT_FIELDS } = options
  checkFields(fields)
  const list = new AddressList(proxies.filter((entry) => entry !== 'unix'))
  const trustsUnix = proxies.includes('unix')
  const isTrusted = (address: Address): boolean => (address.kind === 'ip' ? list.has(address) : trustsUnix)
  return around(handler, (request, server) => {
    if (!isTrusted(request.remote)) return handler(request, server)
    const hops = hopsOf(request, fields)
    return handler(hops.length === 0 ? request : request.from(originOf(hops, isTrusted)), server)
  })
}

/** Also for programs that are not checked by types. */
function checkFields(fields: unknown): void {
  const isList = Array.isArray(fields) && fields.length > 0 && fields.every((name) => X_FIELDS.includes(String(name)))
  if (fields === 'forwarded' || isList) return
  throw new UsageError(
    'ERR_OPTION_VALUE',
    `Cannot trust the fields ${String(fields)}: expected 'forwarded', or a list of ${X_FIELDS.map((name) => `'${name}'`).join(', ')}`,
  )
}

/** The nearest to the client first. */
function hopsOf({ headers }: HttpRequest, fields: 'forwarded' | readonly string[]): readonly ForwardedHop[] {
  const names = fields === 'forwarded' ? [fields] : fields
  if (!names.some((name) => headers.has(name))) return []
  const get = (name: string): string | undefined => (names.includes(name) ? headers.get(name) : undefined)
  const hops = fields === 'forwarded' ? tryParseForwarded(get(fields) ?? '') : tryParseXForwarded({ get })
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
