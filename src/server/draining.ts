import { setMaxListeners } from 'node:events'
import { ClosedError, MoorageError } from '../base/errors.js'

/** Why a server drains, as `ServerContext.draining` gives it. */
export function drainReason(restart: boolean): ClosedError {
  const details = restart ? { restart } : {}
  return new ClosedError('ERR_SERVER_CLOSED', 'Cannot use the server: it is closing or closed', { details })
}

/** Each connection may listen to it, so many listeners are no sign of a leak. */
export function drainController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

/** Whether the server said that it comes again: `close({ restart: true })`. */
export const isRestart = (reason: unknown): boolean =>
  reason instanceof MoorageError && reason.details['restart'] === true
