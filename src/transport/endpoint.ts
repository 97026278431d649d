import { hideCredentials } from './hidden-secrets.js'
import { UsageError } from '../base/errors.js'
import { nearestName } from '../base/options.js'

/** Schemes whose address is a host and a port. */
export type HostScheme = 'tcp' | 'tls' | 'udp' | 'http' | 'https' | 'ws' | 'wss'
/** Schemes whose address is a path of a Unix socket; `@name` is an abstract name (Linux). */
export type PathScheme = 'unix' | 'unixgram' | 'http+unix'
export type Scheme = HostScheme | PathScheme | 'fd' | 'memory'

/** Parameters after `?`, in the order given; names are not repeated. */
export type EndpointParameters = Readonly<Record<string, string>>

export interface HostEndpoint {
  readonly scheme: HostScheme
  /** A name or numeric address, IPv6 without brackets; '' means all addresses of the machine. */
  readonly host: string
  /** 0 to 65535; 0 means any, when listening. */
  readonly port: number
  /** For `http`, `https`, `ws`, `wss`: the path, from its `/`; else ''. */
  readonly path: string
  readonly parameters: EndpointParameters
}

export interface PathEndpoint {
  readonly scheme: PathScheme
  readonly path: string
  readonly parameters: EndpointParameters
}

export interface DescriptorEndpoint {
  readonly scheme: 'fd'
  /** The number of the inherited descriptor, 3 or higher in practice. */
  readonly descriptor: number
  readonly parameters: EndpointParameters
}

export interface MemoryEndpoint {
  readonly scheme: 'memory'
  readonly name: string
  readonly parameters: EndpointParameters
}

export type Endpoint = HostEndpoint | PathEndpoint | DescriptorEndpoint | MemoryEndpoint

const DEFAULT_PORTS: Readonly<Partial<Record<HostScheme, number>>> = { http: 80, https: 443, ws: 80, wss: 443 }
const HOST_SCHEMES: readonly HostScheme[] = ['tcp', 'tls', 'udp', 'http', 'https', 'ws', 'wss']
const PATH_SCHEMES: readonly PathScheme[] = ['unix', 'unixgram', 'http+unix']
const SCHEMES: readonly string[] = [...HOST_SCHEMES, ...PATH_SCHEMES, 'fd', 'memory']

const isHostScheme = (scheme: string): scheme is HostScheme => HOST_SCHEMES.some((known) => known === scheme)
const isPathScheme = (scheme: string): scheme is PathScheme => PATH_SCHEMES.some((known) => known === scheme)

/**
 * Reads an endpoint: `tcp://127.0.0.1:9000`, `tls://host:443?alpn=h2`, `udp://[::1]:53`, `unix:/run/app.sock`,
 * `unixgram:/run/app.sock`, `unix:@name`, `fd:3`, `memory:name`, `http://…`, `ws://…`, `http+unix:/run/app.sock`.
 * A parameter value and a path may hold %-escapes (needed for `?` and `%`).
 * @throws UsageError `ERR_ENDPOINT`, naming the part that is wrong and showing a right one.
 */
export function parseEndpoint(text: string): Endpoint {
  const colon = text.indexOf(':')
  const scheme = colon === -1 ? '' : text.slice(0, colon).toLowerCase()
  if (!SCHEMES.includes(scheme)) throw unknownScheme(text, scheme)
  const [address, query] = cut(text.slice(colon + 1), '?')
  const parameters = parseParameters(text, query)
  if (isHostScheme(scheme)) return parseHostEndpoint(text, scheme, address, parameters)
  if (isPathScheme(scheme)) return { scheme, path: parsePath(text, scheme, address), parameters }
  if (scheme === 'fd') {
    if (!/^\d{1,9}$/.test(address)) throw malformed(text, `the descriptor "${address}" is not a number`, 'fd:3')
    return { scheme, descriptor: Number(address), parameters }
  }
  if (address === '') throw malformed(text, 'the name is missing', 'memory:name')
  return { scheme: 'memory', name: unescape(text, 'name', address), parameters }
}

/** The text of an endpoint: `parseEndpoint(formatEndpoint(e))` equals `e`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const query = Object.entries(endpoint.parameters)
    .map(([name, value]) =>
      value === '' ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    )
    .join('&')
  return query === '' ? formatTarget(endpoint) : `${formatTarget(endpoint)}?${query}`
}

/** The endpoint that was asked for, where it really is: with the host and port of `bound`, and without parameters. */
export function relocateEndpoint(asked: Endpoint, bound: Endpoint | undefined): Endpoint {
  if (bound === undefined || !('port' in asked) || !('port' in bound)) return { ...asked, parameters: {} }
  return { ...asked, host: bound.host, port: bound.port, parameters: {} }
}

function formatTarget(endpoint: Endpoint): string {
  switch (endpoint.scheme) {
    case 'fd':
      return `fd:${endpoint.descriptor}`
    case 'memory':
      return `memory:${escapePath(endpoint.name)}`
    case 'unix':
    case 'unixgram':
    case 'http+unix':
      return `${endpoint.scheme}:${escapePath(endpoint.path)}`
    default: {
      const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
      return `${endpoint.scheme}://${host}:${endpoint.port}${endpoint.path}`
    }
  }
}

