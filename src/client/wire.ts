import { BrokenError } from '../base/errors.js'
import type { Timed, Timeouts } from '../base/timeouts.js'
import { ClientConnection } from '../engine/http1/client-connection.js'
import type { ResponseHead } from '../engine/http1/message-head.js'
import type { Http1ClientSettings } from '../engine/http1/options.js'
import type { CloseReport, ConnectionSink } from '../transport/connection.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import type { Exchange, Carrier } from './exchange.js'
import type { BodyPiece, OutgoingBody } from './outgoing-body.js'
import { Patience } from './patience.js'
import type { PooledWire, WireOwner } from './pooled-wire.js'

const { latin1Slice } = Buffer.prototype
const toLatin1 = (bytes: Uint8Array, from: number, to: number): string => latin1Slice.call(bytes, from, to)

/** The loop between a connection and the client's engine: one exchange at a time. */
export class Wire implements PooledWire, Carrier, ConnectionSink, Timed {
  readonly connection: StreamConnection
  readonly carriesMany: boolean = false
  readonly #engine: ClientConnection
  readonly #owner: WireOwner
  readonly #timeouts: Timeouts
  #exchange: Exchange | undefined
  /** Of the exchange: something of a response has come. */
  #isTouched = false
  readonly #patience: Patience = new Patience()
  #isPaused = false
  #isReading = false
  #isRetired = false
  #isResting = false
  #drained: (() => void) | undefined
  #answered: (() => void) | undefined
  #keepAliveMs = Infinity
  /** When the last exchange was over. */
  idleSince: number
  /** How many exchanges it has carried. */
  served = 0

  constructor(connection: StreamConnection, settings: Http1ClientSettings, timeouts: Timeouts, owner: WireOwner) {
    this.connection = connection
    this.#engine = new ClientConnection(settings, toLatin1)
    this.#timeouts = timeouts
    this.#owner = owner
    this.idleSince = timeouts.now
    connection.sinkTo(this)
  }

  /** Whether a request can be sent now. */
  get isUsable(): boolean {
    return !this.#isRetired && this.#exchange === undefined && this.#engine.isIdle
  }

  /** How long the server lets it idle, by what its last response said in `Keep-Alive`; Infinity when it said nothing. */
  get keepAliveMs(): number {
    return this.#keepAliveMs
  }

  /** It idles for longer than a turn, and keeps no process running. */
  get isResting(): boolean {
    return this.#isResting
  }

