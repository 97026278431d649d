import {
  BrokenError,
  LimitError,
  MoorageError,
  NetError,
  ProtocolError,
  TimeoutError,
  type ErrorExtras,
} from '../base/errors.js'
import type { NetCode, ProtocolCode } from '../base/codes.js'
import type { ClientResponse } from './response.js'

/** The name of the server is unknown, or nobody could be asked. */
export class ResolveError extends NetError {}
/** No connection could be made: `details.attempts` has every address that was tried, and why it failed. */
export class ConnectError extends NetError {}
/** The handshake or the certificate failed. */
export class TlsError extends NetError {}
/** A proxy did not do what it was asked for. */
export class ProxyError extends NetError {}
/** The server sent no response, or what is none. */
export class ResponseError extends ProtocolError {}
/** The body of a response is cut, damaged, or not what it was said to be. */
export class BodyError extends ProtocolError {}
/** `raiseForStatus` met a status from 400 up: `response` has its body still. */
export class StatusError extends ProtocolError {
  readonly response: ClientResponse
  constructor(response: ClientResponse) {
    const { method, url, status, reason } = response
    super('ERR_STATUS', `Cannot ${method} ${url}: the server answered ${status} ${reason}`.trimEnd(), {
      details: { method, url, status },
      fault: status < 500 ? 'local' : 'remote',
    })
    this.response = response
  }
}
/** A redirect that cannot be followed. */
export class RedirectError extends ProtocolError {}

/** What every error of a request says in its `details`; there are no secrets among it. */
export interface RequestFacts {
  readonly method: string
  readonly url: string
  readonly proxy: string | undefined
  readonly elapsedMs: number
  /** Whether the head of a response was there. */
  readonly hasResponse: boolean
}

/** The error of whatever broke a request: a class for each phase, with the facts and one suggestion. */
export function explain(error: unknown, facts: RequestFacts): unknown {
  if (!(error instanceof MoorageError) || 'url' in error.details || error.code in UNTOUCHED) return error
  const { method, url, proxy, elapsedMs, hasResponse } = facts
  const suggestion = suggest(error, facts)
  const details = {
    ...error.details,
    method,
    url,
    ...(proxy === undefined ? {} : { proxy }),
    elapsedMs: Math.round(elapsedMs),
    suggestion,
  }
  const extras: ErrorExtras = { cause: error, fault: error.fault, details }
  const message = `Cannot ${method} ${url}: ${lowerFirst(error.message)} (after ${Math.round(elapsedMs)} ms); ${suggestion}`
  if (error instanceof TimeoutError) return new TimeoutError(error.code, message, extras)
  if (error instanceof LimitError) return new LimitError(error.code, message, extras)
  if (error instanceof NetError) return netError(error, message, extras)
  if (error instanceof BrokenError || error instanceof ProtocolError) {
    const code: ProtocolCode = error instanceof ProtocolError ? error.code : 'ERR_UNEXPECTED_END'
    return hasResponse ? new BodyError(code, message, extras) : new ResponseError(code, message, extras)
  }
  return error
}

/** They say all there is to say. */
const UNTOUCHED: Readonly<Record<string, true>> = {
  ERR_CLIENT_CLOSED: true,
  ERR_POOL_LIMIT: true,
  ERR_BODY_LIMIT: true,
}

const PROXY_CODES: ReadonlySet<NetCode> = new Set(['ERR_TUNNEL', 'ERR_TUNNEL_REFUSED', 'ERR_PROXY_AUTH'])
const TLS_CODES: ReadonlySet<NetCode> = new Set(['ERR_TLS_HANDSHAKE', 'ERR_TLS_CERTIFICATE'])

function netError(error: NetError, message: string, extras: ErrorExtras): NetError {
  const { code } = error
  if (PROXY_CODES.has(code) || 'proxy' in error.details) return new ProxyError(code, message, extras)
  if (code === 'ERR_RESOLVE') return new ResolveError(code, message, extras)
  if (TLS_CODES.has(code)) return new TlsError(code, message, extras)
  return new ConnectError(code, message, extras)
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)

/** Words of the system and of OpenSSL that have one usual cause. */
const USUAL: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'check that the server runs and listens on that port'],
  [/ENETUNREACH|EHOSTUNREACH/, 'check the route to that address, and whether IPv6 works here'],
  [/EAI_AGAIN/, 'check that a name server can be reached'],
  [/ENOTFOUND|ENODATA/, 'check the spelling of the host'],
  [
    /certificate has expired|CERT_HAS_EXPIRED/i,
    'have the certificate of the server renewed, or check the clock of this machine',
  ],
  [/CERT_NOT_YET_VALID/, 'check the clocks of both machines'],
  [/altnames|ERR_TLS_CERT_ALTNAME_INVALID/i, 'use a name that the certificate of the server has'],
  [/self[- ]signed/i, 'give the certificate of its authority as tls.ca'],
  [/unable to (?:get|verify)|UNABLE_TO/i, 'give the certificate of its authority as tls.ca'],
  [/wrong version number|packet length too long|http request/i, 'that port does not speak TLS: use http://'],
]

function suggest(error: MoorageError, { url, hasResponse }: RequestFacts): string {
  const words = `${error.message} ${causes(error)}`
  for (const [pattern, suggestion] of USUAL) if (pattern.test(words)) return suggestion
  switch (error.code) {
    case 'ERR_PROXY_AUTH':
      return 'put user and password into the URL of the proxy'
    case 'ERR_TUNNEL_REFUSED':
      return 'check the rules of the proxy, and that it can reach the server'
    case 'ERR_CONNECT_TIMEOUT':
      return 'check the address and the firewalls on the way, or raise connectTimeoutMs'
    case 'ERR_HANDSHAKE_TIMEOUT':
      return 'check that this port speaks TLS'
    case 'ERR_RESPONSE_TIMEOUT':
      return 'raise responseTimeoutMs where the server needs long'
    case 'ERR_CONTENT_CODING':
      return 'request it with decompress: false to see what the server sends'
    case 'ERR_CONTENT_LIMIT':
      return 'raise maxBodyBytes where such bodies are expected'
    case 'ERR_HTTP_START_LINE':
      return url.startsWith('http:')
        ? 'check that this port speaks HTTP/1, and not TLS or HTTP/2'
        : 'check that this port speaks HTTP/1'
    default:
      return hasResponse
        ? 'request it again; where that does not help, look at the server’s log'
        : 'look at the server’s log'
  }
}

function causes(error: Error): string {
  let words = ''
  for (let at: unknown = error.cause, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    words += ` ${at.message} ${'code' in at ? String(at.code) : ''}`
  return words
}
