export { END, NEED_DATA, type Decoder, type End, type NeedData } from '../decoder.js'
export {
  PROXY_HEADER_OPTIONS,
  ProxyHeaderDecoder,
  type ProxyHeaderEvent,
  type ProxyHeaderOptions,
  type ProxyHeaderSettings,
} from './decoder.js'
export { encodeProxyHeader } from './encode.js'
export type {
  ProxyAddress,
  ProxyHeader,
  ProxyIpAddress,
  ProxyRoute,
  ProxyTls,
  ProxyTlv,
  ProxyUnixAddress,
} from './header.js'
