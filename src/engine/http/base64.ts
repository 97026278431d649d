const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

const VALUES: Readonly<Int8Array> = new Int8Array(128).map((_, code) => LETTERS.indexOf(String.fromCharCode(code)))

/** RFC 4648 §4, strictly: padded, no other characters, and no bits in the last letter that mean nothing. */
export function tryFromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let at = 0
  let [bits, count] = [0, 0]
  for (let i = 0; i < text.length - padding; i += 1) {
    const value = VALUES[text.charCodeAt(i)] ?? -1
    if (value === -1) return undefined
    bits = ((bits << 6) | value) & 0xffff
    count += 6
    if (count < 8) continue
    count -= 8
    bytes[at] = bits >> count
    at += 1
  }
  return (bits & ((1 << count) - 1)) === 0 ? bytes : undefined
}

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second, third] = bytes.subarray(at, at + 3)
    const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0)
    text += letter(bits >> 18) + letter(bits >> 12)
    text += second === undefined ? '==' : letter(bits >> 6) + (third === undefined ? '=' : letter(bits))
  }
  return text
}

const letter = (bits: number): string => LETTERS.charAt(bits & 63)
