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
export {
  CONNECT_DATAGRAM_OPTIONS,
  DATAGRAM_OPTIONS,
  type ConnectDatagramOptions,
  type DatagramOptions,
} from './datagram-options.js'
export type { Datagram, DatagramSocket, DatagramStatistics } from './datagram-socket.js'
export { adoptDatagram, bindDatagram, connectDatagram } from './datagrams.js'
export { FakeClock } from './memory/fake-clock.js'
export { MemoryNetwork } from './memory/network.js'
export { NETWORK_OPTIONS, type NetworkOptions } from './memory/network-options.js'
export type { HostAddress, Lookup } from './node/resolve-all.js'
export { sdNotify, watchdogIntervalMs } from './node/sd-notify.js'
export { parseProxy, PROXY_OPTIONS, type ProxyOptions, type ProxyScheme, type ProxyServer } from './proxy-server.js'
export { request, type RequestOptions } from './udp-request.js'
