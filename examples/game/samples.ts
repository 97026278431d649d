export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const MAX_SAMPLES = 4096

/** The newest 4096 of some measure. */
export class Samples {
  readonly #values = new Float64Array(MAX_SAMPLES)
  #count = 0

  add(value: number): void {
    this.#values[this.#count % MAX_SAMPLES] = value
    this.#count += 1
  }

  /** Of the newest so many; zeros when there are none. */
  spread(newest: number = MAX_SAMPLES): Spread {
    const length = Math.min(newest, this.#count, MAX_SAMPLES)
    const sorted = Float64Array.from({ length }, (_, back) => this.#values[(this.#count - 1 - back) % MAX_SAMPLES] ?? 0)
    sorted.sort()
    const at = (share: number): number => sorted[Math.min(length - 1, Math.floor(share * length))] ?? 0
    return { p50: at(0.5), p99: at(0.99), max: sorted[length - 1] ?? 0 }
  }
}
