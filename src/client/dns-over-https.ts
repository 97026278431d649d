import { randomInt } from 'node:crypto'
import type { Answer, DecodedPacket, Packet } from 'dns-packet'
import type { HostAddress, Lookup } from '../transport/node/resolve-all.js'
import { request } from './request.js'

export interface DnsOverHttpsOptions {
  /** For both questions. Default: 5 s. */
  readonly timeoutMs?: number | undefined
  /** Names whose addresses are kept, for as long as their records say. Default: 1,000. */
  readonly maxEntries?: number | undefined
}

/** Records may say more or less. */
const MAX_AGE_SECONDS = 86_400
const MIN_AGE_SECONDS = 1
const MAX_MESSAGE_BYTES = 65_535

interface Known {
  readonly addresses: readonly HostAddress[]
  readonly until: number
}

/**
 * RFC 8484: a `lookup` that asks a DNS server over HTTPS, for A and AAAA at once, so that nobody on the way sees or changes
 * what is asked. The name of the server itself is found by the system: give its address to do without. Messages are made
 * and read by the package `dns-packet`, which is loaded with the first question.
 * @example
 * const session = new Session({ lookup: dnsOverHttps('https://9.9.9.9/dns-query') })
 */
export function dnsOverHttps(
  url: string | URL,
  { timeoutMs = 5000, maxEntries = 1000 }: DnsOverHttpsOptions = {},
): Lookup {
  const known = new Map<string, Known>()
  return async (host) => {
    const found = known.get(host)
    const now = Date.now()
    if (found !== undefined && found.until > now) return found.addresses
    known.delete(host)
    const answers = await Promise.allSettled([ask(url, host, 'AAAA', timeoutMs), ask(url, host, 'A', timeoutMs)])
    const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    // One of the two is enough.
    const failure = answers.find((answer) => answer.status === 'rejected')
    if (records.length === 0 && failure !== undefined) throw failure.reason
    const addresses = records.map(({ address }) => address)
    if (addresses.length > 0) {
      const [oldest] = known.keys()
      if (known.size >= maxEntries && oldest !== undefined) known.delete(oldest)
      const seconds = Math.min(MAX_AGE_SECONDS, ...records.map(({ ttl }) => Math.max(ttl, MIN_AGE_SECONDS)))
      known.set(host, { addresses, until: now + seconds * 1000 })
    }
    return addresses
  }
}

interface AddressRecord {
  readonly address: HostAddress
  readonly ttl: number
}

/** RFC 8484 §4.1. @throws what `request` does; StatusError; an Error with `code` ENOTFOUND for a name that there is not. */
async function ask(
  url: string | URL,
  host: string,
  type: 'A' | 'AAAA',
  timeoutMs: number,
): Promise<readonly AddressRecord[]> {
  const { encode, decode, RECURSION_DESIRED } = await import('dns-packet')
  const id = randomInt(65_536)
  const question: Packet = { type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name: host }] }
  const response = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/dns-message', accept: 'application/dns-message' },
    body: encode(question),
    timeoutMs,
  })
  const bytes = await response.raiseForStatus().bytes()
  if (bytes.length > MAX_MESSAGE_BYTES) throw new Error('the answer of the DNS server is too long')
  const packet = decode(Buffer.from(bytes))
  if (packet.id !== id) throw new Error('the answer of the DNS server is to another question')
  const rcode = rcodeOf(packet)
  if (rcode === 'NXDOMAIN') throw Object.assign(new Error(`there is no ${host}`), { code: 'ENOTFOUND' })
  if (rcode !== 'NOERROR') throw new Error(`the DNS server answered ${rcode}`)
  return (packet.answers ?? []).flatMap((answer) => recordOf(answer, type))
}

/** Its types leave it out. */
const rcodeOf = (packet: DecodedPacket): string => ('rcode' in packet ? String(packet.rcode) : 'NOERROR')

/** Aliases stand before the addresses that they lead to. */
function recordOf(answer: Answer, type: 'A' | 'AAAA'): readonly AddressRecord[] {
  if ((answer.type !== 'A' && answer.type !== 'AAAA') || answer.type !== type) return []
  return [{ address: { address: answer.data, family: type === 'A' ? 4 : 6 }, ttl: answer.ttl ?? MIN_AGE_SECONDS }]
}
