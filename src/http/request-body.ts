import { ByteQueue } from '../base/byte-queue.js'
import { deferred, type Deferred } from '../base/deferred.js'
import { BusyError, UsageError } from '../base/errors.js'
import type { FieldInit, Fields } from '../engine/http/fields.js'
import { bodyLimit } from '../engine/http1/chunked-reader.js'
import { ReceiveBuffer } from '../engine/receive-buffer.js'

/** Pieces of a body that are held at once: a client may send it in chunks of one byte. */
const MAX_HELD_PIECES = 1024
const SMALL_PIECE_BYTES = 4096

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** How the body and the connection below it speak to each other. */
export interface BodySource {
  /** The handler reads: a client that waits for 100 (Continue) is told to go on. */
  wanted(): void
  /** Enough is held, or there is room again. */
  pause(): void
  resume(): void
  /** What the body may have, in place of `maxBodyBytes`. */
  limit(maxBytes: number): void
  /** An answer before the answer. */
  inform(status: number, headers: FieldInit): void
}

/** The body of a request, read once, at the pace of the handler. */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #source: BodySource
  readonly #highWaterBytes: number
  #maxBytes: number
  readonly #held = new ByteQueue()
  #waiting: Deferred<Uint8Array | null> | undefined
  #ended = false
  #received = 0
  #failure: { readonly error: unknown } | undefined
  #paused = false
  #isWanted = false
  #trailers: Fields | undefined
  readonly #cleanups: (() => void)[] = []

  constructor(source: BodySource, highWaterBytes: number, maxBytes: number = Infinity) {
    this.#maxBytes = maxBytes
    this.#source = source
    this.#highWaterBytes = highWaterBytes
  }

  /** Whether so much is held that nothing more is to be pushed until the source is told to resume. */
  get isPaused(): boolean {
    return this.#paused
  }

  /** Whether a read of it waits for the client. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined
  }

  /** The fields behind a chunked body, once it has been read to its end. */
  get trailers(): Fields | undefined {
    return this.#trailers
  }

  /**
   * The next bytes, which are yours; `null` at the end.
   * @throws BusyError `ERR_BUSY_READ`; what ended the body: ProtocolError, LimitError, BrokenError.
   */
  read(): Promise<Uint8Array | null> {
    if (this.#waiting !== undefined)
      return Promise.reject(new BusyError('ERR_BUSY_READ', 'Cannot read the body: another read of it waits already'))
    this.#want()
    const bytes = this.#nextHeld()
    if (bytes !== undefined) {
      if (this.#paused && this.#held.bytes < this.#highWaterBytes && this.#held.chunks <= MAX_HELD_PIECES / 2) {
        this.#paused = false
        this.#source.resume()
      }
      return Promise.resolve(bytes)
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#ended) return Promise.resolve(null)
    this.#waiting = deferred()
    return this.#waiting.promise
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const value = await this.read()
        return value === null ? { done: true, value: undefined } : { done: false, value }
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    }
  }

  /** Many small pieces come as one: whoever looks at the whole for each would do that thousands of times. */
  #nextHeld(): Uint8Array | undefined {
    const { bytes, chunks } = this.#held
    return chunks > 1 && bytes < chunks * SMALL_PIECE_BYTES ? this.#held.takeAll() : this.#held.shift()
  }

  /** All of it. The server's `maxBodyBytes` bounds it. */
  async bytes(): Promise<Uint8Array> {
    // One buffer that doubles: a body in chunks of one byte would cost a hundred times its length as a list of them.
    const all = new ReceiveBuffer()
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) all.push(bytes)
    return all.takeAll()
  }

  /** All of it as UTF-8. @throws UsageError `ERR_ARGUMENT` when it is not. */
  async text(): Promise<string> {
    const bytes = await this.bytes()
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new UsageError('ERR_ARGUMENT', 'Cannot read the body as text: it is not UTF-8', { cause, fault: 'remote' })
    }
  }

  // ---- for the request

  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes
    if (this.#received > maxBytes) {
      this.#held.clear()
      this.#failure ??= { error: bodyLimit(maxBytes) }
    } else if (!this.#ended && this.#failure === undefined) this.#source.limit(maxBytes)
  }

  /** Lets more come, never less. */
  raiseLimit(maxBytes: number): void {
    if (maxBytes > this.#maxBytes) this.limit(maxBytes)
  }

  inform(status: number, headers: FieldInit): void {
    this.#source.inform(status, headers)
  }

  /** Called once, when the request was answered or nobody waits for the answer any more. It must not throw. */
  onRelease(cleanup: () => void): void {
    this.#cleanups.push(cleanup)
  }

  // ---- from the connection

  release(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
  }

  #want(): void {
    if (this.#isWanted) return
    this.#isWanted = true
    if (!this.#ended) this.#source.wanted()
  }

  /** The bytes are the body's to keep. */
  push(bytes: Uint8Array): void {
    this.#received += bytes.length
    if (this.#received > this.#maxBytes) return
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting.resolve(bytes)
      return
    }
    this.#held.push(bytes)
    if (!this.#paused && (this.#held.bytes >= this.#highWaterBytes || this.#held.chunks >= MAX_HELD_PIECES)) {
      this.#paused = true
      this.#source.pause()
    }
  }

  end(trailers: Fields | undefined): void {
    this.#ended = true
    this.#trailers = trailers
    this.#waiting?.resolve(null)
    this.#waiting = undefined
  }

  fail(error: unknown): void {
    if (this.#ended || this.#failure !== undefined) return
    this.#failure = { error }
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
