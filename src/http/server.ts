import { UsageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import {
  STREAM_SERVER_OPTIONS,
  type AnyModelOption,
  type CommonServerOptions,
  type LocalModelOption,
} from '../server/server-options.js'
import { StreamServer } from '../server/stream-server.js'
import { formatEndpoint, parseEndpoint, type Endpoint } from '../transport/endpoint.js'
import { adapter } from './adapter.js'
import type { HttpHandlerSource } from './handlers.js'
import { HTTP_OPTIONS, type HttpOptions } from './options.js'

export type HttpServerOptions = CommonServerOptions & LocalModelOption & HttpOptions
export type PooledHttpServerOptions = CommonServerOptions & AnyModelOption & HttpOptions

/** What a client is told that there is no room for. It is written without a request having been read. */
const BUSY =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\nConnection: close\r\n\r\nService Unavailable\n'

/** Serves HTTP on `http:`, `https:` and `http+unix:` endpoints, under every concurrency model. */
export class HttpServer extends StreamServer {
  /** @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME`, `ERR_OPTION_…`, `ERR_HANDLER`. */
  constructor(endpoint: string | Endpoint, handler: HttpHandlerSource, options?: HttpServerOptions)
  constructor(endpoint: string | Endpoint, handler: URL, options?: PooledHttpServerOptions)
  /** For a handler of which only the run knows what it is. */
  constructor(endpoint: string | Endpoint, handler: HttpHandlerSource | URL, options?: PooledHttpServerOptions)
  constructor(endpoint: string | Endpoint, handler: HttpHandlerSource | URL, options?: PooledHttpServerOptions) {
    const parsed = readEndpoint(endpoint)
    const { http, rest } = splitOptions(options)
    const settings = readOptions('the server', HTTP_OPTIONS, http)
    if (parsed.scheme === 'http' && rest.tls !== undefined)
      throw new UsageError('ERR_OPTION_VALUE', `Cannot use the option "tls" on ${formatEndpoint(parsed)}: use https:`)
    super(['http', 'https', 'http+unix', 'fd', 'memory'], parsed, handler, { refusal: BUSY, ...rest }, undefined, {
      ...adapter,
      settings,
    })
  }
}

/** Also for programs that are not checked by types: other servers take a port. */
function readEndpoint(endpoint: unknown): Endpoint {
  if (typeof endpoint === 'string') return parseEndpoint(endpoint)
  if (isEndpoint(endpoint)) return endpoint
  throw new UsageError(
    'ERR_ENDPOINT',
    `Cannot serve on a value of type ${typeof endpoint}: expected an endpoint, as in http://127.0.0.1:8000`,
  )
}

const isEndpoint = (endpoint: unknown): endpoint is Endpoint =>
  typeof endpoint === 'object' && endpoint !== null && 'scheme' in endpoint

/** Each is the server's or that of HTTP; the name that is meant by one that is not there may be of either. */
const ALL_OPTIONS = { ...STREAM_SERVER_OPTIONS, ...HTTP_OPTIONS }

/** What the HTTP engine and its loop take, and what is the server's. @throws UsageError `ERR_OPTION_UNKNOWN`. */
function splitOptions(options: PooledHttpServerOptions | undefined): {
  readonly http: HttpOptions
  readonly rest: CommonServerOptions & AnyModelOption
} {
  const http: [string, unknown][] = []
  const rest: [string, unknown][] = []
  for (const [name, value] of Object.entries(options ?? {})) {
    if (!(name in ALL_OPTIONS)) readOptions('the server', ALL_OPTIONS, Object.fromEntries([[name, value]]))
    const list = name in HTTP_OPTIONS ? http : rest
    list.push([name, value])
  }
  return { http: Object.fromEntries(http), rest: Object.fromEntries(rest) }
}

/**
 * Listens for HTTP and answers requests with the handler. Resolves once clients can connect; then
 * `await server.serveForever()`, or use `await using`.
 * @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME`, `ERR_OPTION_…`, `ERR_HANDLER`, `ERR_HANDLER_MODULE`;
 *   NetError `ERR_ADDRESS_IN_USE` and the others of `listen`.
 * @example
 * const server = await serveHttp('http://127.0.0.1:8000', (request) => text(`You asked for ${request.path}\n`))
 */
export function serveHttp(
  endpoint: string | Endpoint,
  handler: HttpHandlerSource,
  options?: HttpServerOptions,
): Promise<HttpServer>
export function serveHttp(
  endpoint: string | Endpoint,
  handler: URL,
  options?: PooledHttpServerOptions,
): Promise<HttpServer>
export async function serveHttp(
  endpoint: string | Endpoint,
  handler: HttpHandlerSource | URL,
  options?: PooledHttpServerOptions,
): Promise<HttpServer> {
  const server = new HttpServer(endpoint, handler, options)
  await server.listen()
  return server
}
