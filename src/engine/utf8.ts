/** Strict UTF-8, by the one decoder that ECMAScript itself has; `undefined` for what is not UTF-8. */
export function tryFromUtf8(bytes: Uint8Array): string | undefined {
  let escaped = ''
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`
  try {
    return decodeURIComponent(escaped)
  } catch {
    return undefined
  }
}

/** `undefined` for a text with half a surrogate pair, which has no UTF-8. */
export function tryToUtf8(text: string): Uint8Array | undefined {
  let escaped: string
  try {
    escaped = encodeURIComponent(text)
  } catch {
    return undefined
  }
  const bytes: number[] = []
  for (let at = 0; at < escaped.length; at += 1) {
    if (escaped[at] === '%') {
      bytes.push(Number.parseInt(escaped.slice(at + 1, at + 3), 16))
      at += 2
    } else {
      bytes.push(escaped.charCodeAt(at))
    }
  }
  return Uint8Array.from(bytes)
}
