import { readOptions } from '../base/options.js'
import type { StreamFunction } from '../server/handlers.js'
import { AnyStreamServer } from '../server/stream-servers.js'
import type { StreamServer, StreamServerOptions } from '../server/stream-server.js'
import { parseEndpoint } from '../transport/endpoint.js'
import { StreamConnection } from '../transport/stream-connection.js'
import { HTTP_OPTIONS, type HttpOptions } from './options.js'
import { serveConnection, type HttpFunction } from './serve-connection.js'

/** First slice: HTTP over a stream server. */
export async function serveHttp(
  endpoint: string,
  handler: HttpFunction,
  { http, ...options }: StreamServerOptions & { readonly http?: HttpOptions } = {},
): Promise<StreamServer> {
  const parsed = parseEndpoint(endpoint)
  const settings = readOptions('serveHttp', HTTP_OPTIONS, http)
  const service = { handler, settings, failed: (error: unknown): void => console.error(error) }
  const stream: StreamFunction = (connection) => {
    if (!(connection instanceof StreamConnection)) throw new TypeError('not a stream connection')
    return serveConnection(connection, service)
  }
  const asStream =
    'host' in parsed ? { ...parsed, scheme: parsed.scheme === 'https' ? ('tls' as const) : ('tcp' as const) } : parsed
  const server = new AnyStreamServer(asStream, stream, options)
  await server.listen()
  return server
}
