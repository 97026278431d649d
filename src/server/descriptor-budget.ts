import { readdirSync, readFileSync } from 'node:fs'

/** Connections between two looks at how many descriptors are really open. */
const RECOUNT_EVERY = 256
/** What was counted in a crowd says nothing of the time after it. */
const MAX_AGE_MS = 250
const MIN_RESERVE = 16
const MAX_RESERVE = 256

/**
 * Keeps some file descriptors free. At the limit the system closes what it accepts without a word to anyone, and files
 * can no longer be opened: a server that stops a little before can say what happens and goes on working.
 */
export class DescriptorBudget {
  /** The soft limit of this process; `Infinity` where it cannot be read. */
  readonly limit: number
  readonly reserve: number
  #countedOpen = 0
  #countedHeld = 0
  #untilRecount = 0
  #countedAt = 0

  constructor(limit: number = readDescriptorLimit()) {
    this.limit = limit
    this.reserve = limit === Infinity ? 0 : Math.min(MAX_RESERVE, Math.max(MIN_RESERVE, Math.floor(limit / 16)))
  }

  /** Whether one more connection leaves the reserve whole; `held` is how many connections this server has now. */
  allows(held: number): boolean {
    if (this.limit === Infinity) return true
    const estimate = this.#countedOpen + (held - this.#countedHeld)
    if (this.#untilRecount <= 0 || estimate > this.limit - this.reserve) this.#recount(held)
    this.#untilRecount -= 1
    return this.#countedOpen + (held - this.#countedHeld) <= this.limit - this.reserve
  }

  /** At the limit a recount for every refused client would be work that the clients cause: it is done at most now and then. */
  #recount(held: number): void {
    const now = performance.now()
    if (this.#untilRecount > RECOUNT_EVERY - 16 && now - this.#countedAt < MAX_AGE_MS) return
    this.#countedAt = now
    this.#countedOpen = countOpenDescriptors()
    this.#countedHeld = held
    this.#untilRecount = RECOUNT_EVERY
  }
}

function readDescriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    // No /proc here (macOS, Windows): nothing is known, and nothing is kept back.
    return Infinity
  }
}

function countOpenDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // The look itself needs a descriptor: when none is left, all are in use.
    return Number.MAX_SAFE_INTEGER
  }
}
