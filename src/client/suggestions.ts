import type { ErrorCode } from '../base/codes.js'
import { errorCodeOf, type MoorageError } from '../base/errors.js'
import { inTheirWords } from './option-words.js'

/** Where a request was when it failed. */
export type Phase = 'resolve' | 'connect' | 'proxy' | 'tls' | 'pool' | 'request' | 'response' | 'redirect' | 'body'

/** `http`, or `ws` for a WebSocket, takes the place of `<plain>`. */
const SPEAKS_NO_TLS = 'that port does not speak TLS: use <plain>:// where it speaks HTTP'
const WANTS_AUTHORITY = '{authority}'
const BROKEN_OFF = 'look at the server’s log, and at what stands between: the connection was broken off at once'
const OTHER_VERSION = 'the two speak no version of TLS in common: [look at {TLS versions}, or ]renew the server'

const NOTHING_SHARED =
  'look at the server’s log: it shares no cipher, or wants a client certificate ({client certificate})'

/** What the system, the resolver and OpenSSL call it, with its usual cause. */
const BY_SYSTEM_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'check that the server runs and listens on that port',
  ENETUNREACH: 'check the route to that address, and whether IPv6 works here',
  EHOSTUNREACH: 'check the route to that address, and that the machine is up',
  EADDRNOTAVAIL: 'check the route to that address, and whether IPv6 works here',
  ETIMEDOUT: 'check the address and the firewalls on the way',
  ENOENT: 'check the path of the socket, and that the server runs',
  EACCES: 'check the rights to the socket, and the rules of the firewall here',
  ENOTFOUND: 'check the spelling of the host',
  ENODATA: 'check the spelling of the host',
  EAI_AGAIN: 'check that a name server can be reached',
  CERT_HAS_EXPIRED: 'have the certificate of the server renewed, or check the clock of this machine',
  CERT_NOT_YET_VALID: 'check the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use a name that the certificate of the server has',
  DEPTH_ZERO_SELF_SIGNED_CERT: `the certificate is signed by itself: ${WANTS_AUTHORITY}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its authority is not known here: ${WANTS_AUTHORITY}`,
  UNABLE_TO_GET_ISSUER_CERT: `its authority is not known here: ${WANTS_AUTHORITY}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `its authority is not known here: ${WANTS_AUTHORITY}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `have the server send the certificates between as well, or ${WANTS_AUTHORITY}`,
  CERT_REVOKED: 'have the certificate of the server replaced: its authority has revoked it',
  ERR_SSL_WRONG_VERSION_NUMBER: SPEAKS_NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: SPEAKS_NO_TLS,
  ERR_SSL_HTTP_REQUEST: SPEAKS_NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OTHER_VERSION,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: OTHER_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OTHER_VERSION,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NOTHING_SHARED,
  // The same since OpenSSL 3.2.
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': NOTHING_SHARED,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server speaks no HTTP/1.1 there[: look at {ALPN}]',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the server knows no such name: look at the host of the URL[, and at {server name}]',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'give a client certificate that the server takes: {client certificate}',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'give a client certificate: {client certificate}',
}

/** The same of the way to a proxy. */
const BY_SYSTEM_CODE_OF_PROXY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'check that the proxy runs and listens on that port',
  ENOTFOUND: 'check the spelling of the proxy',
  ENODATA: 'check the spelling of the proxy',
  CERT_HAS_EXPIRED: 'have the certificate of the proxy renewed, or check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use a name that the certificate of the proxy has',
  DEPTH_ZERO_SELF_SIGNED_CERT: `the certificate of the proxy is signed by itself: ${WANTS_AUTHORITY} of the proxy`,
  SELF_SIGNED_CERT_IN_CHAIN: `the authority of the proxy is not known here: ${WANTS_AUTHORITY} of the proxy`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the authority of the proxy is not known here: ${WANTS_AUTHORITY} of the proxy`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the authority of the proxy is not known here: ${WANTS_AUTHORITY} of the proxy`,
  ERR_SSL_WRONG_VERSION_NUMBER: 'the proxy does not speak TLS: its URL begins with http:',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the proxy does not speak TLS: its URL begins with http:',
}

