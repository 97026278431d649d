import { nothingToUnlink, onAbort, type AbortSignalLike } from '../base/cancellation.js'
import type { ServerSentEvent } from '../http/event-stream.js'
import { formatPosition, type Position } from '../pubsub/position.js'
import type { Gap, Room, RoomListener, RoomMessage, Subscription } from '../pubsub/room.js'
import { eventOfGap, eventOfMessage } from './rooms-protocol.js'

export interface FollowerSettings {
  readonly last: number
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
}

/** Read from history at once: few, for each may be as large as a message can be, and they travel to a worker. */
const PAGE_MESSAGES = 16

/**
 * The events of a room from a position on, or with the newest messages first. They end when `draining` aborts: who wants
 * more comes again, to the next server. Each end of the iteration ends the subscription, too.
 */
export async function followRoom(
  room: Room,
  from: Position | undefined,
  settings: FollowerSettings,
  draining: AbortSignalLike,
): Promise<AsyncIterableIterator<ServerSentEvent, undefined>> {
  const follower = new RoomFollower(room, settings)
  follower.begin(await room.subscribe(follower), from, draining)
  return follower
}

type Queued = { readonly message: RoomMessage; readonly bytes: number } | { readonly gap: Gap; readonly bytes: 0 }

const OVER: IteratorResult<ServerSentEvent, undefined> = { done: true, value: undefined }

/**
 * Messages between a room, which does not wait, and a client, which reads as fast as it likes. While the queue has room it
 * takes what happens as it happens. When it has none, and at first, what happens is left to history, which is read when
 * the client has taken the queue, until nothing happens meanwhile.
 */
class RoomFollower implements RoomListener, AsyncIterableIterator<ServerSentEvent, undefined> {
  readonly #room: Room
  readonly #settings: FollowerSettings
  #queue: Queued[] = []
  #bytes = 0
  /** Of what was queued last, or where it began. */
  #at: Position | undefined
  /** What is between `#at` and the head of the room is not in the queue. */
  #isBehind = true
  /** Something happened that was left to history, since it was read last. */
  #hasMore = false
  /** Nobody asked for what history has lost up to here. */
  #unasked = -1
  #subscription: Subscription | undefined
  #isOver = false
  #unlink: () => void = nothingToUnlink
  #wake: (() => void) | undefined

  constructor(room: Room, settings: FollowerSettings) {
    this.#room = room
    this.#settings = settings
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  begin(subscription: Subscription, from: Position | undefined, draining: AbortSignalLike): void {
    this.#subscription = subscription
    if (this.#isOver) {
      void subscription.close()
      return
    }
    const { epoch, offset } = subscription.position
    if (from === undefined) this.#unasked = offset
    this.#at = from ?? { epoch, offset: Math.max(0, offset - this.#settings.last) }
    this.#unlink = onAbort(draining, () => this.#finish())
  }

  // ---- from the room

  message(message: RoomMessage): void {
    if (this.#isBehind || !this.#isNext(message)) this.#leaveToHistory()
    else this.#push(message)
    this.#wake?.()
  }

  gap(gap: Gap): void {
    // Of presence, which is not told here.
    if (gap.missed === 0) return
    if (this.#isBehind || this.#isFull) this.#leaveToHistory()
    else this.#pushGap(gap)
    this.#wake?.()
  }

  ended(): void {
    this.#finish()
  }

  // ---- to the client

  async next(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    while (!this.#isOver) {
      const queued = this.#queue.shift()
      if (queued !== undefined) {
        this.#bytes -= queued.bytes
        return { done: false, value: toEvent(queued) }
      }
      if (this.#isBehind) await this.#readHistory()
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    return OVER
  }

  return(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    this.#finish()
    return Promise.resolve(OVER)
  }

  #finish(): void {
    this.#isOver = true
    this.#queue = []
    this.#bytes = 0
    this.#unlink()
    void this.#subscription?.close()
    this.#wake?.()
  }

  async #readHistory(): Promise<void> {
    const after = this.#at
    if (after === undefined) return
    this.#hasMore = false
    const { messages, gap, head } = await this.#room.history({ after, maxMessages: PAGE_MESSAGES })
    if (this.#isOver) return
    if (gap !== undefined) {
      if (gap.until.offset > this.#unasked) this.#pushGap(gap)
      this.#at = gap.until
    }
    for (const message of messages) {
      // The rest is read again when these are taken.
      if (this.#isFull) return
      this.#push(message)
    }
    const { epoch, offset } = messages.at(-1) ?? gap?.until ?? after
    this.#isBehind = this.#hasMore || offset !== head.offset || epoch !== head.epoch
  }

  #isNext({ epoch, offset }: Position): boolean {
    return epoch === this.#at?.epoch && offset === this.#at.offset + 1 && !this.#isFull
  }

  get #isFull(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings
    return this.#queue.length >= maxQueuedMessages || (this.#queue.length > 0 && this.#bytes >= maxQueuedBytes)
  }

  #leaveToHistory(): void {
    this.#isBehind = true
    this.#hasMore = true
  }

  #push(message: RoomMessage): void {
    const bytes = message.data.length
    this.#queue.push({ message, bytes })
    this.#bytes += bytes
    this.#at = message
  }

  #pushGap(gap: Gap): void {
    this.#queue.push({ gap, bytes: 0 })
    this.#at = gap.until
  }
}

function toEvent(queued: Queued): ServerSentEvent {
  if ('gap' in queued) {
    const { gap } = queued
    return { event: 'gap', id: formatPosition(gap.until), data: JSON.stringify(eventOfGap(gap)) }
  }
  const { message } = queued
  return { id: formatPosition(message), data: JSON.stringify(eventOfMessage(message)) }
}
