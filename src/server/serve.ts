import { parseEndpoint, type Endpoint } from '../transport/endpoint.js'
import type { StreamHandlerSource } from './handlers.js'
import { AnyStreamServer } from './stream-servers.js'
import type { PooledStreamServerOptions, StreamServer, StreamServerOptions } from './stream-server.js'

/**
 * Listens on a socket endpoint and handles what comes: a connection each under `tcp:`, `tls:`, `unix:`, `memory:` and
 * `fd:`. Resolves once clients can connect; then `await server.serveForever()`, or use `await using`.
 * @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME` (with the door for that scheme), `ERR_OPTION_…`,
 *   `ERR_HANDLER`, `ERR_HANDLER_MODULE`, `ERR_MODEL_UNSUPPORTED`; NetError `ERR_ADDRESS_IN_USE` and the others of `listen`.
 * @example
 * const server = await serve('tcp://127.0.0.1:0', async (connection) => {
 *   for await (const line of connection.lines()) await connection.write(line)
 * })
 */
export function serve(
  endpoint: string | Endpoint,
  handler: StreamHandlerSource,
  options?: StreamServerOptions,
): Promise<StreamServer>
export function serve(
  endpoint: string | Endpoint,
  handler: URL,
  options?: PooledStreamServerOptions,
): Promise<StreamServer>
export async function serve(
  endpoint: string | Endpoint,
  handler: StreamHandlerSource | URL,
  options?: PooledStreamServerOptions,
): Promise<StreamServer> {
  const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
  const server = new AnyStreamServer(parsed, handler, options)
  await server.listen()
  return server
}
