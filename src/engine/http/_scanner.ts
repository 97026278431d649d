import { isSpace, TOKEN_BYTES, VALUE_BYTES, type ByteSet } from './characters.js'

export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const COMMA = 0x2c
export const SEMICOLON = 0x3b
export const EQUALS = 0x3d

/** Reads a field value from left to right. Each character is looked at once or twice, whatever the value is. */
export class Scanner {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get isDone(): boolean {
    return this.at >= this.text.length
  }

  /** The character code that comes next; NaN at the end. */
  get next(): number {
    return this.text.charCodeAt(this.at)
  }

  /** Steps over one character if it is the one wanted. */
  take(code: number): boolean {
    if (this.next !== code) return false
    this.at += 1
    return true
  }

  /** RFC 9110 §5.6.3: spaces and tabs, or none. Returns how many. */
  skipSpace(): number {
    const from = this.at
    while (isSpace(this.next)) this.at += 1
    return this.at - from
  }

  /** As many characters of the set as there are. */
  takeAll(set: ByteSet): string {
    const from = this.at
    while (set[this.next] === 1) this.at += 1
    return this.text.slice(from, this.at)
  }

  /** RFC 9110 §5.6.2; '' when there is none. */
  token(): string {
    return this.takeAll(TOKEN_BYTES)
  }

  /** RFC 9110 §5.6.4: what a quoted string means; `undefined` when none begins here, or it does not end. */
  quoted(): string | undefined {
    if (!this.take(QUOTE)) return undefined
    let value = ''
    let from = this.at
    for (;;) {
      const code = this.next
      if (code === QUOTE || code === BACKSLASH) {
        value += this.text.slice(from, this.at)
        this.at += 1
        if (code === QUOTE) return value
        from = this.at
      }
      if (VALUE_BYTES[this.next] !== 1) return undefined
      this.at += 1
    }
  }

  /** A token or a quoted string: the value of a parameter (RFC 9110 §5.6.6). */
  tokenOrQuoted(): string | undefined {
    if (this.next === QUOTE) return this.quoted()
    const token = this.token()
    return token === '' ? undefined : token
  }
}
