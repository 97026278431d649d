import { UsageError } from '../base/errors.js'

/** Also for programs that are not checked by types. */
export function checkListener(listener: unknown): void {
  if (
    typeof listener === 'object' &&
    listener !== null &&
    'message' in listener &&
    typeof listener.message === 'function'
  )
    return
  throw new UsageError(
    'ERR_ARGUMENT',
    'Cannot subscribe: expected an object with a method "message", as in { message(one) {} }',
  )
}
