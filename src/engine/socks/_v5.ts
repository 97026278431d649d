import { concatBytes } from '../../base/bytes.js'
import type { ReceiveBuffer } from '../receive-buffer.js'
import { tryToUtf8 } from '../utf8.js'
import { encodeAddress, endOfAddress, readAddress, UNSPECIFIED, unknownKind } from './_address.js'
import { refuse, refuseArgument, shownByte } from './_refuse.js'
import type { SocksAddress, SocksClientEvent, SocksCredentials } from './messages.js'
import { SOCKS5_REPLY, socks5Reason } from './replies.js'

export const VERSION_5 = 5
/** RFC 1929: the version of the credentials' own exchange. */
export const CREDENTIALS_VERSION = 1
/** RFC 1928 §3. */
export const METHOD = { none: 0, credentials: 2, noneAcceptable: 0xff } as const
const CONNECT = 1
const RESERVED = 0
const MAX_TEXT_BYTES = 255

/** RFC 1928 §3. */
export const encodeGreeting = (hasCredentials: boolean): Uint8Array =>
  hasCredentials
    ? Uint8Array.of(VERSION_5, 2, METHOD.none, METHOD.credentials)
    : Uint8Array.of(VERSION_5, 1, METHOD.none)

/** RFC 1929 §2. An empty password has no form there, and is sent as everybody does. @throws UsageError `ERR_ARGUMENT` */
export function encodeCredentials({ user, password }: SocksCredentials): Uint8Array {
  const [name, proof] = [tryToUtf8(user), tryToUtf8(password)]
  const fits = (bytes: Uint8Array | undefined): boolean => bytes !== undefined && bytes.length <= MAX_TEXT_BYTES
  if (name === undefined || proof === undefined || name.length === 0 || !fits(name) || !fits(proof))
    refuseArgument(`user and password have at most ${MAX_TEXT_BYTES} bytes each, and the user has one at least`)
  return concatBytes([Uint8Array.of(CREDENTIALS_VERSION, name.length), name, Uint8Array.of(proof.length), proof])
}

/** RFC 1928 §4. @throws UsageError `ERR_ARGUMENT` */
export const encodeRequest5 = (target: SocksAddress): Uint8Array =>
  concatBytes([Uint8Array.of(VERSION_5, CONNECT, RESERVED), encodeAddress(target)])

/** RFC 1928 §3: what the proxy chose. @throws ProtocolError `ERR_SOCKS` */
export function readMethod(held: ReceiveBuffer): number | undefined {
  checkVersion(held, 'the choice of a method')
  return takeSecond(held)
}

/** RFC 1929 §2: 0 is yes. @throws ProtocolError `ERR_SOCKS` */
export function readStatus(held: ReceiveBuffer): number | undefined {
  checkVersion(held, 'the answer to the credentials', CREDENTIALS_VERSION)
  return takeSecond(held)
}

function takeSecond(held: ReceiveBuffer): number | undefined {
  const second = held.at(1)
  if (second === -1) return undefined
  held.drop(2)
  return second
}

/** @throws ProtocolError `ERR_SOCKS` */
export function checkVersion(held: ReceiveBuffer, what: string, expected: number = VERSION_5): void {
  const version = held.at(0)
  if (version !== -1 && version !== expected)
    refuse(`${what} begins with ${shownByte(version)}, not with ${shownByte(expected)}`)
}

/** RFC 1928 §6. The code alone decides of a refusal: some proxies end behind it. @throws ProtocolError `ERR_SOCKS` */
export function readReply5(held: ReceiveBuffer): SocksClientEvent | undefined {
  checkVersion(held, 'the reply')
  const reply = held.at(1)
  if (reply === -1) return undefined
  if (reply !== SOCKS5_REPLY.granted) {
    held.drop(2)
    return { type: 'refused', at: 'request', reply, reason: socks5Reason(reply) }
  }
  checkReserved(held)
  const end = endOfAddress(held, 3) ?? unknownKind(held, 3)
  if (end === -1 || held.length < end) return undefined
  const bound = readAddress(held, 3, end)
  held.drop(end)
  return { type: 'connected', bound }
}

/** @throws ProtocolError `ERR_SOCKS` */
export function checkReserved(held: ReceiveBuffer): void {
  const reserved = held.at(2)
  if (reserved > RESERVED) refuse(`the reserved byte is ${shownByte(reserved)}`)
}

/** @throws UsageError `ERR_ARGUMENT` */
export const encodeReply5 = (reply: number, bound: SocksAddress = UNSPECIFIED): Uint8Array =>
  concatBytes([Uint8Array.of(VERSION_5, reply, RESERVED), encodeAddress(bound)])
