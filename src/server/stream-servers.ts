import type { Endpoint } from '../transport/endpoint.js'
import type { HandlerAdapter, StreamHandlerSource } from './handlers.js'
import {
  StreamServer,
  type PooledStreamServerOptions,
  type StreamServerOptions,
  type WorkerPlace,
} from './stream-server.js'

const SOCKETS = ['tcp', 'tls', 'unix', 'fd', 'memory'] as const

/** Serves `tcp:` endpoints, and inherited descriptors (`fd:`). */
export class TcpServer extends StreamServer {
  constructor(endpoint: string | Endpoint, handler: StreamHandlerSource, options?: StreamServerOptions)
  constructor(endpoint: string | Endpoint, handler: URL, options?: PooledStreamServerOptions)
  constructor(endpoint: string | Endpoint, handler: StreamHandlerSource | URL, options?: PooledStreamServerOptions) {
    super(['tcp', 'fd'], endpoint, handler, options, undefined)
  }
}

/** Serves `tls:` endpoints; the option `tls` has the certificate. */
export class TlsServer extends StreamServer {
  constructor(endpoint: string | Endpoint, handler: StreamHandlerSource, options?: StreamServerOptions)
  constructor(endpoint: string | Endpoint, handler: URL, options?: PooledStreamServerOptions)
  constructor(endpoint: string | Endpoint, handler: StreamHandlerSource | URL, options?: PooledStreamServerOptions) {
    super(['tls'], endpoint, handler, options, undefined)
  }
}

/** Serves `unix:` endpoints: a path, or an abstract name (`unix:@name`, Linux). */
export class UnixStreamServer extends StreamServer {
  constructor(endpoint: string | Endpoint, handler: StreamHandlerSource, options?: StreamServerOptions)
  constructor(endpoint: string | Endpoint, handler: URL, options?: PooledStreamServerOptions)
  constructor(endpoint: string | Endpoint, handler: StreamHandlerSource | URL, options?: PooledStreamServerOptions) {
    super(['unix', 'fd'], endpoint, handler, options, undefined)
  }
}

/** Serves any stream endpoint: what `serve` makes, and what stands in each worker of a pool that shares its port. */
export class AnyStreamServer extends StreamServer {
  constructor(
    endpoint: string | Endpoint,
    handler: unknown,
    options?: PooledStreamServerOptions,
    place?: WorkerPlace,
    adapter?: HandlerAdapter,
  ) {
    super(
      adapter === undefined ? SOCKETS : [...SOCKETS, 'http', 'https', 'http+unix'],
      endpoint,
      handler,
      options,
      place,
      adapter,
    )
  }
}
