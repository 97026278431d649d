import { TimeoutError } from '../base/errors.js'
import type { HttpSettings } from './options.js'
import type { RequestBody } from './request-body.js'

export const requestTimeout = (why: string, timeoutMs: number): TimeoutError =>
  new TimeoutError('ERR_HTTP_TIMEOUT', `Cannot read the request: ${why}`, {
    fault: 'remote',
    details: { status: 408, timeoutMs },
  })

/** How fast a body comes while the handler waits for it: the time in which the handler does other things is not counted. */
export class BodyPace {
  #bytes = 0
  #awaitedMs = 0

  received(count: number): void {
    this.#bytes += count
  }

  /** Ends the body when it was too slow, and says so. */
  isTooSlow(body: RequestBody, sinceLastLook: number, settings: HttpSettings): boolean {
    if (!body.isAwaited) return false
    const { bodyTimeoutMs, minBodyBytesPerSecond } = settings
    this.#awaitedMs += sinceLastLook
    if (this.#awaitedMs < bodyTimeoutMs || this.#bytes >= (this.#awaitedMs / 1000) * minBodyBytesPerSecond) return false
    body.fail(requestTimeout(`its body came slower than ${minBodyBytesPerSecond} bytes a second`, bodyTimeoutMs))
    return true
  }
}

/** A client that takes nothing of what is sent to it. */
export function tooSlowReader(timeoutMs: number): TimeoutError {
  const message = `Cut the connection: the client took nothing of the answer for ${timeoutMs} ms`
  return new TimeoutError('ERR_WRITE_TIMEOUT', message, { details: { timeoutMs } })
}
