import type { Clock } from '../base/clock.js'
import { silentLogger, type Logger } from '../base/logger.js'
import { byteCount, count, milliseconds, value, type OptionSpecs } from '../base/options.js'
import { brokerClock } from './broker-clock.js'

/** What the rooms of one backend may hold. Plain numbers: they travel to where the rooms are. */
export interface BrokerLimits {
  readonly maxRooms: number
  readonly historyMessages: number
  readonly historyBytes: number
  readonly maxHistoryMessages: number
  readonly maxHistoryBytes: number
  readonly historyTtlMs: number
  readonly maxMessageBytes: number
  readonly maxSubscriptions: number
  readonly maxMembers: number
  readonly maxRoomMembers: number
  readonly maxMemberBytes: number
  readonly maxLimitKeys: number
  readonly maxCacheEntries: number
  readonly maxCacheBytes: number
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  readonly maxAwayMs: number
  readonly leaseMs: number
}

export interface BrokerSettings extends BrokerLimits {
  readonly clock: Clock
  readonly logger: Logger
}

export type BrokerOptions = Partial<BrokerSettings>

const MIB = 1024 * 1024

const isLogger = (given: unknown): given is Logger =>
  typeof given === 'object' && given !== null && 'error' in given && typeof given.error === 'function'

const isClock = (given: unknown): given is Clock =>
  typeof given === 'object' && given !== null && 'now' in given && 'after' in given && 'soon' in given

const LIMITS: OptionSpecs<BrokerLimits> = {
  maxRooms: count(
    100_000,
    'Rooms at once. Above it the one that nobody has used for the longest is forgotten; when all are in use, ERR_ROOM_LIMIT.',
  ),
  historyMessages: count(1000, 'Messages that a room keeps for those who come later or come back; 0 keeps none.', {
    min: 0,
  }),
  historyBytes: byteCount(MIB, 'The same in bytes, with 256 for each message besides its data. The oldest go first.', {
    min: 0,
  }),
  maxHistoryMessages: count(1_000_000, 'Messages that all rooms keep together; the oldest of all go first.', {
    min: 0,
  }),
  maxHistoryBytes: byteCount(64 * MIB, 'The same in bytes.', { min: 0 }),
  historyTtlMs: milliseconds(
    120_000,
    'Milliseconds that a room without subscriptions and members keeps its history. Socket.IO recovers connections for two minutes, and Ably keeps messages as long.',
  ),
  maxMessageBytes: byteCount(MIB, 'Bytes of one message. NATS and Socket.IO allow 1 MB.'),
  maxSubscriptions: count(1_000_000, 'Subscriptions in all rooms.'),
  maxMembers: count(1_000_000, 'Members in all rooms.'),
  maxRoomMembers: count(10_000, 'Members of one room. Pusher has presence for 100; a list of more is of little use.'),
  maxMemberBytes: byteCount(1024, 'Bytes of JSON that a member shows of itself: Pusher allows as much.'),
  maxLimitKeys: count(
    100_000,
    'Keys of limiters that have used something of their rate. Above it the one that was not heard of for the longest counts as new. At Redis its memory is the bound.',
  ),
  maxCacheEntries: count(
    100_000,
    'Values of all caches, with their tags. Above it those that were not asked for the longest go first. At Redis its memory is the bound.',
  ),
  maxCacheBytes: byteCount(64 * MIB, 'The same in bytes, with 256 for each.'),
  maxQueuedMessages: count(
    10_000,
    'Messages on their way: to a room that is delivering others, to or from a worker. A publish above it rejects with ERR_QUEUE_LIMIT; a worker that does not keep up goes on from history, or is told a gap.',
  ),
  maxQueuedBytes: byteCount(16 * MIB, 'The same in bytes.'),
  maxAwayMs: milliseconds(
    10_000,
    'Milliseconds that what is asked waits for Redis or NATS when it is away; then it rejects with ERR_BROKER_AWAY.',
  ),
  leaseMs: milliseconds(
    3000,
    'Milliseconds after which the members of a server that no longer says that it lives leave, at Redis and NATS. It says so three times in that time.',
    { min: 300 },
  ),
}

export const BROKER_OPTIONS: OptionSpecs<BrokerSettings> = {
  ...LIMITS,
  clock: value<Clock>('a clock', brokerClock, "the system's", 'Where time comes from; a FakeClock in tests.', isClock),
  logger: value('a Logger', silentLogger, 'silent', 'Where listeners that throw are reported.', isLogger),
}

/** The limits alone, as plain data. */
export function plainLimits(settings: BrokerSettings): BrokerLimits {
  const { clock: _clock, logger: _logger, ...limits } = settings
  return limits
}
