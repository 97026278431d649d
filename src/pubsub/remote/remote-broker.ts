import { deferred } from '../../base/deferred.js'
import type { Broker, BrokerMetrics, RoomSummary } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import { Cache, type CacheOptions } from '../cache.js'
import { closedError } from '../closed-error.js'
import { BrokerCounts } from '../counts.js'
import { FeedSubscription } from '../feed-subscription.js'
import { checkName } from '../names.js'
import type { BrokerSettings } from '../options.js'
import type { PresenceEvent } from '../presence.js'
import type { Position } from '../position.js'
import { rateLimiter, type Rate, type RateLimiter } from '../rate-limit.js'
import { startOf } from '../replay.js'
import { tooMany } from '../room-limit.js'
import type { Room, RoomListener, RoomMessage, SubscribeOptions } from '../room.js'
import type { Values } from '../values.js'
import type { Backend, BackendEvents, OpenBackend } from './backend.js'
import { FollowedRoom } from './followed-room.js'
import { RemoteRoom } from './remote-room.js'

/** A broker whose rooms are elsewhere. Each is followed once, and handed on to all who listen here. */
export class RemoteBroker implements Broker, BackendEvents {
  readonly id: string
  readonly settings: BrokerSettings
  readonly counts: BrokerCounts
  readonly backend: Backend
  readonly #values: Values = {
    get: async (space, keys) => this.#open().get(space, keys),
    set: async (space, key, bytes, ttlMs, expected) => this.#open(bytes.length).set(space, key, bytes, ttlMs, expected),
    delete: async (space, key) => this.#open().delete(space, key),
  }
  readonly #followed = new Map<string, FollowedRoom>()
  readonly #closed = deferred<void>()
  #state: 'open' | 'closed' = 'open'
  #closing: Promise<void> | undefined
  #subscriptions = 0
  #enterings = 0
  members: number = 0

  constructor(settings: BrokerSettings, openBackend: OpenBackend, id: string = newBrokerId()) {
    this.id = id
    this.settings = settings
    this.counts = new BrokerCounts(settings.logger)
    this.backend = openBackend(this)
  }

  get state(): 'open' | 'closed' {
    return this.#state
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get metrics(): BrokerMetrics {
    const { published, delivered, gaps, failed } = this.counts
    return {
      rooms: this.#followed.size,
      members: this.members,
      subscriptions: this.#subscriptions,
      published,
      delivered,
      gaps,
      failed,
      historyMessages: 0,
      historyBytes: 0,
    }
  }

  room(name: string): Room {
    return new RemoteRoom(this, checkName('room', name))
  }

  limiter(name: string, given: Rate): RateLimiter {
    return rateLimiter(name, given, async (key, rate, cost) => {
      this.check()
      return this.backend.take(name, key, rate, cost)
    })
  }

  cache<T>(name: string, options?: CacheOptions): Cache<T> {
    return new Cache<T>(name, this.#values, this.settings.clock, options)
  }

  async rooms(): Promise<readonly RoomSummary[]> {
    this.check()
    return this.backend.rooms()
  }

  /** Before something is asked. @throws ClosedError `ERR_BROKER_CLOSED`, LimitError `ERR_QUEUE_LIMIT`. */
  check(bytes: number = 0): void {
    if (this.#state === 'closed') throw closedError()
    this.backend.check(bytes)
  }

  #open(bytes: number = 0): Values {
    this.check(bytes)
    return this.backend.values
  }

  /** The backend’s name for an entering. @throws LimitError `ERR_ROOM_LIMIT`. */
  nextEntering(): number {
    const { maxMembers } = this.settings
    if (this.members >= maxMembers) throw tooMany('enter', 'maxMembers', maxMembers)
    this.#enterings += 1
    return this.#enterings
  }

  /** Resolves when those who listen here have seen what stands there. */
  reached(room: string, position: Position): Promise<void> | undefined {
    return this.#followed.get(room)?.reached(position)
  }

  async subscribe(room: string, listener: RoomListener, options: SubscribeOptions): Promise<FeedSubscription> {
    this.check()
    const { maxSubscriptions } = this.settings
    if (this.#subscriptions >= maxSubscriptions) throw tooMany('subscribe', 'maxSubscriptions', maxSubscriptions)
    const { from, last = 0, except } = options
    this.#subscriptions += 1
    const followed = this.#follow(room)
    let release = (): void => {
      release = () => undefined
      this.#subscriptions -= 1
      this.#unfollow(room, followed)
    }
    try {
      return await followed.begin(from === undefined ? { maxMessages: last } : { after: from }, (replay) => {
        const start = startOf(options, replay)
        return new FeedSubscription(room, listener, except, start, this.counts, (closed) => {
          followed.feed.remove(closed)
          release()
        })
      })
    } catch (error) {
      release()
      throw error
    }
  }

  #follow(room: string): FollowedRoom {
    const known = this.#followed.get(room)
    const followed = known ?? new FollowedRoom(room, this.backend, this.settings)
    if (known === undefined) {
      this.#followed.set(room, followed)
      // What is wrong with it is wrong with the reading behind it, too.
      this.backend.follow(room).catch(() => undefined)
    }
    followed.users += 1
    return followed
  }

  #unfollow(room: string, followed: FollowedRoom): void {
    followed.users -= 1
    if (followed.users > 0 || this.#followed.get(room) !== followed) return
    this.#followed.delete(room)
    followed.end()
    if (this.#state === 'open') this.backend.unfollow(room)
  }

  message(message: RoomMessage): void {
    this.#followed.get(message.room)?.receive(message)
  }

  presence(event: PresenceEvent): void {
    this.#followed.get(event.room)?.presence(event)
  }

  gap(room: string, until: Position, presenceMissed: boolean): void {
    this.#followed.get(room)?.gap(until, presenceMissed)
  }

  missed(): void {
    for (const followed of this.#followed.values()) followed.missed()
  }

  lost(error: Error): void {
    this.#end(error)
    this.#closed.resolve()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#end(closedError())
    await this.backend.close()
    this.#closed.resolve()
  }

  #end(error: Error): void {
    this.#state = 'closed'
    this.members = 0
    for (const followed of this.#followed.values()) followed.end(error)
    this.#followed.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