const escapePath = (path: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
  path.replaceAll(/[%?\u0000-\u0020\u007f]/g, (character) => encodeURIComponent(character))

function parseHostEndpoint(
  text: string,
  scheme: HostScheme,
  address: string,
  parameters: EndpointParameters,
): HostEndpoint {
  const right = `${scheme}://127.0.0.1:9000`
  if (!address.startsWith('//')) throw malformed(text, 'the "//" after the scheme is missing', right)
  const slash = address.indexOf('/', 2)
  const authority = slash === -1 ? address.slice(2) : address.slice(2, slash)
  const path = slash === -1 ? '' : address.slice(slash)
  const takesPath = DEFAULT_PORTS[scheme] !== undefined
  if (!takesPath && path !== '') throw malformed(text, `a path ("${path}") has no meaning here`, right)
  if (authority.includes('@')) throw malformed(text, 'a user name or password has no place in an endpoint', right)
  const [host, portText] = splitAuthority(text, scheme, authority)
  const port = parsePort(text, scheme, portText)
  return { scheme, host, port, path, parameters }
}

function splitAuthority(text: string, scheme: HostScheme, authority: string): [host: string, port: string | undefined] {
  if (authority.startsWith('[')) {
    const close = authority.indexOf(']')
    if (close === -1) throw malformed(text, 'the "]" after the IPv6 address is missing', `${scheme}://[::1]:9000`)
    const host = authority.slice(1, close)
    if (!/^[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i.test(host))
      throw malformed(text, `"${host}" is not an IPv6 address`, `${scheme}://[::1]:9000`)
    const rest = authority.slice(close + 1)
    if (rest !== '' && !rest.startsWith(':'))
      throw malformed(text, `"${rest}" stands after the IPv6 address`, `${scheme}://[::1]:9000`)
    return [host, rest === '' ? undefined : rest.slice(1)]
  }
  const parts = authority.split(':')
  if (parts.length > 2) throw malformed(text, 'an IPv6 address wants brackets', `${scheme}://[::1]:9000`)
  const host = parts[0] ?? ''
  if (!/^[\w.*-]*$/u.test(host))
    throw malformed(text, `the host "${host}" has a character that no host name has`, `${scheme}://127.0.0.1:9000`)
  return [host === '*' ? '' : host, parts[1]]
}

function parsePort(text: string, scheme: HostScheme, portText: string | undefined): number {
  const right = `${scheme}://127.0.0.1:9000`
  if (portText === undefined) {
    const port = DEFAULT_PORTS[scheme]
    if (port === undefined) throw malformed(text, 'the port is missing', right)
    return port
  }
  const port = Number(portText)
  if (!/^\d{1,5}$/.test(portText) || port > 65535) {
    // It may be the beginning of a password with a slash in it.
    const shown = text.includes('@') ? '' : ` "${portText}"`
    throw malformed(text, `the port${shown} is not a number from 0 to 65535`, right)
  }
  return port
}

function parsePath(text: string, scheme: PathScheme, address: string): string {
  const right = `${scheme}:/run/app.sock`
  if (address === '' || address === '@') throw malformed(text, 'the path is missing', right)
  const path = unescape(text, 'path', address.startsWith('///') ? address.slice(2) : address)
  if (path.startsWith('//')) throw malformed(text, 'a path wants one slash', right)
  if (path.includes('\0'))
    throw malformed(text, 'a path cannot hold a zero byte; an abstract name is written "@name"', right)
  return path
}

function parseParameters(text: string, query: string | undefined): EndpointParameters {
  const parameters: Record<string, string> = {}
  for (const pair of (query ?? '').split('&')) {
    if (pair === '') continue
    const [name, value] = cut(pair, '=')
    const known = unescape(text, 'parameter', name)
    if (Object.hasOwn(parameters, known))
      throw malformed(text, `the parameter "${known}" stands twice`, 'tcp://127.0.0.1:9000?backlog=1024')
    Object.defineProperty(parameters, known, { value: unescape(text, 'parameter', value ?? ''), enumerable: true })
  }
  return parameters
}

function cut(text: string, at: string): [before: string, after: string | undefined] {
  const index = text.indexOf(at)
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)]
}

function unescape(text: string, part: string, escaped: string): string {
  try {
    return decodeURIComponent(escaped)
  } catch (cause) {
    throw malformed(text, `the ${part} "${escaped}" has a malformed %-escape`, '%3F for "?"', cause)
  }
}

function unknownScheme(text: string, scheme: string): UsageError {
  const nearest = scheme === '' ? undefined : nearestName(scheme, SCHEMES)
  const hint = nearest === undefined ? `one of ${SCHEMES.join(', ')} is expected` : `did you mean "${nearest}"?`
  return malformed(
    text,
    scheme === '' ? 'the scheme is missing' : `the scheme "${scheme}" is unknown, ${hint}`,
    'tcp://127.0.0.1:9000',
  )
}

function malformed(text: string, problem: string, right: string, cause?: unknown): UsageError {
  const safe = hideCredentials(text)
  const shown = safe.length > 200 ? `${safe.slice(0, 200)}…` : safe
  return new UsageError(
    'ERR_ENDPOINT',
    `Cannot read endpoint ${JSON.stringify(shown)}: ${problem}; a right one is ${right}`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { endpoint: shown },
    },
  )
}
