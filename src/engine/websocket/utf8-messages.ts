/**
 * Says at which byte a text stops being UTF-8 (RFC 3629), as it arrives and however it is cut: a byte after which no text
 * can be valid is refused when it comes, not at the end of the message. What a lead byte allows for the byte behind it is
 * narrower in four cases (overlong forms, surrogates, above U+10FFFF): `#low` and `#high` hold that.
 */
export class Utf8Checker {
  #left = 0
  #low = 0x80
  #high = 0xbf

  /** Whether no character has begun that is not whole. */
  get isWhole(): boolean {
    return this.#left === 0
  }

  restart(): void {
    this.#left = 0
    this.#low = 0x80
    this.#high = 0xbf
  }

  /** Where the first byte stands that cannot be part of UTF-8; -1 when there is none. */
  check(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? 0
      if (this.#left > 0) {
        if (byte < this.#low || byte > this.#high) return at
        this.#left -= 1
        this.#low = 0x80
        this.#high = 0xbf
      } else if (byte >= 0x80 && !this.#lead(byte)) return at
    }
    return -1
  }

  #lead(byte: number): boolean {
    if (byte >= 0xc2 && byte <= 0xdf) this.#left = 1
    else if (byte >= 0xe0 && byte <= 0xef) {
      this.#left = 2
      if (byte === 0xe0) this.#low = 0xa0
      else if (byte === 0xed) this.#high = 0x9f
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.#left = 3
      if (byte === 0xf0) this.#low = 0x90
      else if (byte === 0xf4) this.#high = 0x8f
    } else return false
    return true
  }
}
