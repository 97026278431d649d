import { byteCount, count, group, milliseconds, oneOf, text, value, type OptionSpecs } from '../base/options.js'
import type { AbortSignalLike } from '../base/cancellation.js'
import { isToken } from '../engine/http/characters.js'
import type { FieldInit } from '../engine/http/fields.js'
import { CONNECT_OPTIONS, type ConnectOptions, type ConnectSettings } from '../transport/connect.js'
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
  readonly compression: DeflateOptions | undefined
}

/** `'same'`: the host that the request names, and clients that name no origin; `'any'`; or these origins besides. */
export type OriginPolicy = 'same' | 'any' | readonly string[]

const isOriginPolicy = (given: unknown): given is OriginPolicy =>
  given === 'same' ||
  given === 'any' ||
  (isTexts(given) && given.every((origin) => /^https?:\/\/[^/A-Z]+$/.test(origin)))

const isTexts = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((name) => typeof name === 'string')

/** RFC 6455 §4.1: each is a token, and stands there once. */
const isProtocols = (given: unknown): given is readonly string[] =>
  isTexts(given) && given.every(isToken) && new Set(given).size === given.length

export const WEBSOCKET_OPTIONS: OptionSpecs<WebSocketServerSettings> = {
  ...PEER_SPECS,
  origins: value(
    "'same', 'any', or a list of origins as browsers write them, in lower case: https://example.com",
    'same',
    "'same'",
    'Which pages may connect: a browser sends the cookies of its user along with whatever page asks, so those of other sites are answered with 403 (cross-site WebSocket hijacking). Programs that name no origin are no browsers.',
    isOriginPolicy,
  ),
  protocols: value(
    'a list of names, each a token as in chat.v1',
    [],
    'none',
    'The subprotocols that are spoken here, the best first; the first that the client offers too is chosen. A client that offers only others goes on without one.',
    isProtocols,
  ),
  compression: group<DeflateOptions>(
    'compression',
    DEFLATE_OPTIONS,
    'off',
    'Compresses messages where the client can do that too (RFC 7692): `{}` with all its defaults.',
  ),
}
export type WebSocketOptions = Partial<WebSocketServerSettings>

export interface ReconnectSettings {
  readonly minDelayMs: number
  readonly maxDelayMs: number
  readonly maxAttempts: number
}
export type ReconnectOptions = Partial<ReconnectSettings>

export const RECONNECT_OPTIONS: OptionSpecs<ReconnectSettings> = {
  minDelayMs: milliseconds(
    500,
    'The longest that the first attempt waits; each one behind it may wait twice as long. The time is chosen at random between nothing and that, so that the clients of a server that comes back do not all come at once.',
  ),
  maxDelayMs: milliseconds(30_000, 'The longest that any attempt waits.'),
  maxAttempts: count(
    Infinity,
    'How many attempts may fail one after the other before it is given up. One whose connection ends within 5 s has failed, too.',
  ),
}

/** What a client has besides what concerns its connection. */
interface OwnClientSettings extends PeerSettings {
  readonly signal: AbortSignalLike | undefined
  readonly headers: FieldInit
  readonly protocols: readonly string[]
  readonly compression: DeflateOptions | undefined
  readonly openTimeoutMs: number
  readonly over: string | undefined
  readonly reconnect: ReconnectOptions | undefined
}

export type WebSocketClientSettings = OwnClientSettings & ConnectSettings
export type WebSocketClientOptions = Partial<OwnClientSettings> & ConnectOptions

const isFields = (given: unknown): given is FieldInit => typeof given === 'object' && given !== null

export const OWN_CLIENT_OPTIONS: OptionSpecs<OwnClientSettings> = {
  ...PEER_SPECS,
  signal: value(
    'an AbortSignal',
    undefined,
    'none',
    'Ends the attempt, which rejects with its reason; and later the WebSocket, and coming back to it.',
    (given): given is AbortSignalLike | undefined =>
      typeof given === 'object' && given !== null && 'aborted' in given && 'addEventListener' in given,
  ),
  headers: value(
    'an object or a list of pairs',
    [],
    'none',
    'Fields of the request besides those of the handshake: Authorization, Cookie, Origin.',
    isFields,
  ),
  protocols: value(
    'a list of names, each a token as in chat.v1',
    [],
    'none',
    'The subprotocols that this side speaks, the best first; the server chooses one or none.',
    isProtocols,
  ),
  compression: group<DeflateOptions>(
    'compression',
    DEFLATE_OPTIONS,
    'off',
    'Offers to compress messages (RFC 7692): `{}` with all its defaults.',
  ),
  openTimeoutMs: milliseconds(
    10_000,
    'Milliseconds for the answer to the request, once there is a connection. Python websockets allows 10 s, ws has no limit.',
  ),
  over: text(
    undefined,
    'The endpoint to connect to in place of the host and port of the URL: `unix:/run/app.sock`, say. The URL still says what is asked for.',
  ),
  reconnect: group<ReconnectOptions>(
    'reconnect',
    RECONNECT_OPTIONS,
    'off',
    'Connects again when the connection was lost or the server left (1001, 1006, 1011 to 1014): `{}` with all its defaults. Not behind 1000, nor when the server answers that it will not (400 to 499, but 408 and 429).',
  ),
}

export const CLIENT_SPECS: OptionSpecs<WebSocketClientSettings> = { ...CONNECT_OPTIONS, ...OWN_CLIENT_OPTIONS }
