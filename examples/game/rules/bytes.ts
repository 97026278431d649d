// Whole numbers and short texts in as few bytes as they need: seven bits in a byte, the lowest first (LEB128).

const MAX_TEXT_BYTES = 255
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class ByteWriter {
  #bytes = new Uint8Array(1024)
  #length = 0

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length] = value
    this.#length += 1
  }

  /** From 0 up, below 2 ** 32. */
  count(value: number): void {
    let left = value >>> 0
    while (left > 127) {
      this.byte((left & 127) | 128)
      left >>>= 7
    }
    this.byte(left)
  }

  /** Of 32 bits with a sign; small ones of either sign are short. */
  signed(value: number): void {
    this.count((value << 1) ^ (value >> 31))
  }

  text(value: string): void {
    const bytes = encoder.encode(value).subarray(0, MAX_TEXT_BYTES)
    this.count(bytes.length)
    for (const byte of bytes) this.byte(byte)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

/** @throws RangeError where the bytes end too early or go on too long. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #place = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const value = this.#bytes[this.#place]
    if (value === undefined) throw new RangeError('Cannot read a message: it ends too early')
    this.#place += 1
    return value
  }

  /** Below `limit`. */
  count(limit: number = 2 ** 32): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value += (byte & 127) * 2 ** shift
      if (value >= limit) throw new RangeError(`Cannot read a message: ${value} is not below ${limit}`)
      if (byte < 128) return value
      if (shift === 28) throw new RangeError('Cannot read a message: a number is too long')
    }
  }

  signed(): number {
    const value = this.count()
    return (value >>> 1) ^ -(value & 1)
  }

  text(): string {
    const length = this.count(MAX_TEXT_BYTES + 1)
    const end = this.#place + length
    if (end > this.#bytes.length) throw new RangeError('Cannot read a message: it ends too early')
    const text = decoder.decode(this.#bytes.subarray(this.#place, end))
    this.#place = end
    return text
  }

  end(): void {
    if (this.#place !== this.#bytes.length) throw new RangeError('Cannot read a message: it goes on too long')
  }
}
