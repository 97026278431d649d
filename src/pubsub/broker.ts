import type { Cache, CacheOptions } from './cache.js'
import type { Rate, RateLimiter } from './rate-limit.js'
import type { Room } from './room.js'

export interface RoomSummary {
  readonly name: string
  readonly members: number
}

/** What a broker counts; always on. */
export interface BrokerMetrics {
  /** Rooms that the backend of this process holds: here, or in a worker those that it listens to. */
  readonly rooms: number
  /** Entered through this broker and not left. */
  readonly members: number
  /** Open, made through this broker. */
  readonly subscriptions: number
  /** Messages that were published through this broker, and taken. */
  readonly published: number
  /** Calls of `message`: one message for three who listen is three. */
  readonly delivered: number
  /** Calls of `gap`. */
  readonly gaps: number
  /** Listeners that threw. */
  readonly failed: number
  /** What the history of all rooms of this process holds, with 256 bytes for what a message costs besides its data. */
  readonly historyMessages: number
  readonly historyBytes: number
}

/** Rooms, with whatever backend stands behind them. Open one for each process or worker, and share it. */
export interface Broker extends AsyncDisposable {
  /** Unique among all brokers: a prefix for ids of publishers and members. */
  readonly id: string
  readonly state: 'open' | 'closed'
  /** Resolves when it is closed, by `close()` or because what stands behind it is gone. */
  readonly closed: Promise<void>
  readonly metrics: BrokerMetrics
  /** A handle; the room itself comes to be when somebody publishes, listens or enters. @throws UsageError `ERR_ROOM_NAME`. */
  room(name: string): Room
  /**
   * Values that are computed once for all servers of the broker; those of one name are the same.
   * @throws UsageError `ERR_ROOM_NAME`, `ERR_OPTION_…`.
   */
  cache<T = unknown>(name: string, options?: CacheOptions): Cache<T>
  /**
   * Limits by a rate; those of one name count together, in all servers of the broker.
   * @throws UsageError `ERR_ROOM_NAME`, `ERR_ARGUMENT`.
   */
  limiter(name: string, rate: Rate): RateLimiter
  /** The rooms that have members, by name. @throws ClosedError `ERR_BROKER_CLOSED`. */
  rooms(): Promise<readonly RoomSummary[]>
  /** Members entered through this broker leave, subscriptions end with `ended`. Idempotent; never rejects. */
  close(): Promise<void>
}
