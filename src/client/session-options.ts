import type { AbortSignalLike } from '../base/cancellation.js'
import { count, flag, group, rate, readOptions, text, value, type OptionSpecs } from '../base/options.js'
import type { FieldInit, Fields } from '../engine/http/fields.js'
import type { RequestStart } from '../engine/http1/encode-request.js'
import { MemoryNetwork } from '../transport/memory/network.js'
import type { Lookup } from '../transport/node/resolve-all.js'
import type { ProxyOptions, ProxyServer } from '../transport/proxy-server.js'
import { TLS_CLIENT_OPTIONS, type TlsClientOptions } from '../transport/tls-options.js'
import type { AltSvcStore } from './alt-svc.js'
import type { Auth } from './auth.js'
import {
  BODY_SPECS,
  POOL_SPECS,
  TIMEOUT_SPECS,
  type BodySettings,
  type PoolSettings,
  type TimeoutSettings,
} from './options.js'
import type { CookieJar } from './cookies.js'
import type { IncomingHead } from './exchange.js'
import type { HarRecorder } from './har.js'
import type { HarReplay } from './har-replay.js'
import type { HttpCache } from './http-cache.js'
import type { ClientResponse } from './response.js'
import type { CodingName } from './codings.js'
import type { HstsStore } from './hsts.js'
import type { MultipartInit } from './multipart.js'
import type { QueryInit } from './query.js'
import type { BodyInit } from './request-body.js'

/** Which proxy: its URL, what it is made of, `false` for none, or a function that says so for each URL. */
export type ProxyChoice =
  | string
  | ProxyOptions
  | ProxyServer
  | false
  | ((url: URL) => string | ProxyServer | false | undefined)

/** What a request may have of its own, and a session for all of its requests. */
export interface RequestSettings
  extends Omit<TimeoutSettings, 'connectTimeoutMs' | 'handshakeTimeoutMs' | 'poolTimeoutMs'>, BodySettings {
  readonly headers: FieldInit
  readonly auth: Auth | undefined
  readonly proxy: ProxyChoice | undefined
  readonly followRedirects: boolean
  readonly maxRedirects: number
  readonly decompress: boolean
  readonly retries: number
  readonly compress: CodingName | undefined
}

const isFieldInit = (given: unknown): given is FieldInit => typeof given === 'object' && given !== null

export const REQUEST_SPECS: OptionSpecs<RequestSettings> = {
  responseTimeoutMs: TIMEOUT_SPECS.responseTimeoutMs,
  bodyTimeoutMs: TIMEOUT_SPECS.bodyTimeoutMs,
  timeoutMs: TIMEOUT_SPECS.timeoutMs,
  ...BODY_SPECS,
  headers: {
    ...value<FieldInit>(
      'fields ({ "accept-language": "de" })',
      [],
      'none',
      'Fields of the request, beside those that are made for it. Those of a request take the place of those of its session.',
      isFieldInit,
    ),
    isSecret: true,
  },
  auth: {
    ...value<Auth | undefined>(
      'what basic, digest, bearer or netrc makes',
      undefined,
      'user and password of the URL',
      'How to answer a server that wants credentials. They never follow a redirect to another origin.',
      (given): given is Auth => typeof given === 'object' && given !== null && 'authorize' in given,
    ),
    isSecret: true,
  },
  proxy: value<ProxyChoice | undefined>(
    'a URL, a ProxyServer, false, or a function of the URL',
    undefined,
    'HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment',
    'The proxy: `http:`, `https:`, `socks4:`, `socks4a:`, `socks5:` or `socks5h:`.',
    (given): given is ProxyChoice =>
      given === false || ['string', 'function'].includes(typeof given) || (typeof given === 'object' && given !== null),
  ),
  followRedirects: flag(true, 'Goes where a redirect leads (RFC 9110 §15.4); false gives the redirect itself.'),
  maxRedirects: count(20, 'Redirects one behind the other. Browsers follow 20, curl 50, `requests` 30.', { min: 0 }),
  decompress: flag(true, 'Asks for compressed bodies and decodes them; false gives them as they are sent.'),
  compress: value<CodingName | undefined>(
    '"gzip", "deflate", "br" or "zstd"',
    undefined,
    'none',
    'The coding of the bodies of requests (RFC 9110 §8.4). The server has to know it; few do without being told.',
    (given): given is CodingName => ['gzip', 'deflate', 'br', 'zstd'].includes(String(given)),
  ),
  retries: count(
    2,
    'How often a request is sent again when no connection was made, the server broke off, or it answered 429, 502, 503 or 504. Only what may be done twice is (RFC 9110 §9.2.2).',
    { min: 0 },
  ),
}

export interface SessionSettings extends RequestSettings, PoolSettings, TimeoutSettings {
  readonly baseUrl: string | undefined
  readonly tls: TlsClientOptions | undefined
  readonly userAgent: string | readonly string[]
  readonly http2: boolean
  readonly maxRequestsPerSecond: number
  readonly maxRequestsPerOrigin: number
  readonly deduplicate: boolean
  readonly lookup: Lookup | undefined
  readonly network: MemoryNetwork | undefined
}

