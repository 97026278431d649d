import type { Clock } from '../../base/clock.js'
import { deferred, markHandled } from '../../base/deferred.js'
import { LimitError } from '../../base/errors.js'
import { waitingClock } from '../broker-clock.js'

export interface OutboxSettings {
  readonly clock: Clock
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  readonly maxAwayMs: number
}

const AGAIN_MS = 100

interface Item {
  readonly bytes: number
  readonly dueMs: number
  readonly send: (again: boolean) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** Whether it was on its way before: it may have been done. */
  again: boolean
  isUnderWay: boolean
}

/**
 * What was asked of a broker over a connection that can break: bounded in number and bytes, and asked again, in the same
 * order, when the connection is there again.
 */
export class Outbox {
  readonly #settings: OutboxSettings
  readonly #isLost: (error: unknown) => boolean
  readonly #late: (again: boolean) => Error
  readonly #items = new Set<Item>()
  #bytes = 0
  #isOnline = false
  #stopTimer: (() => void) | undefined
  #watchedMs = Infinity
  #empty: (() => void) | undefined

  /** `isLost` tells whether an error is the connection's, `late` makes the one of what has waited too long. */
  constructor(settings: OutboxSettings, isLost: (error: unknown) => boolean, late: (again: boolean) => Error) {
    this.#settings = { ...settings, clock: waitingClock(settings.clock) }
    this.#isLost = isLost
    this.#late = late
  }

  /** @throws LimitError `ERR_QUEUE_LIMIT`. */
  check(bytes: number): void {
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings
    if (this.#items.size < maxQueuedMessages && this.#bytes + bytes <= maxQueuedBytes) return
    throw new LimitError(
      'ERR_QUEUE_LIMIT',
      `Cannot ask the broker: ${this.#items.size} requests with ${this.#bytes} bytes have no answer yet`,
      { details: { maxQueuedMessages, maxQueuedBytes } },
    )
  }

  /**
   * Asks now, or as soon as there is a connection; `send` is called again when one breaks. It waits for `waitMs`, Infinity
   * for as long as that takes. A rejection that nobody awaits is no unhandled one.
   */
  ask<T>(bytes: number, send: (again: boolean) => Promise<T>, waitMs: number = this.#settings.maxAwayMs): Promise<T> {
    const { promise, resolve, reject } = deferred<T>()
    const dueMs =
      this.#settings.clock.now() + Math.min(waitMs, waitMs === Infinity ? Infinity : this.#settings.maxAwayMs)
    const item: Item = {
      bytes,
      dueMs,
      send,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `send` gave is what is asked for
      resolve: (value) => resolve(value as T),
      reject,
      again: false,
      isUnderWay: false,
    }
    this.#items.add(item)
    this.#bytes += bytes
    if (this.#isOnline) this.#send(item)
    this.#watch(dueMs)
    return markHandled(promise)
  }

  online(): void {
    this.#isOnline = true
    for (const item of this.#items) if (!item.isUnderWay) this.#send(item)
  }

  offline(): void {
    this.#isOnline = false
  }

  /** Everything that has no answer is rejected. */
  fail(error: Error): void {
    this.#isOnline = false
    for (const item of this.#items) this.#settle(item, () => item.reject(error))
  }

  /** Resolves when everything has its answer. */
  drained(): Promise<void> {
    if (this.#items.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#empty = resolve
    })
  }

  #send(item: Item): void {
    const { again } = item
    item.isUnderWay = true
    item.again = true
    item.send(again).then(
      (value) => this.#settle(item, () => item.resolve(value)),
      (error: unknown) => {
        item.isUnderWay = false
        if (this.#isLost(error)) this.#againSoon(item)
        else this.#settle(item, () => item.reject(error))
      },
    )
  }

  /** It can pass while the connection is there: a part of the broker that is not ready yet. */
  #againSoon(item: Item): void {
    if (!this.#isOnline) return
    this.#settings.clock.after(AGAIN_MS, () => {
      if (this.#isOnline && !item.isUnderWay && this.#items.has(item)) this.#send(item)
    })
  }

  #settle(item: Item, tell: () => void): void {
    if (!this.#items.delete(item)) return
    this.#bytes -= item.bytes
    tell()
    if (this.#items.size > 0) return
    this.#unwatch()
    this.#empty?.()
  }

  /** One timer for all: for the one whose time is over first. */
  #watch(dueMs: number): void {
    if (dueMs >= this.#watchedMs) return
    const { clock } = this.#settings
    this.#stopTimer?.()
    this.#watchedMs = dueMs
    this.#stopTimer = clock.after(Math.max(1, dueMs - clock.now()), () => this.#expire())
  }

  #unwatch(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#watchedMs = Infinity
  }

  #expire(): void {
    this.#unwatch()
    const now = this.#settings.clock.now()
    let nextMs = Infinity
    for (const item of this.#items) {
      if (item.dueMs <= now) this.#settle(item, () => item.reject(this.#late(item.again)))
      else nextMs = Math.min(nextMs, item.dueMs)
    }
    this.#watch(nextMs)
  }
}
