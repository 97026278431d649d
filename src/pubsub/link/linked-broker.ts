import { deferred, DONE } from '../../base/deferred.js'
import { LimitError } from '../../base/errors.js'
import type { Broker, BrokerMetrics, RoomSummary } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import { BrokerCounts } from '../counts.js'
import { Feed } from '../feed.js'
import { FeedSubscription } from '../feed-subscription.js'
import { closedError } from '../memory/session.js'
import { checkName } from '../names.js'
import { plainLimits, type BrokerSettings } from '../options.js'
import { startOf } from '../replay.js'
import type { Room, RoomListener, SubscribeOptions } from '../room.js'
import { Calls } from './calls.js'
import { LinkedRoom } from './linked-room.js'
import type { HubAnswer, HubRequest } from './messages.js'

/** A room that somebody here listens to, or is about to. */
interface Followed {
  readonly feed: Feed
  users: number
}

/** A broker of a worker: the rooms are at its parent. Each is followed once, and handed on to all who listen here. */
export class LinkedBroker implements Broker {
  readonly id: string = newBrokerId()
  readonly number: number
  readonly calls: Calls
  readonly settings: BrokerSettings
  readonly counts: BrokerCounts
  readonly #send: (request: HubRequest) => void
  readonly #ended: () => void
  readonly #followed = new Map<string, Followed>()
  readonly #closed = deferred<void>()
  #state: 'open' | 'closed' = 'open'
  #closing: Promise<void> | undefined
  #subscriptions = 0
  #enterings = 0
  members: number = 0

  constructor(number: number, settings: BrokerSettings, send: (request: HubRequest) => void, ended: () => void) {
    this.number = number
    this.settings = settings
    this.counts = new BrokerCounts(settings.logger)
    this.#send = send
    this.#ended = ended
    this.calls = new Calls(settings, send)
  }

  open(name: string): Promise<void> {
    const limits = plainLimits(this.settings)
    return this.calls.ask(
      'done',
      (call) => ({ op: 'open', broker: this.number, call, name, limits }),
      () => undefined,
    )
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
    return new LinkedRoom(this, checkName('room', name))
  }

  async rooms(): Promise<readonly RoomSummary[]> {
    this.check()
    return this.calls.ask(
      'rooms',
      (call) => ({ op: 'rooms', broker: this.number, call }),
      ({ rooms }) => rooms,
    )
  }

  /** Before something is asked. @throws ClosedError `ERR_BROKER_CLOSED`, LimitError `ERR_QUEUE_LIMIT`. */
  check(bytes: number = 0): void {
    if (this.#state === 'closed') throw closedError()
    this.calls.check(bytes)
  }

  /** The parent’s name for an entering. */
  nextEntering(): number {
    this.#enterings += 1
    return this.#enterings
  }

  async subscribe(room: string, listener: RoomListener, options: SubscribeOptions): Promise<FeedSubscription> {
    this.check()
    const { maxSubscriptions } = this.settings
    if (this.#subscriptions >= maxSubscriptions) {
      throw new LimitError(
        'ERR_ROOM_LIMIT',
        `Cannot subscribe: there are as many as maxSubscriptions, ${maxSubscriptions}`,
        {
          details: { maxSubscriptions },
        },
      )
    }
    const { from, last = 0, except } = options
    const followed = this.#follow(room)
    let release = (): void => {
      release = () => undefined
      this.#unfollow(room, followed)
    }
    try {
      return await this.calls.ask(
        'replay',
        (call) => ({
          op: 'subscribe',
          broker: this.number,
          call,
          room,
          options: from === undefined ? { maxMessages: last } : { after: from },
        }),
        // Within the answer: the next thing that comes may be a message for it.
        ({ replay }) => {
          if (this.#state === 'closed') throw closedError()
          const start = startOf(options, replay)
          const subscription = new FeedSubscription(room, listener, except, start, this.counts, (closed) => {
            followed.feed.remove(closed)
            this.#subscriptions -= 1
            release()
          })
          this.#subscriptions += 1
          followed.feed.begin(subscription, replay)
          return subscription
        },
      )
    } catch (error) {
      release()
      throw error
    }
  }

  #follow(room: string): Followed {
    const known = this.#followed.get(room)
    const followed = known ?? { feed: new Feed(this.settings), users: 0 }
    if (known === undefined) this.#followed.set(room, followed)
    followed.users += 1
    return followed
  }

  #unfollow(room: string, followed: Followed): void {
    followed.users -= 1
    if (followed.users > 0 || this.#followed.get(room) !== followed) return
    this.#followed.delete(room)
    if (this.#state === 'open') this.#send({ op: 'unsubscribe', broker: this.number, room })
  }

  receive(answer: HubAnswer): void {
    switch (answer.op) {
      case 'message': {
        const { message } = answer
        this.#followed.get(message.room)?.feed.deliver(message, message.data.length)
        return
      }
      case 'presence':
        this.#followed.get(answer.event.room)?.feed.deliverPresence(answer.event)
        return
      case 'gap':
        this.#followed.get(answer.room)?.feed.deliverGap(answer.until, answer.presenceMissed)
        return
      default:
        this.calls.receive(answer)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What was asked before is still answered: the parent takes one thing after the other. */
  #close(): Promise<void> {
    if (this.#state === 'closed') return DONE
    this.#end(closedError())
    const over = (): void => {
      this.#ended()
      this.#closed.resolve()
    }
    return this.calls.ask('done', (call) => ({ op: 'close', broker: this.number, call }), over).catch(over)
  }

  /** The parent is gone. */
  lose(error: Error): void {
    this.#end(error)
    this.calls.fail(error)
    this.#closed.resolve()
  }

  #end(error: Error): void {
    this.#state = 'closed'
    this.members = 0
    for (const { feed } of this.#followed.values()) feed.end(error)
    this.#followed.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
