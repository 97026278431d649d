import { UsageError } from '../base/errors.js'
import type { HttpRequest } from '../http/request.js'
import type { ServerContext } from '../server/handlers.js'
import type { WebSocketReport } from './link.js'
import type { Message } from './outgoing.js'
import type { WebSocketPeer } from './peer.js'

/** Handles one WebSocket: when it returns, the WebSocket is closed with 1000; when it throws, with 1011. */
export type WebSocketFunction = (
  peer: WebSocketPeer,
  request: HttpRequest,
  server: ServerContext,
) => void | Promise<void>

/**
 * Handles WebSockets with a method for each thing that happens, a fresh instance for each. A message is given to `message`
 * when the call for the one before has come to its end: while it waits, the client does too. What a method throws closes
 * with 1011, and goes to the server's log.
 * @example
 * class Echo extends WebSocketHandler {
 *   override message(message: Message) { void this.peer.send(message) }
 * }
 */
export abstract class WebSocketHandler {
  /** Tells handler classes from functions, also across copies of this package. */
  static readonly handlerKind: string = 'websocket'
  readonly peer: WebSocketPeer
  readonly server: ServerContext

  constructor(peer: WebSocketPeer, server: ServerContext) {
    this.peer = peer
    this.server = server
  }

  /** Before the first message. Keep of the request what is needed: all of it is a kilobyte or more for each peer. */
  open(_request: HttpRequest): void | Promise<void> {}
  abstract message(message: Message): void | Promise<void>
  /** Always, and exactly once, when `open` was called. */
  close(_report: WebSocketReport): void | Promise<void> {}
}

export type WebSocketHandlerClass = new (peer: WebSocketPeer, server: ServerContext) => WebSocketHandler
export type WebSocketSource = WebSocketFunction | WebSocketHandlerClass

export const isHandlerClass = (source: unknown): source is WebSocketHandlerClass =>
  typeof source === 'function' && 'handlerKind' in source && source.handlerKind === 'websocket'

/** @throws UsageError `ERR_HANDLER`. */
export function checkSource(source: unknown): asserts source is WebSocketSource {
  if (isHandlerClass(source) || (typeof source === 'function' && !('handlerKind' in source))) return
  throw new UsageError(
    'ERR_HANDLER',
    `Cannot use the handler: expected a function that takes a peer, or a subclass of WebSocketHandler, got ${typeof source === 'function' ? 'a handler of another kind' : `a value of type ${typeof source}`}`,
  )
}
