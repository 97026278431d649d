import { byteCount, count, group, milliseconds, oneOf, value, type OptionSpecs } from '../base/options.js'
import { WEBSOCKET_LIMITS, type WebSocketLimits } from '../engine/websocket/options.js'
import { DEFLATE_OPTIONS, type DeflateOptions } from './deflate-options.js'

/** What is done with messages to a peer that does not read as fast as they come. */
export type SlowReaderPolicy = 'wait' | 'drop' | 'latest' | 'close'

/** What both ends of a WebSocket have. */
export interface PeerSettings extends WebSocketLimits {
  readonly slowReader: SlowReaderPolicy
  readonly maxQueuedBytes: number
  readonly maxQueuedMessages: number
  readonly maxReceivedBytes: number
  readonly maxReceivedMessages: number
  readonly pingIntervalMs: number
  readonly pongTimeoutMs: number
  readonly closeTimeoutMs: number
}

export const PEER_SPECS: OptionSpecs<PeerSettings> = {
  ...WEBSOCKET_LIMITS,
  slowReader: oneOf(
    ['wait', 'drop', 'latest', 'close'],
    'wait',
    'What becomes of a message for a peer whose queue is not empty. `wait`: it is queued, and `send` resolves when the queue is empty; `drop`: queued while there is room, else dropped; `latest`: it takes the place of all that are queued; `close`: queued, and `send` does not wait. A queue that is full under `wait` or `close` closes with 1013. Other libraries queue without bound.',
  ),
  maxQueuedBytes: byteCount(
    1024 * 1024,
    'Bytes that are queued for a peer that does not read, besides the 64 KiB or so that its connection holds. A message that is longer is still queued when it is the only one.',
  ),
  maxQueuedMessages: count(1024, 'Messages that are queued for a peer that does not read.'),
  maxReceivedBytes: byteCount(
    256 * 1024,
    'Bytes of messages that are held for a handler that does not take them yet; then the peer waits. One message more may come, since it was read in part.',
  ),
  maxReceivedMessages: count(64, 'Messages that are held for a handler that does not take them yet.'),
  pingIntervalMs: milliseconds(
    20_000,
    'Milliseconds without a word of the peer after which it is sent a ping. Python websockets and Engine.IO wait 20 and 25 s; proxies cut silent connections after 60 s or so. Infinity sends none.',
  ),
  pongTimeoutMs: milliseconds(
    20_000,
    'Milliseconds for any answer to a ping; then the connection is ended. No handler is waited for, and while nothing is read because a handler is behind, no time is counted.',
  ),
  closeTimeoutMs: milliseconds(
    5000,
    'Milliseconds for the close frame of the peer behind the one of this side, and for sending what is queued before that. ws waits 30 s, Python websockets 10 s.',
  ),
}

export interface WebSocketServerSettings extends PeerSettings {
  readonly origins: OriginPolicy
  readonly protocols: readonly string[]
  readonly deflate: DeflateOptions | undefined
}

/** `'same'`: the host that the request names, and clients that name no origin; `'any'`; or these origins besides. */
export type OriginPolicy = 'same' | 'any' | readonly string[]

const isOriginPolicy = (given: unknown): given is OriginPolicy =>
  given === 'same' || given === 'any' || (isTexts(given) && given.every((origin) => /^https?:\/\/[^/]+$/.test(origin)))

const isTexts = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((text) => typeof text === 'string')

export const WEBSOCKET_OPTIONS: OptionSpecs<WebSocketServerSettings> = {
  ...PEER_SPECS,
  origins: value(
    "'same', 'any', or a list of origins as in https://example.com",
    'same',
    "'same'",
    'Which pages may connect: a browser sends the cookies of its user along with whatever page asks, so those of other sites are answered with 403 (cross-site WebSocket hijacking). Programs that name no origin are no browsers.',
    isOriginPolicy,
  ),
  protocols: value(
    'a list of names',
    [],
    'none',
    'The subprotocols that are spoken here, the best first; the first that the client offers too is chosen. A client that offers only others goes on without one.',
    isTexts,
  ),
  deflate: group<DeflateOptions>(
    'WebSocketDeflate',
    DEFLATE_OPTIONS,
    'off',
    'Compresses messages where the client can do that too (RFC 7692): `{}` with all its defaults.',
  ),
}
export type WebSocketOptions = Partial<WebSocketServerSettings>
