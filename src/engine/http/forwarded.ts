import { formatIpv4, formatIpv6, tryParseIpv4, tryParseIpv6 } from '../ip-address.js'
import { COMMA, EQUALS, Scanner, SEMICOLON } from './_scanner.js'
import { MAX_PARAMETERS, tryParseList } from './list.js'
import type { FieldSource } from './fields.js'
import { isHost } from './target.js'

/** RFC 7239 §6: who sent or took a request, as a proxy names it. */
export interface ForwardedNode {
  readonly kind: 'ipv4' | 'ipv6' | 'unknown' | 'hidden'
  /** An address in its canonical form, without brackets; `unknown`; or a made-up name that begins with `_`. */
  readonly name: string
  /** A number, or a made-up name that begins with `_`. */
  readonly port?: number | string
}

/** What one proxy told of the request that it passed on. */
export interface ForwardedHop {
  /** Who sent it to the proxy. */
  readonly for?: ForwardedNode
  /** Where the proxy took it. Of the Forwarded field only. */
  readonly by?: ForwardedNode
  /** The Host field that it had there. */
  readonly host?: string
  /** In lower case: `http`, `https`. */
  readonly proto?: string
}

/** More hops than this make a field malformed: each stands for a proxy. */
export const MAX_HOPS = 32

const NAME = /^_[\w.-]+$/
const SCHEME = /^[a-z][a-z\d+.-]*$/i
const PORT = /^\d{1,5}$/

type MutableHop = { -readonly [K in keyof ForwardedHop]: ForwardedHop[K] }

/**
 * RFC 7239 §4: the hops of a Forwarded field, the nearest to the client first. Anybody may send the field: only as many hops
 * from the end are true as there are proxies that you trust, and only if those are known to set this field.
 *
 * `undefined` when anything in it is malformed, has space around `=` or `;`, comes twice in a hop, and for more than 32 hops, or
 * 32 parameters in one.
 * Parameters that are not known are passed over.
 */
export function tryParseForwarded(value: string): readonly ForwardedHop[] | undefined {
  const scanner = new Scanner(value)
  const hops: ForwardedHop[] = []
  for (let count = 1; count <= MAX_HOPS; count += 1) {
    scanner.skipSpace()
    if (!scanner.isDone && scanner.next !== COMMA) {
      const hop = readHop(scanner)
      if (hop === undefined) return undefined
      hops.push(hop)
      scanner.skipSpace()
    }
    if (scanner.isDone) return hops
    if (!scanner.take(COMMA)) return undefined
  }
  return undefined
}

function readHop(scanner: Scanner): ForwardedHop | undefined {
  const hop: MutableHop = {}
  const seen = new Set<string>()
  let count = 0
  do {
    count += 1
    if (count > MAX_PARAMETERS) return undefined
    const name = scanner.token().toLowerCase()
    if (name === '') continue
    const value = scanner.take(EQUALS) ? scanner.tokenOrQuoted() : undefined
    if (value === undefined || seen.has(name) || !setPart(hop, name, value)) return undefined
    seen.add(name)
  } while (scanner.take(SEMICOLON))
  return hop
}

/** False when it is malformed. */
function setPart(hop: MutableHop, name: string, value: string): boolean {
  if (name === 'for' || name === 'by') {
    const node = tryParseNode(value)
    if (node !== undefined) hop[name] = node
    return node !== undefined
  }
  if (name === 'host') {
    hop.host = value
    return value !== '' && isHost(value)
  }
  if (name === 'proto') {
    hop.proto = value.toLowerCase()
    return SCHEME.test(value)
  }
  return true
}

/** RFC 7239 §6: an address of IPv6 is in brackets. */
function tryParseNode(text: string): ForwardedNode | undefined {
  const end = text.startsWith('[') ? text.indexOf(']') + 1 : text.indexOf(':')
  const name = end <= 0 ? text : text.slice(0, end)
  const node = tryParseName(name)
  if (node === undefined || name.length === text.length) return node
  const port = text.slice(name.length + 1)
  if (text[name.length] !== ':') return undefined
  if (NAME.test(port)) return { ...node, port }
  return PORT.test(port) && Number(port) <= 65_535 ? { ...node, port: Number(port) } : undefined
}

function tryParseName(text: string): ForwardedNode | undefined {
  if (text.toLowerCase() === 'unknown') return { kind: 'unknown', name: 'unknown' }
  if (NAME.test(text)) return { kind: 'hidden', name: text }
  if (text.startsWith('[') && text.endsWith(']')) return tryParseIpv6Node(text.slice(1, -1))
  const ipv4 = tryParseIpv4(text)
  return ipv4 === undefined ? undefined : { kind: 'ipv4', name: formatIpv4(ipv4) }
}

function tryParseIpv6Node(text: string): ForwardedNode | undefined {
  const ipv6 = tryParseIpv6(text)
  return ipv6 === undefined ? undefined : { kind: 'ipv6', name: formatIpv6(ipv6) }
}

/**
 * The hops of X-Forwarded-For, -Proto and -Host, which no standard describes, as `tryParseForwarded` gives them. There an
 * address of IPv6 may stand without brackets. Protocol and host are one for each hop, or a single one, which is then that of
 * every hop. The warning about trust is as true here; never believe both kinds of fields, as a proxy only writes one.
 *
 * `undefined` when none of them is there, anything is malformed, the numbers do not fit, and for more than 32 hops.
 */
export function tryParseXForwarded(fields: FieldSource): readonly ForwardedHop[] | undefined {
  const lists = PARTS.map(({ field }) => membersOf(fields.get(field)))
  const counts = lists.map((list) => list?.length ?? 0)
  const count = Math.max(...counts)
  const hops: MutableHop[] = Array.from({ length: count }, () => ({}))
  if (count === 0) return undefined
  for (const [i, { name, mayStandForAll }] of PARTS.entries()) {
    const members = lists[i]
    if (members === undefined) return undefined
    const isOne = members.length === 1 && mayStandForAll
    if (members.length !== 0 && members.length !== count && !isOne) return undefined
    for (const [at, hop] of hops.entries()) {
      const member = members[isOne ? 0 : at]
      if (member !== undefined && !setPart(hop, name, name === 'for' ? inBrackets(member) : member)) return undefined
    }
  }
  return hops
}

const PARTS = [
  { field: 'x-forwarded-for', name: 'for', mayStandForAll: false },
  { field: 'x-forwarded-proto', name: 'proto', mayStandForAll: true },
  { field: 'x-forwarded-host', name: 'host', mayStandForAll: true },
] as const

/** None where the field is not there. */
const membersOf = (value: string | undefined): readonly string[] | undefined =>
  value === undefined ? [] : tryParseList(value, MAX_HOPS)

const inBrackets = (address: string): string => (tryParseIpv6(address) === undefined ? address : `[${address}]`)
