import { byteCount, count, readOptions, type OptionSpecs } from '../../base/options.js'

export interface WebSocketLimits {
  readonly maxMessageBytes: number
  readonly maxFragments: number
  readonly maxFramesPerSecond: number
  readonly maxControlFramesPerSecond: number
}

export const WEBSOCKET_LIMITS: OptionSpecs<WebSocketLimits> = {
  maxMessageBytes: byteCount(
    1024 * 1024,
    'The longest message that is read, inflated where it is compressed; a longer one closes with 1009 as soon as its length is known. Python websockets stops at 1 MiB, ws at 100 MiB. What has arrived of a message is all that is held of it.',
  ),
  maxFragments: count(
    16_384,
    'How many frames a message may come in. ws stops at 131,072. Fragments are joined as they come: none costs memory of its own.',
  ),
  maxFramesPerSecond: count(
    Infinity,
    'How many frames a peer may send in a second, over the last of them; more close with 1008. Infinity: the pace of what reads them is the limit.',
  ),
  maxControlFramesPerSecond: count(
    100,
    'How many pings and pongs a peer may send in a second: each ping costs an answer. Other libraries have no such limit; keepalives come every 20 s or so.',
  ),
}

/** What `WebSocketConnection` is made with. @throws UsageError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`. */
export const readWebSocketLimits = (options?: Partial<WebSocketLimits>): Readonly<WebSocketLimits> =>
  readOptions('WebSocket', WEBSOCKET_LIMITS, options)
