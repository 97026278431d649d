const OWN = { most: 10, eachSecond: 1 }
const ALL = { most: 20, eachSecond: 5 }
/** Addresses that are remembered; those that have waited longest are forgotten first. */
const MAX_ADDRESSES = 1024

interface Rate {
  readonly most: number
  readonly eachSecond: number
}

interface Left {
  readonly count: number
  readonly atMs: number
}

/** So many at once, and then so many a second: for each address, and for all together. */
export class Allowance {
  readonly #left = new Map<string, Left>()
  #all: Left = { count: ALL.most, atMs: -Infinity }

  /** False when there is none left. */
  take(address: string, nowMs: number): boolean {
    const own = refill(this.#left.get(address) ?? { count: OWN.most, atMs: nowMs }, OWN, nowMs)
    const all = refill(this.#all, ALL, nowMs)
    const isThere = own.count >= 1 && all.count >= 1
    this.#all = isThere ? { ...all, count: all.count - 1 } : all
    this.#left.delete(address)
    this.#left.set(address, isThere ? { ...own, count: own.count - 1 } : own)
    const [oldest] = this.#left.keys()
    if (this.#left.size > MAX_ADDRESSES && oldest !== undefined) this.#left.delete(oldest)
    return isThere
  }
}

const refill = ({ count, atMs }: Left, { most, eachSecond }: Rate, nowMs: number): Left => ({
  count: Math.min(most, count + ((nowMs - atMs) / 1000) * eachSecond),
  atMs: nowMs,
})
