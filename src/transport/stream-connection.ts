import { DONE, deferred, handledDeferred, markHandled, type Deferred } from '../base/deferred.js'
import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { BusyError, ClosedError, LimitError, TimeoutError, UsageError } from '../base/errors.js'
import type { ProxyHeader } from '../engine/proxy-protocol/header.js'
import type { Address } from './address.js'
import { BytesIterator } from './bytes-iterator.js'
import type { CloseOptions, CloseReason, CloseReport, Connection, ConnectionSink, ReadOptions } from './connection.js'
import type { ConnectionSettings } from './connection-options.js'
import type { FrameOptions, LengthPrefix, LineOptions } from './framed.js'
import { giveSlab, MIN_SLAB_BYTES, takeSlab } from './copy-slabs.js'
import { toDestroyError } from './destroy-error.js'
import { copyBytes } from './fresh-bytes.js'
import { ReadSide } from './read-side.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from './stream-driver.js'
import { checkStartTls, DEFAULT_HANDSHAKE_TIMEOUT_MS, type TlsInfo } from './tls-options.js'

const DEFAULT_GRACE_MS = 5000
/** What close() reads and drops at most while it lingers: a peer that never stops sending is cut. */
const MAX_LINGER_BYTES = 16 * 1024 * 1024

const encoder = new TextEncoder()

/** What a connection is doing: `handling` means that nobody reads and nothing is queued. */
export type ConnectionActivity = 'handshaking' | 'idle' | 'reading' | 'handling' | 'writing' | 'closing' | 'closed'

/** How far this side is with writing. */
type Writing = 'open' | 'securing' | 'ending' | 'ended'

/**
 * A `Connection` over any `StreamDriver`. It holds what all transports share: reading modes and who owns bytes (in its
 * `ReadSide`), back-pressure and its hard cap, half-close, graceful close, the report.
 */
export class StreamConnection implements Connection, StreamDriverEvents {
  #driver: StreamDriver
  readonly #settings: ConnectionSettings
  readonly #reading: ReadSide
  #proxied: { readonly header: ProxyHeader; readonly remote: Address; readonly local: Address } | undefined

  #writing: Writing = 'open'
  #pressed = false
  #queuedWrites = 0
  #bytesWritten = 0
  #drained: Deferred<void> | undefined
  #writeEnded: Deferred<void> | undefined

  #closing: Promise<void> | undefined
  #reason: CloseReason | undefined
  #failure: Error | undefined
  #report: CloseReport | undefined
  #closed: Deferred<CloseReport> | undefined
  #abort: AbortController | undefined

  constructor(driver: StreamDriver, settings: ConnectionSettings) {
    this.#driver = driver
    this.#settings = settings
    this.#reading = new ReadSide(driver, settings.readHighWaterBytes)
    this.#attach()
  }

