import type { Clock } from 'moorage'

/** The machine's; tests have one of their own. */
export const machineClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds)
    return () => clearTimeout(timer)
  },
  soon(run) {
    setImmediate(run)
  },
}
