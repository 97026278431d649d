import { besideSignal, type AbortSignalLike } from '../base/cancellation.js'
import type { Clock } from '../base/clock.js'
import { LimitError } from '../base/errors.js'
import { sleep } from './retries.js'

export interface PaceSettings {
  readonly maxRequestsPerSecond: number
  readonly maxRequestsPerOrigin: number
  readonly maxWaiting: number
}

/** What one origin is asked for now. */
interface Origin {
  running: number
  /** When the next request may go. */
  nextAt: number
  readonly waiting: Set<() => void>
}

/** Origins that are remembered; those that nothing is asked of are forgotten. */
const MAX_ORIGINS = 1024

/** How many requests each origin gets, in a second and at a time. */
export class OriginPace {
  readonly #settings: PaceSettings
  readonly #clock: Clock
  readonly #origins = new Map<string, Origin>()
  #waiting = 0

  constructor(settings: PaceSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  get isUnlimited(): boolean {
    const { maxRequestsPerSecond, maxRequestsPerOrigin } = this.#settings
    return maxRequestsPerSecond === Infinity && maxRequestsPerOrigin === Infinity
  }

  /**
   * Waits for the turn of a request. Call what it gives when the request is over, once.
   * @throws LimitError `ERR_POOL_LIMIT`; the reason of the signal.
   */
  async take(name: string, signal: AbortSignalLike | undefined): Promise<() => void> {
    const origin = this.#origin(name)
    const { maxRequestsPerOrigin, maxRequestsPerSecond, maxWaiting } = this.#settings
    if (this.#waiting >= maxWaiting)
      throw new LimitError('ERR_POOL_LIMIT', `Cannot send a request: ${this.#waiting} wait for their turn already`, {
        details: { limit: maxWaiting },
      })
    this.#waiting += 1
    try {
      while (origin.running >= maxRequestsPerOrigin) await this.#turn(origin, signal)
      origin.running += 1
    } finally {
      this.#waiting -= 1
    }
    let isHeld = true
    const release = (): void => {
      if (isHeld) this.#release(origin)
      isHeld = false
    }
    const now = this.#clock.now()
    const at = Math.max(now, origin.nextAt)
    origin.nextAt = at + 1000 / maxRequestsPerSecond
    try {
      if (at > now) await sleep(this.#clock, at - now, signal)
    } catch (error) {
      release()
      throw error
    }
    return release
  }

  async #turn(origin: Origin, signal: AbortSignalLike | undefined): Promise<void> {
    let wake = (): void => undefined
    const woken = new Promise<void>((resolve) => (wake = resolve))
    origin.waiting.add(wake)
    try {
      await besideSignal(woken, signal)
    } finally {
      origin.waiting.delete(wake)
    }
  }

  #release(origin: Origin): void {
    origin.running -= 1
    const [wake] = origin.waiting
    wake?.()
  }

  #origin(name: string): Origin {
    let origin = this.#origins.get(name)
    if (origin !== undefined) return origin
    if (this.#origins.size >= MAX_ORIGINS) this.#forget()
    origin = { running: 0, nextAt: 0, waiting: new Set() }
    this.#origins.set(name, origin)
    return origin
  }

  #forget(): void {
    const now = this.#clock.now()
    for (const [name, { running, nextAt, waiting }] of this.#origins)
      if (running === 0 && waiting.size === 0 && nextAt <= now) this.#origins.delete(name)
  }
}
