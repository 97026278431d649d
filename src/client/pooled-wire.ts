import type { Exchange } from './exchange.js'

/** What a connection tells the pool that it belongs to. */
export interface WireOwner {
  /** It can take another request. */
  idle(wire: PooledWire): void
  /** It takes no request any more. Once. */
  retired(wire: PooledWire): void
}

/** A connection that carries exchanges: one at a time, or many beside each other. */
export interface PooledWire {
  /** Whether a request can be sent now. */
  readonly isUsable: boolean
  /** How long the server lets it idle; Infinity where it did not say. */
  readonly keepAliveMs: number
  /** Whether it takes requests beside those that are under way. */
  readonly carriesMany: boolean
  /** It idles for longer than a turn, and keeps no process running. */
  readonly isResting: boolean
  /** When the last exchange was over. */
  readonly idleSince: number
  /** How many exchanges it has carried. */
  readonly served: number
  /** Sends a request. @throws UsageError for what cannot be sent as it is: nothing was sent then. */
  run(exchange: Exchange): void
  rest(): void
  /** Ends it in order: at once when it idles, else behind what is under way. */
  retire(): void
  destroy(): void
}
