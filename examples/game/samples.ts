export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** The newest so many of some measure. */
export class Samples {
  readonly #values: Float64Array
  #count = 0

  constructor(maxSamples: number = 4096) {
    this.#values = new Float64Array(maxSamples)
  }

  add(value: number): void {
    this.#values[this.#count % this.#values.length] = value
    this.#count += 1
  }

  /** Of the newest so many; zeros when there are none. */
  spread(newest: number = Infinity): Spread {
    const { length: most } = this.#values
    const length = Math.min(newest, this.#count, most)
    const sorted = Float64Array.from({ length }, (_, back) => this.#values[(this.#count - 1 - back) % most] ?? 0)
    sorted.sort()
    const at = (share: number): number => sorted[Math.min(length - 1, Math.floor(share * length))] ?? 0
    return { p50: at(0.5), p99: at(0.99), max: sorted[length - 1] ?? 0 }
  }
}
