import { ConnectError, ResolveError, tryParseRetryAfter } from '../../client/index.js'
import { TimeoutError } from '../../base/index.js'
import type { CurlLine } from './curl-line.js'
import { CURL_EXIT } from './exit-codes.js'

/** How one try ended. */
export interface Ending {
  readonly exit: number
  readonly error: unknown
  readonly status: number | undefined
  readonly retryAfter: string | undefined
}

const STATUSES = new Set([408, 429, 500, 502, 503, 504])
const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 600_000
/** Of a timer of Node: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Milliseconds to wait before the next try; `undefined` when this was the last. `tries` is how many there were. What
 * Retry-After says is waited for, however long, as far as --retry-max-time goes.
 */
export function waitBeforeRetry(line: CurlLine, ending: Ending, tries: number, elapsedMs: number): number | undefined {
  const most = line.number('retry') ?? 0
  if (tries > most || !isOfMoment(line, ending)) return undefined
  const given = line.seconds('retry-delay') ?? 0
  const told = tryParseRetryAfter(ending.retryAfter ?? '', Date.now()) ?? 0
  const own = given > 0 ? given : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
  const waitMs = Math.min(MAX_TIMER_MS, Math.max(told, own))
  const limit = line.seconds('retry-max-time') ?? 0
  return limit > 0 && elapsedMs + waitMs > limit ? undefined : waitMs
}

function isOfMoment(line: CurlLine, { exit, error, status }: Ending): boolean {
  const isAnswer = exit === CURL_EXIT.ok || exit === CURL_EXIT.status
  if (isAnswer && status !== undefined && STATUSES.has(status)) return true
  if (exit === CURL_EXIT.ok) return false
  if (line.has('retry-all-errors') || error instanceof TimeoutError || error instanceof ResolveError) return true
  return line.has('retry-connrefused') && error instanceof ConnectError
}
