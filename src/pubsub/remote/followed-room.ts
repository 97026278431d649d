import { closedError } from '../closed-error.js'
import { Feed, type FeedSettings } from '../feed.js'
import type { FeedSubscription } from '../feed-subscription.js'
import type { Position } from '../position.js'
import type { PresenceEvent } from '../presence.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomMessage } from '../room.js'
import type { Backend } from './backend.js'

const AGAIN_MS = 500

/** What came while history was being read. */
class Meanwhile {
  readonly #max: number
  messages: RoomMessage[] = []
  /** Not all is here. */
  isTorn: boolean = false

  constructor(max: number) {
    this.#max = max
  }

  add(message: RoomMessage): void {
    if (this.messages.length < this.#max) this.messages.push(message)
    else this.isTorn = true
  }
}

interface Waiting extends Position {
  readonly resolve: () => void
}

/**
 * A room elsewhere that somebody here listens to. It hands on what comes when it is the next in order, and reads history
 * when something is missing in between: after the backend was away, or when two ways from it differ in speed.
 */
export class FollowedRoom {
  readonly #name: string
  readonly #backend: Backend
  readonly #settings: FeedSettings
  readonly feed: Feed
  /** Subscriptions, and those that are about to be. */
  users: number = 0
  /** The last message that was handed on; nothing is known before the first reading of history. */
  #epoch: string | undefined
  #offset = 0
  readonly #readings = new Set<Meanwhile>()
  #catching: Meanwhile | undefined
  #presenceMissed = false
  #ended = false
  #waiting: Waiting[] = []

  constructor(name: string, backend: Backend, settings: FeedSettings) {
    this.#name = name
    this.#backend = backend
    this.#settings = settings
    this.feed = new Feed(settings)
  }

  /** Reads what a subscription asks for, and gives it that and what comes behind it. */
  async begin(options: HistoryOptions, make: (replay: Replay) => FeedSubscription): Promise<FeedSubscription> {
    for (;;) {
      const meanwhile = new Meanwhile(this.#settings.maxQueuedMessages)
      this.#readings.add(meanwhile)
      try {
        const replay = await this.#backend.read(this.#name, options, false)
        if (this.#ended) throw closedError()
        const whole = meanwhile.isTorn ? undefined : withLater(replay, meanwhile.messages)
        if (this.#epoch === undefined) {
          const subscription = make(replay)
          this.#moveTo(replay.head)
          this.feed.begin(subscription, replay)
          if (meanwhile.isTorn) void this.#catchUp()
          else for (const message of meanwhile.messages) this.receive(message)
          return subscription
        }
        if (whole !== undefined) {
          const subscription = make(whole)
          this.feed.begin(subscription, whole)
          return subscription
        }
      } finally {
        this.#readings.delete(meanwhile)
      }
    }
  }

  receive(message: RoomMessage): void {
    if (this.#ended) return
    if (this.#epoch === undefined) {
      for (const reading of this.#readings) reading.add(message)
      return
    }
    if (this.#catching !== undefined) this.#catching.add(message)
    else if (message.epoch !== this.#epoch || message.offset > this.#offset + 1) void this.#catchUp()
    else if (message.offset === this.#offset + 1) this.#deliver(message)
  }

  presence(event: PresenceEvent): void {
    if (!this.#ended) this.feed.deliverPresence(event)
  }

  gap(until: Position, presenceMissed: boolean): void {
    if (this.#ended || this.#epoch === undefined) return
    for (const reading of this.#readings) reading.isTorn = true
    this.#moveTo(until)
    this.feed.deliverGap(until, presenceMissed)
  }

  /** For a while nothing was told. */
  missed(): void {
    this.#presenceMissed = true
    if (this.#epoch !== undefined) void this.#catchUp()
  }

  /** Resolves when those who listen here have seen what stands there. */
  reached({ epoch, offset }: Position): Promise<void> | undefined {
    if (this.#ended || this.#epoch === undefined || (epoch === this.#epoch && offset <= this.#offset)) return undefined
    return new Promise((resolve) => {
      this.#waiting.push({ epoch, offset, resolve })
    })
  }

  end(error?: Error): void {
    this.#ended = true
    if (error !== undefined) this.feed.end(error)
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting = []
  }

  #deliver(message: RoomMessage): void {
    for (const reading of this.#readings) reading.add(message)
    this.#epoch = message.epoch
    this.#offset = message.offset
    this.feed.deliver(message, message.data.length)
    this.#wake()
  }

  #moveTo({ epoch, offset }: Position): void {
    this.#epoch = epoch
    this.#offset = offset
    this.#wake()
  }

  #wake(): void {
    let done = 0
    for (const { epoch, offset, resolve } of this.#waiting) {
      if (epoch === this.#epoch && offset > this.#offset) break
      resolve()
      done += 1
    }
    if (done > 0) this.#waiting.splice(0, done)
  }

  /** Hands on what history has behind what was handed on. What comes meanwhile is looked at when that is done. */
  async #catchUp(): Promise<void> {
    if (this.#catching !== undefined || this.#epoch === undefined) return
    const meanwhile = new Meanwhile(this.#settings.maxQueuedMessages)
    this.#catching = meanwhile
    const after = { epoch: this.#epoch, offset: this.#offset }
    let replay: Replay
    try {
      replay = await this.#backend.read(this.#name, { after }, true)
    } catch {
      this.#catching = undefined
      // It is closed, or lost, and whoever is concerned is told so; or it passes.
      if (!this.#ended) this.#settings.clock.after(AGAIN_MS, () => void this.#catchUp())
      return
    }
    this.#catching = undefined
    if (this.#ended) return
    this.#goOn(replay)
    if (meanwhile.isTorn) void this.#catchUp()
    else for (const message of meanwhile.messages) this.receive(message)
  }

  #goOn({ gapUntil, messages, head }: Replay): void {
    const presenceMissed = this.#presenceMissed
    this.#presenceMissed = false
    if (gapUntil !== undefined) this.gap(gapUntil, presenceMissed)
    else if (presenceMissed) this.feed.deliverPresenceMissed()
    for (const message of messages) this.#deliver(message)
    this.#moveTo(head)
  }
}

/** History with what was handed on to others while it was read; `undefined` when they do not join. */
function withLater(replay: Replay, later: readonly RoomMessage[]): Replay | undefined {
  const { gapUntil, head } = replay
  const messages = [...replay.messages]
  let end = head
  for (const message of later) {
    if (message.epoch !== end.epoch || message.offset > end.offset + 1) return undefined
    if (message.offset <= end.offset) continue
    messages.push(message)
    end = { epoch: message.epoch, offset: message.offset }
  }
  return { gapUntil, messages, head: end }
}
