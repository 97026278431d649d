import { markHandled } from '../base/deferred.js'
import { UsageError } from '../base/errors.js'
import { checkName } from './names.js'

/** So much in so long, evenly: `{ limit: 100, perMs: 60_000 }` is a hundred in a minute. */
export interface Rate {
  readonly limit: number
  readonly perMs: number
  /** How much may come at once. Default: `limit`. */
  readonly burst?: number
}

/** What became of one request. */
export interface RateDecision {
  readonly isAllowed: boolean
  /** How much more may come at once now. */
  readonly remaining: number
  /** Milliseconds until what was refused would be allowed; 0 when it was. */
  readonly retryAfterMs: number
  /** Milliseconds until all of the burst is there again. */
  readonly resetMs: number
}

/** Counts for each key (an address, a user, a key of an API) how much of a rate is used. */
export interface RateLimiter {
  readonly name: string
  readonly rate: WholeRate
  /**
   * Takes `cost` (default: 1) of a key's rate, when there is as much; what is refused takes nothing. Counted exactly, in
   * one step, wherever the broker is.
   * @throws UsageError `ERR_ROOM_NAME` for a key that is no name, `ERR_ARGUMENT` for a cost above the burst; else as
   *   `Room.publish` does.
   */
  take(key: string, cost?: number): Promise<RateDecision>
}

/** A rate that was checked, with its burst. */
export type WholeRate = Required<Rate>

/** @throws UsageError `ERR_ARGUMENT`. */
function readRate({ limit, perMs, burst = limit }: Rate): WholeRate {
  for (const [name, given] of Object.entries({ limit, perMs, burst })) {
    if (!(Number.isSafeInteger(given) && given > 0))
      throw new UsageError('ERR_ARGUMENT', `Cannot limit by ${name} ${given}: expected a whole number from 1 up`)
  }
  return { limit, perMs, burst }
}

/** @throws UsageError `ERR_ROOM_NAME`, `ERR_ARGUMENT`. */
function checkTake(key: string, cost: number, { burst }: WholeRate): void {
  checkName('key', key)
  if (Number.isSafeInteger(cost) && cost > 0 && cost <= burst) return
  throw new UsageError('ERR_ARGUMENT', `Cannot take ${cost}: expected a whole number from 1 to the burst, ${burst}`)
}

/** Where a key stands: when it would have used up what it took, one after the other at the rate; in the past is as good as none. */
export interface Used {
  readonly isAllowed: boolean
  readonly usedUpMs: number
  readonly nowMs: number
}

/** The generic cell rate algorithm. @param usedUpMs of what was taken before; 0 for none. */
export function use(usedUpMs: number, nowMs: number, { limit, perMs, burst }: WholeRate, cost: number): Used {
  const eachMs = perMs / limit
  const before = Math.max(usedUpMs, nowMs)
  const behind = before + eachMs * cost
  // Sums of fractions are not exact: a hundredth of what one costs is nothing.
  const isAllowed = behind - nowMs <= eachMs * (burst + 0.01)
  return { isAllowed, usedUpMs: isAllowed ? behind : before, nowMs }
}

export function decisionOf(
  { isAllowed, usedUpMs, nowMs }: Used,
  { limit, perMs, burst }: WholeRate,
  cost: number,
): RateDecision {
  const eachMs = perMs / limit
  return {
    isAllowed,
    remaining: Math.max(0, Math.floor(burst - (usedUpMs - nowMs) / eachMs + 0.01)),
    retryAfterMs: isAllowed ? 0 : Math.ceil(usedUpMs - nowMs + eachMs * (cost - burst)),
    resetMs: Math.ceil(usedUpMs - nowMs),
  }
}

/** A limiter over whatever takes. */
export function rateLimiter(
  name: string,
  given: Rate,
  take: (key: string, rate: WholeRate, cost: number) => Promise<RateDecision>,
): RateLimiter {
  checkName('limiter', name)
  const rate = readRate(given)
  return {
    name,
    rate,
    take(key, cost = 1) {
      try {
        checkTake(key, cost, rate)
        return markHandled(take(key, rate, cost))
      } catch (error) {
        return markHandled(Promise.reject(error))
      }
    },
  }
}
