import { UsageError } from '../base/errors.js'
import { group, nearestName, readOptions, text, value, type OptionSpec, type OptionSpecs } from '../base/options.js'
import { formatBasicCredentials } from '../engine/http/basic.js'
import { isFieldValue } from '../engine/http/characters.js'
import { fieldPairs, type FieldInit } from '../engine/http/fields.js'
import { encodeRequestHead } from '../engine/http1/encode-request.js'
import { SocksClient } from '../engine/socks/client.js'
import type { SocksAddress, SocksRequest } from '../engine/socks/messages.js'
import { TLS_CLIENT_OPTIONS, type TlsClientOptions } from './tls-options.js'

export interface ProxyOptions {
  readonly url: string
  readonly headers?: FieldInit
  readonly tls?: TlsClientOptions
}

type Given<O> = { readonly [K in keyof O]-?: O[K] | undefined }
type Pair = readonly [name: string, value: string]

export const PROXY_OPTIONS: OptionSpecs<Given<ProxyOptions>> = {
  url: text(
    undefined,
    'Where it is and what it speaks: `http:` and `https:` (HTTP CONNECT), `socks4:`, `socks4a:`, `socks5:` (the name of the target is resolved here), `socks5h:` (there); with `user:password@` where it wants them, %-escaped. The ports are 80, 443 and 1080 where none is given.',
  ),
  headers: value<FieldInit | undefined>(
    'fields ({ "user-agent": "…" })',
    undefined,
    'none',
    'What CONNECT is sent with; a `proxy-authorization` takes the place of the one from the URL. SOCKS has none.',
    (given): given is FieldInit => typeof given === 'object' && given !== null,
  ),
  tls: group<TlsClientOptions>(
    'tls',
    TLS_CLIENT_OPTIONS,
    'the system’s authorities',
    'The rules of TLS to an `https:` proxy.',
  ),
}

export type ProxyScheme = 'http' | 'https' | 'socks4' | 'socks4a' | 'socks5' | 'socks5h'

