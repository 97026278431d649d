import { LimitError } from '../base/errors.js'
import { findCharset } from './charset.js'

export interface TextLineOptions {
  /** Characters; a longer line is an error. Default: 1 MiB. */
  readonly maxLineLength?: number | undefined
}

const DEFAULT_MAX_LENGTH = 1024 * 1024
const LINE_END = /\r\n|\n|\r/g

/**
 * The lines of a body as they come, without what ends them: LF, CR LF or CR. The charset is that of the first bytes, of the
 * Content-Type, or UTF-8. What comes before the next line end is held. @throws LimitError `ERR_BODY_LIMIT`.
 */
export async function* textLines(
  body: AsyncIterable<Uint8Array>,
  contentType: string | undefined,
  { maxLineLength = DEFAULT_MAX_LENGTH }: TextLineOptions = {},
): AsyncGenerator<string, void, undefined> {
  const held = new HeldLine(maxLineLength)
  let decoder: InstanceType<typeof TextDecoder> | undefined
  /** The last character was a CR: an LF behind it belongs to it. */
  let endsWithCr = false
  for await (const bytes of body) {
    decoder ??= new TextDecoder(charsetOf(bytes, contentType))
    const text = decoder.decode(bytes, { stream: true })
    if (text === '') continue
    let at = endsWithCr && text.startsWith('\n') ? 1 : 0
    endsWithCr = text.endsWith('\r')
    for (const { 0: mark, index } of text.matchAll(LINE_END)) {
      if (index < at) continue
      yield held.take(text.slice(at, index))
      at = index + mark.length
    }
    held.add(text.slice(at))
  }
  held.add(decoder?.decode() ?? '')
  if (!held.isEmpty) yield held.take('')
}

/** A line that is not whole yet, in the pieces in which it came: each is looked at once. */
class HeldLine {
  readonly #maxLength: number
  #pieces: string[] = []
  #length = 0

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** @throws LimitError `ERR_BODY_LIMIT`. */
  add(text: string): void {
    if (text === '') return
    this.#pieces.push(text)
    this.#length += text.length
    if (this.#length > this.#maxLength)
      throw new LimitError('ERR_BODY_LIMIT', `Cannot read a line: it has more than ${this.#maxLength} characters`, {
        details: { limit: this.#maxLength },
      })
  }

  /** The line, with its last piece. */
  take(last: string): string {
    this.add(last)
    const line = this.#pieces.length === 1 ? (this.#pieces[0] ?? '') : this.#pieces.join('')
    this.#pieces = []
    this.#length = 0
    return line
  }
}

/** The first bytes may end within a character, and would be no UTF-8 then. */
function charsetOf(bytes: Uint8Array, contentType: string | undefined): string {
  const found = findCharset(bytes, contentType)
  const isTold = /charset\s*=/i.test(contentType ?? '') || found !== 'windows-1252'
  return isTold ? found : 'utf-8'
}
