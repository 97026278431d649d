export {
  WebSocketConnection,
  encodeFrame,
  PLAIN_PORTS,
  type BinaryEvent,
  type CompressedEvent,
  type PingEvent,
  type PongEvent,
  type TextEvent,
  type WebSocketEvent,
  type WebSocketPorts,
} from './connection.js'
export { closePayload, isCloseCode, readClose, type CloseEvent } from './close.js'
export {
  acceptOffer,
  offerDeflate,
  readAnswer,
  type DeflateParameters,
  type DeflateWishes,
} from './deflate-parameters.js'
export { tryParseExtensions, type Extension } from './extensions.js'
export {
  BINARY,
  CLOSE,
  CONTINUATION,
  FIN,
  headerLength,
  PING,
  PONG,
  RSV1,
  TEXT,
  writeHeader,
  type ControlOpcode,
  type DataOpcode,
  type Opcode,
} from './frame-header.js'
export {
  acceptOf,
  keyOf,
  openingFields,
  readOpened,
  readOpening,
  type ClientOpening,
  type Opened,
  type Opening,
  type Sha1Base64,
  type UpgradeRequest,
} from './handshake.js'
export { applyMask } from './mask.js'
export { readWebSocketLimits, WEBSOCKET_LIMITS, type WebSocketLimits } from './options.js'
export { Utf8Checker } from './utf8-messages.js'
