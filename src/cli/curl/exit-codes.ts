import { BrokenError, errorCodeOf, MoorageError, NetError, TimeoutError, UsageError } from '../../base/index.js'
import { BodyError, ConnectError, ProxyError, ResolveError, ResponseError, TlsError } from '../../client/index.js'

/** What `moorage curl` exits with: the numbers that curl has for the same, as scripts look at them. */
export const CURL_EXIT = {
  ok: 0,
  unsupportedProtocol: 1,
  usage: 2,
  url: 3,
  proxyResolve: 5,
  resolve: 6,
  connect: 7,
  response: 8,
  partial: 18,
  status: 22,
  write: 23,
  read: 26,
  timeout: 28,
  range: 33,
  tlsHandshake: 35,
  redirects: 47,
  empty: 52,
  send: 55,
  receive: 56,
  clientCertificate: 58,
  certificate: 60,
  coding: 61,
  authorities: 77,
  proxy: 97,
  interrupted: 130,
} as const

/** What each number means, for people. */
export const CURL_EXIT_WORDS: Readonly<Record<keyof typeof CURL_EXIT, string>> = {
  ok: 'done',
  unsupportedProtocol: 'a URL that is not of HTTP, or an answer that is not',
  usage: 'the command line is wrong: nothing was done',
  url: 'a URL that is malformed',
  proxyResolve: 'the name of the proxy is not known',
  resolve: 'the name of the server is not known',
  connect: 'no connection could be made',
  response: 'what came is no response of HTTP',
  partial: 'the body is shorter than it was said to be; with -C and -T: all of the file is sent',
  status: 'with --fail: a status from 400 up',
  write: 'a file or stdout cannot be written',
  read: 'a file cannot be read',
  timeout: 'the time was over',
  range: 'with --continue-at: the server sends something else than what comes behind',
  tlsHandshake: 'the TLS handshake failed',
  redirects: 'too many redirects',
  empty: 'the server sent nothing',
  send: 'sending failed',
  receive: 'receiving failed, or a proxy refused the tunnel',
  clientCertificate: 'the file of --cert or --key cannot be used',
  certificate: 'the certificate of the server is not trusted',
  coding: 'the body cannot be decoded',
  authorities: 'the file of --cacert cannot be used',
  proxy: 'a SOCKS proxy refused',
  interrupted: 'ended by Ctrl-C or SIGTERM',
}

/** A failure whose number is known where it happens. */
export class CurlFailure extends Error {
  readonly exit: number

  constructor(exit: keyof typeof CURL_EXIT, message: string, cause?: unknown) {
    super(message, { cause })
    this.exit = CURL_EXIT[exit]
  }
}

/** `undefined` for what is a mistake of this program. */
export function curlExitOf(error: unknown): number | undefined {
  if (error instanceof CurlFailure) return error.exit
  const kind = kindOf(error)
  return kind === undefined ? undefined : CURL_EXIT[kind]
}

function kindOf(error: unknown): keyof typeof CURL_EXIT | undefined {
  if (error instanceof TimeoutError) return 'timeout'
  if (error instanceof ResolveError) return 'resolve'
  if (error instanceof ConnectError) return 'connect'
  if (error instanceof TlsError) return tlsKind(error)
  if (error instanceof ProxyError) return proxyKind(error)
  if (error instanceof BodyError) return bodyKind(error)
  if (error instanceof ResponseError) return responseKind(error)
  if (error instanceof BrokenError) return 'receive'
  if (error instanceof NetError) return error.code === 'ERR_BODY_SOURCE' ? 'read' : 'receive'
  if (error instanceof UsageError) return error.code === 'ERR_URL' ? 'url' : 'usage'
  if (error instanceof MoorageError) return 'receive'
  return undefined
}

/** Codes of Node for a certificate that is not believed. */
const DISTRUST =
  /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_)/

const tlsKind = (error: Error): keyof typeof CURL_EXIT =>
  codesOf(error).some((code) => DISTRUST.test(code)) ? 'certificate' : 'tlsHandshake'

function proxyKind(error: ProxyError): keyof typeof CURL_EXIT {
  const { code, details } = error
  if (code === 'ERR_RESOLVE') return 'proxyResolve'
  if (code === 'ERR_CONNECT') return 'connect'
  if (code === 'ERR_TLS_HANDSHAKE') return tlsKind(error)
  return String(details['proxy']).startsWith('socks') ? 'proxy' : 'receive'
}

function bodyKind({ code, cause }: BodyError): keyof typeof CURL_EXIT {
  if (code === 'ERR_CONTENT_CODING') return 'coding'
  return code === 'ERR_UNEXPECTED_END' && !isReset(cause) ? 'partial' : 'receive'
}

function responseKind({ code, cause }: ResponseError): keyof typeof CURL_EXIT {
  if (isReset(cause)) return 'receive'
  // What does not begin as a response is HTTP/0.9 to curl.
  if (code === 'ERR_HTTP_START_LINE') return 'unsupportedProtocol'
  return code === 'ERR_UNEXPECTED_END' ? 'empty' : 'response'
}

const isReset = (error: unknown): boolean => codesOf(error).some((code) => code === 'ECONNRESET' || code === 'EPIPE')

/** Of an error and of what caused it. */
export function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth += 1)
    codes.push(errorCodeOf(at) ?? '')
  return codes
}
