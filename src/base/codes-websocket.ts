import { entry, table, type Table } from './code-table.js'

export type WebSocketProtocolCode =
  | 'ERR_WEBSOCKET_HANDSHAKE'
  | 'ERR_WEBSOCKET_FRAME'
  | 'ERR_WEBSOCKET_UTF8'
  | 'ERR_WEBSOCKET_CLOSE'
  | 'ERR_WEBSOCKET_DEFLATE'
  | 'ERR_WEBSOCKET_JSON'

export const WEBSOCKET_PROTOCOL_CODES: Table<WebSocketProtocolCode> = table({
  ERR_WEBSOCKET_HANDSHAKE: entry(
    'remote',
    'The opening handshake of a WebSocket failed: the request or the answer to it is not what RFC 6455 §4 asks for.',
    'Ask with GET, HTTP/1.1, Upgrade: websocket, Connection: Upgrade, Sec-WebSocket-Version: 13 and a fresh Sec-WebSocket-Key; an answer other than 101 says in its body why.',
  ),
  ERR_WEBSOCKET_FRAME: entry(
    'remote',
    'A WebSocket frame is malformed, or comes where it may not: closed with 1002.',
    'Mask what clients send and nothing that servers send, use no reserved bit or opcode, and end one message before the next.',
  ),
  ERR_WEBSOCKET_UTF8: entry(
    'remote',
    'A text message or the reason of a close is not UTF-8: closed with 1007.',
    'Send text as UTF-8, and other bytes as a binary message.',
  ),
  ERR_WEBSOCKET_CLOSE: entry(
    'remote',
    'A close frame has a code that may not be sent, or half of one: closed with 1002.',
    'Send no code, one of RFC 6455 §7.4.1, or one from 3000 to 4999.',
  ),
  ERR_WEBSOCKET_DEFLATE: entry(
    'remote',
    'A compressed message cannot be inflated: closed with 1007.',
    'Compress as RFC 7692 §7.2.1 has it, within the window that was agreed.',
  ),
  ERR_WEBSOCKET_JSON: entry(
    'remote',
    'A message is not JSON, or not what the schema of jsonMessages takes: closed with 1007 or 1008 where nobody catches it.',
    'Send text that is JSON of the shape that the message names.',
  ),
})

export type WebSocketLimitCode =
  | 'ERR_WEBSOCKET_MESSAGE_LIMIT'
  | 'ERR_WEBSOCKET_FRAGMENT_LIMIT'
  | 'ERR_WEBSOCKET_FRAME_RATE'
  | 'ERR_WEBSOCKET_SLOW_READER'

export const WEBSOCKET_LIMIT_CODES: Table<WebSocketLimitCode> = table({
  ERR_WEBSOCKET_MESSAGE_LIMIT: entry(
    'remote',
    'A message is longer than is read, as it was sent or when it is inflated: closed with 1009.',
    'Send less, or raise maxMessageBytes.',
  ),
  ERR_WEBSOCKET_FRAGMENT_LIMIT: entry(
    'remote',
    'A message comes in too many fragments: closed with 1009.',
    'Send longer fragments, or raise maxFragments.',
  ),
  ERR_WEBSOCKET_FRAME_RATE: entry(
    'remote',
    'A peer sends more frames a second than is allowed: closed with 1008.',
    'Send fewer pings or messages, or raise maxControlFramesPerSecond or maxFramesPerSecond.',
  ),
  ERR_WEBSOCKET_SLOW_READER: entry(
    'remote',
    'A peer does not read what is sent to it, and its queue is full: closed with 1013.',
    'Read faster, send less, choose another policy by slowReader, or raise maxQueuedBytes and maxQueuedMessages.',
  ),
})

export type WebSocketTimeoutCode = 'ERR_WEBSOCKET_SILENT'

export const WEBSOCKET_TIMEOUT_CODES: Table<WebSocketTimeoutCode> = table({
  ERR_WEBSOCKET_SILENT: entry(
    'remote',
    'A peer did not answer a ping in its time; the message says how long it was silent.',
    'Check the way between, or raise pongTimeoutMs.',
  ),
})
