import { deferred, markHandled, type Deferred } from '../base/deferred.js'
import { ClosedError, LimitError, MoorageError, TimeoutError } from '../base/errors.js'
import { notUtf8, WebSocketConnection } from '../engine/websocket/connection.js'
import {
  ABNORMAL,
  closePayload,
  GOING_AWAY,
  INTERNAL_ERROR,
  NO_STATUS,
  SERVICE_RESTART,
  TRY_AGAIN_LATER,
} from '../engine/websocket/close.js'
import { FIN, PING, PONG } from '../engine/websocket/frame-header.js'
import { isRestart } from '../server/draining.js'
import type { Timed, Timeouts } from '../base/timeouts.js'
import type { CloseReport, ConnectionSink } from '../transport/connection.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import { MessageCounters, type MessageCounts } from './counters.js'
import type { PeerDeflate } from './deflate.js'
import { Incoming, type IncomingOwner } from './incoming.js'
import type { PeerSettings } from './options.js'
import { NOT_SENT, Outgoing, type Message, type OutgoingOwner, type Sending } from './outgoing.js'
import { Pings } from './pings.js'
import { NODE_PORTS, nextMask } from './platform.js'
import type { SharedFrame } from './shared-frame.js'

/** How a WebSocket ended. */
export interface WebSocketReport {
  /** What the peer said; 1005 when it gave no code, 1006 when it said nothing before the connection ended. */
  readonly code: number
  readonly reason: string
  /** Both sides have said goodbye. */
  readonly wasClean: boolean
  /** Why, where it was not in order. */
  readonly error: Error | undefined
  readonly counts: MessageCounts
}

/** What a peer is made of. */
export interface PeerParts {
  readonly connection: StreamConnection
  readonly role: 'server' | 'client'
  readonly settings: PeerSettings
  /** The subprotocol; '' for none. */
  readonly protocol: string
  readonly deflate: PeerDeflate | undefined
  readonly timeouts: Timeouts
  /** Of all peers together. */
  readonly totals?: MessageCounters
  /** Of the server: its reason says whether it comes again. */
  readonly draining?: AbortSignal
}

/** Who is told of a link. */
export interface LinkOwner {
  /** What takes messages threw; the link says goodbye by itself. */
  threw(error: unknown): void
  /** The last call: the connection is gone. */
  gone(report: WebSocketReport): void
}

/** What was made of the bytes that came last. */
type Turn = typeof NOTHING_GIVEN | typeof GIVEN | typeof REFUSED
const NOTHING_GIVEN = 0
const GIVEN = 1
/** Nothing is read any more. */
const REFUSED = 2

const NOTHING = new Uint8Array(0)

/** The loop between a connection, the engine and what handles messages: `WebSocketPeer` is what a program sees of it. */
export class WebSocketLink implements ConnectionSink, Timed, IncomingOwner, OutgoingOwner {
  readonly protocol: string
  readonly incoming: Incoming
  readonly #connection: StreamConnection
  readonly #settings: PeerSettings
  readonly #role: 'server' | 'client'
  readonly #engine: WebSocketConnection
  readonly #out: Outgoing
  readonly #deflate: PeerDeflate | undefined
  readonly #timeouts: Timeouts
  readonly #draining: AbortSignal | undefined
  #report: WebSocketReport | undefined
  #closed: Deferred<WebSocketReport> | undefined
  #owner: LinkOwner | undefined
  /** The close frame that goes out behind what is queued. */
  #goodbye: { readonly code: number; readonly reason: string } | undefined
  /** Since when it is being closed; -1 before. */
  #closingAt = -1
  #heard: { readonly code: number; readonly reason: string; readonly at: number } | undefined
  #error: Error | undefined
  #isPaused = false
  /** Of a close: when the handler was last seen to take a message, and whether it takes none any more. */
  #takenAt = 0
  #takenBefore = -1
  #isStuck = false
  #turn: Turn = NOTHING_GIVEN

  // Of the heartbeat.
  #heardAt: number
  /** When the ping went out that is not answered; -1 when there is none. */
  #pingedAt = -1
  #taken = 0
  #latencyMs: number | undefined
  #pings: Pings | undefined

