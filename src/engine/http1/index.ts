export { END, NEED_DATA, type End, type NeedData } from '../decoder.js'
export { MESSAGE_END, type DataEvent, type Latin1, type MessageEnd } from './body-reader.js'
export { ClientConnection, type ClientEvent } from './client-connection.js'
export type { RequestStart } from './encode-request.js'
export type { ResponseStart } from './encode.js'
export { PAUSED, SWITCHED_AWAY, type Paused, type Switched } from './events.js'
export { RequestHead, ResponseHead, type BodyLength, type RequestFacts, type ResponseFacts } from './message-head.js'
export {
  HTTP1_CLIENT_OPTIONS,
  HTTP1_OPTIONS,
  readHttp1ClientOptions,
  readHttp1Options,
  type Http1ClientOptions,
  type Http1ClientSettings,
  type Http1Options,
  type Http1Settings,
} from './options.js'
export { ServerConnection, type ServerEvent } from './server-connection.js'
