import { Transform, type TransformCallback } from 'node:stream'

/** A line that is longer is given on in pieces: a stream may have no line in it at all. */
const MAX_HELD_BYTES = 64 * 1024

/** Gives its input on in whole lines, with the line ending that is asked for. An unfinished last line is given as it is. */
export class TerminalLines extends Transform {
  readonly #ending: string
  #held = ''

  constructor(ending: '\n' | '\r\n') {
    super({ readableObjectMode: false })
    this.#ending = ending
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Latin-1 keeps each byte a character, whatever the text is encoded in.
    const lines = (this.#held + chunk.toString('latin1')).split('\n')
    this.#held = lines.pop() ?? ''
    for (const line of lines)
      this.push(Buffer.from((line.endsWith('\r') ? line.slice(0, -1) : line) + this.#ending, 'latin1'))
    if (this.#held.length > MAX_HELD_BYTES) this.#giveHeld()
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#giveHeld()
    done()
  }

  #giveHeld(): void {
    if (this.#held !== '') this.push(Buffer.from(this.#held, 'latin1'))
    this.#held = ''
  }
}
