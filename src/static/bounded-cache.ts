/** What an entry costs besides its own bytes: its name, its prepared fields, its place in the table. */
const ENTRY_BYTES = 1024

/** Values by name, bounded by their bytes and by their number. Those that nobody asked for the longest go first. */
export class BoundedCache<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly cost: number }>()
  readonly #maxBytes: number
  readonly #maxCount: number
  #bytes = 0

  constructor(maxBytes: number, maxCount: number) {
    this.#maxBytes = maxBytes
    this.#maxCount = maxCount
  }

  get count(): number {
    return this.#entries.size
  }

  /** What all entries cost. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether a value of so many bytes can be held at all. */
  fits(bytes: number): boolean {
    return bytes + ENTRY_BYTES <= this.#maxBytes && this.#maxCount > 0
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // Behind all others: the table keeps the order in which its names came.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Takes the place of what has this name. A value that does not fit is not held. */
  set(key: string, value: V, bytes: number): void {
    this.delete(key)
    if (!this.fits(bytes)) return
    const cost = bytes + ENTRY_BYTES
    this.#entries.set(key, { value, cost })
    this.#bytes += cost
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes && this.#entries.size <= this.#maxCount) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.cost
  }
}
