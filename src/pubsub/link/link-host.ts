import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import { brokerClock } from '../broker-clock.js'
import { openSession } from '../memory/hubs.js'
import type { BrokerSettings } from '../options.js'
import { HubGuest } from './hub-guest.js'
import type { HubAnswer, HubRequest } from './messages.js'

/** The rooms of this process for one worker: what its brokers ask for is done here, and answered in order. */
export class LinkHost {
  readonly #send: (batch: readonly HubAnswer[]) => void
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #guests = new Map<number, HubGuest>()
  #batch: HubAnswer[] = []
  #closed = false

  constructor(send: (batch: readonly HubAnswer[]) => void, logger: Logger, clock: Clock = brokerClock) {
    this.#send = send
    this.#logger = logger
    this.#clock = clock
  }

  receive(batch: readonly HubRequest[]): void {
    for (const request of batch) {
      if (this.#closed) return
      if (request.op === 'open') this.#open(request)
      this.#guests.get(request.broker)?.receive(request)
    }
  }

  /** The worker is gone: its members leave. */
  close(): void {
    this.#closed = true
    this.#batch = []
    for (const guest of this.#guests.values()) guest.close()
  }

  #open({ broker, name, limits }: HubRequest & { readonly op: 'open' }): void {
    const settings: BrokerSettings = { ...limits, clock: this.#clock, logger: this.#logger }
    const { session, release } = openSession(name, settings)
    const guest = new HubGuest(
      broker,
      limits,
      session,
      (answer) => this.#answer(answer),
      () => {
        this.#guests.delete(broker)
        release()
      },
    )
    this.#guests.set(broker, guest)
  }

  /** All of a turn go in one message. */
  #answer(answer: HubAnswer): void {
    if (this.#closed) return
    this.#batch.push(answer)
    if (this.#batch.length > 1) return
    this.#clock.soon(() => {
      const batch = this.#batch
      this.#batch = []
      if (batch.length > 0) this.#send(batch)
    })
  }
}
