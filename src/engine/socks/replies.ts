import { shownByte } from './_refuse.js'

/** RFC 1928 §6. */
export const SOCKS5_REPLY = {
  granted: 0,
  failure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const

/** As the description of SOCKS4 has it. */
export const SOCKS4_REPLY = { granted: 90, rejected: 91, noIdentd: 92, identdMismatch: 93 } as const

const SOCKS5_REASONS: ReadonlyMap<number, string> = new Map([
  [SOCKS5_REPLY.failure, 'it failed, and does not tell why'],
  [SOCKS5_REPLY.notAllowed, 'its rules do not allow this connection'],
  [SOCKS5_REPLY.networkUnreachable, 'it cannot reach the network of the target'],
  [SOCKS5_REPLY.hostUnreachable, 'it cannot reach the target, or cannot resolve its name'],
  [SOCKS5_REPLY.connectionRefused, 'the target refused the connection'],
  [SOCKS5_REPLY.ttlExpired, 'the target is too far away (TTL expired), or did not answer it in time'],
  [SOCKS5_REPLY.commandNotSupported, 'it does not know this command'],
  [SOCKS5_REPLY.addressTypeNotSupported, 'it does not know addresses of this kind'],
])

const SOCKS4_REASONS: ReadonlyMap<number, string> = new Map([
  [SOCKS4_REPLY.rejected, 'it rejected the request, or could not connect'],
  [SOCKS4_REPLY.noIdentd, 'it asked this machine who the user is (identd), and got no answer'],
  [SOCKS4_REPLY.identdMismatch, 'it asked this machine who the user is (identd), and was told of another one'],
])

const unknown = (reply: number): string => `it answered ${shownByte(reply)}, which has no meaning in this version`

export const socks5Reason = (reply: number): string => SOCKS5_REASONS.get(reply) ?? unknown(reply)
export const socks4Reason = (reply: number): string => SOCKS4_REASONS.get(reply) ?? unknown(reply)
