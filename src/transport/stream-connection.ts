import { ByteQueue } from '../base/byte-queue.js'
import { EMPTY_BYTES } from '../base/bytes.js'
import { nothingToUnlink, onAbort } from '../base/cancellation.js'
import { deferred, markHandled, type Deferred } from '../base/deferred.js'
import {
  BrokenError,
  BusyError,
  ClosedError,
  LimitError,
  ProtocolError,
  TimeoutError,
  UsageError,
} from '../base/errors.js'
import { asBuffer } from './as-buffer.js'
import type { ProxyHeader } from '../engine/proxy-protocol/header.js'
import type { Address } from './address.js'
import type { CloseOptions, CloseReason, CloseReport, Connection, ConnectionSink, ReadOptions } from './connection.js'
import type { ConnectionSettings } from './connection-options.js'
import { FramedReader, type FrameOptions, type LengthPrefix, type LineOptions } from './framed.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from './stream-driver.js'
import type { TlsInfo } from './tls-options.js'

const FLUSHED: Promise<void> = Promise.resolve()
const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })
const DEFAULT_GRACE_MS = 5000
/** What close() reads and drops at most while it lingers: a peer that never stops sending is cut. */
const MAX_LINGER_BYTES = 16 * 1024 * 1024

const encoder = new TextEncoder()

/** What a connection is doing: `handling` means that nobody reads and nothing is queued. */
export type ConnectionActivity = 'handshaking' | 'idle' | 'reading' | 'handling' | 'writing' | 'closing' | 'closed'

/** How far this side is with writing. */
type Writing = 'open' | 'ending' | 'ended'

/**
 * A `Connection` over any `StreamDriver`. It holds what all transports share: the two reading modes, who owns bytes,
 * back-pressure and its hard cap, half-close, graceful close, the report.
 */
export class StreamConnection implements Connection, StreamDriverEvents {
  #driver: StreamDriver
  readonly #settings: ConnectionSettings

  #proxied: { readonly header: ProxyHeader; readonly remote: Address; readonly local: Address } | undefined

  #queue: ByteQueue | undefined
  #flowing = false
  #peerEnded = false
  #sink: ConnectionSink | undefined
  #framed: FramedReader | undefined

  #resolveRead: ((value: never) => void) | undefined
  #rejectRead: ((reason: unknown) => void) | undefined
  #readIterates = false
  #readMaxBytes = Infinity

  #writing: Writing = 'open'
  #pressed = false
  #queuedWrites = 0
  #drained: Deferred<void> | undefined
  #writeEnded: Deferred<void> | undefined

  #draining: 'no' | 'when idle' | 'now' = 'no'
  #closing: Promise<void> | undefined
  #discarded = -1
  #reason: CloseReason | undefined
  #failure: Error | undefined
  #report: CloseReport | undefined
  #closed: Deferred<CloseReport> | undefined
  #abort: AbortController | undefined
  #bytesRead = 0
  #bytesWritten = 0

