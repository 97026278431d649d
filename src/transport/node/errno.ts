import { constants } from 'node:os'
import type { BrokenCode, NetCode } from '../../base/codes.js'
import { BrokenError, errorCodeOf, messageOf, MoorageError, NetError } from '../../base/errors.js'

interface Translation {
  readonly code: NetCode
  /** The system's reason in words. */
  readonly reason: string
}

const net = (code: NetCode, reason: string): Translation => ({ code, reason })

const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  EADDRINUSE: net('ERR_ADDRESS_IN_USE', 'the address is in use'),
  EACCES: net('ERR_ACCESS', 'permission denied'),
  EPERM: net('ERR_ACCESS', 'the operation is not permitted'),
  EROFS: net('ERR_ACCESS', 'the file system is read-only'),
  EADDRNOTAVAIL: net('ERR_ADDRESS_NOT_AVAILABLE', 'this machine has no such address'),
  EAFNOSUPPORT: net('ERR_ADDRESS_NOT_AVAILABLE', 'this machine does not support that kind of address'),
  EMFILE: net('ERR_DESCRIPTORS_EXHAUSTED', 'this process has no file descriptor left'),
  ENFILE: net('ERR_DESCRIPTORS_EXHAUSTED', 'the system has no file descriptor left'),
  ENOTFOUND: net('ERR_RESOLVE', 'the name has no address'),
  ENODATA: net('ERR_RESOLVE', 'the name has no address of that kind'),
  ENAMETOOLONG: net('ERR_UNIX_PATH', 'the path is too long'),
  ENOTDIR: net('ERR_UNIX_PATH', 'a part of the path is not a folder'),
  EBADF: net('ERR_DESCRIPTOR', 'the descriptor is not open'),
  ENOTSOCK: net('ERR_DESCRIPTOR', 'the descriptor is not a socket'),
  // Node's own, for descriptors.
  ERR_INVALID_FD: net('ERR_DESCRIPTOR', 'that is no number of a descriptor'),
  ERR_INVALID_FD_TYPE: net('ERR_DESCRIPTOR', 'the descriptor is closed, or of another kind'),
  ECONNREFUSED: net('ERR_SOCKET', 'the peer refused: nobody listens there'),
  EHOSTUNREACH: net('ERR_SOCKET', 'the host cannot be reached'),
  ENETUNREACH: net('ERR_SOCKET', 'the network cannot be reached'),
  ETIMEDOUT: net('ERR_SOCKET', 'the peer did not answer in time'),
  ENOENT: net('ERR_SOCKET', 'there is no such file or folder'),
  EMSGSIZE: net('ERR_SOCKET', 'the message is too long'),
  ENOBUFS: net('ERR_SOCKET', 'the system has no buffer space left'),
  ENOMEM: net('ERR_SOCKET', 'the system has no memory left'),
  EINVAL: net('ERR_SOCKET', 'the system finds an argument invalid'),
}

const BROKEN: Readonly<Record<string, readonly [code: BrokenCode, reason: string]>> = {
  ECONNRESET: ['ERR_PEER_RESET', 'the peer reset the connection'],
  ECONNABORTED: ['ERR_PEER_RESET', 'the connection was aborted'],
  EPIPE: ['ERR_PEER_GONE', 'the peer no longer reads'],
}

function translate(systemCode: string): Translation {
  const known = Object.hasOwn(TRANSLATIONS, systemCode) ? TRANSLATIONS[systemCode] : undefined
  if (known !== undefined) return known
  if (systemCode.startsWith('EAI_')) return net('ERR_RESOLVE', 'the name could not be resolved')
  return net('ERR_SOCKET', systemCode.startsWith('ERR_SSL_') ? 'TLS failed' : 'the system reported an error')
}

/**
 * The error of this package for one that the system or Node reported. `action` is what was tried, for people: "listen
 * on tcp://127.0.0.1:80". The original stays as `cause`, its code as `details.systemCode`. An error of this package
 * passes unchanged. `hint` is put behind the reason.
 */
export function fromSystemError(action: string, error: unknown, hint?: string): MoorageError {
  if (error instanceof MoorageError) return error
  const systemCode = errorCodeOf(error)
  const tail = hint === undefined ? '' : `; ${hint}`
  if (systemCode === undefined)
    return new NetError('ERR_SOCKET', `Cannot ${action}: ${messageOf(error)}${tail}`, { cause: error })
  const extras = { cause: error, details: { systemCode } }
  const broken = Object.hasOwn(BROKEN, systemCode) ? BROKEN[systemCode] : undefined
  if (broken !== undefined)
    return new BrokenError(broken[0], `Cannot ${action}: ${broken[1]} (${systemCode})${tail}`, extras)
  const { code, reason } = translate(systemCode)
  return new NetError(code, `Cannot ${action}: ${reason} (${systemCode})${tail}`, extras)
}

/** As Node makes one of a negative number that a call of the system returned. */
export function systemError(call: string, status: number): Error {
  const code = Object.entries(constants.errno).find(([, errno]) => errno === -status)?.[0] ?? `error ${status}`
  return Object.assign(new Error(`${call} ${code}`), { code, errno: status, syscall: call })
}
