import { errorCodeOf } from '../../base/errors.js'
import { HttpError } from '../../http/response.js'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS'])

/** What is answered when the file system does not take a file; other errors stay what they are. */
export function storageError(error: unknown): unknown {
  const code = errorCodeOf(error) ?? ''
  // RFC 4918 §11.5.
  if (FULL.has(code)) return outOfSpace(error)
  if (REFUSED.has(code)) return new HttpError(403, 'This folder takes no files', { cause: error })
  return error
}

export const outOfSpace = (cause?: unknown): HttpError => new HttpError(507, 'There is no room for the file', { cause })
