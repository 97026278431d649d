import { CR, LF, escapeBytes } from '../../base/ascii.js'
import { LimitError, ProtocolError, UsageError } from '../../base/errors.js'
import { byteCount, flag, oneOf, readOptions, type OptionSpecs } from '../../base/options.js'
import { BufferedDecoder } from '../decoder.js'

export type LineEnding = 'any' | 'crlf'

export interface LineSettings {
  readonly maxLineBytes: number
  readonly ending: LineEnding
  readonly keepEnd: boolean
}
export type LineOptions = Partial<LineSettings>

export const LINE_OPTIONS: OptionSpecs<LineSettings> = {
  maxLineBytes: byteCount(
    65_536,
    'The longest line, in bytes, its ending not counted. asyncio streams stop at 65,536, Twisted at 16,384: the ' +
      'larger one, because a JSON line is easily longer than 16 KiB and a thousand of them fit in 64 MiB.',
  ),
  ending: oneOf(
    ['any', 'crlf'],
    'any',
    "'any': a line ends with LF or with CR LF, and a CR elsewhere is data. 'crlf': a line ends with CR LF, and any " +
      'other CR or LF is an error, as SMTP needs it, where lenience lets messages be smuggled.',
  ),
  keepEnd: flag(false, 'Whether the bytes of a line have their ending with them.'),
}

export interface LineEvent {
  readonly type: 'line'
  readonly bytes: Uint8Array
  /** False for what stood after the last ending when the peer finished. */
  readonly complete: boolean
}

/**
 * Cuts bytes into lines. An input that ends without a line ending gives its last line with `complete: false`.
 *
 * `nextEvent` throws LimitError `ERR_LINE_LIMIT` as soon as a line is known to be too long, and ProtocolError
 * `ERR_LINE_ENDING` for a lone CR or LF under `ending: 'crlf'`.
 */
export class LineDecoder extends BufferedDecoder<LineEvent> {
  readonly #settings: LineSettings
  /** How many held bytes are known to have no ending in them. */
  #scanned = 0
  /** Where the first CR stands, once it was found; under `crlf` only. */
  #cr = -1

  constructor(options?: LineOptions) {
    super()
    this.#settings = readOptions('LineDecoder', LINE_OPTIONS, options)
  }

  protected override decode(): LineEvent | undefined {
    const lf = this.#settings.ending === 'crlf' ? this.#findCrLf() : this.#findLf()
    if (lf === -1) return undefined
    const textEnd = lf > 0 && this.held.at(lf - 1) === CR ? lf - 1 : lf
    if (textEnd > this.#settings.maxLineBytes) this.#refuseLength()
    this.restart()
    const bytes = this.held.take(0, this.#settings.keepEnd ? lf + 1 : textEnd, lf + 1)
    return { type: 'line', bytes, complete: true }
  }

  protected override decodeLast(): LineEvent {
    if (this.held.length > this.#settings.maxLineBytes) this.#refuseLength()
    this.restart()
    return { type: 'line', bytes: this.held.takeAll(), complete: false }
  }

  protected override restart(): void {
    this.#scanned = 0
    this.#cr = -1
  }

  #findLf(): number {
    const { maxLineBytes } = this.#settings
    const { length } = this.held
    const lf = this.held.indexOf(LF, this.#scanned)
    if (lf !== -1) return lf
    this.#scanned = length
    // One byte past the limit may still be the CR of an ending.
    if (length > maxLineBytes + 1 || (length > maxLineBytes && this.held.at(length - 1) !== CR)) this.#refuseLength()
    return -1
  }

  #findCrLf(): number {
    const { maxLineBytes } = this.#settings
    if (this.#cr === -1) {
      const { length } = this.held
      this.#cr = this.held.indexOf(CR, this.#scanned)
      const textEnd = this.#cr === -1 ? length : this.#cr
      const lf = this.held.peek(0, textEnd).indexOf(LF, this.#scanned)
      if ((lf === -1 ? textEnd : lf) > maxLineBytes) this.#refuseLength()
      if (lf !== -1) this.#refuseEnding('LF without CR', lf)
      this.#scanned = textEnd
    }
    if (this.#cr === -1 || this.#cr + 1 === this.held.length) return -1
    if (this.held.at(this.#cr + 1) !== LF) this.#refuseEnding('CR without LF', this.#cr)
    return this.#cr + 1
  }

  #refuseLength(): never {
    const limit = this.#settings.maxLineBytes
    throw new LimitError(
      'ERR_LINE_LIMIT',
      `Cannot read line: it is longer than ${limit} bytes and begins ${escapeBytes(this.held.peek())}`,
      { details: { limit } },
    )
  }

  #refuseEnding(what: string, at: number): never {
    const line = escapeBytes(this.held.peek(0, at + 2))
    throw new ProtocolError('ERR_LINE_ENDING', `Cannot read line: ${what} at byte ${at} of ${line}`)
  }
}

/**
 * A line with its ending, ready to be written.
 * @throws UsageError `ERR_ARGUMENT` when the peer would read something else: an LF inside, a CR at the end, or, with
 *   the ending CR LF, any CR. Text that comes from elsewhere cannot smuggle a second line in.
 */
export function encodeLine(bytes: Uint8Array, ending: 'lf' | 'crlf' = 'lf'): Uint8Array {
  const { length } = bytes
  if (bytes.includes(LF)) throw new UsageError('ERR_ARGUMENT', `Cannot encode line: LF at byte ${bytes.indexOf(LF)}`)
  const cr = ending === 'crlf' ? bytes.indexOf(CR) : length > 0 && bytes[length - 1] === CR ? length - 1 : -1
  if (cr !== -1) throw new UsageError('ERR_ARGUMENT', `Cannot encode line: CR at byte ${cr}`)
  const line = new Uint8Array(length + (ending === 'crlf' ? 2 : 1))
  line.set(bytes)
  if (ending === 'crlf') line[length] = CR
  line[line.length - 1] = LF
  return line
}
