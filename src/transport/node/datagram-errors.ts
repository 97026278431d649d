import { constants } from 'node:os'
import { errorCodeOf, NetError, type MoorageError } from '../../base/errors.js'
import { formatAddress, type Address } from '../address.js'
import { oversize } from '../datagram-core.js'
import { fromSystemError } from './errno.js'

/** An error of the system as Node makes them. */
export interface SystemError extends Error {
  readonly code: string
  readonly syscall: string
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => name !== 'EWOULDBLOCK')
    .map(([name, number]) => [number, name]),
)

/** The error for an errno that the addon reported in shared memory. */
export function systemError(errno: number, syscall: string): SystemError {
  const code = NAMES.get(errno) ?? `E${errno}`
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall })
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer closed its socket',
  ENOENT: 'nobody listens there',
  ENOTCONN: 'the peer is not bound to an address',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
}

/** `fromSystemError`, with what some codes mean for a datagram. `bytes` is the length of the one that was sent. */
export function fromDatagramError(action: string, error: unknown, bytes?: number, peer?: Address): MoorageError {
  const systemCode = errorCodeOf(error) ?? ''
  if (systemCode === 'EMSGSIZE' && bytes !== undefined) return oversize(bytes, undefined, error)
  const reason = Object.hasOwn(UNREACHABLE, systemCode) ? UNREACHABLE[systemCode] : undefined
  if (reason === undefined) return fromSystemError(action, error)
  return new NetError('ERR_DATAGRAM_UNREACHABLE', `Cannot ${action}: ${reason} (${systemCode})`, {
    cause: error,
    details: { systemCode, ...(peer === undefined ? {} : { peer: formatAddress(peer) }) },
  })
}

/** An error that came while receiving: of a connected socket it tells of the peer, else of this socket. */
export function receiveError(
  socket: { readonly local: Address; readonly remote: Address | undefined },
  error: unknown,
): MoorageError {
  const { local, remote } = socket
  const action = remote === undefined ? `receive on ${formatAddress(local)}` : `receive from ${formatAddress(remote)}`
  return fromDatagramError(action, error, undefined, remote)
}

/** The error for a peer that a socket's kind of address cannot express: IPv6 from an IPv4 socket, or no numeric host. */
export function cannotReach(to: Address, local: Address): NetError {
  const problem = `a socket on ${formatAddress(local)} cannot reach that kind of address`
  return new NetError('ERR_ADDRESS_NOT_AVAILABLE', `Cannot send to ${formatAddress(to)}: ${problem}`)
}
