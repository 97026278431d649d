import { concatBytes } from '../../base/bytes.js'
import type { ProxyAddress } from './header.js'
import { formatIpv4, formatIpv6, tryParseIpv4, tryParseIpv6 } from '../ip-addresses.js'
import { refuse, refuseArgument } from './_refuse.js'
import { tryFromUtf8, tryToUtf8 } from './_utf8.js'

const UNIX_BYTES = 108
const AT = '@'

/** Specification 2.2: source and destination first, then for IP the two ports. */
export const ADDRESS_BLOCK_BYTES = { ipv4: 12, ipv6: 36, unix: 216 } as const
export type Family = keyof typeof ADDRESS_BLOCK_BYTES

/** Reads the block of addresses that stands at `at`; the caller has checked that it is there whole. */
export function readAddresses(
  family: Family,
  header: Uint8Array,
  at: number,
): { readonly source: ProxyAddress; readonly destination: ProxyAddress } {
  const size = ADDRESS_BLOCK_BYTES[family]
  if (family === 'unix') {
    const source = { family, path: readPath(header, at) } as const
    return { source, destination: { family, path: readPath(header, at + UNIX_BYTES) } }
  }
  const bytes = (size - 4) / 2
  const format = family === 'ipv4' ? formatIpv4 : formatIpv6
  const port = (from: number): number => ((header[from] ?? 0) << 8) | (header[from + 1] ?? 0)
  const address = (index: number): ProxyAddress => {
    const from = at + index * bytes
    return { family, address: format(header.subarray(from, from + bytes)), port: port(at + bytes * 2 + index * 2) }
  }
  return { source: address(0), destination: address(1) }
}

/** A path ends at its first NUL; an abstract name begins with one, and ends where only NULs follow. */
function readPath(header: Uint8Array, at: number): string {
  const field = header.subarray(at, at + UNIX_BYTES)
  const nul = field.indexOf(0)
  if (nul === 0) {
    let end = UNIX_BYTES
    while (end > 0 && field[end - 1] === 0) end -= 1
    return end === 0 ? '' : AT + textOf(field.subarray(1, end), header, at)
  }
  return textOf(nul === -1 ? field : field.subarray(0, nul), header, at)
}

function textOf(bytes: Uint8Array, header: Uint8Array, at: number): string {
  return tryFromUtf8(bytes) ?? refuse('a Unix path that is not UTF-8', header, at)
}

/** @throws UsageError `ERR_ARGUMENT` for an address that has no such form. */
export function writeAddresses(source: ProxyAddress, destination: ProxyAddress): Uint8Array {
  if (source.family !== destination.family) refuseArgument(`${source.family} to ${destination.family} has no form`)
  return concatBytes([addressBytes(source), addressBytes(destination), portBytes(source), portBytes(destination)])
}

function addressBytes(address: ProxyAddress): Uint8Array {
  if (address.family === 'unix') return pathBytes(address.path)
  const bytes = address.family === 'ipv4' ? tryParseIpv4(address.address) : tryParseIpv6(address.address)
  return bytes ?? refuseArgument(`${JSON.stringify(address.address)} is no ${address.family} address`)
}

function portBytes(address: ProxyAddress): Uint8Array {
  if (address.family === 'unix') return new Uint8Array(0)
  const { port } = address
  if (!Number.isInteger(port) || port < 0 || port > 65_535) refuseArgument(`${port} is no port`)
  return Uint8Array.of(port >> 8, port & 0xff)
}

function pathBytes(path: string): Uint8Array {
  const abstract = path.startsWith(AT)
  const bytes = tryToUtf8(abstract ? `\0${path.slice(1)}` : path)
  if (bytes === undefined || bytes.length > UNIX_BYTES || (!abstract && bytes.includes(0))) {
    refuseArgument(`${JSON.stringify(path)} is no Unix path of at most ${UNIX_BYTES} bytes`)
  }
  const field = new Uint8Array(UNIX_BYTES)
  field.set(bytes)
  return field
}
