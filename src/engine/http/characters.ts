/** Which of the 256 bytes are in a set: 1 or 0. */
export type ByteSet = Readonly<Uint8Array>

/** The set of the characters of each text, and of each range of bytes, both ends with it. */
export function byteSet(...members: readonly (string | readonly [from: number, to: number])[]): ByteSet {
  const set = new Uint8Array(256)
  for (const member of members) {
    if (typeof member === 'string') for (let i = 0; i < member.length; i += 1) set[member.charCodeAt(i)] = 1
    else set.fill(1, member[0], member[1] + 1)
  }
  return set
}

export const DIGITS = [0x30, 0x39] as const
export const UPPER = [0x41, 0x5a] as const
export const LOWER = [0x61, 0x7a] as const

/** RFC 9110 §5.6.2: what methods, field names and most parameters are made of. */
export const TOKEN_BYTES: ByteSet = byteSet(DIGITS, UPPER, LOWER, "!#$%&'*+-.^_`|~")

/** RFC 9110 §5.5: what may stand within a field value: visible, space, tab, and bytes above ASCII. */
export const VALUE_BYTES: ByteSet = byteSet('\t', [0x20, 0x7e], [0x80, 0xff])

/**
 * What a request target may hold up to its query: RFC 3986 §2, and the few characters that browsers leave bare (WHATWG
 * URL). No space, no control, no `"`, `#`, `<` or `>`, nothing above ASCII; no backslash, which some take for a slash.
 */
export const TARGET_BYTES: ByteSet = byteSet('!', [0x24, 0x3b], '=', [0x3f, 0x5b], [0x5d, 0x7e])

/** In a query a backslash is only a character, and browsers leave it bare. */
export const QUERY_BYTES: ByteSet = byteSet('!', [0x24, 0x3b], '=', [0x3f, 0x7e])

/** RFC 3986 §3.2.2 and §3.2.3: a host, in brackets where it is IPv6, and a port. No user. */
export const HOST_BYTES: ByteSet = byteSet(DIGITS, UPPER, LOWER, "-._~%!$&'()*+,;=:[]")

export function isMadeOf(text: string, set: ByteSet): boolean {
  for (let i = 0; i < text.length; i += 1) if (set[text.charCodeAt(i)] !== 1) return false
  return true
}

export const isToken = (text: string): boolean => text.length > 0 && isMadeOf(text, TOKEN_BYTES)

/** RFC 9110 §5.5: no control but tab, no space at either end, no character above 0xff. */
export function isFieldValue(text: string): boolean {
  if (!isMadeOf(text, VALUE_BYTES)) return false
  return text.length === 0 || (!isSpace(text.charCodeAt(0)) && !isSpace(text.charCodeAt(text.length - 1)))
}

export const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

/** A control character of ASCII, tab too. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

/** Space and tab only: `trim` takes byte 0xa0 for a space too. */
export function trimSpace(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}
