import type { Clock } from '../../base/clock.js'
import { MESSAGE_COST_BYTES } from '../message-size.js'
import { NOTHING, type Kept } from '../values.js'

interface Held extends Kept {
  readonly untilMs: number
  readonly cost: number
}

export interface ValueBounds {
  readonly maxCacheEntries: number
  readonly maxCacheBytes: number
}

/** Values in this process: the one that was not asked for the longest goes first. */
export class MemoryValues {
  readonly #bounds: ValueBounds
  readonly #clock: Clock
  readonly #held = new Map<string, Held>()
  #bytes = 0
  #versions = 0

  constructor(bounds: ValueBounds, clock: Clock) {
    this.#bounds = bounds
    this.#clock = clock
  }

  get(space: string, keys: readonly string[]): readonly (Kept | undefined)[] {
    return keys.map((key) => this.#find(fullKey(space, key)))
  }

  set(space: string, key: string, bytes: Uint8Array, ttlMs: number, expected?: string): string | undefined {
    const full = fullKey(space, key)
    if (expected !== undefined && expected !== (this.#find(full)?.version ?? NOTHING)) return undefined
    this.#drop(full)
    this.#versions += 1
    const version = this.#versions.toString(36)
    const cost = bytes.length + 2 * full.length + MESSAGE_COST_BYTES
    const untilMs = this.#clock.now() + ttlMs
    this.#held.set(full, { bytes: new Uint8Array(bytes), version, untilMs, cost })
    this.#bytes += cost
    const { maxCacheEntries, maxCacheBytes } = this.#bounds
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= maxCacheEntries && this.#bytes <= maxCacheBytes) break
      this.#drop(oldest)
    }
    return version
  }

  delete(space: string, key: string): void {
    this.#drop(fullKey(space, key))
  }

  #find(full: string): Held | undefined {
    const held = this.#held.get(full)
    if (held === undefined) return undefined
    this.#held.delete(full)
    if (held.untilMs <= this.#clock.now()) {
      this.#bytes -= held.cost
      return undefined
    }
    this.#held.set(full, held)
    return held
  }

  #drop(full: string): void {
    const held = this.#held.get(full)
    if (held === undefined) return
    this.#held.delete(full)
    this.#bytes -= held.cost
  }
}

const fullKey = (space: string, key: string): string => `${space}\n${key}`
