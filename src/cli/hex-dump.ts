const WIDTH = 16

/** Bytes as people read them: offset, hexadecimal, text; one direction's offset goes on from call to call. */
export class HexDump {
  readonly #mark: string
  readonly #write: (text: string) => void
  #offset = 0

  /** `mark` is `>` for what is sent and `<` for what is received. */
  constructor(mark: '>' | '<', write: (text: string) => void) {
    this.#mark = mark
    this.#write = write
  }

  readonly dump = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += WIDTH) {
      const row = bytes.subarray(at, at + WIDTH)
      const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'))
      const left = hex.slice(0, 8).join(' ').padEnd(23)
      const right = hex.slice(8).join(' ').padEnd(23)
      const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
      this.#write(`${this.#mark} ${this.#offset.toString(16).padStart(8, '0')}  ${left}  ${right}  ${text}\n`)
      this.#offset += row.length
    }
  }
}
