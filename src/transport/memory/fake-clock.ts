import type { Clock } from '../../base/clock.js'

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/**
 * A clock that stands still until it is advanced, so that an hour of timeouts takes a moment and every run is the same.
 * `advance` runs what falls due in the order of its time, and lets promises settle in between.
 */
export class FakeClock implements Clock {
  #now = 0
  #order = 0
  #timers: Timer[] = []

  now(): number {
    return this.#now
  }

  /** How many timers wait: a test of clean shutdown expects 0. */
  get pending(): number {
    return this.#timers.length
  }

  after(milliseconds: number, run: () => void): () => void {
    if (milliseconds === Infinity) return () => undefined
    const timer: Timer = { at: this.#now + Math.max(0, milliseconds), order: (this.#order += 1), run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((waiting) => waiting !== timer)
    }
  }

  soon(run: () => void): void {
    this.after(0, run)
  }

  /** Moves time forward; resolves when everything that fell due on the way has run and its promises have settled. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    await settle()
    for (let next = this.#due(until); next !== undefined; next = this.#due(until)) {
      this.#timers = this.#timers.filter((waiting) => waiting !== next)
      this.#now = next.at
      next.run()
      await settle()
    }
    this.#now = until
  }

  #due(until: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > until) continue
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer
    }
    return first
  }
}

/** Lets every promise that can go on go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
