import { MESSAGE_COST_BYTES } from '../message-size.js'
import type { Position } from '../position.js'
import type { Replay } from '../replay.js'
import type { RoomMessage } from '../room.js'

/** A message that is held, in its room and in the line of all messages of all rooms. */
interface Held {
  readonly message: RoomMessage
  readonly bytes: number
  readonly log: RoomLog
  older: Held | undefined
  newer: Held | undefined
}

export interface HistoryBounds {
  readonly maxMessages: number
  readonly maxBytes: number
}

/** The messages of all rooms in the order in which they came, so that the oldest of all go first. */
export class HistoryBudget {
  readonly #bounds: HistoryBounds
  #oldest: Held | undefined
  #newest: Held | undefined
  messages: number = 0
  bytes: number = 0

  constructor(bounds: HistoryBounds) {
    this.#bounds = bounds
  }

  add(held: Held): void {
    held.older = this.#newest
    if (this.#newest === undefined) this.#oldest = held
    else this.#newest.newer = held
    this.#newest = held
    this.messages += 1
    this.bytes += held.bytes
  }

  remove(held: Held): void {
    const { older, newer } = held
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    held.older = undefined
    held.newer = undefined
    this.messages -= 1
    this.bytes -= held.bytes
  }

  /** The oldest of all is the oldest of its room. */
  trim(): void {
    const { maxMessages, maxBytes } = this.#bounds
    while (this.#oldest !== undefined && (this.messages > maxMessages || this.bytes > maxBytes))
      this.#oldest.log.dropOldest()
  }
}

/** The newest messages of one room, bounded on its own and with all others. */
export class RoomLog {
  readonly epoch: string
  readonly #bounds: HistoryBounds
  readonly #budget: HistoryBudget
  #held: (Held | undefined)[] = []
  #first = 0
  #bytes = 0
  #offset = 0

  constructor(epoch: string, bounds: HistoryBounds, budget: HistoryBudget) {
    this.epoch = epoch
    this.#bounds = bounds
    this.#budget = budget
  }

  get count(): number {
    return this.#held.length - this.#first
  }

  /** The offset of the last message, held or not. */
  get offset(): number {
    return this.#offset
  }

  get head(): Position {
    return { epoch: this.epoch, offset: this.#offset }
  }

  /** `message` has the next offset. One that is larger than all that may be held is not held, nor are those before it. */
  append(message: RoomMessage, dataBytes: number): void {
    this.#offset = message.offset
    const bytes = dataBytes + MESSAGE_COST_BYTES
    const held: Held = { message, bytes, log: this, older: undefined, newer: undefined }
    this.#held.push(held)
    this.#bytes += bytes
    this.#budget.add(held)
    while (this.count > this.#bounds.maxMessages || this.#bytes > this.#bounds.maxBytes) this.dropOldest()
    this.#budget.trim()
  }

  dropOldest(): void {
    const oldest = this.#held[this.#first]
    if (oldest === undefined) return
    this.#held[this.#first] = undefined
    this.#first += 1
    if (this.#first === this.#held.length) {
      this.#held = []
      this.#first = 0
    } else if (this.#first >= 1024 && this.#first * 2 >= this.#held.length) {
      this.#held.splice(0, this.#first)
      this.#first = 0
    }
    this.#bytes -= oldest.bytes
    this.#budget.remove(oldest)
  }

  /** The offset behind which everything is held. */
  get reachesBackTo(): number {
    return this.#offset - this.count
  }

  /** The messages behind an offset, as far as they are held: the oldest first. */
  after(offset: number, maxMessages: number = Infinity): RoomMessage[] {
    const from = this.#first + Math.max(0, offset - this.reachesBackTo)
    const held = this.#held.slice(from, Math.min(from + maxMessages, this.#held.length))
    const messages: RoomMessage[] = []
    for (const entry of held) if (entry !== undefined) messages.push(entry.message)
    return messages
  }

  /** What came after a position; with a gap when not all of it is held, or the position is of another epoch. */
  resume(from: Position, maxMessages?: number): Replay {
    const { head } = this
    const isKnown = from.epoch === this.epoch && from.offset <= head.offset
    const start = isKnown ? Math.max(from.offset, this.reachesBackTo) : this.reachesBackTo
    const gapUntil = isKnown && start === from.offset ? undefined : { epoch: this.epoch, offset: start }
    return { gapUntil, messages: this.after(start, maxMessages), head }
  }

  /** The newest messages. */
  last(count: number): Replay {
    const { head } = this
    return { gapUntil: undefined, messages: this.after(Math.max(0, head.offset - count)), head }
  }

  clear(): void {
    while (this.count > 0) this.dropOldest()
  }
}
