export {
  BaseServer,
  type HandleRequestOptions,
  type ServeForeverOptions,
  type ServerCloseOptions,
  type ServerState,
} from './base-server.js'
export { CHANNELS } from './channels.js'
export {
  DatagramHandler,
  StreamHandler,
  type DatagramFunction,
  type IncomingDatagram,
  type ServerContext,
  type StreamFunction,
} from './handlers.js'
export type { DatagramMetricsSnapshot } from './datagram-metrics.js'
export { DatagramServer, UdpServer, UnixDatagramServer, type DatagramServerOptions } from './datagram-server.js'
export type { MetricsSnapshot, RefusalReason } from './metrics.js'
export { concurrent, processes, serial, threads, type Model } from './models/model.js'
export type { CutConnection, Outcome, ShutdownReport } from './outcome.js'
export { Protocol, protocolHandler, type ProtocolTransport } from './protocol.js'
export { serve } from './serve.js'
export { StreamServer, type PooledStreamServerOptions, type StreamServerOptions } from './stream-server.js'
export { TcpServer, TlsServer, UnixStreamServer } from './stream-servers.js'