/** RFC 1928 §6, and 91 to 93 of SOCKS4. */
const BY_SOCKS_REPLY: Readonly<Record<number, string>> = {
  2: 'have the proxy allow this server',
  3: 'check the address of the server: the proxy has no route to it',
  4: 'check the name of the server: the proxy does not find it',
  5: 'check that the server runs and listens on that port: the proxy was refused',
  6: 'check that the server is up: the proxy does not reach it',
  8: 'use a name or an address of IPv4: the proxy takes no other',
  92: 'have the proxy ask no identd',
  93: 'check the user in the URL of the proxy',
}

const BY_CODE: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_RESOLVE: 'check the spelling of the host',
  ERR_TLS_CERTIFICATE: 'give a PEM certificate chain, and the key that belongs to it',
  ERR_PROXY_AUTH: 'put the right user and password into the URL of the proxy',
  ERR_TUNNEL: 'check that the scheme of its URL is what the proxy speaks (http:, https:, socks5h:)',
  ERR_HANDSHAKE_TIMEOUT: 'check that this port speaks TLS[, or raise {handshakeTimeoutMs}]',
  ERR_POOL_TIMEOUT: 'read or discard the bodies of responses[, or raise {maxConnectionsPerOrigin}]',
  ERR_POOL_LIMIT: 'wait for requests to end before sending more[, or raise {maxWaiting}]',
  ERR_WRITE_TIMEOUT: 'look at the server: it reads nothing[; or raise {bodyTimeoutMs}]',
  ERR_RESPONSE_TIMEOUT: 'look at the server[; where it needs so long, raise {responseTimeoutMs}]',
  ERR_BODY_TIMEOUT: 'look at the server: it stopped in the middle[; or raise {bodyTimeoutMs}]',
  ERR_TOTAL_TIMEOUT: 'raise {timeoutMs} where it needs so long',
  ERR_BODY_LIMIT: '[raise {maxBodyBytes}, or ]{by pieces}',
  ERR_CONTENT_LIMIT: '[raise {maxBodyBytes} where such bodies are expected; else ]do not trust it',
  ERR_CONTENT_CODING: 'request it {undecoded} to see what the server sends',
  ERR_HTTP_FIELD_LIMIT: 'have the server send fewer or shorter fields: cookies, as a rule',
  ERR_HTTP_BODY_LENGTH: 'have the server send one Content-Length, a number: what stands between may add another',
  ERR_HTTP_CHUNK: 'report it to whoever runs the server or a proxy before it: its chunks are malformed',
  ERR_BODY_SOURCE: 'leave what is sent alone meanwhile, and give it the length that it has',
}

/** What a program or a person can do about it: one thing, the likeliest, in the words of whoever asks. */
export function suggest(error: MoorageError, phase: Phase, url: string, hasResponse: boolean): string {
  const template = templateFor(error, phase, url, hasResponse)
  return inTheirWords(template).replace('<plain>', url.startsWith('ws') ? 'ws' : 'http')
}

/** Every suggestion that has a name of an option in it, and others, as `inTheirWords` takes them. */
export const templates = (): readonly string[] => [
  ...Object.values(BY_SYSTEM_CODE),
  ...Object.values(BY_SYSTEM_CODE_OF_PROXY),
  ...Object.values(BY_CODE),
  CONNECT_TOO_LATE,
  TUNNEL_TOO_LATE,
]

const NO_TLS_CODES: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
])

/** What came in place of a handshake is not of TLS. */
export const speaksNoTls = (error: MoorageError): boolean => systemCodes(error).some((code) => NO_TLS_CODES.has(code))