export const SESSION_OPTIONS: OptionSpecs<SessionSettings> = {
  ...REQUEST_SPECS,
  ...POOL_SPECS,
  ...TIMEOUT_SPECS,
  baseUrl: text(
    undefined,
    'What URLs that are not whole begin with: with `https://api.example/v1`, `users` is `https://api.example/v1/users`; `/users` is at the root.',
  ),
  tls: group<TlsClientOptions>(
    'tls',
    TLS_CLIENT_OPTIONS,
    'the system’s authorities',
    'The rules of TLS with servers: see “TLS of clients”.',
  ),
  userAgent: value<string | readonly string[]>(
    'a text, or a list of them',
    'moorage',
    '"moorage"',
    'What the requests call themselves; an empty text sends none. Of a list each request gets one by chance.',
    (given): given is string | readonly string[] =>
      typeof given === 'string' ||
      (Array.isArray(given) && given.length > 0 && given.every((each) => typeof each === 'string')),
  ),
  http2: flag(true, 'Offers HTTP/2 to servers over TLS (RFC 9113); false speaks HTTP/1.1 with all.'),
  maxRequestsPerSecond: rate(
    Infinity,
    'Requests that one origin is sent in a second, evenly; the others wait. With 0.5 there is one each two seconds.',
  ),
  maxRequestsPerOrigin: count(
    Infinity,
    'Requests to one origin that are under way at a time, whatever connections there are; the others wait.',
  ),
  deduplicate: flag(
    false,
    'A GET or HEAD that is equal to one under way waits for its response, and gets a copy; bodies are read whole then, up to maxBodyBytes.',
  ),
  lookup: value<Lookup | undefined>(
    'a function of the host',
    undefined,
    'the system’s',
    'Finds the addresses of a name, in place of the system: resolves to a list of `{ address, family }`.',
    (given): given is Lookup => typeof given === 'function',
  ),
  network: value<MemoryNetwork | undefined>(
    'a MemoryNetwork',
    undefined,
    'the system’s',
    'For tests: every origin is looked for in this network, by its host as the name of the endpoint.',
    (given): given is MemoryNetwork => given instanceof MemoryNetwork,
  ),
}

export type SessionOptions = { readonly [K in keyof SessionSettings]?: SessionSettings[K] | undefined } & {
  /** Where cookies are kept; false for none. Default: a jar of its own. */
  readonly cookies?: CookieJar | false | undefined
  /** Hosts that want to be asked by TLS alone (RFC 6797); false for none. Default: those that say so to this session. */
  readonly hsts?: HstsStore | false | undefined
  /** Is told of everything that the session does. Default: nobody. */
  readonly recorder?: HarRecorder | undefined
  /** Answers in place of the network. Default: nobody. */
  readonly replay?: HarReplay | undefined
  /** What was answered before, and may be again (RFC 9111). Default: none. */
  readonly cache?: HttpCache | undefined
  /** Goes where servers say that they are too (RFC 7838). Default: does not. */
  readonly altSvc?: AltSvcStore | undefined
  readonly hooks?: SessionHooks | undefined
}

/** Called with each request and response of a session: with those of redirects, too. What they throw, the request throws. */
export interface SessionHooks {
  /** Gives fields that are added, or take the place of those of their names. */
  beforeRequest?(request: HookedRequest): FieldInit | undefined | Promise<FieldInit | undefined>
  afterResponse?(response: ClientResponse): void | Promise<void>
}

export interface HookedRequest {
  readonly method: string
  /** Without user and password. */
  readonly url: string
  readonly headers: Fields
}

/**
 * What the head of a request says, in place of what the session would have said: fields are all there are, and the session
 * adds none (no cookies, no credentials, nothing for a proxy). Host stands first, and what frames the body last, unless
 * the fields have it with the very value that it has to have. It is that of the first request: those behind a redirect are
 * the session's own. No cache has a part in it.
 */
export type ExactHead = Pick<RequestStart, 'close' | 'expectsContinue'> &
  Partial<Pick<RequestStart, 'target' | 'host' | 'fields'>>

/** What only a request has. At most one of `body`, `form`, `json` and `multipart`. */
export interface RequestOptions extends Partial<{
  readonly [K in keyof RequestSettings]: RequestSettings[K] | undefined
}> {
  readonly signal?: AbortSignalLike | undefined
  readonly query?: QueryInit | undefined
  readonly body?: BodyInit | undefined
  readonly json?: unknown
  readonly form?: QueryInit | undefined
  readonly multipart?: MultipartInit | undefined
  /** The head, where it is to be the caller's own, byte for byte. */
  readonly head?: ExactHead | undefined
  /** Called with the number of bytes of the body that went out. */
  readonly onSent?: ((count: number) => void) | undefined
  /** Called with each response before the response (RFC 9110 §15.2): 103 with links, 104 of an upload. */
  readonly onInterim?: ((head: IncomingHead) => void) | undefined
  /** Called with each head as it goes out: of redirects, second tries and answers to challenges, too. It has the credentials. */
  readonly onHead?: ((head: string) => void) | undefined
}

/** Those of the session, with what the request says of its own. */
export function mergeRequest(session: SessionSettings, given: Readonly<Record<string, unknown>>): RequestSettings {
  const checked = readOptions('request', REQUEST_SPECS, given)
  const own = Object.entries(checked).filter(([name]) => given[name] !== undefined)
  return own.length === 0 ? session : { ...session, ...Object.fromEntries(own) }
}
