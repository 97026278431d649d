import type { Clock } from '../base/clock.js'
import { LimitError } from '../base/errors.js'
import type { FeedSubscription } from './feed-subscription.js'
import type { Position } from './position.js'
import type { PresenceEvent } from './presence.js'
import type { Replay } from './replay.js'
import type { RoomMessage } from './room.js'

type Waiting =
  | { readonly message: RoomMessage; readonly bytes: number }
  | { readonly presence: PresenceEvent; readonly serial: number; readonly bytes: number }

export interface FeedSettings {
  readonly clock: Clock
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
}

/** So many in one go; then the loop comes round, lest two listeners that answer each other block it for ever. */
const AT_ONCE = 1024

/**
 * Hands what happens in one room to those who listen in this process: at once, in order. What listeners cause while they
 * are called waits until all have seen what came before.
 */
export class Feed {
  readonly #settings: FeedSettings
  readonly #subscriptions = new Set<FeedSubscription>()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #busy = false
  #serial = 0

  constructor(settings: FeedSettings) {
    this.#settings = settings
  }

  get count(): number {
    return this.#subscriptions.size
  }

  /** Gives it what it asked for, and from then on what happens. What its listener causes meanwhile comes after that. */
  begin(subscription: FeedSubscription, { gapUntil, messages, head }: Replay): void {
    this.#run(() => {
      if (gapUntil !== undefined) subscription.deliverGap(gapUntil)
      for (const message of messages) subscription.deliver(message)
      if (subscription.closed) return
      subscription.moveTo(head)
      subscription.presenceSince = this.#serial
      this.#subscriptions.add(subscription)
    })
  }

  remove(subscription: FeedSubscription): void {
    this.#subscriptions.delete(subscription)
  }

  /** Before something is caused that can be refused. @throws LimitError `ERR_QUEUE_LIMIT`. */
  checkRoomFor(bytes: number): void {
    if (!this.#busy) return
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings
    if (this.#waiting.length < maxQueuedMessages && this.#waitingBytes + bytes <= maxQueuedBytes) return
    throw new LimitError(
      'ERR_QUEUE_LIMIT',
      `Cannot publish: ${this.#waiting.length} messages with ${this.#waitingBytes} bytes wait for listeners that are being called`,
      { details: { maxQueuedMessages, maxQueuedBytes } },
    )
  }

  deliver(message: RoomMessage, bytes: number): void {
    if (this.#busy) {
      this.#wait({ message, bytes })
      return
    }
    this.#busy = true
    for (const subscription of this.#subscriptions) subscription.deliver(message)
    this.#settle()
  }

  deliverPresence(presence: PresenceEvent): void {
    this.#serial += 1
    const serial = this.#serial
    if (this.#busy) {
      this.#wait({ presence, serial, bytes: 0 })
      return
    }
    this.#busy = true
    for (const subscription of this.#subscriptions) subscription.deliverPresence(presence, serial)
    this.#settle()
  }

  /**
   * Messages up to `until` never come: told to those who have not seen them all, and to everybody when presence was
   * missed, too.
   */
  deliverGap(until: Position, presenceMissed: boolean): void {
    this.#run(() => {
      for (const subscription of this.#subscriptions) {
        if (subscription.isBehind(until)) subscription.deliverGap(until)
        else if (presenceMissed) subscription.deliverGap(subscription.position)
      }
    })
  }

  /** Who comes and goes may have been missed, and nothing else. */
  deliverPresenceMissed(): void {
    this.#run(() => {
      for (const subscription of this.#subscriptions) subscription.deliverGap(subscription.position)
    })
  }

  end(error: Error): void {
    for (const subscription of this.#subscriptions) subscription.end(error)
  }

  #run(deliver: () => void): void {
    if (this.#busy) {
      deliver()
      return
    }
    this.#busy = true
    deliver()
    this.#settle()
  }

  #wait(event: Waiting): void {
    this.#waiting.push(event)
    this.#waitingBytes += event.bytes
  }

  #settle(): void {
    for (let done = 0; this.#waiting.length > 0;) {
      const events = this.#waiting.splice(0, AT_ONCE - done)
      for (const event of events) {
        this.#waitingBytes -= event.bytes
        for (const subscription of this.#subscriptions) {
          if ('message' in event) subscription.deliver(event.message)
          else subscription.deliverPresence(event.presence, event.serial)
        }
      }
      done += events.length
      if (done >= AT_ONCE && this.#waiting.length > 0) {
        this.#settings.clock.soon(() => this.#settle())
        return
      }
    }
    this.#busy = false
  }
}