  rest(): void {
    if (this.#isResting || this.#exchange !== undefined || this.#isRetired) return
    this.#isResting = true
    this.connection.unref()
  }

  /** Sends a request. @throws UsageError for what cannot be sent as it is: nothing was sent then. */
  run(exchange: Exchange): void {
    const { body } = exchange
    // First what can be refused: a body that was read before, a field that cannot be sent.
    const { expectsContinue = false } = exchange.start
    const isAtOnce = body?.bytes !== undefined && !expectsContinue
    const pieces = body === undefined || isAtOnce ? undefined : this.#open(body)
    const head = this.#engine.request(exchange.start)
    if (this.#isResting) {
      this.#isResting = false
      this.connection.ref()
    }
    this.#exchange = exchange
    this.#isTouched = false
    this.served += 1
    this.#timeouts.add(this)
    this.#patience.begin(this.#timeouts.now, body === undefined)
    exchange.begun(this, head)
    if (body === undefined) {
      this.connection.writeNowLatin1(head + this.#engine.end())
      return
    }
    const { bytes } = body
    if (bytes === undefined || !isAtOnce) {
      void this.#stream(head, exchange, pieces ?? this.#open(body))
      return
    }
    this.#engine.data(bytes.length)
    this.#engine.end()
    this.#patience.isSent = true
    this.connection.writePairNow(Buffer.from(head, 'latin1'), bytes)
  }

  #open(body: OutgoingBody): AsyncIterable<BodyPiece> {
    const { connection } = this
    return (
      body.openPieces?.(({ descriptor, offset, length }) => connection.holdsFile(descriptor, offset, length)) ??
      body.open()
    )
  }

  /** Behind a response nobody reads the rest of the request (RFC 9112 §9.3): it is left. Never rejects. */
  async #stream(head: string, exchange: Exchange, pieces: AsyncIterable<BodyPiece>): Promise<void> {
    const { connection } = this
    try {
      connection.writeNowLatin1(head)
      if (exchange.start.expectsContinue === true) await this.#continued()
      for await (const piece of pieces) {
        if (this.#exchange !== exchange || this.#patience.hasHead) return
        if (piece.length === 0) continue
        const before = this.#engine.data(piece.length) ?? ''
        const after = this.#engine.dataEnd
        if (before !== '') connection.writeNowLatin1(before)
        const isBelow =
          piece instanceof Uint8Array
            ? connection.writeNow(piece, false)
            : connection.writeFileNow(piece.descriptor, piece.offset, piece.length)
        if (after !== '') connection.writeNowLatin1(after)
        exchange.sent(piece.length)
        this.#patience.since = isBelow ? -1 : this.#timeouts.now
        if (!isBelow) await this.#drain()
      }
      if (this.#exchange !== exchange || this.#patience.hasHead) return
      connection.writeNowLatin1(this.#engine.end())
      this.#patience.isSent = true
      this.#patience.since = this.#timeouts.now
    } catch (error) {
      if (this.#exchange === exchange) this.#fail(error)
    }
  }

  /** RFC 9110 §10.1.1: the server says whether it wants the body; one that says nothing knows no expectations. */
  #continued(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#timeouts.clock.after(CONTINUE_MS, resolve)
      this.#answered = () => {
        this.#answered = undefined
        stop()
        resolve()
      }
    })
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve
    })
  }

  /** Whoever reads the body is behind; its silence is not held against the server. */
  pause(): void {
    if (this.#isPaused || this.#exchange === undefined) return
    this.#isPaused = true
    this.#patience.since = -1
    if (!this.#isReading) this.connection.pauseSink()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#patience.since = this.#timeouts.now
    // Within its own turn the loop goes on by itself.
    if (this.#isReading) return
    this.#pull()
    if (!this.#isPaused) this.connection.resumeSink()
  }

  /**
   * While it is paused: lets the system write what comes next of the body into an open file.
   * @returns how many bytes; 0 where that cannot be done now. @throws what the file system says.
   */
  async receiveFile(exchange: Exchange, descriptor: number, offset: number): Promise<number> {
    const count = Math.min(
      this.#exchange === exchange && this.#isPaused ? this.#engine.plainBodyLeft : 0,
      FILE_STEP_BYTES,
    )
    if (count < MIN_FILE_BYTES) return 0
    const received = await this.connection.receiveFile(descriptor, offset, count)
    if (this.#exchange === exchange) this.#engine.passBody(received)
    return received
  }

  /** The exchange is given up: what comes of it could only be read past. */
  abandon(exchange: Exchange): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    this.destroy()
  }

  /** Ends one that idles, in order. */
  retire(): void {
    this.#leave()
    if (this.#exchange === undefined) void this.connection.close({ graceMs: CLOSE_GRACE_MS })
  }

  destroy(): void {
    this.#leave()
    this.connection.destroy()
  }

  #leave(): void {
    this.#timeouts.delete(this)
    if (this.#isRetired) return
    this.#isRetired = true
    this.#owner.retired(this)
  }

  // ---- from the connection

  data(bytes: Uint8Array): void {
    this.#isTouched = true
    this.#patience.heard(this.#timeouts.now)
    this.#engine.receive(bytes)
    this.#pull()
    if (this.#isPaused) this.connection.pauseSink()
  }

  end(): void {
    this.#engine.receiveEof()
    this.#pull()
    if (this.#exchange === undefined) this.retire()
  }

  drain(): void {
    this.#patience.since = this.#patience.isSent && !this.#isPaused ? this.#timeouts.now : -1
    const drained = this.#drained
    this.#drained = undefined
    drained?.()
  }

  close({ error }: CloseReport): void {
    this.#drained?.()
    this.#answered?.()
    this.#leave()
    if (this.#exchange !== undefined)
      this.#fail(error ?? new BrokenError('ERR_PEER_GONE', 'Cannot go on: the connection was closed'))
  }

  #pull(): void {
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#step());
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isReading = false
    }
  }

  /** False when nothing more is to be read now. */
  #step(): boolean {
    if (this.#isPaused) {
      this.#engine.hold()
      return false
    }
    const event = this.#engine.nextEvent()
    const exchange = this.#exchange
    switch (event.type) {
      case 'data':
        exchange?.received(event.bytes)
        return true
      case 'response':
        // Of its request nothing more is sent.
        this.#patience.isSent = true
        this.#patience.answered(this.#timeouts.now)
        this.#answered?.()
        this.#noteKeepAlive(event)
        exchange?.responded(event)
        return true
      case 'interim':
        if (event.status === 100) this.#answered?.()
        exchange?.interim(event)
        return true
      case 'message-end':
        this.#finish(event.trailers)
        return true
      case 'need-data':
        return false
      case 'paused':
      case 'end':
      case 'switched':
        if (exchange === undefined) this.retire()
        return false
    }
  }

  #noteKeepAlive({ fields }: ResponseHead): void {
    const told = fields.get('keep-alive')
    if (told === undefined) return
    const [, seconds] = /(?:^|[,\s])timeout\s*=\s*"?(\d{1,9})/i.exec(told) ?? []
    this.#keepAliveMs = seconds === undefined ? Infinity : Number(seconds) * 1000
  }

  #finish(trailers: Parameters<Exchange['ended']>[0]): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#timeouts.delete(this)
    this.#patience.since = -1
    this.idleSince = this.#timeouts.now
    exchange?.ended(trailers)
    if (this.isUsable) this.#owner.idle(this)
    // The rest of a request that was answered before it was whole is not sent.
    else if (!this.#isRetired && this.#exchange === undefined) this.retire()
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.destroy()
    exchange?.failed(error, !this.#isTouched)
  }

  checkTime(now: number): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const error = this.#patience.overdue(now, exchange)
    if (error !== undefined) this.#fail(error)
  }
}

const CLOSE_GRACE_MS = 1000
/** curl waits as long. */
const CONTINUE_MS = 1000
/** Of one step into a file: what is under way is over soon, when it is to end. */
const FILE_STEP_BYTES = 16 * 1024 * 1024
/** Not worth a thread. */
const MIN_FILE_BYTES = 1024 * 1024
