import { concatBytes } from '../../base/bytes.js'
import { formatIpv4, tryParseIpv4, tryParseIpv6 } from '../ip-address.js'
import type { ReceiveBuffer } from '../receive-buffer.js'
import { tryToUtf8 } from '../utf8.js'
import { nameBytes, portBytes, readPort, UNSPECIFIED } from './_address.js'
import { refuse, refuseArgument, shownByte } from './_refuse.js'
import type { SocksAddress, SocksClientEvent, SocksRequest } from './messages.js'
import { SOCKS4_REPLY, socks4Reason } from './replies.js'

export const VERSION_4 = 4
export const CONNECT = 1
const REPLY_VERSION = 0
const REPLY_BYTES = 8
const MAX_USER_BYTES = 255
const NUL: Uint8Array = Uint8Array.of(0)
/** SOCKS4a: an address that nobody has says that a name follows. */
const NAME_FOLLOWS: Uint8Array = Uint8Array.of(0, 0, 0, 1)

/** Version, command, port, address, user, and with SOCKS4a the name. @throws UsageError `ERR_ARGUMENT` */
export function encodeRequest4({ version, target, user = '' }: SocksRequest & { version: 4 | '4a' }): Uint8Array {
  const { host, port } = target
  const head = Uint8Array.of(VERSION_4, CONNECT)
  const address = tryParseIpv4(host)
  if (address !== undefined) return concatBytes([head, portBytes(port), checkedAddress(address), userBytes(user), NUL])
  if (tryParseIpv6(host) !== undefined) refuseArgument('SOCKS4 has no IPv6 addresses; use version 5')
  if (version === 4) refuseArgument('SOCKS4 has no names; use version 4a or 5, or resolve it before')
  return concatBytes([head, portBytes(port), NAME_FOLLOWS, userBytes(user), NUL, nameBytes(host), NUL])
}

function checkedAddress(address: Uint8Array): Uint8Array {
  if (meansName(address)) refuseArgument(`SOCKS4 cannot name ${formatIpv4(address)}: it stands for a name`)
  return address
}

/** SOCKS4a: 0.0.0.x, with an x that is not 0. */
export const meansName = (address: Uint8Array): boolean =>
  address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0

function userBytes(user: string): Uint8Array {
  const bytes = tryToUtf8(user)
  if (bytes === undefined || bytes.includes(0) || bytes.length > MAX_USER_BYTES)
    refuseArgument(`a user has at most ${MAX_USER_BYTES} bytes, none of them 0`)
  return bytes
}

/** The code alone decides of a refusal: some proxies end behind it. @throws ProtocolError `ERR_SOCKS` */
export function readReply4(held: ReceiveBuffer): SocksClientEvent | undefined {
  const [version, reply] = [held.at(0), held.at(1)]
  if (version !== -1 && version !== REPLY_VERSION) refuse(`the reply begins with ${shownByte(version)}, not with 0x00`)
  if (reply === -1) return undefined
  if (reply !== SOCKS4_REPLY.granted) {
    held.drop(2)
    return { type: 'refused', at: 'request', reply, reason: socks4Reason(reply) }
  }
  if (held.length < REPLY_BYTES) return undefined
  const bound = { host: formatIpv4(held.peek(4, 8)), port: readPort(held, 2) }
  held.drop(REPLY_BYTES)
  return { type: 'connected', bound }
}

/** @throws UsageError `ERR_ARGUMENT` */
export function encodeReply4(reply: number, { host, port }: SocksAddress = UNSPECIFIED): Uint8Array {
  const address = tryParseIpv4(host) ?? refuseArgument('a reply of SOCKS4 has an IPv4 address')
  return concatBytes([Uint8Array.of(REPLY_VERSION, reply), portBytes(port), address])
}