  constructor({ connection, role, settings, protocol, deflate, timeouts, totals, draining }: PeerParts) {
    this.#connection = connection
    this.#settings = settings
    this.#role = role
    this.protocol = protocol
    this.#deflate = deflate
    deflate?.reserve()
    this.#timeouts = timeouts
    this.#draining = draining
    this.#heardAt = timeouts.now
    this.#engine = new WebSocketConnection(role, settings, deflate !== undefined, NODE_PORTS)
    this.incoming = new Incoming(settings, this)
    const counts = new MessageCounters(totals)
    this.#out = new Outgoing(connection, role, settings, { deflate, counts, owner: this })
  }

  /** Begins to read; nothing is read before. */
  begin(owner: LinkOwner): void {
    this.#owner = owner
    this.#timeouts.add(this)
    this.#connection.sinkTo(this)
  }

  /** The socket below. */
  get connection(): StreamConnection {
    return this.#connection
  }

  get bufferedBytes(): number {
    return this.#out.bufferedBytes
  }

  /** Counts what the system has taken meanwhile. */
  settle(): void {
    this.#out.settle()
  }

  get counts(): MessageCounts {
    this.#out.settle()
    return this.#out.counts.snapshot()
  }

  get latencyMs(): number | undefined {
    return this.#latencyMs
  }

  /** Whether messages can be sent: neither side has said goodbye. */
  get isOpen(): boolean {
    return this.#closingAt === -1 && this.#report === undefined
  }

