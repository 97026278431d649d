export { END, NEED_DATA, type Decoder, type End, type NeedData } from '../decoder.js'
export { SocksClient } from './client.js'
export type {
  SocksAddress,
  SocksClientEvent,
  SocksCommand,
  SocksConnected,
  SocksCredentials,
  SocksCredentialsEvent,
  SocksRefused,
  SocksRequest,
  SocksRequestEvent,
  SocksSend,
  SocksServerEvent,
} from './messages.js'
export { SOCKS4_REPLY, SOCKS5_REPLY } from './replies.js'
export { SOCKS_SERVER_OPTIONS, SocksServer, type SocksServerOptions, type SocksServerSettings } from './server.js'
