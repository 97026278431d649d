import { hash } from 'node:crypto'

const FIRST_SLOTS = 1024

/**
 * Texts with a number each, without the texts: 64 bits of their SHA-256 stand for them, in flat arrays. That is 27 to 53
 * bytes a text, where a `Map` of URLs takes some 200. Among a million texts the odds that two are taken for one are 1 to
 * 37 million.
 */
export class HashTable {
  #keys = new Uint32Array(2 * FIRST_SLOTS)
  #values = new Float64Array(FIRST_SLOTS)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(text: string): boolean {
    return this.get(text) !== undefined
  }

  get(text: string): number | undefined {
    const [high, low] = keyOf(text)
    const slot = this.#slotOf(high, low)
    return this.#isFree(slot) ? undefined : this.#values[slot]
  }

  set(text: string, value: number): void {
    const [high, low] = keyOf(text)
    const slot = this.#slotOf(high, low)
    if (this.#isFree(slot)) this.#size += 1
    this.#put(slot, high, low, value)
    if (this.#size > this.#values.length * 0.6) this.#grow()
  }

  #put(slot: number, high: number, low: number, value: number): void {
    this.#keys[2 * slot] = high
    this.#keys[2 * slot + 1] = low
    this.#values[slot] = value
  }

  #isFree(slot: number): boolean {
    return this.#keys[2 * slot] === 0 && this.#keys[2 * slot + 1] === 0
  }

  /** Where the key stands, or would: one slot behind the other is tried. */
  #slotOf(high: number, low: number): number {
    const keys = this.#keys
    const last = this.#values.length - 1
    for (let slot = low & last; ; slot = (slot + 1) & last) {
      const isHere = keys[2 * slot] === high && keys[2 * slot + 1] === low
      if (isHere || this.#isFree(slot)) return slot
    }
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values]
    this.#keys = new Uint32Array(2 * keys.length)
    this.#values = new Float64Array(2 * values.length)
    for (const [i, value] of values.entries()) {
      const [high = 0, low = 0] = [keys[2 * i], keys[2 * i + 1]]
      if (high !== 0 || low !== 0) this.#put(this.#slotOf(high, low), high, low, value)
    }
  }
}

/** Never both 0, which is a free slot. */
function keyOf(text: string): readonly [high: number, low: number] {
  const digest = hash('sha256', text, 'buffer')
  const [high, low] = [digest.readUInt32LE(0), digest.readUInt32LE(4)]
  return high === 0 && low === 0 ? [0, 1] : [high, low]
}
