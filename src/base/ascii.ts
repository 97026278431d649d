export const CR = 0x0d
export const LF = 0x0a
export const SPACE = 0x20
export const COLON = 0x3a
export const COMMA = 0x2c
export const DIGIT_0 = 0x30
export const DIGIT_9 = 0x39

export function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9
}

/** The bytes of an ASCII text. @throws RangeError for a character above 0x7f. */
export function toAscii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) throw new RangeError(`Cannot encode as ASCII: character ${i} is 0x${unit.toString(16)}`)
    bytes[i] = unit
  }
  return bytes
}

/** The bytes as Latin-1 text: one character a byte, nothing lost. */
export function fromLatin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  }
  return text
}

const SHOWN_BYTES = 64

/** Peer data as it may stand in a message or a log: printable ASCII, the rest escaped, cut at 64 bytes. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes.subarray(0, SHOWN_BYTES)) {
    if (byte === CR) text += '\\r'
    else if (byte === LF) text += '\\n'
    else if (byte === 0x5c) text += '\\\\'
    else if (byte >= SPACE && byte < 0x7f) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return bytes.length > SHOWN_BYTES ? `${text}…` : text
}
