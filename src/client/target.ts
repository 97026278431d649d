import { UsageError } from '../base/errors.js'
import { hideSecrets } from '../transport/hidden-secrets.js'
import { formatEndpoint, parseEndpoint, type Endpoint } from '../transport/endpoint.js'

/** Where a URL leads, and what is asked for there. */
export interface Target {
  /** Without fragment, user and password: for people, errors and logs too. */
  readonly href: string
  readonly origin: string
  readonly isTls: boolean
  /** A name or an address, without brackets. */
  readonly hostname: string
  readonly port: number
  /** What the Host field says: a port stands there where it is not the usual one. */
  readonly host: string
  /** Path and query. */
  readonly path: string
  readonly endpoint: Endpoint
  /** Of the URL; its owner moves them to where they belong. */
  readonly user: string | undefined
  readonly password: string | undefined
  /** What stands behind "#", which no server is told. */
  readonly fragment: string
}

const MAX_KNOWN = 256
const known = new Map<string, Target>()

/**
 * `http:`, `https:` and `http+unix:` URLs (`http+unix:/run/app.sock:/path`), parsed as browsers do (WHATWG URL).
 * @throws UsageError `ERR_URL`, which names what is wrong, without secrets.
 */
export function parseTarget(url: string | URL, base?: URL | string): Target {
  if (typeof url === 'string' && base === undefined) {
    const found = known.get(url)
    if (found !== undefined) return found
    const made = makeTarget(url, undefined)
    // A crawler has millions of them, a service a few.
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(url, made)
    return made
  }
  return makeTarget(url, base)
}

function makeTarget(url: string | URL, base: URL | string | undefined): Target {
  const text = String(url)
  // Only whoever has this program's own rights names a socket: a server that redirects does not.
  if (base === undefined && isOfSocket(text)) return unixTarget(text)
  if (base !== undefined && isOfSocket(String(base)) && isPath(text)) return unixTarget(onSocket(text, String(base)))
  let parsed: URL
  try {
    parsed = new URL(text, base)
  } catch {
    // What is thrown has the whole URL, with its password: it is no cause to be shown.
    throw wrongUrl(text, 'it is no URL')
  }
  const isTls = parsed.protocol === 'https:'
  if (!isTls && parsed.protocol !== 'http:') throw wrongUrl(text, `the scheme ${parsed.protocol} is not one of HTTP`)
  const { host, username, password } = parsed
  const hostname = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = parsed.port === '' ? (isTls ? 443 : 80) : Number(parsed.port)
  const path = parsed.pathname + parsed.search
  return Object.freeze({
    href: `${parsed.origin}${path}`,
    origin: parsed.origin,
    isTls,
    hostname,
    port,
    host,
    path,
    endpoint: parseEndpoint(`tcp://${parsed.hostname}:${port}`),
    user: decoded(text, username),
    password: decoded(text, password),
    fragment: parsed.hash.slice(1),
  })
}

const isOfSocket = (url: string): boolean => /^http\+unix:/i.test(url)

/** It names no scheme and no host: it stays where the base is. */
const isPath = (reference: string): boolean => !/^(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(reference)

/** WHATWG URL takes the socket for a part of the path: the reference is resolved against what stands behind it. */
function onSocket(reference: string, base: string): string {
  const { origin, path } = unixTarget(base)
  const { pathname, search, hash } = new URL(reference, `http://localhost${path}`)
  return `${origin}:${pathname}${search}${hash}`
}

/** As `new URL(reference, base).href`, also where the base is on a Unix socket. @throws TypeError for what is no URL. */
export const resolveUrl = (reference: string, base: string): string =>
  isOfSocket(base) && isPath(reference) ? onSocket(reference, base) : new URL(reference, base).href

/**
 * Who answers for the URL: each Unix socket is an origin of its own, and `URL.origin` says "null" for all of them.
 * @throws TypeError for what is no URL; UsageError `ERR_URL` for a socket without a path.
 */
export const originOf = (url: string): string => (isOfSocket(url) ? unixTarget(url).origin : new URL(url).origin)

/** The path of the socket goes up to the next colon: `http+unix:/run/app.sock:/status?full`. */
function unixTarget(text: string): Target {
  const [, socket = '', path = '/'] = /^http\+unix:(?:\/\/(?=\/))?([^:?#]+)(?::(\/[^#]*))?(?:#.*)?$/i.exec(text) ?? []
  if (socket === '') throw wrongUrl(text, 'expected the path of a socket, as in http+unix:/run/app.sock:/path')
  const endpoint = parseEndpoint(`unix:${socket}`)
  const origin = `http+${formatEndpoint(endpoint)}`
  const { pathname, search } = new URL(path, 'http://localhost')
  return Object.freeze({
    href: `${origin}:${pathname}${search}`,
    origin,
    isTls: false,
    hostname: 'localhost',
    port: 80,
    host: 'localhost',
    path: pathname + search,
    endpoint,
    user: undefined,
    password: undefined,
    fragment: '',
  })
}

/** The same in a network of memory: the host is the name of the endpoint. */
export const inMemory = (target: Target): Target => ({
  ...target,
  endpoint: { scheme: 'memory', name: target.hostname, parameters: {} },
})

function decoded(url: string, text: string): string | undefined {
  if (text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrongUrl(url, 'its user or password has a "%" that encodes nothing')
  }
}

const wrongUrl = (url: string, why: string): UsageError =>
  new UsageError(
    'ERR_URL',
    `Cannot use the URL ${JSON.stringify(hideSecrets(url).slice(0, 200))}: ${why}; a right one is http://127.0.0.1:8000/`,
  )
