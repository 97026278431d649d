const OCTET = /^(?:0|[1-9][0-9]{0,2})$/
const GROUP = /^[0-9a-fA-F]{1,4}$/

/** Four bytes, from four decimal numbers without leading zeros; `undefined` for anything else. */
export function tryParseIpv4(text: string): Uint8Array | undefined {
  const octets = text.split('.')
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255)) return undefined
  return Uint8Array.from(octets, Number)
}

export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join('.')
}

/**
 * Sixteen bytes, from groups of one to four hexadecimal digits with at most one `::`; `undefined` for anything else.
 * The last 32 bits may be dotted decimals: the PROXY specification does not say so, but `inet_ntop` writes addresses
 * of mapped IPv4 that way, and proxies print what it gives.
 */
export function tryParseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = '', tail] = halves
  const before = groupsOf(head, tail === undefined)
  const after = tail === undefined ? [] : groupsOf(tail, true)
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  // RFC 5952 section 4.2.2 would not shorten a single group, RFC 4291 lets it: "one or more groups".
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function groupsOf(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const groups: number[] = []
  const dotted = mayEndDotted && last.includes('.') ? tryParseIpv4(last) : undefined
  if (dotted !== undefined) parts.pop()
  for (const part of parts) {
    if (!GROUP.test(part)) return undefined
    groups.push(Number.parseInt(part, 16))
  }
  if (dotted !== undefined) groups.push(pairOf(dotted, 0), pairOf(dotted, 2))
  return groups
}

function pairOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

/**
 * RFC 5952 section 4: lower case, no leading zeros, `::` for the first of the longest runs of two or more zero groups;
 * section 5: an IPv4 address that is mapped into IPv6 with its last part dotted.
 */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => pairOf(bytes, i * 2))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(bytes.subarray(12, 16))}`
  }
  const { start, length } = longestZeros(groups)
  const text = groups.map((group) => group.toString(16))
  if (length < 2) return text.join(':')
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0
    while (groups[start + length] === 0) length += 1
    if (length > best.length) best = { start, length }
    start += length
  }
  return best
}
