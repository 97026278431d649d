import { CR, fromLatin1, toAscii } from '../../base/ascii.js'
import type { ProxyAddress, ProxyHeader, ProxyIpAddress } from './header.js'
import { formatIpv4, formatIpv6, tryParseIpv4, tryParseIpv6 } from '../ip-addresses.js'
import { refuse, refuseArgument } from './_refuse.js'

/** Specification 2.1: the longest header, its CR LF counted: "PROXY UNKNOWN" and two full IPv6 addresses with ports. */
export const MAX_V1_BYTES = 107
export const V1_SIGNATURE: Uint8Array = toAscii('PROXY ')

const PORT = /^(?:0|[1-9][0-9]{0,4})$/
const UNKNOWN = 'PROXY UNKNOWN'

/**
 * A header of version 1, from `PROXY` to its LF: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`. Specification 2.1:
 * one space between fields, no leading zeros, ports from 0 to 65535; after `UNKNOWN` anything up to the CR LF is
 * ignored.
 *
 * @throws ProtocolError `ERR_PROXY_HEADER`
 */
export function parseV1(header: Uint8Array): ProxyHeader {
  const end = header.length - 2
  if (header[end] !== CR) refuse('LF without CR', header, end + 1)
  const cr = header.indexOf(CR)
  if (cr !== end) refuse('CR without LF', header, cr)
  const text = fromLatin1(header.subarray(0, end))
  if (text === UNKNOWN || text.startsWith(`${UNKNOWN} `)) return { version: 1, command: 'proxy' }
  const fields = fieldsOf(text)
  const [, protocol, source, destination, sourcePort, destinationPort] = fields
  if (protocol === undefined || (protocol.text !== 'TCP4' && protocol.text !== 'TCP6')) {
    refuse('none of TCP4, TCP6 and UNKNOWN', header, protocol?.at ?? end)
  }
  if (!source || !destination || !sourcePort || !destinationPort || fields.length !== 6) {
    refuse(`${fields.length - 2} fields after ${protocol.text} where four must be,`, header, fields[6]?.at ?? end)
  }
  const family = protocol.text === 'TCP4' ? 'ipv4' : 'ipv6'
  const addressOf = (address: Field, port: Field): ProxyIpAddress => {
    const parsed = tryReadAddress(family, address.text)
    if (parsed === undefined) refuse(`no ${protocol.text} address`, header, address.at)
    if (!PORT.test(port.text) || Number(port.text) > 65_535) refuse('no port', header, port.at)
    return { family, address: parsed, port: Number(port.text) }
  }
  const route = {
    transport: 'stream',
    source: addressOf(source, sourcePort),
    destination: addressOf(destination, destinationPort),
  } as const
  return { version: 1, command: 'proxy', route }
}

interface Field {
  readonly text: string
  readonly at: number
}

function fieldsOf(text: string): Field[] {
  let at = 0
  return text.split(' ').map((field) => {
    const start = at
    at += field.length + 1
    return { text: field, at: start }
  })
}

function tryReadAddress(family: 'ipv4' | 'ipv6', text: string): string | undefined {
  const bytes = family === 'ipv4' ? tryParseIpv4(text) : tryParseIpv6(text)
  if (bytes === undefined) return undefined
  return family === 'ipv4' ? formatIpv4(bytes) : formatIpv6(bytes)
}

/** @throws UsageError `ERR_ARGUMENT` for what version 1 cannot say: it knows TCP over IPv4 and IPv6, and no more. */
export function encodeV1(header: ProxyHeader): Uint8Array {
  const { version: _, command, route, ...rest } = header
  const named = Object.entries(rest).find(([, value]) => value !== undefined && value !== false)
  if (named !== undefined) refuseArgument(`version 1 has no place for ${named[0]}; use version 2`)
  if (command === 'local') refuseArgument("version 1 has no 'local'; use version 2")
  if (route === undefined) return toAscii(`${UNKNOWN}\r\n`)
  if (route.transport !== 'stream') refuseArgument('version 1 has no datagrams; use version 2')
  const source = checkedIp(route.source)
  const destination = checkedIp(route.destination)
  if (source.family !== destination.family) refuseArgument(`${source.family} to ${destination.family} has no form`)
  const protocol = source.family === 'ipv4' ? 'TCP4' : 'TCP6'
  const ports = `${source.port} ${destination.port}`
  return toAscii(`PROXY ${protocol} ${source.address} ${destination.address} ${ports}\r\n`)
}

function checkedIp(address: ProxyAddress): ProxyIpAddress {
  if (address.family === 'unix') refuseArgument('version 1 has no Unix sockets; use version 2')
  const { family, port } = address
  const text = tryReadAddress(family, address.address)
  if (text === undefined) refuseArgument(`${JSON.stringify(address.address)} is no ${family} address`)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) refuseArgument(`${port} is no port`)
  return { family, address: text, port }
}
