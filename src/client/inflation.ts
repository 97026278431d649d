import { errorCodeOf, messageOf, ProtocolError } from '../base/errors.js'
import type { Coding, CodingName, ZlibStream } from './codings.js'

/** One stream of zlib, fed and emptied in turns: it holds no more than what one piece of input gives at a time. */
export class Inflation {
  readonly #stream: ZlibStream
  readonly #name: CodingName
  readonly #count: (bytes: number) => void
  #failure: { readonly error: unknown } | undefined
  #isEnded = false
  #wake: (() => void) | undefined

  /** `first` is the first byte that it will be fed; `count` hears of what comes out, and may throw. */
  constructor(coding: Coding, first: number, count: (bytes: number) => void) {
    this.#name = coding.name
    this.#count = count
    this.#stream = coding.createStream(first)
    this.#stream.on('readable', () => this.#wake?.())
    this.#stream.on('end', () => {
      this.#isEnded = true
      this.#wake?.()
    })
    this.#stream.on('error', (error) => this.#fail(error))
  }

  /** Whether the coded data has come to its end, and something stands behind it. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** What comes out for these bytes. Returns how many it took: all, unless it is ended. @throws as `malformed`. */
  async *feed(bytes: Uint8Array): AsyncGenerator<Uint8Array, number, undefined> {
    const before = this.#stream.bytesWritten
    let isTaken = false
    this.#stream.write(bytes, (error) => {
      if (error) this.#fail(error)
      isTaken = true
      this.#wake?.()
    })
    yield* this.#read(() => isTaken)
    return this.#stream.bytesWritten - before
  }

  /** What was still held. @throws as `malformed`, also where the coded data has not come to its end. */
  async *finish(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isEnded) return
    this.#stream.end()
    yield* this.#read(() => false)
  }

  destroy(): void {
    this.#stream.destroy()
  }

  async *#read(isDone: () => boolean): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk: unknown = this.#stream.read()
      if (chunk instanceof Uint8Array) {
        this.#count(chunk.length)
        yield chunk
        continue
      }
      if (this.#failure !== undefined) throw malformed(this.#name, this.#failure.error)
      if (this.#isEnded || isDone()) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }
}

/** What zlib throws, as an error of ours. */
export function malformed(coding: CodingName, cause: unknown): ProtocolError {
  const why = errorCodeOf(cause) === 'Z_BUF_ERROR' ? 'it ends in the middle' : messageOf(cause)
  return new ProtocolError('ERR_CONTENT_CODING', `Cannot decode ${coding}: ${why}`, { cause, details: { coding } })
}
