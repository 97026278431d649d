import { deferred, DONE, markHandled } from '../../base/deferred.js'
import type { Broker, BrokerMetrics, RoomSummary } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import { Cache, type CacheOptions } from '../cache.js'
import { checkListener } from '../check-listener.js'
import { checkMember } from '../member-data.js'
import { checkName } from '../names.js'
import type { Position } from '../position.js'
import type { EnterOptions, Member, Membership } from '../presence.js'
import { rateLimiter, type Rate, type RateLimiter } from '../rate-limit.js'
import { checkHistoryOptions, checkSubscribeOptions, toHistoryPage } from '../replay.js'
import type {
  HistoryOptions,
  HistoryPage,
  PublishOptions,
  Room,
  RoomData,
  RoomListener,
  SubscribeOptions,
  Subscription,
} from '../room.js'
import type { Values } from '../values.js'
import type { Entering } from './hub.js'
import type { Session } from './session.js'

/** A broker over the rooms of this process: what it does is done when a call returns, and its promises only tell. */
export class SessionBroker implements Broker {
  readonly id: string = newBrokerId()
  readonly #session: Session
  readonly #released: () => void
  readonly #closed = deferred<void>()
  readonly #values: Values = {
    get: (space, keys) => told(() => this.#session.values.get(space, keys)),
    set: (space, key, bytes, ttlMs, expected) =>
      told(() => this.#session.values.set(space, key, bytes, ttlMs, expected)),
    delete: (space, key) => told(() => this.#session.values.delete(space, key)),
  }

  constructor(session: Session, released: () => void) {
    this.#session = session
    this.#released = released
  }

  get state(): 'open' | 'closed' {
    return this.#session.closed ? 'closed' : 'open'
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get metrics(): BrokerMetrics {
    return this.#session.metrics
  }

  room(name: string): Room {
    return new SessionRoom(this.#session, checkName('room', name))
  }

  cache<T>(name: string, options?: CacheOptions): Cache<T> {
    return new Cache<T>(name, this.#values, this.#session.hub.settings.clock, options)
  }

  limiter(name: string, given: Rate): RateLimiter {
    return rateLimiter(name, given, (key, rate, cost) => told(() => this.#session.take(name, key, rate, cost)))
  }

  rooms(): Promise<readonly RoomSummary[]> {
    return told(() => this.#session.rooms())
  }

  close(): Promise<void> {
    if (!this.#session.closed) {
      this.#session.close()
      this.#released()
      this.#closed.resolve()
    }
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class SessionRoom implements Room {
  readonly name: string
  readonly #session: Session

  constructor(session: Session, name: string) {
    this.#session = session
    this.name = name
  }

  publish(data: RoomData, options?: PublishOptions): Promise<Position> {
    try {
      const publisher = options?.publisher
      if (publisher !== undefined) checkName('publisher', publisher)
      return Promise.resolve(this.#session.publish(this.name, data, publisher))
    } catch (error) {
      return markHandled(Promise.reject(error))
    }
  }

  subscribe(listener: RoomListener, options: SubscribeOptions = {}): Promise<Subscription> {
    return told(() => {
      checkListener(listener)
      checkSubscribeOptions(options)
      return this.#session.subscribe(this.name, listener, options)
    })
  }

  history(options: HistoryOptions = {}): Promise<HistoryPage> {
    return told(() => {
      checkHistoryOptions(options)
      return toHistoryPage(this.name, options, this.#session.read(this.name, options))
    })
  }

  enter(member: Member, { unique = false }: EnterOptions = {}): Promise<Membership> {
    return told(() => {
      checkMember(member)
      return new SessionMembership(this.#session, this.#session.enter(this.name, member, unique))
    })
  }

  members(): Promise<readonly Member[]> {
    return told(() => this.#session.members(this.name))
  }
}

class SessionMembership implements Membership {
  readonly #session: Session
  readonly #entering: Entering

  constructor(session: Session, entering: Entering) {
    this.#session = session
    this.#entering = entering
  }

  get room(): string {
    return this.#entering.room.name
  }

  get id(): string {
    return this.#entering.id
  }

  update(data: unknown): Promise<void> {
    return told(() => this.#session.update(this.#entering, data))
  }

  leave(): Promise<void> {
    this.#session.leave(this.#entering)
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }
}

/** What was done, as a promise; a rejection that nobody awaits is no unhandled one. */
function told<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return markHandled(Promise.reject<T>(error))
  }
}
