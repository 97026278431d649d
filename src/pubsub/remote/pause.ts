import type { Clock } from '../../base/clock.js'
import { waitingClock } from '../broker-clock.js'

const FIRST_MS = 50
const MOST_MS = 2000

/** How long to wait before one tries again: twice as long each time, with chance in it, so that not all come at once. */
export class Pause {
  readonly #clock: Clock
  #nextMs = FIRST_MS
  #end = (): void => undefined

  constructor(clock: Clock) {
    this.#clock = waitingClock(clock)
  }

  wait(): Promise<void> {
    const milliseconds = this.#nextMs * (0.5 + Math.random() / 2)
    this.#nextMs = Math.min(this.#nextMs * 2, MOST_MS)
    return new Promise((resolve) => {
      const stop = this.#clock.after(milliseconds, resolve)
      this.#end = () => {
        stop()
        resolve()
      }
    })
  }

  reset(): void {
    this.#nextMs = FIRST_MS
  }

  /** Whoever waits goes on at once. */
  end(): void {
    this.#end()
  }
}
