import { deferred, markHandled, type Deferred } from '../base/deferred.js'
import { LimitError } from '../base/errors.js'

interface Pinged {
  readonly at: number
  readonly answered: Deferred<number>
}

const MAX_PINGS = 16

/** The pings of an application that wait for their answers: each has a name, which comes back in its answer. */
export class Pings {
  readonly #waiting = new Map<string, Pinged>()
  #count = 0

  /** The name that is to be sent, and the promise of the milliseconds; without a name where too many wait. */
  begin(now: number): { readonly name: string | undefined; readonly answered: Promise<number> } {
    const answered = deferred<number>()
    void markHandled(answered.promise)
    if (this.#waiting.size >= MAX_PINGS) {
      answered.reject(new LimitError('ERR_QUEUE_LIMIT', `Cannot ping: ${MAX_PINGS} pings wait for an answer`))
      return { name: undefined, answered: answered.promise }
    }
    this.#count += 1
    const name = `a${this.#count}`
    this.#waiting.set(name, { at: now, answered })
    return { name, answered: answered.promise }
  }

  /** How long it took; `undefined` for what is no answer to one of these. */
  answered(name: string, now: number): number | undefined {
    const pinged = this.#waiting.get(name)
    if (pinged === undefined) return undefined
    this.#waiting.delete(name)
    const ms = now - pinged.at
    pinged.answered.resolve(ms)
    return ms
  }

  fail(error: Error): void {
    for (const { answered } of this.#waiting.values()) answered.reject(error)
    this.#waiting.clear()
  }
}