  #attach(): void {
    const { idleTimeoutMs } = this.#settings
    this.#driver.attach(this)
    if (idleTimeoutMs === Infinity) return
    this.#driver.watchIdle(idleTimeoutMs, () => {
      const message = `Closed the connection: nothing moved for ${idleTimeoutMs} ms`
      this.destroy(new TimeoutError('ERR_IDLE_TIMEOUT', message, { details: { timeoutMs: idleTimeoutMs } }))
    })
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

  /** Waiting for it keeps the process running, as it does from the beginning; `unref` ends that. */
  ref(): void {
    this.#driver.ref?.()
  }

  unref(): void {
    this.#driver.unref?.()
  }

  get bufferedBytes(): number {
    return this.#report === undefined ? this.#driver.bufferedBytes : 0
  }

  /** The time that its waits go by. */
  get clock(): Clock {
    return this.#driver.clock
  }

  get #isSecuring(): boolean {
    return this.#writing === 'securing'
  }

  /** True once `close`, `closeWrite` or `destroy` began, or the connection is gone. */
  get isEnding(): boolean {
    return (this.#writing !== 'open' && !this.#isSecuring) || this.#reason !== undefined || this.#report !== undefined
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

  /** What the connection is doing, for the report of a shutdown. */
  get activity(): ConnectionActivity {
    const reading = this.#reading
    if (this.#report !== undefined) return 'closed'
    if (this.#isSecuring) return 'handshaking'
    if (this.#reason !== undefined || this.#writing !== 'open') return 'closing'
    if (this.#pressed || this.#driver.bufferedBytes > 0) return 'writing'
    if (!reading.waits) return reading.hasSink ? 'reading' : 'handling'
    return reading.halfRead > 0 ? 'reading' : 'idle'
  }

  // ---- reading

  read(options?: ReadOptions): Promise<Uint8Array | null> {
    return this.#reading.read(options)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new BytesIterator(this.#reading)
  }

  unread(bytes: Uint8Array): void {
    this.#reading.unread(bytes)
  }

  /** A proxy has opened a tunnel: what went by was between us and it, and the counters begin with these bytes. */
  beginTunnel(first: Uint8Array): void {
    this.#bytesWritten = 0
    this.#reading.bytesRead = first.length
    this.unread(first)
  }

  lines(options?: LineOptions): AsyncIterableIterator<string> {
    return this.#reading.framed().lines(options)
  }

  readLine(options?: LineOptions): Promise<string | null> {
    return this.#reading.framed().readLine(options)
  }

  readExactly(count: number): Promise<Uint8Array> {
    return this.#reading.readExactly(count)
  }

  readUntil(delimiter: Uint8Array | string, options?: FrameOptions): Promise<Uint8Array> {
    return this.#reading
      .framed()
      .readUntil(typeof delimiter === 'string' ? encoder.encode(delimiter) : delimiter, options)
  }

  frames(prefix: LengthPrefix, options?: FrameOptions): AsyncIterableIterator<Uint8Array> {
    return this.#reading.framed().frames(prefix, options)
  }

  /**
   * Reads by a synchronous sink from now on: bytes that were given back come first. For engines' loops.
   * @throws BusyError `ERR_BUSY_SINK` when a read waits or a sink is there.
   */
  sinkTo(sink: ConnectionSink): void {
    this.#reading.sinkTo(sink, this.#report)
  }

  /** Takes the sink away; what comes now is held for `read`, or for the next sink. */
  releaseSink(): void {
    this.#reading.releaseSink()
  }

  /** Stops and starts the calls to the sink: back-pressure for engines. */
  pauseSink(): void {
    this.#reading.pauseSink()
  }

  resumeSink(): void {
    this.#reading.resumeSink()
  }

  /**
   * For a server that shuts down: a read that waits with nothing begun sees the end, as if the peer had finished, now
   * or when the next one would wait. With `force` also in the middle of a line or frame.
   */
  drain(force: boolean = false): void {
    this.#reading.drain(force)
  }

  /** For a server that has no room for those who wait: a sink that serves several messages ends when it can. */
  makeRoom(): void {
    this.#reading.makeRoom()
  }

  driverData(bytes: Uint8Array, borrowed: boolean): void {
    this.#reading.receive(bytes, borrowed)
  }

  driverEnd(): void {
    this.#reading.receiveEnd()
  }

  // ---- writing

  write(data: Uint8Array | string): Promise<void> {
    if (this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined) return this.#refuseWrite()
    const bytes = typeof data === 'string' ? encoder.encode(data) : data
    if (bytes.length === 0) return DONE
    if (this.#pressed && this.#overCap()) return this.#refuseWrite()
    this.#bytesWritten += bytes.length
    if (this.#driver.write(bytes)) return DONE
    this.#pressed = true
    this.#queuedWrites += 1
    this.#drained ??= handledDeferred()
    return this.#drained.promise
  }

  /**
   * For engines' loops: queues bytes that may be borrowed no longer than this call (what waits is copied), and says whether
   * the queue is below its high-water mark; after false, `sink.drain` will follow.
   */
  writeNow(bytes: Uint8Array, borrowed: boolean): boolean {
    if (this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined || bytes.length === 0)
      return true
    if (this.#pressed && this.#overCap()) return true
    this.#bytesWritten += bytes.length
    if (borrowed ? this.#writeBorrowed(bytes) : this.#driver.write(bytes)) return true
    this.#pressed = true
    this.#queuedWrites += 1
    return false
  }

  /** The same for a text of which each character is a byte. */
  writeNowLatin1(text: string): boolean {
    if (this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined || text.length === 0)
      return true
    if (this.#pressed && this.#overCap()) return true
    this.#bytesWritten += text.length
    if (this.#driver.writeLatin1?.(text) ?? this.#driver.write(Buffer.from(text, 'latin1'))) return true
    this.#pressed = true
    this.#queuedWrites += 1
    return false
  }

  /** As `writeNow`, of borrowed bytes and others that go out together where the transport can do that. */
  writePairNow(borrowed: Uint8Array, bytes: Uint8Array): boolean {
    const isOpen = this.#writing === 'open' && this.#reason === undefined && this.#report === undefined
    if (!isOpen || this.#pressed || this.#driver.writePair === undefined) {
      const isBelow = this.writeNow(borrowed, true)
      return this.writeNow(bytes, false) && isBelow
    }
    this.#bytesWritten += borrowed.length + bytes.length
    if (this.#driver.writePair(borrowed, bytes)) return true
    this.#pressed = true
    this.#queuedWrites += 2
    return false
  }

  /** The socket of TLS, for code of Node's own; this connection is of no use then. `undefined` without TLS. */
  detachSocket(): Socket | undefined {
    return this.#driver.detach?.(this.#reading.takeUnread()).setTimeout(0)
  }

  /** See `StreamDriver.receiveFile`; while the sink is paused. */
  receiveFile(descriptor: number, offset: number, count: number): Promise<number> {
    return this.#reading.receiveFile(descriptor, offset, count)
  }

  /** Whether a piece of an open file may go from the system to the peer by `writeFileNow`, without waiting for a disk. */
  holdsFile(descriptor: number, offset: number, count: number): boolean {
    return this.#driver.holdsFile?.(descriptor, offset, count) ?? false
  }

  /** As `writeNow`, of a piece for which `holdsFile` was true; the file stays open until `sink.drain` follows false. */
  writeFileNow(descriptor: number, offset: number, count: number): boolean {
    if (this.#writing !== 'open' || this.#reason !== undefined || this.#report !== undefined || count === 0) return true
    if (this.#pressed && this.#overCap()) return true
    this.#bytesWritten += count
    if (this.#driver.writeFile?.(descriptor, offset, count) ?? true) return true
    this.#pressed = true
    this.#queuedWrites += 1
    return false
  }

  #writeBorrowed(bytes: Uint8Array): boolean {
    if (this.#driver.writeBorrowed !== undefined) return this.#driver.writeBorrowed(bytes)
    return bytes.length >= MIN_SLAB_BYTES ? this.#writeSlab(bytes) : this.#driver.write(copyBytes(bytes))
  }

  /** Copies into a slab that is used again as soon as the system has taken it: at once, most of the time. */
  #writeSlab(bytes: Uint8Array): boolean {
    const slab = takeSlab(bytes)
    const below = this.#driver.write(slab.subarray(0, bytes.length))
    if (this.#driver.bufferedBytes === 0) giveSlab(slab)
    return below
  }

  /** For protocol objects with marks of their own: calls `shrunk` from now on, soon after `bufferedBytes` became less. */
  watchBuffer(shrunk: () => void): void {
    this.#driver.watchBuffer(shrunk)
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
    const gone = this.#report !== undefined || this.#reason === 'destroyed'
    const ended = (): Error =>
      this.#isSecuring
        ? new BusyError('ERR_BUSY_WRITE', 'Cannot write: TLS is being started; await startTls() first')
        : new ClosedError('ERR_WRITE_AFTER_END', 'Cannot write: this side has ended the connection')
    return markHandled(Promise.reject(this.#failure ?? (gone ? this.#goneError() : ended())))
  }

  driverDrain(): void {
    this.#pressed = false
    this.#queuedWrites = 0
    const drained = this.#drained
    this.#drained = undefined
    drained?.resolve()
    this.#reading.sinkDrained()
  }

  closeWrite(): Promise<void> {
    if (this.#writeEnded !== undefined) return this.#writeEnded.promise
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
      if (this.#writing === 'ended') {
        // All was sent: what is left is waiting for the peer's end, which a deadline may cut short.
        this.#driver.destroy()
        return
      }
      const message = `Cut after ${graceMs} ms: the peer did not take what was written`
      this.#destroyAs('destroyed', new TimeoutError('ERR_CLOSE_TIMEOUT', message, { details: { timeoutMs: graceMs } }))
    })
    try {
      this.#reading.stop(new ClosedError('ERR_CLOSED', 'Cannot read: this side has closed the connection'))
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
    if (this.#reading.peerEnded || lingerMs === 0) return
    this.#reading.discard(MAX_LINGER_BYTES)
    const stopTimer = this.#driver.clock.after(lingerMs, () => this.#driver.destroy())
    await this.closed
    stopTimer()
  }

  destroy(reason?: unknown): void {
    if (reason === undefined) this.#destroyAs('destroyed', undefined)
    else this.#destroyAs('failed', toDestroyError(reason))
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
    const bothEnded = this.#reading.peerEnded && this.#writing !== 'open' && !this.#isSecuring
    const report: CloseReport = Object.freeze({
      reason: this.#reason ?? (bothEnded ? 'ended' : 'failed'),
      error: this.#failure,
      bytesRead: this.#reading.bytesRead,
      bytesWritten: this.#bytesWritten,
      bytesUnsent: this.#driver.bufferedBytes,
    })
    this.#report = report
    this.#writing = 'ended'
    const gone = this.#goneError()
    this.#drained?.reject(gone)
    this.#drained = undefined
    this.#writeEnded?.resolve()
    this.#reading.close(gone, report)
    this.#closed?.resolve(report)
    this.#abort?.abort(gone)
  }

  #goneError(): Error {
    return this.#failure ?? new ClosedError('ERR_CLOSED', 'Cannot use the connection: it is closed')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ---- TLS

  async startTls(options: TlsStart): Promise<void> {
    if (!('context' in options || 'beneath' in options)) checkStartTls(options)
    if (this.#reading.waits) throw new BusyError('ERR_BUSY_READ', 'Cannot start TLS: a read of this connection waits')
    if (this.#reading.hasSink) throw new BusyError('ERR_BUSY_SINK', 'Cannot start TLS: a sink reads this connection')
    if (this.isEnding) throw this.#goneError()
    if (this.#driver.startTls === undefined || this.tls !== undefined) {
      const why =
        this.tls === undefined
          ? 'this transport carries none; use a tcp: or unix: endpoint'
          : 'this connection is secured already'
      throw new UsageError('ERR_UNSUPPORTED', `Cannot start TLS: ${why}`)
    }
    // What is queued goes out as it is, and nothing behind it.
    this.#writing = 'securing'
    await this.#flushWithin(options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS)
    if (this.#report !== undefined || this.#reason !== undefined) throw this.#goneError()
    this.#driver = await this.#driver.startTls(options, this.#reading.takeUnread())
    this.#reading.switchTo(this.#driver)
    if (this.#isSecuring) this.#writing = 'open'
    this.#attach()
    if (this.#reason !== undefined) this.#driver.destroy()
  }

  async #flushWithin(timeoutMs: number): Promise<void> {
    const stopTimer = this.#driver.clock.after(timeoutMs, () => {
      const message = `Cannot start TLS: the peer did not take what was written before within ${timeoutMs} ms`
      this.destroy(new TimeoutError('ERR_HANDSHAKE_TIMEOUT', message, { details: { timeoutMs } }))
    })
    await this.#driver.flush?.()
    stopTimer()
  }
}
