import {
  BrokenError,
  errorCodeOf,
  LimitError,
  MoorageError,
  NetError,
  ProtocolError,
  TimeoutError,
  UsageError,
  type ErrorExtras,
} from '../base/errors.js'
import type { NetCode, ProtocolCode } from '../base/codes.js'
import type { ClientResponse } from './response.js'
import { suggest, suggestForStatus, type Phase } from './suggestions.js'

/** The name of the server is unknown, or nobody could be asked. */
export class ResolveError extends NetError {}
/** No connection could be made: `details.attempts` has every address that was tried, and why it failed. */
export class ConnectError extends NetError {}
/** The handshake or the certificate failed. */
export class TlsError extends NetError {}
/** A proxy did not do what it was asked for, or could not be reached. */
export class ProxyError extends NetError {}
/** The server sent no response, or what is none. */
export class ResponseError extends ProtocolError {}
/** The body of a response is cut, damaged, or not what it was said to be. */
export class BodyError extends ProtocolError {}
/** `raiseForStatus` met a status from 400 up: `response` has its body still. */
export class StatusError extends ProtocolError {
  readonly response: ClientResponse
  constructor(response: ClientResponse) {
    const { method, url, status, reason, incoming } = response
    const suggestion = suggestForStatus(status)
    super(
      'ERR_STATUS',
      `Cannot ${method} ${url}: the server answered ${status}${reason === '' ? '' : ` ${reason}`}; ${suggestion}`,
      {
        details: { ...detailsOf(incoming.asked.facts(), 'response', suggestion), status },
        fault: status < 500 ? 'local' : 'remote',
      },
    )
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
  /** The request goes to the proxy itself: whatever fails before the response is the proxy's. */
  readonly isForwarded: boolean
  /** Those that were tried, or the one of the connection that was there. */
  readonly addresses: readonly string[]
  readonly elapsedMs: number
  /** How far it has come. */
  readonly reached: 'request' | 'connect' | 'tls' | 'response' | 'body'
}

/** What all of them have in their `details`. */
export function detailsOf(
  { method, url, proxy, addresses, elapsedMs }: RequestFacts,
  phase: Phase,
  suggestion: string,
): Readonly<Record<string, unknown>> {
  return {
    method,
    url,
    phase,
    addresses,
    ...(proxy === undefined ? {} : { proxy }),
    elapsedMs: Math.round(elapsedMs),
    suggestion,
  }
}

/** The error of whatever broke a request: a class for each phase, with the facts and one suggestion. */
export function explain(error: unknown, facts: RequestFacts): unknown {
  if (!(error instanceof MoorageError) || error instanceof UsageError || 'url' in error.details) return error
  const { method, url, elapsedMs, reached } = facts
  const phase = phaseOf(error, facts)
  const suggestion = suggest(error, phase, url, reached === 'body')
  const details = { ...error.details, ...detailsOf(facts, phase, suggestion) }
  const extras: ErrorExtras = { cause: error, fault: error.fault, details }
  const message = `Cannot ${method} ${url}: ${lowerFirst(error.message)} (after ${Math.round(elapsedMs)} ms); ${suggestion}`
  if (error instanceof TimeoutError) return new TimeoutError(error.code, message, extras)
  if (error instanceof LimitError) return new LimitError(error.code, message, extras)
  if (error instanceof NetError && error.code !== 'ERR_SOCKET') return netError(error.code, phase, message, extras)
  if (error instanceof NetError && phase === 'tls') return netError('ERR_TLS_HANDSHAKE', phase, message, extras)
  if (error instanceof NetError && (reached === 'connect' || reached === 'tls'))
    return netError(error.code, phase, message, extras)
  if (error instanceof BrokenError || error instanceof ProtocolError || error instanceof NetError) {
    const code: ProtocolCode = error instanceof ProtocolError ? error.code : 'ERR_UNEXPECTED_END'
    return reached === 'body' ? new BodyError(code, message, extras) : new ResponseError(code, message, extras)
  }
  return error
}

/** The same as of a proxy that opens a tunnel. */
export function refusedByProxy({ status, reason, incoming }: ClientResponse): unknown {
  const answered = `${status} ${reason}`.trimEnd()
  const refusal = new NetError('ERR_PROXY_AUTH', `The proxy refuses: it answered ${answered}`, { details: { status } })
  return explain(refusal, incoming.asked.facts())
}

/** Codes that are of one phase whatever the request was doing. */
const PHASES: Readonly<Record<string, Phase>> = {
  ERR_RESOLVE: 'resolve',
  ERR_CONNECT: 'connect',
  ERR_TLS_HANDSHAKE: 'tls',
  ERR_TLS_CERTIFICATE: 'tls',
  ERR_HANDSHAKE_TIMEOUT: 'tls',
  ERR_POOL_TIMEOUT: 'pool',
  ERR_POOL_LIMIT: 'pool',
  ERR_WRITE_TIMEOUT: 'request',
  ERR_BODY_SOURCE: 'request',
}
const PROXY_CODES: ReadonlySet<string> = new Set<NetCode>(['ERR_TUNNEL', 'ERR_TUNNEL_REFUSED', 'ERR_PROXY_AUTH'])
const TLS_CODES: ReadonlySet<NetCode> = new Set(['ERR_TLS_HANDSHAKE', 'ERR_TLS_CERTIFICATE'])

function phaseOf(error: MoorageError, { url, isForwarded, reached }: RequestFacts): Phase {
  const { code, details } = error
  const isOnTheWay = reached === 'connect' || reached === 'tls'
  // Some proxies are asked for an address: the name of the server is resolved here.
  if (code === 'ERR_RESOLVE' && details['host'] === hostOf(url)) return 'resolve'
  if (code === 'ERR_CONNECT_TIMEOUT') {
    if (isForwarded || 'proxy' in details) return 'proxy'
    return details['stage'] === 'resolve' ? 'resolve' : 'connect'
  }
  if (PROXY_CODES.has(code) || ('proxy' in details && isOnTheWay)) return 'proxy'
  if (isForwarded && isOnTheWay && (error instanceof NetError || code === 'ERR_HANDSHAKE_TIMEOUT')) return 'proxy'
  // A server of TLS 1.3 refuses a client's certificate when the handshake is over on this side.
  if (error instanceof NetError && (errorCodeOf(error.cause) ?? '').startsWith('ERR_SSL_')) return 'tls'
  return PHASES[code] ?? reached
}

const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined)

function netError(code: NetCode, phase: Phase, message: string, extras: ErrorExtras): NetError {
  if (phase === 'proxy') return new ProxyError(code, message, extras)
  if (code === 'ERR_RESOLVE') return new ResolveError(code, message, extras)
  if (TLS_CODES.has(code)) return new TlsError(code, message, extras)
  return code === 'ERR_BODY_SOURCE' ? new NetError(code, message, extras) : new ConnectError(code, message, extras)
}

export const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)
