/** So many messages a second, and so many at once: a client whose network stood still for a while sends them together. */
export class Allowance {
  readonly #perSecond: number
  readonly #most: number
  #left: number
  #atMs: number

  constructor(perSecond: number, most: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#most = most
    this.#left = most
    this.#atMs = nowMs
  }

  take(nowMs: number): boolean {
    this.#left = Math.min(this.#most, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1000)
    this.#atMs = nowMs
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
