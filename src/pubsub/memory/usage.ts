import { decisionOf, use, type RateDecision, type WholeRate } from '../rate-limit.js'

/** How much each key of each limiter has used, for as long as that matters. */
export class Usage {
  readonly #maxKeys: number
  /** When it is used up; whoever took something last stands at the end. */
  readonly #usedUpMs = new Map<string, number>()

  /** Above so many keys the one that has not been heard of for the longest counts as new. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  take(name: string, key: string, rate: WholeRate, cost: number, nowMs: number): RateDecision {
    const full = `${name}\n${key}`
    const used = use(this.#usedUpMs.get(full) ?? 0, nowMs, rate, cost)
    this.#usedUpMs.delete(full)
    if (used.usedUpMs > nowMs) this.#usedUpMs.set(full, used.usedUpMs)
    this.#forget(nowMs)
    return decisionOf(used, rate, cost)
  }

  /** A few of the oldest whose time is over, each time; and the oldest of all when there are too many. */
  #forget(nowMs: number): void {
    let looked = 0
    for (const [full, usedUpMs] of this.#usedUpMs) {
      looked += 1
      if (this.#usedUpMs.size > this.#maxKeys || usedUpMs <= nowMs) this.#usedUpMs.delete(full)
      else if (looked >= 2) return
    }
  }
}
