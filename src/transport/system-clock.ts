import { performance } from 'node:perf_hooks'
import type { Clock } from '../base/clock.js'

const nothing = (): void => undefined
/** Node fires longer timers at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/** The machine's monotonic clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, run) {
    if (milliseconds > MAX_TIMER_MS) return nothing
    // What is due may be so by a moment already; newer Node warns of that.
    const timer = setTimeout(run, Math.max(milliseconds, 0))
    return () => clearTimeout(timer)
  },
  soon(run) {
    setImmediate(run)
  },
}
