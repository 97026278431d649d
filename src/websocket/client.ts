import { nothingToUnlink, onAbort } from '../base/cancellation.js'
import { deferred, markHandled, type Deferred } from '../base/deferred.js'
import { ClosedError, MoorageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import { ABNORMAL, GOING_AWAY, INTERNAL_ERROR, NORMAL } from '../engine/websocket/close.js'
import { systemClock } from '../transport/system-clock.js'
import { MessageCounters, type MessageCounts } from './counters.js'
import type { WebSocketLink, WebSocketReport } from './link.js'
import { openWebSocket, parseTarget, type WebSocketTarget } from './open.js'
import { tell } from './tell.js'
import {
  CLIENT_SPECS,
  RECONNECT_OPTIONS,
  type ReconnectSettings,
  type WebSocketClientOptions,
  type WebSocketClientSettings,
} from './options.js'
import { NOT_SENT, type Message, type Sending } from './outgoing.js'
import { WebSocketPeer } from './peer.js'

/** `open`; `waiting` for the next attempt or its outcome; `closed` for good. */
export type ClientState = 'open' | 'waiting' | 'closed'

/** A connection that lasted so long counts as a success: the attempts behind it begin anew. */
const STABLE_MS = 5000

type Next = IteratorResult<Message, undefined>
const END: Next = Object.freeze({ done: true, value: undefined })

/**
 * Opens a WebSocket (RFC 6455 §4.1): `ws:` and `wss:` URLs, over Unix sockets by the option `over`, through proxies by
 * `proxy`. With `reconnect` what comes back is the same client over one connection after the other.
 * @throws UsageError `ERR_ENDPOINT`, `ERR_OPTION_…`; what `connect` throws; ProtocolError `ERR_WEBSOCKET_HANDSHAKE`, with the
 *   status and the body of an answer that is none in `details`; TimeoutError `ERR_READ_TIMEOUT`; the signal's reason. The
 *   first attempt is not repeated.
 * @example
 * await using socket = await connectWebSocket('ws://127.0.0.1:8000/chat')
 * await socket.send('hello')
 * for await (const message of socket) console.log(message)
 */
export async function connectWebSocket(url: string | URL, options?: WebSocketClientOptions): Promise<WebSocketClient> {
  const settings = readOptions('WebSocket', CLIENT_SPECS, options)
  const target = parseTarget(url, settings.over)
  const totals = new MessageCounters()
  const link = await openWebSocket(target, settings, totals)
  return new WebSocketClient(target, settings, totals, link)
}

/** A peer, and what finds it again when it is lost. */
export class WebSocketClient implements AsyncIterable<Message>, AsyncDisposable {
  readonly #target: WebSocketTarget
  readonly #settings: WebSocketClientSettings
  readonly #reconnect: ReconnectSettings | undefined
  readonly #totals: MessageCounters
  readonly #closed: Deferred<WebSocketReport> = deferred()
  #unlink: () => void = nothingToUnlink
  readonly #stopping = new AbortController()
  readonly #listeners = new Set<(peer: WebSocketPeer) => void>()
  #link: WebSocketLink
  #peer: WebSocketPeer
  #state: ClientState = 'open'
  #openedAt = 0
  #attempts = 0
  #reconnects = 0
  /** Who waits for the next connection, or the end. */
  #change: Deferred<void> = deferred()
  #isLeaving = false

  /** @internal Use `connectWebSocket`. */
  constructor(
    target: WebSocketTarget,
    settings: WebSocketClientSettings,
    totals: MessageCounters,
    link: WebSocketLink,
  ) {
    this.#target = target
    this.#settings = settings
    this.#totals = totals
    this.#reconnect =
      settings.reconnect === undefined ? undefined : readOptions('reconnect', RECONNECT_OPTIONS, settings.reconnect)
    this.#link = link
    this.#peer = this.#begin(link)
    if (this.#state !== 'closed') this.#unlink = onAbort(settings.signal, (reason) => this.destroy(reason))
  }

  #begin(link: WebSocketLink): WebSocketPeer {
    this.#openedAt = systemClock.now()
    const peer = new WebSocketPeer(link)
    link.begin({ threw: () => undefined, gone: (report) => this.#lost(report) })
    return peer
  }

  get state(): ClientState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#peer.isOpen
  }

  /** The connection that there is, or was last. */
  get peer(): WebSocketPeer {
    return this.#peer
  }

  get protocol(): string {
    return this.#peer.protocol
  }

  get bufferedBytes(): number {
    return this.#peer.bufferedBytes
  }

  get latencyMs(): number | undefined {
    return this.#peer.latencyMs
  }

  /** Of messages over all connections. */
  get counts(): MessageCounts {
    return this.#totals.snapshot()
  }

  /** How often it was connected again. */
  get reconnects(): number {
    return this.#reconnects
  }

  /** Resolves, and never rejects, when it is over for good: with how the last connection ended. */
  get closed(): Promise<WebSocketReport> {
    return this.#closed.promise
  }

  /**
   * Calls `listener` with each connection that is made from now on. Returns what ends that. What it throws is thrown behind
   * the call, and ends no connection.
   */
  onReconnect(listener: (peer: WebSocketPeer) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** As `WebSocketPeer.send`; false while there is no connection. */
  send(message: Message): Sending {
    return this.#state === 'open' ? this.#peer.send(message) : NOT_SENT
  }

  ping(): Promise<number> {
    return this.#peer.ping()
  }

  /** The next message, of whichever connection; `null` when it is over. One call at a time. */
  async receive(): Promise<Message | null> {
    const next = await this.#next()
    return next.done === true ? null : next.value
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    if (this.#reconnect === undefined) return this.#peer[Symbol.asyncIterator]()
    return { next: () => this.#next(), return: () => Promise.resolve(END) }
  }

  async #next(): Promise<Next> {
    for (;;) {
      const link = this.#link
      const next = await link.incoming.next()
      if (next.done !== true) return next
      // The connection is gone, or nearly so.
      while (this.#link === link && this.#state !== 'closed') await this.#change.promise
      if (this.#link === link) return END
    }
  }

  /** Says goodbye, and comes back no more. @throws UsageError `ERR_ARGUMENT` for a code or a reason that may not be sent. */
  close(code: number = NORMAL, reason: string = ''): Promise<WebSocketReport> {
    const wrong = this.#link.tryLeave(code, reason)
    if (wrong !== undefined) return markHandled(Promise.reject(wrong))
    this.#isLeaving = true
    this.#stopping.abort(new ClosedError('ERR_CLOSED', 'The WebSocket was closed'))
    return this.closed
  }

  /** Ends it now, for good. */
  destroy(reason?: unknown): void {
    this.#isLeaving = true
    this.#stopping.abort(reason)
    this.#link.destroy(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }

  // ---- reconnecting

  #lost(report: WebSocketReport): void {
    if (this.#reconnect === undefined || this.#isLeaving || !isWorthTrying(report)) {
      this.#finish(report)
      return
    }
    if (systemClock.now() - this.#openedAt >= STABLE_MS) this.#attempts = 0
    this.#set('waiting')
    void this.#tryAgain(this.#reconnect, report)
  }

  async #tryAgain(reconnect: ReconnectSettings, report: WebSocketReport): Promise<void> {
    let last = report
    while (this.#attempts < reconnect.maxAttempts) {
      const most = Math.min(reconnect.maxDelayMs, reconnect.minDelayMs * 2 ** Math.min(this.#attempts, 30))
      this.#attempts += 1
      await pause(Math.random() * most, this.#stopping.signal)
      if (this.#isLeaving) break
      try {
        const settings = { ...this.#settings, signal: this.#stopping.signal }
        const link = await openWebSocket(this.#target, settings, this.#totals)
        this.#resume(link)
        return
      } catch (error) {
        if (this.#isLeaving) break
        last = { ...last, error: error instanceof Error ? error : last.error }
        if (isRefusal(error)) break
      }
    }
    this.#finish(last)
  }

  #resume(link: WebSocketLink): void {
    this.#link = link
    this.#reconnects += 1
    this.#state = 'open'
    this.#peer = this.#begin(link)
    this.#set('open')
    for (const listener of [...this.#listeners]) tell(() => listener(this.#peer))
  }

  #finish(report: WebSocketReport): void {
    this.#unlink()
    this.#set('closed')
    this.#closed.resolve(report)
  }

  #set(state: ClientState): void {
    this.#state = state
    const change = this.#change
    this.#change = deferred()
    change.resolve()
  }
}

/** Whether a server may have meant "not now": it left, broke, or was lost on the way. */
const isWorthTrying = ({ code }: WebSocketReport): boolean =>
  code === GOING_AWAY || code === ABNORMAL || (code >= INTERNAL_ERROR && code <= 1014)

/** An answer that will be the same next time. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof MoorageError) || error.code !== 'ERR_WEBSOCKET_HANDSHAKE') return false
  const { status } = error.details
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 408 && status !== 429
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = systemClock.after(ms, () => {
      unlink()
      resolve()
    })
    const unlink = onAbort(signal, () => {
      stop()
      resolve()
    })
  })
}
