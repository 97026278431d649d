import type { HubAnswer, HubRequest } from '#src/pubsub/link/messages.js'
import { silentLogger } from '#src/base/logger.js'
import { readOptions } from '#src/base/options.js'
import type { Broker } from '#src/pubsub/broker.js'
import { HubLink } from '#src/pubsub/link/hub-link.js'
import { LinkHost } from '#src/pubsub/link/link-host.js'
import { BROKER_OPTIONS, type BrokerLimits } from '#src/pubsub/options.js'

/** A worker and its parent in one thread: what goes between them is cloned, and can be held back. */
export class LinkedPair {
  readonly host: LinkHost
  readonly link: HubLink
  /** While it is set, nothing reaches the worker. */
  stalled = false
  readonly #toWorker: (readonly HubAnswer[])[] = []
  batches = 0

  constructor() {
    this.host = new LinkHost((batch) => {
      this.batches += 1
      this.#toWorker.push(structuredClone(batch))
      this.#soonPass()
    }, silentLogger)
    this.link = new HubLink((batch) => {
      const cloned: readonly HubRequest[] = structuredClone(batch)
      setImmediate(() => this.host.receive(cloned))
    })
  }

  /** How many messages and answers wait while it is stalled. */
  get waiting(): number {
    return this.#toWorker.reduce((sum, batch) => sum + batch.length, 0)
  }

  resume(): void {
    this.stalled = false
    this.#soonPass()
  }

  /** One batch a turn: the worker tells that it has taken some while others are still on their way. */
  #soonPass(): void {
    setImmediate(() => {
      const next = this.stalled ? undefined : this.#toWorker.shift()
      if (next === undefined) return
      this.link.receive(next)
      this.#soonPass()
    })
  }

  open(name: string, limits?: Partial<BrokerLimits>): Promise<Broker> {
    return this.link.open(name, readOptions('the broker', BROKER_OPTIONS, limits))
  }
}
