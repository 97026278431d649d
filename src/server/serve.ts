import { parseEndpoint, type Endpoint } from '../transport/endpoint.js'
import {
  AnyDatagramServer,
  type DatagramServer,
  type DatagramServerOptions,
  type PooledDatagramServerOptions,
} from './datagram-server.js'
import type { DatagramHandlerSource, StreamHandlerSource } from './handlers.js'
import { AnyStreamServer } from './stream-servers.js'
import type { PooledStreamServerOptions, StreamServer, StreamServerOptions } from './stream-server.js'

/** Endpoints whose handler gets datagrams. */
export type DatagramEndpoint = `udp:${string}` | `unixgram:${string}`

/**
 * Listens on a socket endpoint and handles what comes: connections under `tcp:`, `tls:`, `unix:`, `memory:` and `fd:`,
 * datagrams under `udp:` and `unixgram:`. Resolves once clients can connect; then `await server.serveForever()`, or use
 * `await using`. Under `threads()` and `processes()` the handler is the URL of a module with a default export.
 * @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME` (with the door for that scheme), `ERR_OPTION_…`,
 *   `ERR_HANDLER`, `ERR_HANDLER_MODULE`, `ERR_MODEL_UNSUPPORTED`; NetError `ERR_ADDRESS_IN_USE` and the others of `listen`.
 * @example
 * const server = await serve('tcp://127.0.0.1:0', async (connection) => {
 *   for await (const line of connection.lines()) await connection.write(line)
 * })
 */
export function serve(
  endpoint: DatagramEndpoint,
  handler: DatagramHandlerSource,
  options?: DatagramServerOptions,
): Promise<DatagramServer>
export function serve(
  endpoint: DatagramEndpoint,
  handler: URL,
  options?: PooledDatagramServerOptions,
): Promise<DatagramServer>
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
  handler: StreamHandlerSource | DatagramHandlerSource | URL,
  options?: PooledStreamServerOptions | PooledDatagramServerOptions,
): Promise<StreamServer | DatagramServer> {
  const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
  const isDatagram = parsed.scheme === 'udp' || parsed.scheme === 'unixgram'
  const server = isDatagram
    ? new AnyDatagramServer(parsed, handler as DatagramHandlerSource | URL, options)
    : new AnyStreamServer(parsed, handler, options)
  await server.listen()
  return server
}
