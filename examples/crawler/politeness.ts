import type { Clock } from 'moorage'

export interface Manners {
  /** From the beginning of a request, and from the end of an answer, to the next request to the same host. */
  readonly delayMs: number
  readonly connectionsPerHost: number
  /** Requests under way to all hosts together. */
  readonly concurrency: number
}

interface Waiting {
  readonly admit: () => void
}

interface Host {
  delayMs: number
  readyAt: number
  underWay: number
  readonly waiting: Waiting[]
}

/**
 * Says when a request may begin. A host is left alone for its delay behind each request and behind each answer, so that a
 * slow server is asked less often; one that says "later" (`Retry-After`) is left alone until then.
 */
export class Politeness {
  readonly #clock: Clock
  readonly #manners: Manners
  /** Whoever was served last stands last. */
  readonly #hosts = new Map<string, Host>()
  #underWay = 0
  #stopTimer: (() => void) | undefined

  constructor(clock: Clock, manners: Manners) {
    this.#clock = clock
    this.#manners = manners
  }

  /** Who stopped, or was killed, and begins again is no reason to ask a host sooner: it is asked a delay from now. */
  know(name: string): void {
    this.#hostOf(name)
  }

  /** Resolves when a request may begin: `leave` must follow. @throws the reason of the signal. */
  async enter(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { waiting } = this.#hostOf(name)
    await new Promise<void>((resolve, reject) => {
      const one: Waiting = {
        admit: () => {
          signal.removeEventListener('abort', give)
          resolve()
        },
      }
      const give = (): void => {
        waiting.splice(waiting.indexOf(one), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', give, { once: true })
      waiting.push(one)
      this.#look()
    })
  }

  leave(name: string): void {
    const host = this.#hostOf(name)
    host.underWay -= 1
    this.#underWay -= 1
    host.readyAt = Math.max(host.readyAt, this.#clock.now() + host.delayMs)
    this.#look()
  }

  /** No request to this host for so long. */
  pause(name: string, milliseconds: number): void {
    const host = this.#hostOf(name)
    host.readyAt = Math.max(host.readyAt, this.#clock.now() + milliseconds)
  }

  /** What its robots.txt wants; the longest counts. */
  slowDown(name: string, delayMs: number): void {
    const host = this.#hostOf(name)
    host.delayMs = Math.max(host.delayMs, delayMs)
    host.readyAt = Math.max(host.readyAt, this.#clock.now() + host.delayMs)
  }

  #hostOf(name: string): Host {
    let host = this.#hosts.get(name)
    if (host === undefined) {
      const { delayMs } = this.#manners
      host = { delayMs, readyAt: this.#clock.now() + delayMs, underWay: 0, waiting: [] }
      this.#hosts.set(name, host)
    }
    return host
  }

  /** Lets in whoever may, and looks again when the next one might. */
  #look(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    const { concurrency, connectionsPerHost } = this.#manners
    let nextAt = Infinity
    for (const [name, host] of [...this.#hosts]) {
      while (host.waiting.length > 0 && host.underWay < connectionsPerHost && this.#underWay < concurrency) {
        const now = this.#clock.now()
        if (now < host.readyAt) {
          nextAt = Math.min(nextAt, host.readyAt)
          break
        }
        host.readyAt = now + host.delayMs
        host.underWay += 1
        this.#underWay += 1
        this.#hosts.delete(name)
        this.#hosts.set(name, host)
        host.waiting.shift()?.admit()
      }
    }
    if (nextAt === Infinity) return
    // A timer may fire a little too early: then it is set again.
    this.#stopTimer = this.#clock.after(Math.max(0, nextAt - this.#clock.now()), () => this.#look())
  }
}
