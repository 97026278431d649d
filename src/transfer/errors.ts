import { errorCodeOf, LimitError, messageOf, MoorageError, ProtocolError } from '../base/errors.js'
import type { Reason } from './messages.js'

/** Codes of the system that say something about the disk or the folder. */
const STORAGE_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is larger than the system allows here',
  EROFS: 'the file system is read-only',
  EACCES: 'the system refuses access',
  EPERM: 'the system does not permit it',
  EIO: 'the disk reports an error',
  ENAMETOOLONG: 'the name is too long for this file system',
}

export function storageError(what: string, cause: unknown): ProtocolError {
  const errno = errorCodeOf(cause) ?? ''
  return new ProtocolError('ERR_TRANSFER_STORAGE', `Cannot ${what}: ${STORAGE_HINTS[errno] ?? messageOf(cause)}`, {
    cause,
    details: { reason: 'storage', errno },
  })
}

/** The error for what the other end said of a file or of the connection. */
export function errorOf(reason: Reason, text: string): MoorageError {
  const extras = { details: { reason } }
  switch (reason) {
    case 'name':
      return new ProtocolError('ERR_TRANSFER_NAME', text, { ...extras, fault: 'local' })
    case 'limit':
      return new LimitError('ERR_TRANSFER_LIMIT', text, { ...extras, fault: 'local' })
    case 'digest':
      return new ProtocolError('ERR_TRANSFER_DIGEST', text, extras)
    case 'exists':
    case 'busy':
    case 'storage':
      return new ProtocolError('ERR_TRANSFER_STORAGE', text, { ...extras, fault: 'remote' })
    case 'none':
    case 'source':
    case 'token':
      return new ProtocolError('ERR_TRANSFER', text, extras)
  }
}

/** What to tell the other end of an error of a file; `undefined` when the error is not about the file. */
export function reasonOf(error: MoorageError): Reason | undefined {
  switch (error.code) {
    case 'ERR_TRANSFER_NAME':
      return 'name'
    case 'ERR_TRANSFER_LIMIT':
      return 'limit'
    case 'ERR_TRANSFER_DIGEST':
      return 'digest'
    case 'ERR_TRANSFER_STORAGE': {
      const { reason } = error.details
      return reason === 'exists' || reason === 'busy' ? reason : 'storage'
    }
    default:
      return undefined
  }
}

/** An error of the file system, as one that both ends can be told; others as they are. */
export function asStorageError(what: string, error: unknown): unknown {
  return isSystemError(error) ? storageError(what, error) : error
}

export const isSystemError = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof MoorageError) && 'syscall' in error