  constructor(driver: StreamDriver, settings: ConnectionSettings) {
    this.#driver = driver
    this.#settings = settings
    driver.attach(this)
    if (settings.idleTimeoutMs !== Infinity) driver.watchIdle(settings.idleTimeoutMs, () => this.#idle())
  }

  get local(): Address {
    return this.#proxied?.local ?? this.#driver.local
  }

  get remote(): Address {
    return this.#proxied?.remote ?? this.#driver.remote
  }

  /** Takes the addresses that a PROXY header gave. */
  proxied(header: ProxyHeader, remote: Address | undefined, local: Address | undefined): void {
    this.#proxied = { header, remote: remote ?? this.#driver.remote, local: local ?? this.#driver.local }
  }

  get proxy(): ProxyHeader | undefined {
    return this.#proxied?.header
  }

  get tls(): TlsInfo | undefined {
    return this.#driver.tls
  }

  get bufferedBytes(): number {
    return this.#report === undefined ? this.#driver.bufferedBytes : 0
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** True once the connection is gone. */
  get isClosed(): boolean {
    return this.#report !== undefined
  }

  /** True once `close`, `closeWrite` or `destroy` began, or the connection is gone. */
  get isEnding(): boolean {
    return this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#report !== undefined) this.#abort.abort(this.#goneError())
    }
    return this.#abort.signal
  }

  get closed(): Promise<CloseReport> {
    if (this.#closed === undefined) {
      this.#closed = deferred()
      if (this.#report !== undefined) this.#closed.resolve(this.#report)
    }
    return this.#closed.promise
  }

  // ---- reading

  read(options?: ReadOptions): Promise<Uint8Array | null> {
    if (this.#framed !== undefined) this.#releaseFramed()
    return options === undefined ? this.#pull(false, Infinity) : this.#readWith(options)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return {
      next: () => {
        if (this.#framed !== undefined) this.#releaseFramed()
        return this.#pull(true, Infinity)
      },
      return: () => Promise.resolve(END),
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  #pull(iterates: true, maxBytes: number): Promise<IteratorResult<Uint8Array, undefined>>
  #pull(iterates: false, maxBytes: number): Promise<Uint8Array | null>
  #pull(iterates: boolean, maxBytes: number): Promise<unknown> {
    if (this.#resolveRead !== undefined) return this.#busyReading()
    if (this.#sink !== undefined) return this.#busyWithSink()
    const queue = this.#queue
    if (queue !== undefined && queue.bytes > 0) {
      const bytes = queue.shift(maxBytes)
      if (!this.#flowing && queue.bytes < this.#settings.readHighWaterBytes) this.#flow()
      return Promise.resolve(iterates ? { done: false, value: bytes } : bytes)
    }
    if (this.#failure !== undefined && !this.#endedCleanly()) return Promise.reject(this.#failure)
    if (this.#peerEnded) return Promise.resolve(iterates ? END : null)
    if (this.#report !== undefined || this.#reason !== undefined) return Promise.reject(this.#goneError())
    if (this.#draining !== 'no' && this.#endsForDrain()) return Promise.resolve(iterates ? END : null)
    if (!this.#flowing) this.#flow()
    this.#readIterates = iterates
    this.#readMaxBytes = maxBytes
    return new Promise((resolve, reject) => {
      this.#resolveRead = resolve
      this.#rejectRead = reject
    })
  }

  /** A failure after the peer ended in order (a reset of a finished stream, say) takes nothing from the reader. */
  #endedCleanly(): boolean {
    return this.#peerEnded && this.#failure instanceof BrokenError
  }

  async #readWith(options: ReadOptions): Promise<Uint8Array | null> {
    const { maxBytes = Infinity, signal, timeoutMs = Infinity } = options
    if (signal?.aborted) throw signal.reason
    if (!(maxBytes >= 1))
      throw new LimitError('ERR_READ_LIMIT', `Cannot read: maxBytes is ${maxBytes}, at least 1 is needed`)
    const reading = this.#pull(false, maxBytes)
    const rejectRead = this.#rejectRead
    if (rejectRead === undefined) return reading
    const cancel = (reason: unknown): void => {
      if (this.#rejectRead !== rejectRead) return
      this.#clearRead()
      rejectRead(reason)
    }
    const unlink = signal === undefined ? nothingToUnlink : onAbort(signal, cancel)
    const stopTimer = this.#driver.clock.after(timeoutMs, () => {
      cancel(
        new TimeoutError('ERR_READ_TIMEOUT', `Cannot read: nothing came within ${timeoutMs} ms`, {
          details: { timeoutMs },
        }),
      )
    })
    try {
      return await reading
    } finally {
      unlink()
      stopTimer()
    }
  }

  /**
   * For a server that shuts down: a read that waits with nothing begun sees the end, as if the peer had finished, now
   * or when the next one would wait. With `force` also in the middle of a line or frame.
   */
  drain(force: boolean = false): void {
    this.#draining = force ? 'now' : 'when idle'
    if (this.#resolveRead !== undefined && this.#endsForDrain()) this.#resolveWithEnd()
  }

  /** Nothing that was received is unread or half-read. */
  #endsForDrain(): boolean {
    return this.#draining === 'now' || ((this.#queue?.bytes ?? 0) === 0 && (this.#framed?.heldBytes ?? 0) === 0)
  }

  /** What the connection is doing, for the report of a shutdown. */
  get activity(): ConnectionActivity {
    if (this.#report !== undefined) return 'closed'
    if (this.#reason !== undefined || this.#writing !== 'open') return 'closing'
    if (this.#pressed || this.#driver.bufferedBytes > 0) return 'writing'
    if (this.#resolveRead === undefined) return this.#sink === undefined ? 'handling' : 'reading'
    return (this.#framed?.heldBytes ?? 0) > 0 ? 'reading' : 'idle'
  }

  #resolveWithEnd(): void {
    const resolve: ((value: never) => void) | undefined = this.#resolveRead
    const value: unknown = this.#readIterates ? END : null
    this.#clearRead()
    resolve?.(value as never)
  }

  #clearRead(): void {
    this.#resolveRead = undefined
    this.#rejectRead = undefined
  }

  #busyReading(): Promise<never> {
    return Promise.reject(new BusyError('ERR_BUSY_READ', 'Cannot read: another read of this connection waits already'))
  }

  #busyWithSink(): Promise<never> {
    return Promise.reject(new BusyError('ERR_BUSY_SINK', 'Cannot read: a sink reads this connection'))
  }

  #flow(): void {
    this.#flowing = true
    this.#driver.resume()
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    // What the reader of lines holds was read after these bytes: it goes back first.
    if (this.#framed !== undefined && this.#resolveRead === undefined) this.#releaseFramed()
    this.#queue ??= new ByteQueue()
    this.#queue.unshift(bytes)
    this.#deliverQueued()
  }

  /** Hands the queue to a read that waits (after an unread), or to the sink. */
  #deliverQueued(): void {
    const queue = this.#queue
    if (queue === undefined || queue.bytes === 0) return
    if (this.#sink !== undefined) {
      for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) this.#sink.data(chunk)
    } else if (this.#resolveRead !== undefined) {
      const bytes = queue.shift(this.#readMaxBytes)
      if (bytes !== undefined) this.#resolveWith(bytes)
    }
  }

  #resolveWith(bytes: Uint8Array): void {
    const resolve: ((value: never) => void) | undefined = this.#resolveRead
    this.#clearRead()
    const value: unknown = this.#readIterates ? { done: false, value: bytes } : bytes
    resolve?.(value as never)
  }

  /**
   * Reads by a synchronous sink from now on: bytes that were given back come first. For engines' loops.
   * @throws BusyError `ERR_BUSY_SINK` when a read waits or a sink is there.
   */
  sinkTo(sink: ConnectionSink): void {
    if (this.#sink !== undefined || this.#resolveRead !== undefined) {
      throw new BusyError('ERR_BUSY_SINK', 'Cannot attach a sink: this connection is being read already')
    }
    if (this.#framed !== undefined) this.#releaseFramed()
    this.#sink = sink
    this.#deliverQueued()
    if (this.#peerEnded) sink.end()
    if (this.#report !== undefined) sink.close(this.#report)
    else if (!this.#flowing) this.#flow()
  }

  /** Takes the sink away; what comes now is held for `read`, or for the next sink. */
  releaseSink(): void {
    this.#sink = undefined
  }

  /** Stops and starts the calls to the sink: back-pressure for engines. */
  pauseSink(): void {
    if (!this.#flowing) return
    this.#flowing = false
    this.#driver.pause()
  }

  resumeSink(): void {
    if (!this.#flowing && this.#report === undefined) this.#flow()
  }

  driverData(bytes: Uint8Array, borrowed: boolean): void {
    this.#bytesRead += bytes.length
    if (this.#discarded >= 0) {
      this.#discard(bytes.length)
      return
    }
    if (this.#sink !== undefined) {
      this.#sink.data(bytes)
      return
    }
    if (this.#resolveRead !== undefined && bytes.length <= this.#readMaxBytes) {
      this.#resolveWith(borrowed ? copyBytes(bytes) : bytes)
      return
    }
    this.#queue ??= new ByteQueue()
    this.#queue.push(borrowed ? copyBytes(bytes) : bytes)
    this.#deliverQueued()
    if (this.#queue.bytes >= this.#settings.readHighWaterBytes && this.#flowing) {
      this.#flowing = false
      this.#driver.pause()
    }
  }

  driverEnd(): void {
    this.#peerEnded = true
    if (this.#sink !== undefined) {
      this.#sink.end()
    } else {
      this.#resolveWithEnd()
    }
  }

  // ---- writing

  write(data: Uint8Array | string): Promise<void> {
    if (this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined) return this.#refuseWrite()
    const bytes = typeof data === 'string' ? encoder.encode(data) : data
    if (bytes.length === 0) return FLUSHED
    if (this.#pressed && this.#overCap()) return this.#refuseWrite()
    this.#bytesWritten += bytes.length
    if (this.#driver.write(bytes)) return FLUSHED
    this.#pressed = true
    this.#queuedWrites += 1
    this.#drained ??= handledDeferred()
    return this.#drained.promise
  }

  /**
   * For engines' loops: queues bytes that may be borrowed no longer than this call (they are copied), and says whether
   * the queue is below its high-water mark; after false, `sink.drain` will follow.
   */
  writeNow(bytes: Uint8Array, borrowed: boolean): boolean {
    if (this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined || bytes.length === 0)
      return true
    if (this.#pressed && this.#overCap()) return true
    this.#bytesWritten += bytes.length
    if (this.#driver.write(borrowed ? copyBytes(bytes) : bytes)) return true
    this.#pressed = true
    this.#queuedWrites += 1
    return false
  }

  #overCap(): boolean {
    const { maxWriteBufferBytes, maxQueuedWrites } = this.#settings
    const bytes = this.#driver.bufferedBytes
    if (bytes < maxWriteBufferBytes && this.#queuedWrites < maxQueuedWrites) return false
    this.destroy(
      new LimitError(
        'ERR_WRITE_BUFFER_LIMIT',
        `Cannot queue one more write: ${bytes} bytes in ${this.#queuedWrites} writes wait for a peer that does not read (limits ${maxWriteBufferBytes} bytes, ${maxQueuedWrites} writes); await write() before the next`,
        { details: { maxWriteBufferBytes, maxQueuedWrites, bufferedBytes: bytes } },
      ),
    )
    return true
  }

  #refuseWrite(): Promise<never> {
    const error =
      this.#failure ??
      (this.#report !== undefined || this.#reason === 'destroyed'
        ? this.#goneError()
        : new ClosedError('ERR_WRITE_AFTER_END', 'Cannot write: this side has ended the connection'))
    return markHandled(Promise.reject(error))
  }

  driverDrain(): void {
    this.#pressed = false
    this.#queuedWrites = 0
    const drained = this.#drained
    this.#drained = undefined
    drained?.resolve()
    this.#sink?.drain?.()
  }

  closeWrite(): Promise<void> {
    if (this.#writeEnded === undefined) {
      this.#writeEnded = handledDeferred()
      if (this.#report !== undefined || this.#reason === 'destroyed') {
        this.#writing = 'ended'
        this.#writeEnded.resolve()
      } else {
        this.#writing = 'ending'
        this.#driver.endWriting(() => {
          this.#writing = 'ended'
          this.#writeEnded?.resolve()
        })
      }
    }
    return this.#writeEnded.promise
  }

  // ---- ending

  close(options?: CloseOptions): Promise<void> {
    this.#closing ??= this.#closeGracefully(options?.graceMs ?? DEFAULT_GRACE_MS)
    return this.#closing
  }

  async #closeGracefully(graceMs: number): Promise<void> {
    if (this.#report !== undefined) return
    const stopTimer = this.#driver.clock.after(graceMs, () => {
      this.#destroyAs(
        'destroyed',
        new TimeoutError('ERR_CLOSE_TIMEOUT', `Cut after ${graceMs} ms: the peer did not take what was written`),
      )
    })
    try {
      this.#rejectWaitingRead(new ClosedError('ERR_CLOSED', 'Cannot read: this side has closed the connection'))
      await this.closeWrite()
      if (this.#report !== undefined) return
      this.#reason ??= 'closed'
      await this.#linger()
    } finally {
      stopTimer()
    }
    this.#driver.destroy()
    await this.closed
  }

  /** Reads and drops until the peer ends, so that closing does not reset what it has not read yet. */
  async #linger(): Promise<void> {
    const { lingerMs } = this.#settings
    if (this.#peerEnded || lingerMs === 0) return
    this.#queue?.clear()
    this.#discarded = 0
    if (!this.#flowing) this.#flow()
    const stopTimer = this.#driver.clock.after(lingerMs, () => this.#driver.destroy())
    await this.closed
    stopTimer()
  }

  #discard(bytes: number): void {
    this.#discarded += bytes
    if (this.#discarded > MAX_LINGER_BYTES) this.#driver.destroy()
  }

  destroy(reason?: unknown): void {
    if (reason === undefined) this.#destroyAs('destroyed', undefined)
    else
      this.#destroyAs(
        'failed',
        reason instanceof Error ? reason : new ClosedError('ERR_CLOSED', String(reason), { cause: reason }),
      )
  }

  #destroyAs(how: CloseReason, error: Error | undefined): void {
    if (this.#report !== undefined || this.#reason === 'destroyed' || this.#reason === 'failed') return
    this.#reason = how
    this.#failure = error
    this.#driver.destroy()
  }

  driverClose(error: Error | undefined): void {
    if (this.#report !== undefined) return
    if (error !== undefined && this.#reason === undefined) {
      this.#failure = error
      this.#reason = 'failed'
    }
    const report: CloseReport = Object.freeze({
      reason: this.#reason ?? (this.#peerEnded && this.#writing !== 'open' ? 'ended' : 'failed'),
      error: this.#failure,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      bytesUnsent: this.#driver.bufferedBytes,
    })
    this.#report = report
    this.#writing = 'ended'
    const gone = this.#goneError()
    this.#rejectWaitingRead(gone)
    this.#drained?.reject(gone)
    this.#drained = undefined
    this.#writeEnded?.resolve()
    this.#sink?.close(report)
    this.#sink = undefined
    this.#closed?.resolve(report)
    this.#abort?.abort(gone)
  }

  #rejectWaitingRead(reason: Error): void {
    const reject = this.#rejectRead
    this.#clearRead()
    reject?.(reason)
  }

  #goneError(): Error {
    return this.#failure ?? new ClosedError('ERR_CLOSED', 'Cannot use the connection: it is closed')
  }

  #idle(): void {
    const { idleTimeoutMs } = this.#settings
    this.destroy(
      new TimeoutError('ERR_IDLE_TIMEOUT', `Closed the connection: nothing moved for ${idleTimeoutMs} ms`, {
        details: { timeoutMs: idleTimeoutMs },
      }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ---- TLS

  async startTls(options: TlsStart): Promise<void> {
    if (this.#resolveRead !== undefined)
      throw new BusyError('ERR_BUSY_READ', 'Cannot start TLS: a read of this connection waits')
    if (this.#sink !== undefined) throw new BusyError('ERR_BUSY_SINK', 'Cannot start TLS: a sink reads this connection')
    if (this.isEnding) throw this.#goneError()
    if (this.#framed !== undefined) this.#releaseFramed()
    if (this.#driver.startTls === undefined) {
      throw new UsageError(
        'ERR_UNSUPPORTED',
        'Cannot start TLS: this transport carries none; use a tcp: or unix: endpoint',
      )
    }
    const unread = this.#queue?.takeAll() ?? EMPTY_BYTES
    this.#flowing = false
    this.#driver = await this.#driver.startTls(options, unread)
    this.#driver.attach(this)
    if (this.#settings.idleTimeoutMs !== Infinity)
      this.#driver.watchIdle(this.#settings.idleTimeoutMs, () => this.#idle())
  }

  // ---- frames

  #framing(): FramedReader {
    this.#framed ??= new FramedReader(() => this.#pull(false, Infinity))
    return this.#framed
  }

  #releaseFramed(): void {
    const rest = this.#framed?.takeRest()
    this.#framed = undefined
    if (rest !== undefined && rest.length > 0) {
      this.#queue ??= new ByteQueue()
      this.#queue.unshift(rest)
    }
  }

  lines(options?: LineOptions): AsyncIterableIterator<string> {
    return this.#framing().lines(options)
  }

  readLine(options?: LineOptions): Promise<string | null> {
    return this.#framing().readLine(options)
  }

  async readExactly(count: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new UsageError('ERR_ARGUMENT', `Cannot read exactly ${count} bytes: a whole number from 0 up is expected`)
    }
    if (this.#framed !== undefined) this.#releaseFramed()
    const taken = new ByteQueue()
    while (taken.bytes < count) {
      const bytes = await this.#pull(false, count - taken.bytes)
      if (bytes === null) {
        const held = taken.bytes
        this.unread(taken.takeAll())
        throw new ProtocolError('ERR_UNEXPECTED_END', `Cannot read ${count} bytes: the peer ended after ${held}`)
      }
      taken.push(bytes)
    }
    return asBuffer(taken.takeAll())
  }

  readUntil(delimiter: Uint8Array | string, options?: FrameOptions): Promise<Uint8Array> {
    return this.#framing().readUntil(typeof delimiter === 'string' ? encoder.encode(delimiter) : delimiter, options)
  }

  frames(prefix: LengthPrefix, options?: FrameOptions): AsyncIterableIterator<Uint8Array> {
    return this.#framing().frames(prefix, options)
  }
}

/** A copy in the pool of small buffers, where it fits. */
function copyBytes(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.length)
  copy.set(bytes)
  return copy
}

function handledDeferred(): Deferred<void> {
  const made = deferred<void>()
  markHandled(made.promise)
  return made
}
