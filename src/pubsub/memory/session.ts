import { ClosedError } from '../../base/errors.js'
import type { BrokerMetrics, RoomSummary } from '../broker.js'
import { closedError } from '../closed-error.js'
import { BrokerCounts } from '../counts.js'
import type { FeedSubscription } from '../feed-subscription.js'
import type { BrokerSettings } from '../options.js'
import type { Position } from '../position.js'
import type { Member } from '../presence.js'
import type { RateDecision, WholeRate } from '../rate-limit.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData, RoomListener, SubscribeOptions } from '../room.js'
import type { Entering, Hub } from './hub.js'
import type { MemoryValues } from './memory-values.js'

/** What one broker, or one worker's, does with a hub: it ends together. */
export class Session {
  readonly hub: Hub
  readonly #counts: BrokerCounts
  readonly #subscriptions = new Set<FeedSubscription>()
  readonly #enterings = new Set<Entering>()
  #closed = false

  constructor(hub: Hub, settings: Pick<BrokerSettings, 'logger'>) {
    this.hub = hub
    this.#counts = new BrokerCounts(settings.logger)
  }

  get closed(): boolean {
    return this.#closed
  }

  get metrics(): BrokerMetrics {
    const { published, delivered, gaps, failed } = this.#counts
    const { roomCount: rooms, history } = this.hub
    return {
      rooms,
      members: this.#enterings.size,
      subscriptions: this.#subscriptions.size,
      published,
      delivered,
      gaps,
      failed,
      historyMessages: history.messages,
      historyBytes: history.bytes,
    }
  }

  publish(name: string, data: RoomData, publisher: string | undefined): Position {
    const position = this.#open().publish(name, data, publisher)
    this.#counts.published += 1
    return position
  }

  subscribe(name: string, listener: RoomListener, options: SubscribeOptions): FeedSubscription {
    let closedAtOnce = false
    const subscription = this.#open().subscribe(name, listener, options, this.#counts, (closed) => {
      closedAtOnce = true
      this.#subscriptions.delete(closed)
    })
    if (!closedAtOnce) this.#subscriptions.add(subscription)
    return subscription
  }

  read(name: string, options: HistoryOptions): Replay {
    return this.#open().read(name, options)
  }

  enter(name: string, member: Member, unique: boolean): Entering {
    const entering = this.#open().enter(name, member, unique)
    this.#enterings.add(entering)
    return entering
  }

  /** @throws ClosedError `ERR_CLOSED` when it was left. */
  update(entering: Entering, data: unknown): void {
    if (!this.#enterings.has(entering)) throw new ClosedError('ERR_CLOSED', 'Cannot update the member: it has left')
    this.hub.update(entering, data)
  }

  leave(entering: Entering): void {
    if (this.#enterings.delete(entering)) this.hub.leave(entering)
  }

  get values(): MemoryValues {
    return this.#open().values
  }

  take(name: string, key: string, rate: WholeRate, cost: number): RateDecision {
    return this.#open().take(name, key, rate, cost)
  }

  members(name: string): Member[] {
    return this.#open().members(name)
  }

  rooms(): RoomSummary[] {
    return this.#open().rooms()
  }

  /** Its members leave and its subscriptions end. */
  close(error: Error = closedError()): void {
    if (this.#closed) return
    this.#closed = true
    for (const subscription of this.#subscriptions) subscription.end(error)
    for (const entering of this.#enterings) this.leave(entering)
  }

  #open(): Hub {
    if (this.#closed) throw closedError()
    return this.hub
  }
}
