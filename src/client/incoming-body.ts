import { ByteQueue } from '../base/byte-queue.js'
import { EMPTY_BYTES } from '../base/bytes.js'
import { deferred, type Deferred } from '../base/deferred.js'
import { BusyError, ClosedError, LimitError, UsageError } from '../base/errors.js'
import type { Fields } from '../engine/http/fields.js'
import { copyBytes } from '../transport/fresh-bytes.js'

/** Pieces that are held at once: a server may send a body in chunks of one byte. */
const MAX_HELD_PIECES = 1024

/** Where the bytes come from. */
export interface BodySource {
  pause(): void
  resume(): void
  /** See `Wire.receiveFile`. */
  receiveFile(descriptor: number, offset: number): Promise<number>
  /** Nobody wants the rest. */
  abandon(): void
  /** The same error, with what was requested. */
  explained(error: unknown): unknown
}

/** Of what is there already. */
const NOBODY: BodySource = {
  pause: () => undefined,
  resume: () => undefined,
  receiveFile: () => Promise.resolve(0),
  explained: (error) => error,
  abandon: () => undefined,
}

/** Takes bytes that are borrowed for the length of the call; a promise holds back what comes next until it is settled. */
export type Taker = (bytes: Uint8Array) => Promise<void> | undefined

interface Keeping {
  readonly kept: ByteQueue
  readonly maxBytes: number
  readonly done: (bytes: Uint8Array) => void
}

const NO_KEEPING: readonly Keeping[] = Object.freeze([])

interface Taking {
  readonly take: Taker
  readonly done: Deferred<void>
}

