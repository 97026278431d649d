import { concatBytes } from '../../base/bytes.js'
import { ProtocolError, UsageError } from '../../base/errors.js'
import { flag, readOptions, type OptionSpecs } from '../../base/options.js'
import { BufferedDecoder } from '../decoder.js'
import { frameTooLong, largestLength, maxFrameBytes } from './_frame-limit.js'
import {
  isVariable,
  largestInPrefix,
  PREFIXES,
  readFixed,
  readVariable,
  writePrefix,
  type LengthPrefix,
} from './_prefixes.js'

export type { LengthPrefix } from './_prefixes.js'

export interface FrameSettings {
  readonly maxFrameBytes: number
  readonly lengthIncludesPrefix: boolean
}
export type FrameOptions = Partial<FrameSettings>

export const FRAME_OPTIONS: OptionSpecs<FrameSettings> = {
  maxFrameBytes,
  lengthIncludesPrefix: flag(
    false,
    'Whether the length counts the prefix too, as in PostgreSQL’s startup message. Only for prefixes of a fixed width.',
  ),
}

export interface FrameEvent {
  readonly type: 'frame'
  readonly bytes: Uint8Array
}

/**
 * Cuts bytes into frames that begin with their length.
 *
 * `nextEvent` throws LimitError `ERR_FRAME_LIMIT` as soon as the prefix says too much, before any of the frame is held;
 * ProtocolError `ERR_LENGTH_PREFIX` for a prefix that is not in its shortest form, goes on too long, or does not count
 * itself where it should; ProtocolError `ERR_UNEXPECTED_END` when the peer finishes within a frame.
 */
export class LengthPrefixDecoder extends BufferedDecoder<FrameEvent> {
  readonly #prefix: LengthPrefix
  readonly #settings: FrameSettings
  #prefixBytes = 0
  /** The length of the frame that is coming in, its prefix not counted; -1 while the prefix is incomplete. */
  #length = -1

  constructor(prefix: LengthPrefix, options?: FrameOptions) {
    super()
    this.#prefix = checkedPrefix(prefix)
    this.#settings = readOptions('LengthPrefixDecoder', FRAME_OPTIONS, options)
    checkInclusion(prefix, this.#settings.lengthIncludesPrefix)
  }

  protected override decode(): FrameEvent | undefined {
    if (this.#length === -1) this.#readPrefix()
    const end = this.#prefixBytes + this.#length
    if (this.#length === -1 || this.held.length < end) return undefined
    const bytes = this.held.take(this.#prefixBytes, end, end)
    this.restart()
    return { type: 'frame', bytes }
  }

  protected override decodeLast(): never {
    const awaited = this.#length === -1 ? 'its length' : `${this.#prefixBytes + this.#length} bytes`
    throw new ProtocolError(
      'ERR_UNEXPECTED_END',
      `Cannot read frame: the peer finished after ${this.held.length} bytes of it, before ${awaited}`,
    )
  }

  protected override restart(): void {
    this.#length = -1
    this.#prefixBytes = 0
  }

  #readPrefix(): void {
    const limit = largestLength(this.#settings.maxFrameBytes)
    const prefix = this.#prefix
    if (isVariable(prefix)) {
      const read = readVariable(this.held, PREFIXES[prefix].bytes, limit)
      if (read === undefined) return
      this.#length = read.value
      this.#prefixBytes = read.bytes
      return
    }
    const { bytes, littleEndian } = PREFIXES[prefix]
    if (this.held.length < bytes) return
    const value = readFixed(this.held, bytes, littleEndian)
    const length = this.#settings.lengthIncludesPrefix ? value - bytes : value
    if (length < 0) {
      throw new ProtocolError('ERR_LENGTH_PREFIX', `Cannot read length prefix: ${value} does not count its own bytes`)
    }
    if (length > limit) throw frameTooLong(limit, `${length} bytes`)
    this.#length = length
    this.#prefixBytes = bytes
  }
}

function checkedPrefix(prefix: LengthPrefix): LengthPrefix {
  if (Object.hasOwn(PREFIXES, prefix)) return prefix
  throw new UsageError(
    'ERR_ARGUMENT',
    `Cannot use length prefix ${JSON.stringify(prefix)}: known are ${Object.keys(PREFIXES).join(', ')}`,
  )
}

function checkInclusion(prefix: LengthPrefix, includesPrefix: boolean): void {
  if (!includesPrefix || !isVariable(prefix)) return
  throw new UsageError(
    'ERR_OPTION_VALUE',
    `Cannot use option "lengthIncludesPrefix" with the prefix '${prefix}': its own size varies`,
    { details: { option: 'lengthIncludesPrefix' } },
  )
}

/**
 * The bytes with their length in front, ready to be written.
 * @throws UsageError `ERR_ARGUMENT` when the length does not fit in the prefix.
 */
export function encodeFrame(
  prefix: LengthPrefix,
  bytes: Uint8Array,
  { lengthIncludesPrefix = false }: Pick<FrameOptions, 'lengthIncludesPrefix'> = {},
): Uint8Array {
  checkInclusion(checkedPrefix(prefix), lengthIncludesPrefix)
  const value = lengthIncludesPrefix ? bytes.length + PREFIXES[prefix].bytes : bytes.length
  const largest = largestInPrefix(prefix)
  if (value <= largest) return concatBytes([writePrefix(prefix, value), bytes])
  throw new UsageError(
    'ERR_ARGUMENT',
    `Cannot encode frame: its length ${value} is over ${largest}, the most in ${prefix}`,
  )
}
