import type { RoomSummary } from '../broker.js'
import type { Member, PresenceEvent } from '../presence.js'
import type { Position } from '../position.js'
import type { RateDecision, WholeRate } from '../rate-limit.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData, RoomMessage } from '../room.js'
import type { Values } from '../values.js'

/**
 * Where the rooms are, when they are not in this thread: at the parent of a worker, at Redis, at NATS. What is asked has
 * been checked; what is asked of one room is done in that order.
 */
export interface Backend {
  /** Before something is asked. @throws LimitError `ERR_QUEUE_LIMIT` when so many bytes more would be too much. */
  check(bytes: number): void
  /** `data` is the backend's to keep. */
  append(room: string, data: RoomData, publisher: string | undefined): Promise<Position>
  /** Waits for as long as it takes when it is `patient`: for those who listen already. */
  read(room: string, options: HistoryOptions, patient: boolean): Promise<Replay>
  /** What happens in the room is told from now on. Whatever was asked behind it is done behind it. */
  follow(room: string): Promise<void>
  unfollow(room: string): void
  /** `entering` is a number of this broker's own. */
  enter(room: string, entering: number, member: Member, unique: boolean): Promise<void>
  update(room: string, entering: number, member: Member): Promise<void>
  leave(room: string, entering: number, id: string): Promise<void>
  members(room: string): Promise<readonly Member[]>
  take(name: string, key: string, rate: WholeRate, cost: number): Promise<RateDecision>
  rooms(): Promise<readonly RoomSummary[]>
  readonly values: Values
  /** What was asked before is done first, as far as that takes no longer than is bearable. Never rejects. */
  close(): Promise<void>
}

/** What a backend tells of the rooms that are followed: in order, and of each message at least once. */
export interface BackendEvents {
  message(message: RoomMessage): void
  presence(event: PresenceEvent): void
  /** Messages up to there will not come. */
  gap(room: string, until: Position, presenceMissed: boolean): void
  /** For a while nothing could be told: each room goes on from history. */
  missed(): void
  /** It will never be there again. */
  lost(error: Error): void
}

export type OpenBackend = (events: BackendEvents) => Backend
