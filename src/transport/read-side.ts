import { ByteQueue } from '../base/byte-queue.js'
import { EMPTY_BYTES } from '../base/bytes.js'
import { onFirstAbort } from '../base/cancellation.js'
import { BrokenError, BusyError, LimitError, ProtocolError, TimeoutError, UsageError } from '../base/errors.js'
import { asBuffer } from './as-buffer.js'
import type { CloseReport, ConnectionSink, ReadOptions } from './connection.js'
import { FramedReader } from './framed.js'
import { copyBytes } from './fresh-bytes.js'
import type { StreamDriver } from './stream-driver.js'

export type NextBytes = IteratorResult<Uint8Array, undefined>

const END: NextBytes = Object.freeze({ done: true, value: undefined })

/** What reads in a connection: one read at a time, or an iteration, or framed reading, or a sink. */
export class ReadSide {
  #driver: StreamDriver
  readonly #highWaterBytes: number
  #queue: ByteQueue | undefined
  #framed: FramedReader | undefined
  /** What `readExactly` has while it waits for the rest. */
  #counted = 0
  #sink: ConnectionSink | undefined
  #sinkPaused = false
  #sinkToldEnd = false
  /** Queued bytes are going to the sink: it may pause and resume meanwhile, and is not called within its own call. */
  #feeding = false
  #flowing = false
  #peerEnded = false
  #bothEnded = false
  /** Why nothing comes any more, once that is so. */
  #stopped: Error | undefined
  #draining: 'no' | 'when idle' | 'now' = 'no'
  /** Bytes dropped since `discard`; -1 before. */
  #discarded = -1
  #maxDiscarded = 0
  bytesRead: number = 0

  /** The read that waits, in one of its two forms. */
  #resolveRead: ((bytes: Uint8Array | null) => void) | undefined
  #resolveNext: ((result: NextBytes) => void) | undefined
  #rejectRead: ((reason: unknown) => void) | undefined
  #maxBytes = Infinity

  constructor(driver: StreamDriver, highWaterBytes: number) {
    this.#driver = driver
    this.#highWaterBytes = highWaterBytes
  }

  get waits(): boolean {
    return this.#rejectRead !== undefined
  }

  get hasSink(): boolean {
    return this.#sink !== undefined
  }

  get peerEnded(): boolean {
    return this.#peerEnded
  }