  get closed(): Promise<WebSocketReport> {
    if (this.#closed === undefined) {
      this.#closed = deferred()
      if (this.#report !== undefined) this.#closed.resolve(this.#report)
    }
    return this.#closed.promise
  }

  send(message: Message | SharedFrame): Sending {
    return this.isOpen ? this.#out.send(message) : NOT_SENT
  }

  drained(): Promise<boolean> {
    return this.isOpen ? this.#out.drained() : NOT_SENT
  }

  ping(): Promise<number> {
    if (!this.isOpen) return markHandled(Promise.reject(closedError()))
    this.#pings ??= new Pings()
    const { name, answered } = this.#pings.begin(this.#connection.clock.now())
    if (name !== undefined) this.#out.frame(FIN | PING, Buffer.from(name))
    return answered
  }

  // ---- ending

  /** Says goodbye behind what is queued. @throws UsageError `ERR_ARGUMENT` for what may not be said. */
  leave(code: number, reason: string): void {
    if (!this.isOpen) return
    closePayload(code, reason)
    this.#out.stop(false)
    this.#closingAt = this.#timeouts.now
    if (this.#out.isClear) this.#sayGoodbye(code, reason)
    else this.#goodbye = { code, reason }
  }

  /** The same; what may not be said is returned: nobody need await it. */
  tryLeave(code: number, reason: string): unknown {
    try {
      this.leave(code, reason)
      return undefined
    } catch (error) {
      return error
    }
  }

  #sayGoodbye(code: number, reason: string): void {
    if (this.#engine.hasClosed) return
    const mask = this.#role === 'client' ? nextMask() : undefined
    this.#out.flushHeld()
    this.#connection.writeNow(this.#engine.close(code, reason, mask), false)
    if (this.#heard !== undefined) this.#endBehindBoth()
    // While a handler is behind nothing is read; now only the goodbye is waited for.
    if (this.#isPaused) this.#goOn()
  }

  /** Ends it now, without a goodbye. */
  destroy(reason?: unknown): void {
    if (reason instanceof Error) this.#error ??= reason
    this.#connection.destroy(reason)
  }

  /** A handler or the peer did what ends the WebSocket: says so and leaves. */
  fail(error: unknown): void {
    if (this.#report !== undefined) return
    this.#error ??=
      error instanceof Error
        ? error
        : new ClosedError('ERR_CLOSED', 'Ended by a value that is no error', { cause: error })
    const told = error instanceof MoorageError ? error.details['closeCode'] : undefined
    this.#end(typeof told === 'number' ? told : INTERNAL_ERROR)
  }

  /** A close frame, and then the end of the connection, without waiting for the peer. */
  #end(code: number): void {
    this.#out.stop(true)
    this.#goodbye = undefined
    if (this.#closingAt === -1) this.#closingAt = this.#timeouts.now
    this.#sayGoodbye(code, '')
    void this.#connection.close({ graceMs: this.#settings.closeTimeoutMs })
  }

  hasRoom(): void {
    this.#goOn()
  }

  threw(error: unknown): void {
    this.#owner?.threw(error)
    this.fail(error)
  }

  overflowed(): void {
    const { maxQueuedBytes, maxQueuedMessages, closeTimeoutMs } = this.#settings
    this.#error ??= new LimitError(
      'ERR_WEBSOCKET_SLOW_READER',
      `Cannot queue one more message: the peer does not read (limits ${maxQueuedBytes} bytes, ${maxQueuedMessages} messages)`,
      { details: { closeCode: TRY_AGAIN_LATER, maxQueuedBytes, maxQueuedMessages } },
    )
    this.#out.stop(true)
    this.#closingAt = this.#timeouts.now
    this.#sayGoodbye(TRY_AGAIN_LATER, '')
    void this.#connection.close({ graceMs: closeTimeoutMs })
  }

  // ---- from the connection

  data(bytes: Uint8Array): void {
    const now = this.#connection.clock.now()
    // A whole number: one that is not is an object of its own.
    this.#heardAt = Math.round(now)
    if (this.#turn === REFUSED) return
    this.#engine.receive(bytes)
    this.#pull(now)
  }

  end(): void {
    this.#engine.receiveEof()
    this.#pull(this.#heardAt)
  }

  drain(): void {
    const isEmpty = this.#out.drain(FIN | PONG)
    const goodbye = this.#goodbye
    if (!isEmpty || goodbye === undefined) return
    this.#goodbye = undefined
    this.#sayGoodbye(goodbye.code, goodbye.reason)
  }

  finish(force: boolean): void {
    const code = isRestart(this.#draining?.reason) ? SERVICE_RESTART : GOING_AWAY
    if (force) this.#end(code)
    else this.leave(code, '')
  }

  close(report: CloseReport): void {
    this.#timeouts.delete(this)
    this.#out.close(report)
    const error = this.#error ?? (this.#heard === undefined ? report.error : undefined)
    const { code, reason } = this.#heard ?? { code: ABNORMAL, reason: '' }
    const wasClean = this.#heard !== undefined && this.#engine.hasClosed
    this.#report = { code, reason, wasClean, error, counts: this.#out.counts.snapshot() }
    this.#pings?.fail(closedError())
    this.incoming.end()
    this.#closed?.resolve(this.#report)
    this.#owner?.gone(this.#report)
  }

  #pull(now: number): void {
    if (this.#turn === REFUSED) return
    this.#turn = NOTHING_GIVEN
    try {
      while (this.#step(now));
    } catch (error) {
      this.#refuse(error)
    }
  }

  /** What came before it, in the same turn, can still be answered in this turn. */
  #refuse(error: unknown): void {
    const wasGiven = this.#turn === GIVEN
    this.#turn = REFUSED
    if (error instanceof Error) this.#error ??= error
    if (wasGiven) setImmediate(() => this.fail(error))
    else this.fail(error)
  }

  /** False when nothing more is to be read now. */
  #step(now: number): boolean {
    // A handler that is behind: nothing is read, and no silence is held against the peer.
    if (this.incoming.isFull && !this.#dropsRest) {
      this.#engine.hold()
      this.#isPaused = true
      this.#connection.pauseSink()
      return false
    }
    const event = this.#engine.nextEvent(now)
    switch (event.type) {
      case 'text':
        this.#give(event.text)
        return true
      case 'binary':
        this.#give(event.bytes)
        return true
      case 'compressed':
        this.#give(this.#inflate(event.bytes, event.isText))
        return true
      case 'ping':
        if (!this.#engine.hasClosed) this.#out.pong(FIN | PONG, event.bytes)
        return true
      case 'pong':
        this.#answered(event.bytes, now)
        return true
      case 'close':
        this.#heardGoodbye(event.code, event.reason)
        return false
      case 'need-data':
        return false
      case 'end':
        this.#ended()
        return false
    }
  }

  /**
   * Behind its own goodbye a side gives its handler what still comes before that of the peer, as long as somebody takes it;
   * else the goodbye could not be read.
   */
  get #dropsRest(): boolean {
    return this.#closingAt !== -1 && (this.#isStuck || !this.incoming.isWanted)
  }

  #give(message: Message): void {
    if (this.#dropsRest && this.incoming.isFull) return
    this.#turn = GIVEN
    this.incoming.push(message)
  }

  #inflate(bytes: Uint8Array, isText: boolean): Message {
    const message = this.#deflate?.inflate(bytes, this.#settings.maxMessageBytes) ?? bytes
    if (!isText) return message
    const text = NODE_PORTS.decodeText(message, 0, message.length, false)
    if (text === undefined) throw notUtf8()
    return text
  }

  /** Answered when the handler is done with what came before: what it still has to say to that is heard (RFC 6455 §5.5.1). */
  #heardGoodbye(code: number, reason: string): void {
    this.#heard = { code, reason, at: this.#timeouts.now }
    if (!this.#engine.hasClosed) this.incoming.end(() => this.#answerGoodbye())
    else {
      this.incoming.end()
      this.#endBehindBoth()
    }
  }

  #answerGoodbye(): void {
    if (this.isOpen) this.leave(this.#heard?.code ?? NO_STATUS, '')
  }

  /** The server ends the connection first (RFC 6455 §7.1.1); a client gives it its time. */
  #endBehindBoth(): void {
    if (this.#role === 'server') void this.#connection.close({ graceMs: this.#settings.closeTimeoutMs })
  }

  /** The connection ended, with or without a goodbye. */
  #ended(): void {
    if (this.#closingAt === -1) this.#closingAt = this.#timeouts.now
    this.#out.stop(true)
    void this.#connection.close({ graceMs: this.#settings.closeTimeoutMs })
  }

  #goOn(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#heardAt = Math.round(this.#connection.clock.now())
    this.#pingedAt = -1
    this.#pull(this.#heardAt)
    if (!this.#isPaused) this.#connection.resumeSink()
  }

  // ---- time

  checkTime(now: number): void {
    const { pingIntervalMs, pongTimeoutMs, closeTimeoutMs } = this.#settings
    if (this.#closingAt !== -1) {
      if (now - this.#closingAt >= closeTimeoutMs) this.#cutClosing()
      else if (this.#isPaused) this.#lookWhetherStuck(now)
      return
    }
    if (this.#heard !== undefined) {
      // A handler that is busy for long is not waited for.
      if (now - this.#heard.at >= closeTimeoutMs / 2) this.#answerGoodbye()
      return
    }
    if (this.#isPaused) return
    // Whoever takes what it is sent is there, however slowly.
    const { taken } = this.#out
    if (taken !== this.#taken) {
      this.#taken = taken
      if (!this.#out.isClear) this.#heardAt = now
    }
    const silentMs = now - this.#heardAt
    if (this.#pingedAt !== -1) {
      if (this.#heardAt > this.#pingedAt) this.#pingedAt = -1
      else if (now - this.#pingedAt >= pongTimeoutMs) this.#cutSilent(silentMs)
    } else if (silentMs >= pingIntervalMs) {
      this.#pingedAt = this.#connection.clock.now()
      this.#out.frame(FIN | PING, NOTHING)
    }
  }

  #lookWhetherStuck(now: number): void {
    const { taken } = this.incoming
    if (taken !== this.#takenBefore) {
      this.#takenBefore = taken
      this.#takenAt = now
    } else if (now - this.#takenAt >= this.#settings.closeTimeoutMs / 4) {
      this.#isStuck = true
      this.#goOn()
    }
  }

  #answered(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0 && this.#pingedAt !== -1) {
      this.#latencyMs = Math.max(0, now - this.#pingedAt)
      this.#pingedAt = -1
      return
    }
    this.#latencyMs = this.#pings?.answered(String.fromCharCode(...bytes), now) ?? this.#latencyMs
  }

  /** It answers nothing: it is not told either. */
  #cutSilent(silentMs: number): void {
    const who = this.#role === 'server' ? 'client' : 'server'
    this.#error ??= new TimeoutError(
      'ERR_WEBSOCKET_SILENT',
      `Ended the WebSocket: the ${who} was silent for ${Math.round(silentMs)} ms, and answered no ping`,
      { details: { timeoutMs: this.#settings.pongTimeoutMs, silentMs, silent: who } },
    )
    this.#end(INTERNAL_ERROR)
  }

  #cutClosing(): void {
    const { closeTimeoutMs } = this.#settings
    if (this.#heard === undefined)
      this.#error ??= new TimeoutError(
        'ERR_CLOSE_TIMEOUT',
        `Cut after ${closeTimeoutMs} ms: the ${this.#role === 'server' ? 'client' : 'server'} did not answer the close`,
        { details: { timeoutMs: closeTimeoutMs } },
      )
    this.#connection.destroy(this.#error)
  }
}

const closedError = (): ClosedError => new ClosedError('ERR_CLOSED', 'Cannot use the WebSocket: it is closed')
