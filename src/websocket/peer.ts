import type { Address } from '../transport/address.js'
import { NORMAL } from '../engine/websocket/close.js'
import { markHandled } from '../base/deferred.js'
import type { MessageCounts } from './counters.js'
import type { WebSocketLink, WebSocketReport } from './link.js'
import type { Message, Sending } from './outgoing.js'
import type { SharedFrame } from './shared-frame.js'

/**
 * The other end of a WebSocket: messages are read by iterating over it, and sent by `send`. It is the same on both sides.
 *
 * Iteration ends when the WebSocket does, in whatever way: `closed` tells how. Strings are text messages, bytes binary
 * ones; bytes that came are yours, and bytes that were given to `send` are not to be changed until they are sent.
 */
export class WebSocketPeer implements AsyncIterable<Message>, AsyncDisposable {
  readonly #link: WebSocketLink

  constructor(link: WebSocketLink) {
    this.#link = link
  }

  /** The subprotocol that was agreed on; '' for none. */
  get protocol(): string {
    return this.#link.protocol
  }

  get remote(): Address {
    return this.#link.connection.remote
  }

  get local(): Address {
    return this.#link.connection.local
  }

  /** Bytes of messages that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#link.bufferedBytes
  }

  /** What became of the messages that were sent to this peer. */
  get counts(): MessageCounts {
    return this.#link.counts
  }

  /** Milliseconds that the last answer to a ping took; `undefined` before the first. */
  get latencyMs(): number | undefined {
    return this.#link.latencyMs
  }

  /** Whether messages can be sent: neither side has said goodbye. */
  get isOpen(): boolean {
    return this.#link.isOpen
  }

  /** Aborts when the connection is gone. */
  get signal(): AbortSignal {
    return this.#link.connection.signal
  }

  /** Resolves, and never rejects, when the WebSocket is over. */
  get closed(): Promise<WebSocketReport> {
    return this.#link.closed
  }

  /**
   * Sends a message: a string as text, bytes as they are. Resolves at once while the peer reads as fast as messages come,
   * else as the option `slowReader` has it; to false when the message was dropped or there is nobody to send it to.
   * @throws UsageError `ERR_ARGUMENT` for what is neither.
   */
  send(message: Message): Sending {
    return this.#link.send(message)
  }

  /**
   * Resolves when the peer has taken so much of what was sent that more can go out at once: at once, as a rule. To false when
   * it never will.
   */
  drained(): Promise<boolean> {
    return this.#link.drained()
  }

  /** A message that goes to many, framed once. */
  sendShared(frame: SharedFrame): Sending {
    return this.#link.send(frame)
  }

  /** The next message; `null` when the WebSocket is over. One call at a time. */
  async receive(): Promise<Message | null> {
    const next = await this.#link.incoming.next()
    return next.done === true ? null : next.value
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    const { incoming } = this.#link
    return {
      next: () => incoming.next(),
      return: () => incoming.leave(),
    }
  }

  /**
   * Sends a ping of the application's, besides those of the heartbeat. Resolves to the milliseconds until its answer.
   * @throws ClosedError `ERR_CLOSED` when the WebSocket ends before; LimitError `ERR_QUEUE_LIMIT` while 16 wait.
   */
  ping(): Promise<number> {
    return this.#link.ping()
  }

  /**
   * Says goodbye behind what is queued, and waits for the peer to do so too, `closeTimeoutMs` at most. Idempotent; never
   * rejects but for a code or a reason that may not be sent.
   * @throws UsageError `ERR_ARGUMENT`.
   */
  close(code: number = NORMAL, reason: string = ''): Promise<WebSocketReport> {
    const wrong = this.#link.tryLeave(code, reason)
    return wrong === undefined ? this.closed : markHandled(Promise.reject(wrong))
  }

  /** Ends it now, without a goodbye. */
  destroy(reason?: unknown): void {
    this.#link.destroy(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }
}