  /** Bytes of a message that has begun and is not whole. */
  get halfRead(): number {
    return (this.#framed?.heldBytes ?? 0) + this.#counted
  }

  // ---- pulling

  read(options?: ReadOptions): Promise<Uint8Array | null> {
    const busy = this.#leaveFraming()
    if (busy !== undefined) return Promise.reject(busy)
    return options === undefined ? this.#pull(Infinity) : this.#readWith(options)
  }

  next(): Promise<NextBytes> {
    const refusal = this.#leaveFraming() ?? this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    const bytes = this.#shift(Infinity)
    if (bytes !== undefined) return Promise.resolve({ done: false, value: bytes })
    if (this.#stopped !== undefined && !this.#endedCleanly()) return Promise.reject(this.#stopped)
    if (this.#seesEnd()) return Promise.resolve(END)
    if (!this.#flowing) this.#flow()
    this.#maxBytes = Infinity
    return new Promise((resolve, reject) => {
      this.#resolveNext = resolve
      this.#rejectRead = reject
    })
  }

  #pull(maxBytes: number): Promise<Uint8Array | null> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    const bytes = this.#shift(maxBytes)
    if (bytes !== undefined) return Promise.resolve(bytes)
    if (this.#stopped !== undefined && !this.#endedCleanly()) return Promise.reject(this.#stopped)
    if (this.#seesEnd()) return Promise.resolve(null)
    if (!this.#flowing) this.#flow()
    this.#maxBytes = maxBytes
    return new Promise((resolve, reject) => {
      this.#resolveRead = resolve
      this.#rejectRead = reject
    })
  }

  #refusal(): BusyError | undefined {
    if (this.#rejectRead !== undefined) {
      return busyReading()
    }
    return this.#sink === undefined
      ? undefined
      : new BusyError('ERR_BUSY_SINK', 'Cannot read: a sink reads this connection')
  }

  #shift(maxBytes: number): Uint8Array | undefined {
    const queue = this.#queue
    if (queue === undefined || queue.bytes === 0) return undefined
    const bytes = queue.shift(maxBytes)
    if (!this.#flowing && this.#stopped === undefined && queue.bytes < this.#highWaterBytes) this.#flow()
    return bytes
  }

  #seesEnd(): boolean {
    return this.#peerEnded || (this.#draining !== 'no' && this.#endsForDrain())
  }

  /**
   * A reader that comes late still sees the end: when both sides have ended, and when what failed after the peer's end
   * in order (a reset of a finished stream, say) takes nothing from it.
   */
  #endedCleanly(): boolean {
    return this.#peerEnded && (this.#bothEnded || this.#stopped instanceof BrokenError)
  }

  async #readWith({ maxBytes = Infinity, signal, timeoutMs = Infinity }: ReadOptions): Promise<Uint8Array | null> {
    if (signal?.aborted) throw signal.reason
    if (!(maxBytes >= 1))
      throw new LimitError('ERR_READ_LIMIT', `Cannot read: maxBytes is ${maxBytes}, at least 1 is needed`)
    const reading = this.#pull(maxBytes)
    const rejectRead = this.#rejectRead
    if (rejectRead === undefined || this.#resolveRead === undefined) return reading
    const tooLate = (): TimeoutError =>
      new TimeoutError('ERR_READ_TIMEOUT', `Cannot read: nothing came within ${timeoutMs} ms`, {
        details: { timeoutMs },
      })
    const deadline = { clock: this.#driver.clock, timeoutMs, reason: tooLate }
    const unlink = onFirstAbort([signal], deadline, (reason) => {
      if (this.#rejectRead === rejectRead) this.#fail(reason)
    })
    try {
      return await reading
    } finally {
      unlink()
    }
  }

  async readExactly(count: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new UsageError('ERR_ARGUMENT', `Cannot read exactly ${count} bytes: a whole number from 0 up is expected`)
    }
    const busy = this.#leaveFraming()
    if (busy !== undefined) throw busy
    const taken = new ByteQueue()
    let held = 0
    try {
      while (taken.bytes < count) {
        const bytes = await this.#pull(count - taken.bytes)
        if (bytes === null) {
          throw new ProtocolError(
            'ERR_UNEXPECTED_END',
            `Cannot read ${count} bytes: the peer ended after ${taken.bytes}`,
          )
        }
        taken.push(bytes)
        held += bytes.length
        this.#counted += bytes.length
      }
    } catch (error) {
      this.unread(taken.takeAll())
      throw error
    } finally {
      this.#counted -= held
    }
    return asBuffer(taken.takeAll())
  }

  /** The reader of lines and frames, which keeps what it has read too far. */
  framed(): FramedReader {
    this.#framed ??= new FramedReader(() => this.#pull(Infinity))
    return this.#framed
  }

  /** Another way of reading begins. While a line or frame is being read it is refused, and takes nothing away. */
  #leaveFraming(): BusyError | undefined {
    if (this.#framed?.isReading === true) return busyReading()
    if (this.#framed !== undefined) this.#releaseFramed()
    return undefined
  }

  #releaseFramed(): void {
    const rest = this.#framed?.takeRest() ?? EMPTY_BYTES
    this.#framed = undefined
    this.#putBack(rest)
  }

  #putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#queue ??= new ByteQueue()
    this.#queue.unshift(bytes)
  }

  unread(bytes: Uint8Array): void {
    // A line that is being read goes on with these bytes; else what was read too far stands behind them.
    if (this.#framed !== undefined && !this.waits) this.#releaseFramed()
    this.#putBack(bytes)
    this.#deliverQueued()
  }

  // ---- pushing

  /** @throws BusyError `ERR_BUSY_SINK` when a read waits or a sink is there. */
  sinkTo(sink: ConnectionSink, report: CloseReport | undefined): void {
    if (this.#sink !== undefined || this.waits) {
      throw new BusyError('ERR_BUSY_SINK', 'Cannot attach a sink: this connection is being read already')
    }
    if (this.#framed !== undefined) this.#releaseFramed()
    this.#sink = sink
    this.#sinkPaused = false
    this.#sinkToldEnd = false
    this.#feedSink()
    if (report !== undefined) sink.close(report)
    else if (!this.#flowing && this.#sink === sink && !this.#sinkPaused) this.#flow()
    if (this.#draining !== 'no' && this.#sink === sink) sink.finish?.(this.#draining === 'now')
  }

  releaseSink(): void {
    this.#sink = undefined
  }

  pauseSink(): void {
    this.#sinkPaused = true
    this.#hold()
  }

  /** What was held back comes first, in this call. */
  resumeSink(): void {
    this.#sinkPaused = false
    if (!this.#feeding) this.#feedSink()
    if (!this.#flowing && !this.#sinkPaused && this.#stopped === undefined) this.#flow()
  }

  /** See `StreamDriver.receiveFile`; only while the sink is paused. */
  async receiveFile(descriptor: number, offset: number, count: number): Promise<number> {
    const isQuiet = this.#sinkPaused && !this.#flowing && (this.#queue?.bytes ?? 0) === 0 && this.#stopped === undefined
    if (!isQuiet || this.#driver.receiveFile === undefined) return 0
    const received = await this.#driver.receiveFile(descriptor, offset, count)
    this.bytesRead += received
    return received
  }

  /** What is queued, and the end behind it, until the sink pauses or takes itself away: the rest waits. */
  #feedSink(): void {
    const sink = this.#sink
    const goesOn = (): boolean => sink !== undefined && this.#sink === sink && !this.#sinkPaused
    this.#feeding = true
    try {
      for (let bytes; goesOn() && (bytes = this.#queue?.shift()) !== undefined;) sink?.data(bytes)
    } finally {
      this.#feeding = false
    }
    if (!this.#peerEnded || this.#sinkToldEnd || !goesOn()) return
    this.#sinkToldEnd = true
    sink?.end()
  }

  #hold(): void {
    if (!this.#flowing) return
    this.#flowing = false
    this.#driver.pause()
  }

  #flow(): void {
    this.#flowing = true
    this.#driver.resume()
  }

  /** Hands the queue to a read that waits (after an unread), or to the sink. */
  #deliverQueued(): void {
    if (this.#sink !== undefined) {
      if (!this.#feeding) this.#feedSink()
      return
    }
    if (this.#rejectRead === undefined) return
    const bytes = this.#queue?.shift(this.#maxBytes)
    if (bytes !== undefined) this.#give(bytes)
  }

  #give(bytes: Uint8Array): void {
    const resolveRead = this.#resolveRead
    const resolveNext = this.#resolveNext
    this.#clear()
    if (resolveNext === undefined) resolveRead?.(bytes)
    else resolveNext({ done: false, value: bytes })
  }

  #giveEnd(): void {
    const resolveRead = this.#resolveRead
    const resolveNext = this.#resolveNext
    this.#clear()
    resolveRead?.(null)
    resolveNext?.(END)
  }

  #fail(reason: unknown): void {
    const rejectRead = this.#rejectRead
    this.#clear()
    rejectRead?.(reason)
  }

  #clear(): void {
    this.#resolveRead = undefined
    this.#resolveNext = undefined
    this.#rejectRead = undefined
  }

  /** `borrowed` bytes are copied unless a sink takes them during the call. */
  receive(bytes: Uint8Array, borrowed: boolean): void {
    this.bytesRead += bytes.length
    if (this.#discarded >= 0) {
      this.#discarded += bytes.length
      if (this.#discarded > this.#maxDiscarded) this.#driver.destroy()
      return
    }
    if (this.#sink !== undefined && !this.#sinkPaused) {
      this.#sink.data(bytes)
      return
    }
    const own = borrowed ? copyBytes(bytes) : bytes
    if (this.#rejectRead !== undefined && own.length <= this.#maxBytes) {
      this.#give(own)
      return
    }
    this.#queue ??= new ByteQueue()
    this.#queue.push(own)
    this.#deliverQueued()
    if (this.#queue.bytes >= this.#highWaterBytes) this.#hold()
  }

  receiveEnd(): void {
    this.#peerEnded = true
    if (this.#sink === undefined) this.#giveEnd()
    else this.#feedSink()
  }

  sinkDrained(): void {
    this.#sink?.drain?.()
  }

  // ---- ending

  /** A read that waits with nothing begun sees the end, now or when the next one would wait; with `force` in any case. */
  drain(force: boolean): void {
    this.#draining = force ? 'now' : 'when idle'
    if (this.waits && this.#endsForDrain()) this.#giveEnd()
    this.#sink?.finish?.(force)
  }

  makeRoom(): void {
    this.#sink?.makeRoom?.()
  }

  #endsForDrain(): boolean {
    return this.#draining === 'now' || ((this.#queue?.bytes ?? 0) === 0 && this.halfRead === 0)
  }

  /** Nothing is read any more: a read that waits is rejected, and later ones are. */
  stop(error: Error): void {
    this.#stopped ??= error
    this.#fail(error)
  }

  /** Drops what is unread and what still comes, at most `maxBytes` of it before the connection is destroyed. */
  discard(maxBytes: number): void {
    this.#queue?.clear()
    this.#framed = undefined
    this.#discarded = 0
    this.#maxDiscarded = maxBytes
    if (!this.#flowing) this.#flow()
  }

  /** The connection is gone: the last call. */
  close(error: Error, report: CloseReport): void {
    this.#flowing = false
    this.#bothEnded = report.reason === 'ended'
    this.stop(error)
    const sink = this.#sink
    this.#sink = undefined
    sink?.close(report)
  }

  /** Everything unread, for whoever reads from now on; nothing flows until `switchTo`. */
  takeUnread(): Uint8Array {
    if (this.#framed !== undefined) this.#releaseFramed()
    this.#flowing = false
    return this.#queue?.takeAll() ?? EMPTY_BYTES
  }

  switchTo(driver: StreamDriver): void {
    this.#driver = driver
  }
}

const busyReading = (): BusyError =>
  new BusyError('ERR_BUSY_READ', 'Cannot read: another read of this connection waits already')
