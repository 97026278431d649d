import type { Logger } from '../base/logger.js'

/** What one broker counts of its own, and where it reports listeners that throw. */
export class BrokerCounts {
  published: number = 0
  delivered: number = 0
  gaps: number = 0
  failed: number = 0
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** A listener threw, or the promise that it returned was rejected. */
  report(room: string, error: unknown): void {
    this.failed += 1
    this.#logger.error('a listener of a room failed', { room, error })
  }
}
