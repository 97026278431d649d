import type { RawStream } from '../transport/raw-listener.js'

/** How many that must go on waiting are looked past for one that need not. */
const MAX_LOOK_PAST = 64

/** Connections that were accepted and are not read yet, in the order they came, at most `max`. */
export class WaitingRoom {
  readonly #max: number
  #waiting: RawStream[] = []
  #head = 0

  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#waiting.length - this.#head
  }

  /** False when it is full. */
  enter(stream: RawStream): boolean {
    if (this.count >= this.#max) return false
    this.#waiting.push(stream)
    return true
  }

  /** Takes out the first for which `verdict` is `'begin'`; `'stop'` ends the search, `'pass'` looks at the next one. */
  take(verdict: (stream: RawStream) => 'begin' | 'pass' | 'stop'): RawStream | undefined {
    const end = Math.min(this.#waiting.length, this.#head + MAX_LOOK_PAST)
    for (let at = this.#head; at < end; at += 1) {
      const stream = this.#waiting[at]
      if (stream === undefined) break
      const says = verdict(stream)
      if (says === 'stop') return undefined
      if (says === 'pass') continue
      if (at === this.#head) this.#head += 1
      else this.#waiting.splice(at, 1)
      if (this.#head > 1024) {
        this.#waiting = this.#waiting.slice(this.#head)
        this.#head = 0
      }
      return stream
    }
    return undefined
  }

  takeAll(): RawStream[] {
    const all = this.#waiting.slice(this.#head)
    this.#waiting = []
    this.#head = 0
    return all
  }
}
