export { formatAddress, type Address, type IpAddress, type MemoryAddress, type UnixAddress } from './address.js'
export { connect, CONNECT_OPTIONS, type ConnectOptions } from './connect.js'
export type { CloseOptions, CloseReason, CloseReport, Connection, ReadOptions } from './connection.js'
export { CONNECTION_OPTIONS, type ConnectionOptions } from './connection-options.js'
export { formatEndpoint, parseEndpoint, type Endpoint, type Scheme } from './endpoint.js'
export type { FrameOptions, LengthPrefix, LineOptions } from './framed.js'
export { listen } from './listen.js'
export { LISTEN_OPTIONS, type ListenOptions } from './listen-options.js'
export type { Listener } from './listener.js'
export type {
  Credentials,
  PeerCertificate,
  StartTlsOptions,
  TlsClientOptions,
  TlsInfo,
  TlsServerOptions,
} from './tls-options.js'
