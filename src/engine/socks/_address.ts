import { escapeBytes, fromLatin1, toAscii } from '../../base/ascii.js'
import { concatBytes } from '../../base/bytes.js'
import { formatIpv4, formatIpv6, tryParseIpv4, tryParseIpv6 } from '../ip-address.js'
import type { ReceiveBuffer } from '../receive-buffer.js'
import { refuse, refuseArgument, shownByte } from './_refuse.js'
import type { SocksAddress } from './messages.js'

export const MAX_NAME_BYTES = 255
/** What a proxy says that does not tell where it is. */
export const UNSPECIFIED: SocksAddress = Object.freeze({ host: '0.0.0.0', port: 0 })

/** RFC 1928 §5. */
const IPV4 = 1
const NAME = 3
const IPV6 = 4
const PORT_BYTES = 2

/** What resolvers take; a colon would be of an address that is malformed. */
const HOST_NAME = /^[\w.-]+$/
const VISIBLE = /^[!-~]+$/

/** RFC 1928 §5: the kind of the address, the address, the port. @throws UsageError `ERR_ARGUMENT` */
export function encodeAddress({ host, port }: SocksAddress): Uint8Array {
  const ipv4 = tryParseIpv4(host)
  if (ipv4 !== undefined) return concatBytes([Uint8Array.of(IPV4), ipv4, portBytes(port)])
  const ipv6 = tryParseIpv6(host)
  if (ipv6 !== undefined) return concatBytes([Uint8Array.of(IPV6), ipv6, portBytes(port)])
  const name = nameBytes(host)
  return concatBytes([Uint8Array.of(NAME, name.length), name, portBytes(port)])
}

/** @throws UsageError `ERR_ARGUMENT` */
export function portBytes(port: number): Uint8Array {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) refuseArgument(`${port} is no port`)
  return Uint8Array.of(port >> 8, port & 0xff)
}

/** @throws UsageError `ERR_ARGUMENT` */
export function nameBytes(host: string): Uint8Array {
  if (!HOST_NAME.test(host)) refuseArgument(`${JSON.stringify(host.slice(0, 64))} is neither an address nor a name`)
  if (host.length > MAX_NAME_BYTES) refuseArgument(`the name has ${host.length} bytes, ${MAX_NAME_BYTES} at most fit`)
  return toAscii(host)
}

/** Where the address that begins at `at` ends; -1 when that cannot be seen yet, `undefined` for an unknown kind. */
export function endOfAddress(held: ReceiveBuffer, at: number): number | undefined {
  switch (held.at(at)) {
    case -1:
      return -1
    case IPV4:
      return at + 1 + 4 + PORT_BYTES
    case IPV6:
      return at + 1 + 16 + PORT_BYTES
    case NAME: {
      const length = held.at(at + 1)
      return length === -1 ? -1 : at + 2 + length + PORT_BYTES
    }
    default:
      return undefined
  }
}

/** The address that begins at `at` and is there whole. @throws ProtocolError `ERR_SOCKS` */
export function readAddress(held: ReceiveBuffer, at: number, end: number): SocksAddress {
  const port = readPort(held, end - PORT_BYTES)
  const kind = held.at(at)
  if (kind === NAME) return { host: readName(held.peek(at + 2, end - PORT_BYTES)), port }
  const address = held.peek(at + 1, end - PORT_BYTES)
  return { host: kind === IPV4 ? formatIpv4(address) : formatIpv6(address), port }
}

export function readPort(held: ReceiveBuffer, at: number): number {
  return (held.at(at) << 8) | held.at(at + 1)
}

/** @throws ProtocolError `ERR_SOCKS` */
export function readName(bytes: Uint8Array): string {
  const name = fromLatin1(bytes)
  if (!VISIBLE.test(name)) refuse(`"${escapeBytes(bytes)}" is no name`)
  return name
}

export const unknownKind = (held: ReceiveBuffer, at: number): never =>
  refuse(`an address of the unknown kind ${shownByte(held.at(at))}`)
