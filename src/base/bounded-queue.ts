import { LimitError } from './errors.js'

/** What a full queue does with one more item. */
export type FullPolicy = 'refuse' | 'drop-oldest' | 'drop-newest'

export interface BoundedQueueLimits {
  readonly maxCount: number
  readonly maxBytes: number
  readonly policy: FullPolicy
}

/**
 * A first-in first-out queue with both bounds, in counts and in bytes, and a named policy at the bound. Every item put
 * is taken, dropped (counted) or refused: `put` = taken + held + `dropped`.
 */
export class BoundedQueue<T> {
  readonly #limits: BoundedQueueLimits
  readonly #sizeOf: (item: T) => number
  #items: (T | undefined)[] = []
  #head = 0
  #bytes = 0
  #dropped = 0

  constructor(limits: BoundedQueueLimits, sizeOf: (item: T) => number) {
    this.#limits = limits
    this.#sizeOf = sizeOf
  }

  get count(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Items that the policy dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  /**
   * Puts an item at the end. True when it is held now, false when `drop-newest` dropped it.
   * @throws LimitError `ERR_QUEUE_LIMIT` under `refuse` when it does not fit, and under any policy when it alone is
   *   larger than `maxBytes`.
   */
  put(item: T): boolean {
    const size = this.#sizeOf(item)
    const { maxCount, maxBytes, policy } = this.#limits
    if (size > maxBytes) this.#refuse(size)
    while (this.count + 1 > maxCount || this.#bytes + size > maxBytes) {
      if (policy === 'refuse' || this.count === 0) this.#refuse(size)
      this.#dropped += 1
      if (policy === 'drop-newest') return false
      this.take()
    }
    this.#items.push(item)
    this.#bytes += size
    return true
  }

  take(): T | undefined {
    if (this.count === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 1024) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    if (item !== undefined) this.#bytes -= this.#sizeOf(item)
    return item
  }

  #refuse(size: number): never {
    const { maxCount, maxBytes } = this.#limits
    throw new LimitError(
      'ERR_QUEUE_LIMIT',
      `Cannot queue ${size} bytes: ${this.count} items with ${this.#bytes} bytes are held of at most ${maxCount} items and ${maxBytes} bytes`,
      { details: { maxCount, maxBytes } },
    )
  }
}
