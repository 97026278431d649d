import { CR, LF } from '../../base/ascii.js'
import type { LimitError, ProtocolError } from '../../base/errors.js'
import { VALUE_BYTES } from '../http/characters.js'
import { refuse, refuseSize, shownByte } from './refuse.js'

const SEMICOLON = 0x3b
/** 2^52: more hexadecimal digits are no length, and were used to make one parser's number overflow. */
const MAX_SIZE_DIGITS = 13

type Part = 'first-digit' | 'digits' | 'extension' | 'size-end' | 'data' | 'data-cr' | 'data-end' | 'trailers'

/** What `read` found: bytes of the body, the end of the last chunk, or nothing more in what it was given. */
export type ChunkFind = 'data' | 'trailers' | 'more'

/**
 * Reads the chunked coding (RFC 9112 §7.1), any number of bytes at a time, and holds none of them. Strict: sizes are
 * digits and nothing before or between, every line ends with CR LF, extensions are only looked at for their limit.
 */
export class ChunkedReader {
  readonly #maxExtensionBytes: number
  #maxBodyBytes: number
  #part: Part = 'first-digit'
  #size = 0
  #digits = 0
  #extensionBytes = 0
  /** Of all chunks whose size was read. */
  #total = 0
  /** After `data`: where its bytes stand. */
  start: number = 0
  end: number = 0
  /** What was read goes up to here. */
  at: number = 0

  constructor(maxExtensionBytes: number, maxBodyBytes: number) {
    this.#maxExtensionBytes = maxExtensionBytes
    this.#maxBodyBytes = maxBodyBytes
  }

  /** For the chunks that are not begun. */
  limit(maxBodyBytes: number): void {
    this.#maxBodyBytes = maxBodyBytes
  }

  /** @throws ProtocolError `ERR_HTTP_CHUNK`, LimitError `ERR_HTTP_CHUNK_LIMIT`, `ERR_HTTP_BODY_LIMIT`. */
  read(bytes: Uint8Array, from: number, to: number): ChunkFind {
    let at = from
    while (at < to) {
      const byte = bytes[at] ?? 0
      switch (this.#part) {
        case 'first-digit':
        case 'digits':
          this.#readSize(byte)
          at += 1
          break
        case 'extension':
          if (byte === CR) this.#part = 'size-end'
          else this.#readExtension(byte)
          at += 1
          break
        case 'size-end':
          if (byte !== LF) throw badChunk(`${shownByte(byte)} stands where the line of the size ends`)
          at += 1
          this.#beginChunk()
          break
        case 'data':
          this.start = at
          this.end = Math.min(to, at + this.#size)
          this.#size -= this.end - at
          if (this.#size === 0) this.#part = 'data-cr'
          this.at = this.end
          return 'data'
        case 'data-cr':
          if (byte !== CR) throw badChunk(`${shownByte(byte)} stands where a chunk ends`)
          this.#part = 'data-end'
          at += 1
          break
        case 'data-end':
          if (byte !== LF) throw badChunk(`${shownByte(byte)} stands where a chunk ends`)
          this.#part = 'first-digit'
          this.#digits = 0
          at += 1
          break
        case 'trailers':
          this.at = at
          return 'trailers'
      }
    }
    this.at = at
    return this.#part === 'trailers' ? 'trailers' : 'more'
  }

  /** A chunk that would pass the limit is not begun, so that what is delivered does not depend on the cuts. */
  #beginChunk(): void {
    this.#total += this.#size
    if (this.#total > this.#maxBodyBytes) throw bodyLimit(this.#maxBodyBytes)
    this.#part = this.#size > 0 ? 'data' : 'trailers'
  }

  #readSize(byte: number): void {
    const digit = hexValue(byte)
    if (digit !== -1) {
      this.#digits += 1
      if (this.#digits > MAX_SIZE_DIGITS) throw badChunk(`its size has more than ${MAX_SIZE_DIGITS} digits`)
      this.#size = this.#size * 16 + digit
      this.#part = 'digits'
      return
    }
    if (this.#part === 'first-digit') throw badChunk(`${shownByte(byte)} stands where its size begins`)
    if (byte === CR) this.#part = 'size-end'
    else if (byte === SEMICOLON) {
      this.#part = 'extension'
      this.#readExtension(byte)
    } else throw badChunk(`${shownByte(byte)} stands in its size`)
  }

  #readExtension(byte: number): void {
    this.#extensionBytes += 1
    if (this.#extensionBytes > this.#maxExtensionBytes)
      throw refuseSize('ERR_HTTP_CHUNK_LIMIT', 'the chunk extensions', this.#maxExtensionBytes, {
        status: 400,
        section: 'RFC 9112 §7.1.1',
      })
    if (VALUE_BYTES[byte] !== 1) throw badChunk(`${shownByte(byte)} stands in an extension`)
  }
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1
}

export const bodyLimit = (limit: number): LimitError =>
  refuseSize('ERR_HTTP_BODY_LIMIT', 'the body', limit, { status: 413, section: 'RFC 9110 §15.5.14' })

const badChunk = (why: string): ProtocolError =>
  refuse('ERR_HTTP_CHUNK', `Cannot read a chunk: ${why}`, 400, 'RFC 9112 §7.1')
