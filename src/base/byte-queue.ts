import { concatBytes, EMPTY_BYTES } from './bytes.js'

/**
 * A list of byte chunks, taken from the front in any sizes. Chunks are kept as given, not copied: whoever puts a
 * borrowed slice copies it first. The owner enforces the bound; `bytes` and `chunks` are what it needs for that.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = []
  #head = 0
  #bytes = 0

  /** How many bytes are held. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many chunks are held: many small ones cost more than their bytes. */
  get chunks(): number {
    return this.#chunks.length - this.#head
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  /** Puts bytes back in front of all others. */
  unshift(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.#head > 0) this.#chunks[(this.#head -= 1)] = chunk
    else this.#chunks.unshift(chunk)
    this.#bytes += chunk.length
  }

  /** The first chunk as it was pushed, at most `maxBytes` of it; `undefined` when there is none. */
  shift(maxBytes: number = Infinity): Uint8Array | undefined {
    const chunk = this.#chunks[this.#head]
    if (chunk === undefined) return undefined
    if (chunk.length > maxBytes) {
      this.#chunks[this.#head] = chunk.subarray(maxBytes)
      this.#bytes -= maxBytes
      return chunk.subarray(0, maxBytes)
    }
    this.#bytes -= chunk.length
    this.#drop()
    return chunk
  }

  /** Exactly `count` bytes. @throws RangeError when fewer are held. */
  take(count: number): Uint8Array {
    if (count > this.#bytes) throw new RangeError(`Cannot take ${count} bytes: ${this.#bytes} are held`)
    if (count === 0) return EMPTY_BYTES
    const parts: Uint8Array[] = []
    let missing = count
    while (missing > 0) {
      const part = this.shift(missing)
      if (part === undefined) break
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(parts, count)
  }

  takeAll(): Uint8Array {
    return this.take(this.#bytes)
  }

  clear(): void {
    this.#chunks = []
    this.#head = 0
    this.#bytes = 0
  }

  #drop(): void {
    this.#head += 1
    if (this.#head === this.#chunks.length) {
      this.#chunks = []
      this.#head = 0
    } else if (this.#head >= 1024) {
      this.#chunks.splice(0, this.#head)
      this.#head = 0
    } else {
      this.#chunks[this.#head - 1] = EMPTY_BYTES
    }
  }
}
