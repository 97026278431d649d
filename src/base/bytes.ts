export const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

export function concatBytes(parts: readonly Uint8Array[], totalBytes?: number): Uint8Array {
  let length = totalBytes
  if (length === undefined) {
    length = 0
    for (const part of parts) length += part.length
  }
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i += 1) if (left[i] !== right[i]) return false
  return true
}

/** Where `pattern` first stands whole in `bytes` at or after `from`, or -1. An empty pattern stands at `from`. */
export function indexOfBytes(bytes: Uint8Array, pattern: Uint8Array, from: number = 0): number {
  const first = pattern[0]
  if (first === undefined) return from
  const last = bytes.length - pattern.length
  for (let at = bytes.indexOf(first, from); at !== -1 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let matched = 1
    while (matched < pattern.length && bytes[at + matched] === pattern[matched]) matched += 1
    if (matched === pattern.length) return at
  }
  return -1
}
