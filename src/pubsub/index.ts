export type { Broker, BrokerMetrics, RoomSummary } from './broker.js'
export { MemoryBroker } from './memory/memory-broker.js'
export { openBroker } from './open-broker.js'
export type { BrokerLimits, BrokerOptions, BrokerSettings } from './options.js'
export type { Cache, CacheCounts, CacheOptions, CacheSettings, KeepOptions } from './cache.js'
export type { Rate, RateDecision, RateLimiter } from './rate-limit.js'
export { formatPosition, tryParsePosition, type Position } from './position.js'
export type { EnterOptions, Member, Membership, PresenceEvent } from './presence.js'
export type {
  Gap,
  HistoryOptions,
  HistoryPage,
  PublishOptions,
  Room,
  RoomData,
  RoomListener,
  RoomMessage,
  SubscribeOptions,
  Subscription,
} from './room.js'
