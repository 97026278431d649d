import { onAbort, throwIfAborted, type AbortSignalLike } from '../base/cancellation.js'
import type { Clock } from '../base/clock.js'
import { BrokenError, MoorageError, NetError, ProtocolError, TimeoutError } from '../base/errors.js'
import type { OutgoingBody } from './outgoing-body.js'
import { tryParseRetryAfter } from './retry-after.js'
import { isIdempotent } from './send.js'

const FIRST_WAIT_MS = 250
const MAX_WAIT_MS = 8000
/** A server that asks for more is told to the caller instead. */
const MAX_RETRY_AFTER_MS = 60_000
/** RFC 9110 §15.6, RFC 6585 §4: of a moment, as a rule. */
const STATUSES = new Set([429, 502, 503, 504])
/** What another try would meet again. */
const LASTING = new Set([
  'ERR_TLS_CERTIFICATE',
  'ERR_TLS_HANDSHAKE',
  'ERR_PROXY_AUTH',
  'ERR_TUNNEL_REFUSED',
  'ERR_TOTAL_TIMEOUT',
  'ERR_BODY_SOURCE',
])

/** How often, and behind which wait, a request is sent again. */
export class Retries {
  #left: number
  #count = 0
  readonly #mayRepeat: boolean
  readonly #canRepeat: boolean

  constructor(count: number, method: string, body: OutgoingBody | undefined) {
    this.#left = count
    this.#canRepeat = body === undefined || body.isReplayable
    this.#mayRepeat = isIdempotent(method)
  }

  /** Milliseconds to wait, or `undefined` when the error is the caller's. */
  afterError(error: unknown): number | undefined {
    if (this.#left === 0 || !this.#canRepeat || !(error instanceof MoorageError) || LASTING.has(error.code))
      return undefined
    // Where no connection was made the server has seen nothing: any request may be sent again.
    const wasUnseen = error instanceof NetError || error.code === 'ERR_CONNECT_TIMEOUT'
    const isOfMoment =
      error instanceof BrokenError || error instanceof TimeoutError || error.code === 'ERR_UNEXPECTED_END'
    if (error instanceof ProtocolError && !isOfMoment) return undefined
    return wasUnseen || (this.#mayRepeat && isOfMoment) ? this.#wait() : undefined
  }

  afterStatus(status: number, retryAfter: string | undefined): number | undefined {
    if (!STATUSES.has(status) || this.#left === 0 || !this.#canRepeat || !this.#mayRepeat) return undefined
    if (retryAfter === undefined) return this.#wait()
    const waitMs = tryParseRetryAfter(retryAfter, Date.now())
    if (waitMs === undefined) return this.#wait()
    if (waitMs > MAX_RETRY_AFTER_MS) return undefined
    this.#left -= 1
    return waitMs
  }

  /** Twice as long each time, and by chance up to half of it less: those that failed together do not come together. */
  #wait(): number {
    this.#left -= 1
    const most = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#count)
    this.#count += 1
    return most * (0.5 + Math.random() / 2)
  }
}

/** @throws the reason of the signal. */
export async function sleep(clock: Clock, milliseconds: number, signal: AbortSignalLike | undefined): Promise<void> {
  let unlink = (): void => undefined
  await new Promise<void>((resolve) => {
    const stop = clock.after(milliseconds, resolve)
    unlink = onAbort(signal, () => {
      stop()
      resolve()
    })
  })
  unlink()
  throwIfAborted(signal)
}
