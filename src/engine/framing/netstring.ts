import { COLON, COMMA, DIGIT_0, escapeBytes, isDigit, toAscii } from '../../base/ascii.js'
import { concatBytes } from '../../base/bytes.js'
import { ProtocolError } from '../../base/errors.js'
import { readOptions, type OptionSpecs } from '../../base/options.js'
import { BufferedDecoder } from '../decoder.js'
import { frameTooLong, largestLength, maxFrameBytes } from './_frame-limit.js'

export interface NetstringSettings {
  readonly maxFrameBytes: number
}
export type NetstringOptions = Partial<NetstringSettings>

export const NETSTRING_OPTIONS: OptionSpecs<NetstringSettings> = { maxFrameBytes }

export interface NetstringEvent {
  readonly type: 'frame'
  readonly bytes: Uint8Array
}

/**
 * Reads netstrings: `5:hello,`. Strict, as their description has it: digits without leading zeros, a colon, that many
 * bytes, a comma.
 *
 * `nextEvent` throws ProtocolError `ERR_NETSTRING` where the form is wrong, LimitError `ERR_FRAME_LIMIT` at the digit
 * that makes the length too large, and ProtocolError `ERR_UNEXPECTED_END` when the peer finishes within a netstring.
 */
export class NetstringDecoder extends BufferedDecoder<NetstringEvent> {
  readonly #limit: number
  #digits = 0
  #length = 0
  /** Whether the colon was read, at `#digits`. */
  #measured = false

  constructor(options?: NetstringOptions) {
    super()
    this.#limit = largestLength(readOptions('NetstringDecoder', NETSTRING_OPTIONS, options).maxFrameBytes)
  }

  protected override decode(): NetstringEvent | undefined {
    while (!this.#measured) {
      const byte = this.held.at(this.#digits)
      if (byte === -1) return undefined
      this.#readLength(byte)
    }
    const start = this.#digits + 1
    const end = start + this.#length
    const last = this.held.at(end)
    if (last === -1) return undefined
    if (last !== COMMA) this.#refuse('no comma after the last byte', end)
    const bytes = this.held.take(start, end, end + 1)
    this.restart()
    return { type: 'frame', bytes }
  }

  protected override decodeLast(): never {
    throw new ProtocolError(
      'ERR_UNEXPECTED_END',
      `Cannot read netstring: the peer finished after ${this.held.length} bytes of it`,
    )
  }

  protected override restart(): void {
    this.#digits = 0
    this.#length = 0
    this.#measured = false
  }

  #readLength(byte: number): void {
    if (byte === COLON && this.#digits > 0) {
      this.#measured = true
      return
    }
    if (!isDigit(byte)) this.#refuse('neither a digit nor the colon after them', this.#digits)
    if (this.#digits > 0 && this.#length === 0) this.#refuse('a digit after a leading zero', this.#digits)
    this.#length = this.#length * 10 + (byte - DIGIT_0)
    this.#digits += 1
    if (this.#length > this.#limit) throw frameTooLong(this.#limit, `at least ${this.#length} bytes`)
  }

  #refuse(what: string, at: number): never {
    const found = escapeBytes(this.held.peek(at, at + 1))
    throw new ProtocolError('ERR_NETSTRING', `Cannot read netstring: ${what} at byte ${at}, but ${found}`)
  }
}

/** The bytes as a netstring, ready to be written. */
export function encodeNetstring(bytes: Uint8Array): Uint8Array {
  return concatBytes([toAscii(`${bytes.length}:`), bytes, Uint8Array.of(COMMA)])
}
