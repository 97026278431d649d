import type { Clock } from '../base/clock.js'

const MAX_TIMER_MS = 2 ** 31 - 1
const nothing = (): void => undefined

/** The same clock for what somebody waits for: its timers keep the process alive. */
export function waitingClock(clock: Clock): Clock {
  return clock === brokerClock ? keepingClock : clock
}

/** Milliseconds since 1970 that never go back. Its timers keep no process alive: nobody waits for history to expire. */
export const brokerClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(milliseconds, run) {
    if (milliseconds > MAX_TIMER_MS) return nothing
    const timer = setTimeout(run, milliseconds).unref()
    return () => clearTimeout(timer)
  },
  soon(run) {
    setImmediate(run)
  },
}

const keepingClock: Clock = {
  ...brokerClock,
  after(milliseconds, run) {
    if (milliseconds > MAX_TIMER_MS) return nothing
    const timer = setTimeout(run, milliseconds)
    return () => clearTimeout(timer)
  },
}
