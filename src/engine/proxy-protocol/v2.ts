import { concatBytes } from '../../base/bytes.js'
import type { ProxyHeader, ProxyRoute } from './header.js'
import { ADDRESS_BLOCK_BYTES, readAddresses, writeAddresses, type Family } from './_addresses.js'
import { crc32c } from './_crc32c.js'
import { refuse, refuseArgument } from './_refuse.js'
import { readTlvs, writeTlvs } from './_tlvs.js'

/** Specification 2.2: CR LF CR LF NUL CR LF "QUIT" LF. */
export const V2_SIGNATURE: Uint8Array = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10)
/** Signature, version and command, family and transport, and two bytes of length. */
export const V2_FIXED_BYTES = 16
const MAX_BLOCK_BYTES = 65_535

const VERSION_2 = 0x20
const COMMANDS = ['local', 'proxy'] as const
/** By the number in the upper half of the byte; 0 is `UNSPEC`. */
const FAMILIES: readonly (Family | undefined)[] = [undefined, 'ipv4', 'ipv6', 'unix']
const TRANSPORTS: readonly (ProxyRoute['transport'] | undefined)[] = [undefined, 'stream', 'datagram']

/**
 * How many bytes a header of version 2 has, from its first 16. What they say wrong is refused here, before the rest is
 * waited for.
 *
 * @throws ProtocolError `ERR_PROXY_HEADER`
 */
export function measureV2(fixed: Uint8Array, maxHeaderBytes: number): number {
  checkCommand(fixed)
  const total = V2_FIXED_BYTES + (((fixed[14] ?? 0) << 8) | (fixed[15] ?? 0))
  if (total > maxHeaderBytes) refuse(`a length of ${total} bytes, over the limit of ${maxHeaderBytes},`, fixed, 14)
  return total
}

function checkCommand(header: Uint8Array): { readonly command: 'local' | 'proxy'; readonly kind: Kind } {
  const byte = header[12] ?? 0
  if ((byte & 0xf0) !== VERSION_2) refuse('a version that is not 2', header, 12)
  const command = COMMANDS[byte & 0x0f]
  if (command === undefined) refuse('a command that is neither LOCAL nor PROXY', header, 12)
  return { command, kind: command === 'local' ? undefined : kindOf(header) }
}

type Kind = { readonly family: Family; readonly transport: ProxyRoute['transport'] } | undefined

/** Specification 2.2: only UNSPEC as a whole, or a family with a transport; anything else must be rejected. */
function kindOf(header: Uint8Array): Kind {
  const byte = header[13] ?? 0
  if (byte === 0) return undefined
  const family = FAMILIES[byte >> 4]
  const transport = TRANSPORTS[byte & 0x0f]
  if (family === undefined || transport === undefined) refuse('an unknown family or transport', header, 13)
  return { family, transport }
}

/**
 * A whole header of version 2. The block of a LOCAL one, and of one without family, is skipped unread.
 * @throws ProtocolError `ERR_PROXY_HEADER`
 */
export function parseV2(header: Uint8Array): ProxyHeader {
  const { command, kind } = checkCommand(header)
  if (kind === undefined) return { version: 2, command }
  const { family, transport } = kind
  const tlvsAt = V2_FIXED_BYTES + ADDRESS_BLOCK_BYTES[family]
  if (header.length < tlvsAt) refuse(`a length too short for ${family} addresses`, header, 14)
  const route = { transport, ...readAddresses(family, header, V2_FIXED_BYTES) }
  const { fields, checksumAt } = readTlvs(header, tlvsAt)
  if (checksumAt !== undefined) verifyChecksum(header, checksumAt)
  return { version: 2, command, route, ...fields }
}

/** Specification 2.2.3: over the whole header, the checksum's own bytes taken as zero. */
function verifyChecksum(header: Uint8Array, at: number): void {
  const zeroed = header.slice()
  zeroed.fill(0, at, at + 4)
  const written = new DataView(header.buffer, header.byteOffset).getUint32(at)
  if (crc32c(zeroed) !== written) refuse('a wrong checksum', header, at)
}

/** @throws UsageError `ERR_ARGUMENT` for values that have no form, or are too long. */
export function encodeV2(header: ProxyHeader): Uint8Array {
  const { command, route, version: _, ...fields } = header
  if (command === 'local' && route !== undefined) refuseArgument("'local' has no route")
  const named = Object.entries(fields).find(([, value]) => value !== undefined && value !== false)
  if (route === undefined && named !== undefined) refuseArgument(`${named[0]} is not read without a route`)
  const block = route === undefined ? new Uint8Array(0) : concatBytes([addressesOf(route), writeTlvs(header)])
  if (block.length > MAX_BLOCK_BYTES) refuseArgument(`${block.length} bytes are more than ${MAX_BLOCK_BYTES}`)
  const kind =
    route === undefined ? 0 : (FAMILIES.indexOf(route.source.family) << 4) | TRANSPORTS.indexOf(route.transport)
  const start = Uint8Array.of(VERSION_2 | COMMANDS.indexOf(command), kind, block.length >> 8, block.length & 0xff)
  const encoded = concatBytes([V2_SIGNATURE, start, block])
  if (header.checksum === true) new DataView(encoded.buffer).setUint32(encoded.length - 4, crc32c(encoded))
  return encoded
}

function addressesOf(route: ProxyRoute): Uint8Array {
  return writeAddresses(route.source, route.destination)
}
