import type { Clock } from '../../base/clock.js'
import type { HubRoom } from './hub-room.js'

const nothing = (): void => undefined

/** Rooms that nobody uses, the one that rests longest first: each is forgotten when its time is over, or when room is needed. */
export class RestingRooms {
  readonly #ttlMs: number
  readonly #clock: Clock
  readonly #forget: (room: HubRoom) => void
  readonly #rooms = new Set<HubRoom>()
  #stopTimer: (() => void) | undefined

  constructor(ttlMs: number, clock: Clock, forget: (room: HubRoom) => void) {
    this.#ttlMs = ttlMs
    this.#clock = clock
    this.#forget = forget
  }

  /** It rests from now on, also when it did before. */
  add(room: HubRoom): void {
    room.restsSinceMs = this.#clock.now()
    this.#rooms.delete(room)
    this.#rooms.add(room)
    if (this.#stopTimer === undefined) this.#wait(this.#ttlMs)
  }

  delete(room: HubRoom): void {
    this.#rooms.delete(room)
  }

  forgetOldest(): boolean {
    for (const oldest of this.#rooms) {
      this.#rooms.delete(oldest)
      this.#forget(oldest)
      return true
    }
    return false
  }

  clear(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#rooms.clear()
  }

  #wait(milliseconds: number): void {
    this.#stopTimer = this.#ttlMs === Infinity ? nothing : this.#clock.after(milliseconds, () => this.#expire())
  }

  /** One timer for all: it looks at the oldest, and waits for the one behind it. */
  #expire(): void {
    this.#stopTimer = undefined
    const now = this.#clock.now()
    for (const room of this.#rooms) {
      const left = room.restsSinceMs + this.#ttlMs - now
      if (left > 0) {
        this.#wait(left)
        return
      }
      this.#rooms.delete(room)
      this.#forget(room)
    }
  }
}
