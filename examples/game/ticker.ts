import type { Clock } from 'moorage'
import { Samples, type Spread } from './samples.js'

export interface TickerReport {
  readonly ticks: number
  /** Ticks that were given up because too many were due at once. */
  readonly skipped: number
  /** Milliseconds: how long ticks took, how late they began, and from the beginning of one to the next. */
  readonly durationMs: Spread
  readonly lateMs: Spread
  readonly intervalMs: Spread
}

/** When more are due at once, the time is let go: catching up with a second or more would only be late again. */
const MAX_DUE_TICKS = 15
/** Timers fire earlier than they should by less than that. */
const EARLY_MS = 0.5

/**
 * Calls `tick` at a fixed rate. Each is due at a multiple of the interval behind the first: one that is late makes the next
 * come sooner, so that there is no drift, and those that were missed are made up for.
 */
export class Ticker {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #tick: () => void
  readonly #durations = new Samples()
  readonly #lateness = new Samples()
  readonly #intervals = new Samples()
  #cancel: (() => void) | undefined
  #isRunning = false
  #firstMs = 0
  /** Ticks since then, with those that were skipped. */
  #due = 0
  #lastMs: number | undefined
  #ticks = 0
  #skipped = 0

  constructor(clock: Clock, intervalMs: number, tick: () => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#tick = tick
  }

  /** The first tick is due one interval from now. */
  start(): void {
    this.#firstMs = this.#clock.now()
    this.#due = 1
    this.#isRunning = true
    this.#plan()
  }

  stop(): void {
    this.#isRunning = false
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Of the newest so many ticks, at most 4096. */
  report(newest?: number): TickerReport {
    return {
      ticks: this.#ticks,
      skipped: this.#skipped,
      durationMs: this.#durations.spread(newest),
      lateMs: this.#lateness.spread(newest),
      intervalMs: this.#intervals.spread(newest),
    }
  }

  #plan(): void {
    const dueMs = this.#firstMs + this.#due * this.#intervalMs
    this.#cancel = this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => this.#fire(dueMs))
  }

  #fire(dueMs: number): void {
    const startMs = this.#clock.now()
    const lateMs = startMs - dueMs
    if (lateMs < -EARLY_MS) {
      this.#plan()
      return
    }
    this.#lateness.add(Math.max(0, lateMs))
    if (this.#lastMs !== undefined) this.#intervals.add(startMs - this.#lastMs)
    this.#lastMs = startMs
    this.#ticks += 1
    this.#due += 1
    const behind = Math.floor(lateMs / this.#intervalMs)
    if (behind > MAX_DUE_TICKS) {
      this.#skipped += behind
      this.#due += behind
    }
    this.#tick()
    this.#durations.add(this.#clock.now() - startMs)
    if (this.#isRunning) this.#plan()
  }
}
