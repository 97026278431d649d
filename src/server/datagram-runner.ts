import { DONE } from '../base/deferred.js'
import type { Clock } from '../base/clock.js'
import { asBuffer } from '../transport/as-buffer.js'
import type { Address } from '../transport/address.js'
import type { Datagram } from '../transport/datagram-socket.js'
import type { DatagramFunction, IncomingDatagram, ServerContext } from './handlers.js'
import type { DrainReport } from './outcome.js'

export interface DatagramRunnerSettings {
  readonly handler: DatagramFunction
  readonly context: ServerContext
  readonly local: () => Address
  readonly reply: (data: Uint8Array | string, to: Address) => Promise<void>
  /** Handlers at once: 1 is the serial model. */
  readonly max: number
  /** Datagrams that wait for their turn; one more is dropped and counted. */
  readonly maxQueued: number
  readonly maxQueuedBytes: number
  readonly clock: Clock
  readonly failed: (error: unknown, remote: Address) => void
  /** A handler has returned. */
  readonly handled: (failed: boolean) => void
  readonly dropped: () => void
}

interface Failure {
  readonly error: unknown
  readonly remote: Address
}

/** A datagram as its handler sees it. */
class Incoming implements IncomingDatagram {
  readonly data: Uint8Array
  readonly remote: Address
  readonly truncated: boolean
  readonly #settings: DatagramRunnerSettings

  constructor({ data, remote, truncated }: Datagram, settings: DatagramRunnerSettings) {
    this.data = asBuffer(data)
    this.remote = remote
    this.truncated = truncated
    this.#settings = settings
  }

  get local(): Address {
    return this.#settings.local()
  }

  reply(data: Uint8Array | string): Promise<void> {
    return this.#settings.reply(data, this.remote)
  }
}

const keyOf = (remote: Address): string =>
  remote.kind === 'ip' ? `${remote.host} ${remote.port}` : remote.kind === 'unix' ? remote.path : remote.name

/**
 * Runs handlers over datagrams, in whichever thread it stands. Those of one peer are handled one after the other, in
 * the order they came; those of different peers at once, up to `max`.
 */
export class DatagramRunner {
  readonly #settings: DatagramRunnerSettings
  /** Peers whose handler runs, each with those of its datagrams that wait. */
  readonly #busy = new Map<string, Datagram[]>()
  /** Of idle peers, while all handlers are taken. */
  readonly #waiting: Datagram[] = []
  #running = 0
  #queued = 0
  #queuedBytes = 0
  #handled = 0
  #idle: (() => void) | undefined

  constructor(settings: DatagramRunnerSettings) {
    this.#settings = settings
  }

  get active(): number {
    return this.#running
  }

  get queued(): number {
    return this.#queued
  }

  /** `datagram.data` is the runner's to keep. */
  deliver(datagram: Datagram): void {
    const { max } = this.#settings
    const behind = this.#busy.size === 0 ? undefined : this.#busy.get(keyOf(datagram.remote))
    if (behind === undefined && this.#running < max) this.#run(datagram)
    else if (this.#mayQueue(datagram)) (behind ?? this.#waiting).push(datagram)
    else this.#settings.dropped()
  }

  #mayQueue({ data }: Datagram): boolean {
    const { maxQueued, maxQueuedBytes } = this.#settings
    if (this.#queued >= maxQueued || this.#queuedBytes + data.length > maxQueuedBytes) return false
    this.#queued += 1
    this.#queuedBytes += data.length
    return true
  }

  /** `behind` are the datagrams of the same peer that come after this one. */
  #run(datagram: Datagram, behind: Datagram[] = []): void {
    const { handler, context } = this.#settings
    this.#running += 1
    let result: void | Promise<void>
    try {
      result = handler(new Incoming(datagram, this.#settings), context)
    } catch (error) {
      result = Promise.reject(error)
    }
    // A reply that was sent at once needs no turn of its own.
    if ((result === undefined || result === DONE) && behind.length === 0) {
      this.#count(undefined)
      this.#runNext()
      return
    }
    const key = keyOf(datagram.remote)
    this.#busy.set(key, behind)
    const finished = (failure?: Failure): void => {
      this.#count(failure)
      const next = behind.shift()
      this.#busy.delete(key)
      if (next === undefined) this.#runNext()
      else this.#run(this.#unqueue(next), behind)
    }
    Promise.resolve(result).then(
      () => finished(),
      (error: unknown) => finished({ error, remote: datagram.remote }),
    )
  }

  #count(failure: Failure | undefined): void {
    this.#running -= 1
    this.#handled += 1
    if (failure !== undefined) this.#settings.failed(failure.error, failure.remote)
    this.#settings.handled(failure !== undefined)
  }

  /** A place is free: the first that waits takes it, unless its peer is being handled; then it goes behind that one. */
  #runNext(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const behind = this.#busy.get(keyOf(next.remote))
      if (behind === undefined) {
        this.#run(this.#unqueue(next))
        return
      }
      behind.push(next)
    }
    if (this.#running === 0) this.#idle?.()
  }

  #unqueue(datagram: Datagram): Datagram {
    this.#queued -= 1
    this.#queuedBytes -= datagram.data.length
    return datagram
  }

  /** Resolves when all that was delivered is handled, or after `graceMs`. */
  async drain(graceMs: number): Promise<DrainReport> {
    const before = this.#handled
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        const stop = this.#settings.clock.after(graceMs, resolve)
        this.#idle = () => {
          stop()
          resolve()
        }
      })
    }
    return { drained: this.#handled - before, cut: [], cutCount: this.#queued, handlersLeft: this.#running }
  }

  /** Drops what waits. Handlers that run cannot be stopped; `drain` waits for them no longer. */
  cut(): void {
    this.#idle?.()
  }
}
