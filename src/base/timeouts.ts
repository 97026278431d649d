import type { Clock } from './clock.js'

/** What is looked at now and then: whether it waits too long for something. */
export interface Timed {
  /** `now` is the time of this look, in milliseconds. */
  checkTime(now: number): void
}

/** Timeouts are as exact as this, and no request pays for a timer of its own. */
const MAX_STEP_MS = 500
const MIN_STEP_MS = 5

/** One timer for all connections of a server in this thread. It runs only while there are any. */
export class Timeouts {
  readonly clock: Clock
  readonly #stepMs: number
  readonly #live = new Set<Timed>()
  #stop: (() => void) | undefined
  /** The time of the last look, in whole milliseconds: good enough for noting when something began. */
  now: number

  /** `shortestMs` is the shortest of the timeouts that are looked for. */
  constructor(clock: Clock, shortestMs: number) {
    this.clock = clock
    this.#stepMs = Math.min(MAX_STEP_MS, Math.max(MIN_STEP_MS, shortestMs / 4))
    this.now = Math.round(clock.now())
  }

  add(timed: Timed): void {
    this.#live.add(timed)
    if (this.#stop !== undefined) return
    this.now = Math.round(this.clock.now())
    this.#stop = this.clock.after(this.#stepMs, () => this.#look())
  }

  delete(timed: Timed): void {
    this.#live.delete(timed)
    if (this.#live.size > 0) return
    this.#stop?.()
    this.#stop = undefined
  }

  #look(): void {
    this.now = Math.round(this.clock.now())
    this.#stop = this.clock.after(this.#stepMs, () => this.#look())
    for (const timed of this.#live) timed.checkTime(this.now)
  }
}