const PORTS: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
}
const SCHEMES = Object.keys(PORTS)
const isScheme = (scheme: string): scheme is ProxyScheme => scheme in PORTS

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(?:([^@/?#]*)@)?(\[[^\]@/?#]*\]|[^@:/?#[\]]*)(?::([^:@/?#]*))?(\/?)$/is
const HOST = /^(?:[\w.-]+|\[[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?\])$/i
const RIGHT = 'http://user:password@proxy.example:3128'

/** A proxy, parsed once. What is secret of it does not show when it is printed. */
export class ProxyServer {
  readonly scheme: ProxyScheme
  /** IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly #user: string | undefined
  readonly #password: string
  readonly #headers: readonly Pair[]
  readonly #tls: TlsClientOptions
  #answer: ((method: string, target: string) => string | undefined) | undefined

  /** @throws UsageError `ERR_PROXY_URL`, naming the part that is wrong, without user and password; `ERR_ARGUMENT`. */
  constructor({ url, headers = [], tls = {} }: ProxyOptions) {
    const [, scheme = '', credentials = '', host = '', port] = PARTS.exec(url) ?? malformed(url, reasonOf(url))
    const known = scheme.toLowerCase()
    if (!isScheme(known)) malformed(url, unknownScheme(known))
    if (!HOST.test(host)) malformed(url, host === '' ? 'the host is missing' : `"${host}" is no host`)
    this.scheme = known
    this.host = host.replace(/^\[|\]$/g, '')
    this.port = port === undefined ? PORTS[known] : parsePort(url, port)
    const [user, password] = parseCredentials(url, credentials)
    this.#user = user
    this.#password = password ?? ''
    if (known.startsWith('socks4') && password !== undefined) malformed(url, 'SOCKS4 has a user, and no password')
    this.#tls = tls
    this.#headers = [...fieldPairs(headers)]
    this.#check(url)
  }

  /** Tried once here, so that no connection is made for what cannot be said. */
  #check(url: string): void {
    if (this.isSocks) {
      if (this.#headers.length > 0) malformed(url, 'SOCKS has no headers')
      void new SocksClient(this.socksRequest({ host: '192.0.2.1', port: 1 }))
      return
    }
    for (const [name, line] of this.#headers)
      if (!isFieldValue(line)) malformed(url, `the header ${JSON.stringify(name)} has a value that cannot be sent`)
    encodeRequestHead({ method: 'CONNECT', target: 'target:1', host: 'target:1', fields: this.headers })
  }

  get isSocks(): boolean {
    return this.scheme !== 'http' && this.scheme !== 'https'
  }

  /** Whether the target's name is to be resolved on this side. */
  get resolvesHere(): boolean {
    return this.scheme === 'socks4' || this.scheme === 'socks5'
  }

  get tls(): TlsClientOptions {
    return this.#tls
  }

  /** What a request to an HTTP proxy is sent with, `Proxy-Authorization` among them. */
  get headers(): readonly Pair[] {
    if (this.#user === undefined || this.#headers.some(([name]) => name.toLowerCase() === 'proxy-authorization'))
      return this.#headers
    const authorization = formatBasicCredentials({ user: this.#user, password: this.#password })
    return [['Proxy-Authorization', authorization], ...this.#headers]
  }

  /** What the URL says, for answers that `headers` has not: Digest. `undefined` where it says nothing. */
  get credentials(): { readonly user: string; readonly password: string } | undefined {
    return this.#user === undefined ? undefined : { user: this.#user, password: this.#password }
  }

  /** From now on each request is sent with what this says in place of Basic; where it says nothing, as before. */
  answerWith(answer: (method: string, target: string) => string | undefined): void {
    this.#answer = answer
  }

  /** `headers` of one request. */
  headersOf(method: string, target: string): readonly Pair[] {
    const answer = this.#answer?.(method, target)
    if (answer === undefined) return this.headers
    const others = this.#headers.filter(([name]) => name.toLowerCase() !== 'proxy-authorization')
    return [['Proxy-Authorization', answer], ...others]
  }

  /** What a SOCKS proxy is asked with. */
  socksRequest(target: SocksAddress): SocksRequest {
    const user = this.#user
    if (this.scheme === 'socks4' || this.scheme === 'socks4a')
      return { version: this.scheme === 'socks4' ? 4 : '4a', target, user }
    return { version: 5, target, credentials: user === undefined ? undefined : { user, password: this.#password } }
  }

  /** Its URL, without user and password. */
  toString(): string {
    return `${this.scheme}://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }
}

/** @throws UsageError `ERR_PROXY_URL`, `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`, `ERR_ARGUMENT`. */
export function parseProxy(given: unknown): ProxyServer {
  if (given instanceof ProxyServer) return given
  if (typeof given === 'string') return new ProxyServer({ url: given })
  if (typeof given !== 'object' || given === null) malformed('', 'it is neither a URL nor { url, headers, tls }')
  const { url, headers, tls } = readOptions('proxy', PROXY_OPTIONS, given)
  if (url === undefined) malformed('', 'the url is missing')
  return new ProxyServer({ url, ...(headers === undefined ? {} : { headers }), ...(tls === undefined ? {} : { tls }) })
}

/** The option `proxy` of whatever connects. */
export const proxyOption = (doc: string): OptionSpec<ProxyServer | undefined> => ({
  kind: 'a URL, or { url, headers, tls }',
  fallback: undefined,
  shown: 'none',
  doc,
  read: parseProxy,
})

function parsePort(url: string, text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535 || port === 0) malformed(url, 'the port is not a number from 1 to 65535')
  return port
}

function parseCredentials(url: string, text: string): [user: string | undefined, password: string | undefined] {
  if (text === '') return [undefined, undefined]
  const colon = text.indexOf(':')
  try {
    const user = decodeURIComponent(colon === -1 ? text : text.slice(0, colon))
    return [user, colon === -1 ? undefined : decodeURIComponent(text.slice(colon + 1))]
  } catch {
    return malformed(url, 'the user or the password has a malformed %-escape')
  }
}

/** Why a text is none of the parts of a URL. */
function reasonOf(url: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return 'a scheme and "//" are missing in front'
  if ((url.match(/@/g) ?? []).length > 1 || /[/?#].*@/s.test(url.replace(/^[^/]*\/\//, '')))
    return 'the user or the password has a character that wants a %-escape'
  if (/[/?#]./s.test(url.replace(/^[^/]*\/\//, ''))) return 'a path, a query or a fragment has no meaning there'
  return 'host and port cannot be told apart; an IPv6 address wants brackets'
}

function unknownScheme(scheme: string): string {
  const nearest = nearestName(scheme, SCHEMES)
  return `the scheme "${scheme}" is unknown, ${nearest === undefined ? `one of ${SCHEMES.join(', ')} is expected` : `did you mean "${nearest}"?`}`
}

/** The text is shown without what stands before an @, or where a port should: it may be a user and a password. */
function malformed(url: string, problem: string): never {
  const shown = url
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@')
    .replace(/:(?!\d{1,5}\/?$)(?!\/\/)[^:@\]]*$/, ':…')
    .slice(0, 200)
  throw new UsageError(
    'ERR_PROXY_URL',
    `Cannot use the proxy ${JSON.stringify(shown)}: ${problem}; a right one is ${RIGHT}`,
    {
      details: { proxy: shown },
    },
  )
}
