import { UsageError } from '../../base/errors.js'
import { lastChunk } from './encode.js'
import type { BodyLength } from './message-head.js'

/** Says what stands around the bytes of a body that is sent (RFC 9112 §6, §7.1). */
export class BodyWriter {
  /** Of a body of known length, or -1. */
  #left = 0
  #isChunked = false
  #hasBody = false

  begin(length: BodyLength, hasBody: boolean): void {
    this.#hasBody = hasBody
    this.#isChunked = hasBody && length === 'chunked'
    this.#left = !hasBody ? 0 : typeof length === 'number' ? length : -1
  }

  get sends(): boolean {
    return this.#hasBody
  }

  /** `undefined` when the bytes are not to be sent. @throws UsageError `ERR_ARGUMENT` for more than were announced. */
  data(count: number): string | undefined {
    if (!this.#hasBody) return undefined
    if (this.#isChunked) return count === 0 ? undefined : `${count.toString(16)}\r\n`
    if (this.#left >= 0) {
      if (count > this.#left)
        throw new UsageError('ERR_ARGUMENT', `Cannot send ${count} bytes of a body of which ${this.#left} are left`)
      this.#left -= count
    }
    return ''
  }

  get dataEnd(): string {
    return this.#isChunked ? '\r\n' : ''
  }

  /** Bytes that were announced and not sent. */
  get missing(): number {
    return this.#left > 0 ? this.#left : 0
  }

  /** `trailers` are lines that `encodeField` made; only a chunked body has them. */
  end(trailers: string): string {
    return this.#isChunked ? lastChunk(trailers) : ''
  }
}
