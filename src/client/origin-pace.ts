import { besideSignal, type AbortSignalLike } from '../base/cancellation.js'
import type { Clock } from '../base/clock.js'
import { deferred, type Deferred } from '../base/deferred.js'
import { LimitError } from '../base/errors.js'
import { allowMany } from './many-listeners.js'

export interface PaceSettings {
  readonly maxRequestsPerSecond: number
  readonly maxRequestsPerOrigin: number
  readonly maxWaiting: number
}

/** What waits for its turn. */
interface Waiting {
  readonly turn: Deferred<void>
  /** It is one of those under way from then on; one that is only sent again is that already. */
  readonly takesPlace: boolean
}

/** What one origin is asked for now. */
interface Origin {
  running: number
  /** When the next request may go. */
  nextAt: number
  readonly waiting: Set<Waiting>
  stopTimer: (() => void) | undefined
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
   * Waits for the turn of a request. Call what it gives when the request is over.
   * @throws LimitError `ERR_POOL_LIMIT`; the reason of the signal.
   */
  async take(name: string, signal: AbortSignalLike | undefined): Promise<() => void> {
    const origin = this.#origin(name)
    await this.#wait(origin, signal, true)
    let isHeld = true
    return () => {
      if (isHeld) this.#release(origin)
      isHeld = false
    }
  }

  /** Waits for the turn of one that is under way, and is sent again. @throws as `take`. */
  takeAgain(name: string, signal: AbortSignalLike | undefined): Promise<void> {
    return this.#wait(this.#origin(name), signal, false)
  }

  async #wait(origin: Origin, signal: AbortSignalLike | undefined, takesPlace: boolean): Promise<void> {
    const { maxWaiting } = this.#settings
    if (this.#waiting >= maxWaiting)
      throw new LimitError('ERR_POOL_LIMIT', `Cannot send a request: ${this.#waiting} wait for their turn already`, {
        details: { limit: maxWaiting },
      })
    allowMany(signal)
    const waiting: Waiting = { turn: deferred(), takesPlace }
    origin.waiting.add(waiting)
    this.#waiting += 1
    this.#serve(origin)
    try {
      await besideSignal(waiting.turn.promise, signal)
    } catch (error) {
      // What was given meanwhile is given back; whoever still waited costs no turn.
      if (!origin.waiting.delete(waiting) && takesPlace) this.#release(origin)
      if (origin.waiting.size === 0) {
        origin.stopTimer?.()
        origin.stopTimer = undefined
      }
      throw error
    } finally {
      this.#waiting -= 1
    }
  }

  #release(origin: Origin): void {
    origin.running -= 1
    this.#serve(origin)
  }

  /** Gives turns as long as there are any; a timer for the next. */
  #serve(origin: Origin): void {
    const { maxRequestsPerOrigin, maxRequestsPerSecond } = this.#settings
    const now = this.#clock.now()
    for (const waiting of origin.waiting) {
      if (waiting.takesPlace && origin.running >= maxRequestsPerOrigin) continue
      if (origin.nextAt > now) {
        this.#serveLater(origin, origin.nextAt - now)
        return
      }
      origin.waiting.delete(waiting)
      if (waiting.takesPlace) origin.running += 1
      origin.nextAt = now + 1000 / maxRequestsPerSecond
      waiting.turn.resolve()
      if (origin.running >= maxRequestsPerOrigin && maxRequestsPerSecond === Infinity) return
    }
  }

  #serveLater(origin: Origin, milliseconds: number): void {
    origin.stopTimer ??= this.#clock.after(milliseconds, () => {
      origin.stopTimer = undefined
      this.#serve(origin)
    })
  }

  #origin(name: string): Origin {
    let origin = this.#origins.get(name)
    if (origin !== undefined) return origin
    if (this.#origins.size >= MAX_ORIGINS) this.#forget()
    origin = { running: 0, nextAt: 0, waiting: new Set(), stopTimer: undefined }
    this.#origins.set(name, origin)
    return origin
  }

  #forget(): void {
    const now = this.#clock.now()
    for (const [name, { running, nextAt, waiting }] of this.#origins)
      if (running === 0 && waiting.size === 0 && nextAt <= now) this.#origins.delete(name)
  }
}
