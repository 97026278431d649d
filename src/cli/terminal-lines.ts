import { Transform, type TransformCallback } from 'node:stream'

/** Gives its input on in whole lines, with the line ending that is asked for. An unfinished last line is given as it is. */
export class TerminalLines extends Transform {
  readonly #ending: string
  #held = ''

  constructor(crlf: boolean) {
    super({ readableObjectMode: false })
    this.#ending = crlf ? '\r\n' : '\n'
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Latin-1 keeps each byte a character, whatever the text is encoded in.
    const lines = (this.#held + chunk.toString('latin1')).split('\n')
    this.#held = lines.pop() ?? ''
    for (const line of lines)
      this.push(Buffer.from((line.endsWith('\r') ? line.slice(0, -1) : line) + this.#ending, 'latin1'))
    done()
  }

  override _flush(done: TransformCallback): void {
    if (this.#held !== '') this.push(Buffer.from(this.#held, 'latin1'))
    done()
  }
}