function templateFor(error: MoorageError, phase: Phase, url: string, hasResponse: boolean): string {
  const ofProxy = phase === 'proxy'
  const codes = systemCodes(error)
  for (const code of codes) {
    const found = (ofProxy ? BY_SYSTEM_CODE_OF_PROXY[code] : undefined) ?? BY_SYSTEM_CODE[code]
    if (found !== undefined) return found
  }
  switch (error.code) {
    case 'ERR_CONNECT':
      return codes.includes('ECONNRESET') ? BROKEN_OFF : 'check the address, and that the server runs'
    case 'ERR_TUNNEL_REFUSED':
      return ofRefusal(error)
    case 'ERR_CONNECT_TIMEOUT':
      return ofConnectTimeout(error)
    case 'ERR_WEBSOCKET_HANDSHAKE':
      return ofHandshake(error)
    case 'ERR_TLS_HANDSHAKE':
      return ofProxy
        ? 'check that the proxy speaks TLS, and look at its log'
        : 'check that this port speaks TLS, and look at the server’s log'
    case 'ERR_HTTP_START_LINE':
      return url.startsWith('http:') || url.startsWith('ws:')
        ? 'check that this port speaks HTTP/1, and not TLS (https:) or HTTP/2'
        : 'check that this port speaks HTTP/1'
    case 'ERR_UNEXPECTED_END':
    case 'ERR_PEER_RESET':
    case 'ERR_PEER_GONE':
      return ofEnd(url, hasResponse)
    default:
      return BY_CODE[error.code] ?? 'report it to whoever runs the server: what it sends breaks HTTP'
  }
}

function ofEnd(url: string, hasResponse: boolean): string {
  if (hasResponse) return 'request it again; where that does not help, look at the server’s log'
  return url.startsWith('http:') || url.startsWith('ws:')
    ? 'look at the server’s log; a port of TLS (https:) ends so, too'
    : 'look at the server’s log; one that wants a client certificate ends so, too'
}

function ofRefusal({ details: { status, reply } }: MoorageError): string {
  if (typeof reply === 'number' && BY_SOCKS_REPLY[reply] !== undefined) return BY_SOCKS_REPLY[reply]
  if (status === 403 || status === 405) return 'have the proxy allow this server'
  if (typeof status === 'number' && status >= 500)
    return 'check name and port of the server, and that the proxy can reach it'
  return 'check the rules of the proxy, and that it can reach the server'
}

function ofConnectTimeout({ details: { stage } }: MoorageError): string {
  if (stage === 'resolve') return 'check that a name server can be reached'
  return stage === 'tunnel' ? TUNNEL_TOO_LATE : CONNECT_TOO_LATE
}

const TUNNEL_TOO_LATE = 'check that the proxy works, or raise {connectTimeoutMs}'
const CONNECT_TOO_LATE = 'check the address and the firewalls on the way, or raise {connectTimeoutMs}'

function ofHandshake({ details: { status } }: MoorageError): string {
  if (typeof status === 'number' && status >= 400) return suggestForStatus(status)
  return 'check the path, and that what stands between passes WebSockets on'
}

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'look at the body of the response: the server says there what it did not understand',
  401: 'give credentials, or check those that were given',
  403: 'check what these credentials may do: the server refuses them there',
  404: 'check the path',
  405: 'use a method that the field Allow names',
  407: 'put the right user and password into the URL of the proxy',
  408: 'request it again: the server waited too long for it',
  413: 'send less at a time',
  421: 'check the name: the server does not answer for it on this connection',
  429: 'ask less often: Retry-After says when, where it is there',
  502: 'look behind the gateway: the server there does not answer as it should',
  503: 'request it later: the server is overloaded or being maintained',
  504: 'look behind the gateway: the server there did not answer in time',
}

/** RFC 9110 §15.5 and §15.6: of a status from 400 up. */
export const suggestForStatus = (status: number): string =>
  BY_STATUS[status] ??
  (status >= 500 ? 'look at the server’s log' : 'look at the body of the response: the server says there what it wants')

/** Those of the attempts to connect and of the causes, the outermost first. */
function systemCodes({ details, cause }: MoorageError): readonly string[] {
  const codes: string[] = []
  const { attempts } = details
  for (const attempt of Array.isArray(attempts) ? attempts : []) {
    const code: unknown = Object(attempt).systemCode
    if (typeof code === 'string') codes.push(code)
  }
  for (let at = cause, depth = 0; at instanceof Error && depth < MAX_CAUSES; at = at.cause, depth += 1) {
    const code = errorCodeOf(at)
    if (code !== undefined) codes.push(code)
  }
  return codes
}

const MAX_CAUSES = 5