/** The body of a response, read once, at the pace of its reader: as a whole, or piece by piece. */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  readonly #source: BodySource
  readonly #highWaterBytes: number
  #first: Uint8Array | undefined
  #queue: ByteQueue | undefined
  #waiting: Deferred<Uint8Array | null> | undefined
  /** All of it is wanted, up to so many bytes. */
  #whole: Deferred<Uint8Array> | undefined
  #maxWhole = Infinity
  #taking: Taking | undefined
  #keeping: readonly Keeping[] = NO_KEEPING
  #onOver: (() => void) | undefined
  #isUsed = false
  #isPaused = false
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  #trailers: Fields | undefined
  /** Bytes that came, as they were sent: compressed, where they were. */
  received = 0

  constructor(source: BodySource, highWaterBytes: number) {
    this.#source = source
    this.#highWaterBytes = highWaterBytes
  }

  /** One that is there already. */
  static of(bytes: Uint8Array = EMPTY_BYTES): IncomingBody {
    const body = new IncomingBody(NOBODY, Infinity)
    if (bytes.length > 0) body.push(bytes)
    body.end(undefined)
    return body
  }

  get trailers(): Fields | undefined {
    return this.#trailers
  }

  /** Nothing comes any more, in order or not. */
  get isOver(): boolean {
    return this.#isOver || this.#failure !== undefined
  }

  get isUsed(): boolean {
    return this.#isUsed
  }

  get #heldBytes(): number {
    return (this.#first?.length ?? 0) + (this.#queue?.bytes ?? 0)
  }

  /** The next bytes, which are yours; `null` at the end. @throws BusyError `ERR_BUSY_READ`; what ended the body. */
  read(): Promise<Uint8Array | null> {
    if (this.#waiting !== undefined || this.#whole !== undefined || this.#taking !== undefined)
      return Promise.reject(new BusyError('ERR_BUSY_READ', 'Cannot read the body: it is being read already'))
    this.#isUsed = true
    const bytes = this.#shift()
    if (bytes !== undefined) {
      if (this.#isPaused && this.#heldBytes < this.#highWaterBytes) this.#goOn()
      return Promise.resolve(bytes)
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#isOver) return Promise.resolve(null)
    this.#waiting = deferred()
    return this.#waiting.promise
  }

  #shift(): Uint8Array | undefined {
    const first = this.#first
    if (first === undefined) return this.#queue?.shift()
    this.#first = undefined
    return first
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const value = await this.read()
        return value === null ? { done: true, value: undefined } : { done: false, value }
      },
      return: () => {
        this.discard()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  /**
   * All of it. @throws LimitError `ERR_BODY_LIMIT` past `maxBytes`; UsageError `ERR_BODY_USED` when it was read before;
   * what ended the body.
   */
  whole(maxBytes: number): Promise<Uint8Array> {
    if (this.#isUsed) return Promise.reject(usedError())
    this.#isUsed = true
    if (this.#heldBytes > maxBytes) return Promise.reject(this.#tooLong(maxBytes))
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#isOver) return Promise.resolve(this.#takeAll())
    this.#whole = deferred()
    this.#maxWhole = maxBytes
    if (this.#isPaused) this.#goOn()
    return this.#whole.promise
  }

  /**
   * Gives all of it to `take`, in the turns in which it comes, without a copy. @throws UsageError `ERR_BODY_USED`; what
   * ended the body; what `take` threw, and the rest is given up then.
   */
  async drainTo(take: Taker): Promise<void> {
    if (this.#isUsed) throw usedError()
    this.#isUsed = true
    for (let held = this.#shift(); held !== undefined; held = this.#shift()) await this.#given(take(held))
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#isOver) return
    const done = deferred<void>()
    this.#taking = { take, done }
    if (this.#isPaused) this.#goOn()
    return done.promise
  }

  /**
   * While a promise of `drainTo`'s taker holds it back: lets the system write what comes next into an open file.
   * @returns how many bytes; 0 where that cannot be done now. @throws what the file system says.
   */
  async receiveFile(descriptor: number, offset: number): Promise<number> {
    if (this.#taking === undefined || this.#keeping !== NO_KEEPING || !this.#isPaused || this.isOver) return 0
    const count = await this.#source.receiveFile(descriptor, offset)
    this.received += count
    return count
  }

  /** Calls `done` with all of it, when all of it was read and is no longer than that. Before anything is read. */
  keep(maxBytes: number, done: (bytes: Uint8Array) => void): void {
    if (this.#isOver) {
      const held = this.#takeAll()
      if (held.length > 0) this.#first = held
      if (held.length <= maxBytes) done(Buffer.from(held))
      return
    }
    const kept = new ByteQueue()
    for (const bytes of this.#heldPieces()) kept.push(bytes)
    this.#keeping = [...this.#keeping, { kept, maxBytes, done }]
  }

  /** Calls `done` when nothing comes any more, however that ended; at once where that is so. Once. */
  whenOver(done: () => void): void {
    if (this.isOver) done()
    else this.#onOver = done
  }

  #tellOver(): void {
    this.#onOver?.()
    this.#onOver = undefined
  }

  #heldPieces(): readonly Uint8Array[] {
    if (this.#heldBytes === 0) return []
    const held = this.#takeAll()
    this.#first = held
    return [Buffer.from(held)]
  }

  async #given(taken: Promise<void> | undefined): Promise<void> {
    try {
      await taken
    } catch (error) {
      this.discard()
      throw error
    }
  }

  /** All of it where it is here already: most answers are short. */
  tryWhole(maxBytes: number): Uint8Array | undefined {
    if (this.#isUsed || !this.#isOver || this.#failure !== undefined || this.#heldBytes > maxBytes) return undefined
    this.#isUsed = true
    return this.#takeAll()
  }

  #takeAll(): Uint8Array {
    const first = this.#first
    const queue = this.#queue
    this.#first = undefined
    this.#queue = undefined
    if (queue === undefined || queue.bytes === 0) return first ?? EMPTY_BYTES
    if (first !== undefined) queue.unshift(first)
    return queue.takeAll()
  }

  #goOn(): void {
    this.#isPaused = false
    this.#source.resume()
  }

  /** Reads no more of it. A connection on which much is still to come is given up. */
  discard(): void {
    this.#isUsed = true
    this.#first = undefined
    this.#queue = undefined
    if (this.isOver) return
    this.#source.abandon()
    this.fail(new ClosedError('ERR_CLOSED', 'Cannot read the body: it was discarded'))
  }

  #tooLong(maxBytes: number): unknown {
    const error = this.#source.explained(
      new LimitError('ERR_BODY_LIMIT', `The body has more than ${maxBytes} bytes`, { details: { limit: maxBytes } }),
    )
    this.discard()
    return error
  }

  // ---- from the exchange

  /** `bytes` are borrowed. */
  push(bytes: Uint8Array): void {
    this.received += bytes.length
    if (this.#keeping !== NO_KEEPING) this.#noteKept(bytes)
    if (this.#taking !== undefined) {
      this.#give(this.#taking, bytes)
      return
    }
    const copy = copyBytes(bytes)
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting.resolve(copy)
      return
    }
    if (this.#first === undefined && this.#queue === undefined) this.#first = copy
    else (this.#queue ??= new ByteQueue()).push(copy)
    const held = this.#heldBytes
    if (this.#whole !== undefined) {
      if (held <= this.#maxWhole) return
      const whole = this.#whole
      this.#whole = undefined
      whole.reject(this.#tooLong(this.#maxWhole))
    } else if (!this.#isPaused && (held >= this.#highWaterBytes || (this.#queue?.chunks ?? 0) >= MAX_HELD_PIECES)) {
      this.#isPaused = true
      this.#source.pause()
    }
  }

  #noteKept(bytes: Uint8Array): void {
    const goesOn = this.#keeping.filter(({ kept, maxBytes }) => kept.bytes + bytes.length <= maxBytes)
    for (const { kept } of goesOn) kept.push(copyBytes(bytes))
    this.#keeping = goesOn.length === 0 ? NO_KEEPING : goesOn
  }

  #give({ take, done }: Taking, bytes: Uint8Array): void {
    let taken: Promise<void> | undefined
    try {
      taken = take(bytes)
    } catch (error) {
      this.#refuse(done, error)
      return
    }
    if (taken === undefined) return
    this.#isPaused = true
    this.#source.pause()
    taken.then(
      () => {
        if (this.#isOver) done.resolve()
        else if (this.#failure === undefined) this.#goOn()
      },
      (error: unknown) => this.#refuse(done, error),
    )
  }

  #refuse(done: Deferred<void>, error: unknown): void {
    this.#taking = undefined
    done.reject(error)
    this.discard()
  }

  end(trailers: Fields | undefined): void {
    this.#isOver = true
    this.#trailers = trailers
    for (const { kept, done } of this.#keeping) done(kept.takeAll())
    // While the last bytes are being taken, that ends it.
    if (!this.#isPaused) this.#taking?.done.resolve()
    this.#waiting?.resolve(null)
    this.#waiting = undefined
    this.#whole?.resolve(this.#takeAll())
    this.#whole = undefined
    this.#tellOver()
  }

  fail(error: unknown): void {
    if (this.isOver) return
    this.#failure = { error }
    this.#taking?.done.reject(error)
    this.#waiting?.reject(error)
    this.#waiting = undefined
    this.#whole?.reject(error)
    this.#whole = undefined
    this.#tellOver()
  }
}

export const usedError = (): UsageError =>
  new UsageError('ERR_BODY_USED', 'Cannot read the body: it was read before; keep what text(), json() or bytes() gave')
