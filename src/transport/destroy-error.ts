import { ClosedError } from '../base/errors.js'

/** What those who wait hear when a connection is destroyed for a reason. */
export function toDestroyError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new ClosedError('ERR_CLOSED', 'Destroyed with a reason that is no error', { cause: reason })
}
