import type { EnterOptions, Member, Membership, PresenceEvent } from './presence.js'
import type { Position } from './position.js'

/** Text or bytes. Bytes are copied when they are published; those of a message that was delivered must not be changed. */
export type RoomData = string | Uint8Array

/** One message, the same object for all who listen in this process. It is a position: resume with `from: message`. */
export interface RoomMessage extends Position {
  readonly room: string
  readonly data: RoomData
  /** Whoever published it, if that was told. */
  readonly publisher: string | undefined
  /** When the backend took it: milliseconds since 1970. */
  readonly timeMs: number
}

export interface PublishOptions {
  /** An id, unique among publishers (`broker.id` helps): subscriptions with the same `except` pass the message over. */
  readonly publisher?: string
}

/**
 * Some messages of a room will not come: history no longer holds them, or nobody knows. One with `missed` 0 says that
 * presence was missed.
 */
export interface Gap {
  readonly room: string
  /** The last position before the gap. */
  readonly after: Position
  /** The last position inside of it: the first message that comes has the next offset. */
  readonly until: Position
  /** How many are missed, where that is known: both positions are of one epoch. */
  readonly missed: number | undefined
}

/**
 * What happens in a room, in order. Each is called within the event that it tells of and must not wait; one that throws
 * is reported to the broker's logger and hurts nobody else. It may publish, subscribe and close: what it publishes comes
 * after what is being delivered.
 */
export interface RoomListener {
  message(message: RoomMessage): void
  /** Who comes and goes. After a `gap` ask `members()` anew: events may be missing, too. */
  presence?(event: PresenceEvent): void
  gap?(gap: Gap): void
  /** The subscription ended without `close()` of its own: the broker was closed, or is gone. The last call. */
  ended?(error: Error): void
}

export interface SubscribeOptions {
  /** What came after this position comes first, as far as history holds it; else `gap` is told once, and then what there is. */
  readonly from?: Position
  /** Instead of `from`: so many of the newest messages come first, or as many as history holds. */
  readonly last?: number
  /** Messages of this publisher are passed over. */
  readonly except?: string
}

export interface Subscription extends AsyncDisposable {
  readonly room: string
  /** The last message that was delivered or passed over; at first, where it began. */
  readonly position: Position
  readonly closed: boolean
  /** Nothing is called any more from now on. Idempotent; never rejects. */
  close(): Promise<void>
}

export interface HistoryOptions {
  /** The messages after this position, the oldest first. Default: the newest ones. */
  readonly after?: Position
  /** Default: as many as history holds. */
  readonly maxMessages?: number
}

export interface HistoryPage {
  /** In the order of their offsets. */
  readonly messages: readonly RoomMessage[]
  /** Set when `after` was given and history does not reach back to it. */
  readonly gap: Gap | undefined
  /** Where the room stands: its last message. */
  readonly head: Position
}

/** A room of a broker: a handle that costs nothing until it is used. Nothing that it rejects becomes an unhandled rejection. */
export interface Room {
  readonly name: string
  /**
   * Appends a message; resolves with its position once the backend has it. Those who listen in this process have seen it
   * by then. At most once: a publish that rejects with `ERR_BROKER_GONE` may have been taken.
   * @throws LimitError `ERR_ROOM_MESSAGE_SIZE`, `ERR_ROOM_LIMIT`, `ERR_QUEUE_LIMIT`; UsageError `ERR_ROOM_NAME`;
   *   ClosedError `ERR_BROKER_CLOSED`; BrokenError `ERR_BROKER_GONE`.
   */
  publish(data: RoomData, options?: PublishOptions): Promise<Position>
  /**
   * Listens. What `from` or `last` ask for is delivered before it resolves, and then each message once, in order.
   * @throws LimitError `ERR_ROOM_LIMIT`; UsageError `ERR_ARGUMENT`; ClosedError `ERR_BROKER_CLOSED`.
   */
  subscribe(listener: RoomListener, options?: SubscribeOptions): Promise<Subscription>
  /** @throws UsageError `ERR_ARGUMENT`; ClosedError `ERR_BROKER_CLOSED`. */
  history(options?: HistoryOptions): Promise<HistoryPage>
  /**
   * Makes somebody a member until `leave()`, or until this broker, its worker or its server ends.
   * @throws BusyError `ERR_MEMBER_TAKEN`; LimitError `ERR_ROOM_LIMIT`, `ERR_ROOM_MESSAGE_SIZE`; UsageError
   *   `ERR_ROOM_NAME`, `ERR_ARGUMENT`; ClosedError `ERR_BROKER_CLOSED`.
   */
  enter(member: Member, options?: EnterOptions): Promise<Membership>
  /** In the order in which they came. */
  members(): Promise<readonly Member[]>
}
