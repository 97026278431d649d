import { escapeBytes } from '../../base/ascii.js'
import { concatBytes, indexOfBytes } from '../../base/bytes.js'
import { LimitError, UsageError } from '../../base/errors.js'
import { flag, readOptions, type OptionSpecs } from '../../base/options.js'
import { BufferedDecoder } from '../decoder.js'
import { maxFrameBytes } from './_frame-limit.js'

export interface DelimiterSettings {
  readonly maxFrameBytes: number
  readonly keepDelimiter: boolean
}
export type DelimiterOptions = Partial<DelimiterSettings>

export const DELIMITER_OPTIONS: OptionSpecs<DelimiterSettings> = {
  maxFrameBytes,
  keepDelimiter: flag(false, 'Whether the bytes of a frame have their delimiter with them.'),
}

export interface DelimitedEvent {
  readonly type: 'frame'
  readonly bytes: Uint8Array
  /** False for what stood after the last delimiter when the peer finished. */
  readonly complete: boolean
}

/**
 * Cuts bytes at each delimiter, which is any sequence of bytes. Searches with the tables of Knuth, Morris and Pratt, so
 * that no byte is looked at again however the delimiter repeats itself and the input is cut.
 *
 * `nextEvent` throws LimitError `ERR_FRAME_LIMIT` as soon as a frame is known to be too long.
 */
export class DelimiterDecoder extends BufferedDecoder<DelimitedEvent> {
  readonly #settings: DelimiterSettings
  readonly #delimiter: Uint8Array
  readonly #fallbacks: Uint32Array
  #scanned = 0
  /** How many bytes of the delimiter end at `#scanned`. */
  #matched = 0

  /** @throws UsageError `ERR_ARGUMENT` for an empty delimiter. */
  constructor(delimiter: Uint8Array, options?: DelimiterOptions) {
    super()
    this.#settings = readOptions('DelimiterDecoder', DELIMITER_OPTIONS, options)
    this.#delimiter = checkedDelimiter(delimiter).slice()
    this.#fallbacks = fallbacksOf(this.#delimiter)
  }

  protected override decode(): DelimitedEvent | undefined {
    const found = this.#search()
    const certain = this.#scanned - this.#matched
    if (certain > this.#settings.maxFrameBytes) this.#refuseLength()
    if (!found) return undefined
    const end = this.#scanned
    this.restart()
    const bytes = this.held.take(0, this.#settings.keepDelimiter ? end : certain, end)
    return { type: 'frame', bytes, complete: true }
  }

  protected override decodeLast(): DelimitedEvent {
    if (this.held.length > this.#settings.maxFrameBytes) this.#refuseLength()
    this.restart()
    return { type: 'frame', bytes: this.held.takeAll(), complete: false }
  }

  protected override restart(): void {
    this.#scanned = 0
    this.#matched = 0
  }

  /** Goes on from `#scanned`; true when it stands right after a delimiter. */
  #search(): boolean {
    const delimiter = this.#delimiter
    const bytes = this.held.peek()
    let at = this.#scanned
    let matched = this.#matched
    while (at < bytes.length && matched < delimiter.length) {
      if (matched === 0) {
        const first = bytes.indexOf(delimiter[0] ?? 0, at)
        at = first === -1 ? bytes.length : first + 1
        matched = first === -1 ? 0 : 1
      } else if (bytes[at] === delimiter[matched]) {
        at += 1
        matched += 1
      } else {
        matched = this.#fallbacks[matched - 1] ?? 0
      }
    }
    this.#scanned = at
    this.#matched = matched
    return matched === delimiter.length
  }

  #refuseLength(): never {
    const limit = this.#settings.maxFrameBytes
    throw new LimitError(
      'ERR_FRAME_LIMIT',
      `Cannot read frame: it is longer than ${limit} bytes and begins ${escapeBytes(this.held.peek())}`,
      { details: { limit } },
    )
  }
}

/** For each prefix of the delimiter the length of the longest shorter prefix that it ends with. */
function fallbacksOf(delimiter: Uint8Array): Uint32Array {
  const fallbacks = new Uint32Array(delimiter.length)
  let matched = 0
  for (let at = 1; at < delimiter.length; at += 1) {
    while (matched > 0 && delimiter[at] !== delimiter[matched]) matched = fallbacks[matched - 1] ?? 0
    if (delimiter[at] === delimiter[matched]) matched += 1
    fallbacks[at] = matched
  }
  return fallbacks
}

function checkedDelimiter(delimiter: Uint8Array): Uint8Array {
  if (delimiter.length === 0) throw new UsageError('ERR_ARGUMENT', 'Cannot use delimiter: it is empty')
  return delimiter
}

/**
 * The bytes with the delimiter behind them, ready to be written.
 * @throws UsageError `ERR_ARGUMENT` when the delimiter would be found earlier than at the end.
 */
export function encodeDelimited(delimiter: Uint8Array, bytes: Uint8Array): Uint8Array {
  const frame = concatBytes([bytes, checkedDelimiter(delimiter)])
  const first = indexOfBytes(frame, delimiter)
  if (first === bytes.length) return frame
  throw new UsageError('ERR_ARGUMENT', `Cannot encode frame: the delimiter stands in it, at byte ${first}`)
}
