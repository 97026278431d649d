import { tryParseDate } from '../engine/http/date.js'

const SECONDS = /^\d+$/

/**
 * RFC 9110 §10.2.3: how long to wait, in milliseconds from now: a number of seconds, or a date, for which one that has
 * passed is 0. `undefined` for anything else: the field is ignored then. What is very long is not cut here; whoever waits
 * has a limit.
 */
export function tryParseRetryAfter(value: string, nowMs: number): number | undefined {
  if (SECONDS.test(value)) return Math.min(Number(value) * 1000, Number.MAX_SAFE_INTEGER)
  const dateMs = tryParseDate(value, nowMs)
  return dateMs === undefined ? undefined : Math.max(0, dateMs - nowMs)
}
