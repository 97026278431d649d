import { DONE } from '../base/deferred.js'
import type { BrokerCounts } from './counts.js'
import type { Position } from './position.js'
import type { PresenceEvent } from './presence.js'
import { gapBetween } from './replay.js'
import type { RoomListener, RoomMessage, Subscription } from './room.js'

/** One listener of a feed, with how far it has come. */
export class FeedSubscription implements Subscription {
  readonly room: string
  readonly #listener: RoomListener
  readonly #except: string | undefined
  readonly #counts: BrokerCounts
  readonly #closing: (subscription: FeedSubscription) => void
  #epoch: string
  #offset: number
  #closed = false
  /** Presence events up to this number are of before it began. */
  presenceSince: number = 0

  constructor(
    room: string,
    listener: RoomListener,
    except: string | undefined,
    start: Position,
    counts: BrokerCounts,
    closing: (subscription: FeedSubscription) => void,
  ) {
    this.room = room
    this.#listener = listener
    this.#except = except
    this.#epoch = start.epoch
    this.#offset = start.offset
    this.#counts = counts
    this.#closing = closing
  }

  get position(): Position {
    return { epoch: this.#epoch, offset: this.#offset }
  }

  get closed(): boolean {
    return this.#closed
  }

  deliver(message: RoomMessage): void {
    if (this.#closed || (message.offset <= this.#offset && message.epoch === this.#epoch)) return
    this.#epoch = message.epoch
    this.#offset = message.offset
    if (this.#except !== undefined && this.#except === message.publisher) return
    const counts = this.#counts
    counts.delivered += 1
    try {
      const returned: unknown = this.#listener.message(message)
      if (returned !== undefined) this.#watch(returned)
    } catch (error) {
      counts.report(this.room, error)
    }
  }

  deliverPresence(event: PresenceEvent, serial: number): void {
    if (this.#closed || serial <= this.presenceSince) return
    this.#guarded(() => this.#listener.presence?.(event))
  }

  /** Messages up to `until` will not come. */
  deliverGap(until: Position): void {
    if (this.#closed) return
    const gap = gapBetween(this.room, this.position, until)
    this.moveTo(until)
    this.#counts.gaps += 1
    this.#guarded(() => this.#listener.gap?.(gap))
  }

  /** Whether it has not seen everything up to there. */
  isBehind({ epoch, offset }: Position): boolean {
    return epoch !== this.#epoch || offset > this.#offset
  }

  /** What lies before is not for this one. */
  moveTo({ epoch, offset }: Position): void {
    this.#epoch = epoch
    this.#offset = offset
  }

  end(error: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#closing(this)
    this.#guarded(() => this.#listener.ended?.(error))
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.#closing(this)
    }
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #guarded(call: () => unknown): void {
    try {
      this.#watch(call())
    } catch (error) {
      this.#counts.report(this.room, error)
    }
  }

  /** An async listener returns a promise: its rejection is reported like what is thrown. */
  #watch(returned: unknown): void {
    if (returned instanceof Promise) returned.catch((error: unknown) => this.#counts.report(this.room, error))
  }
}
