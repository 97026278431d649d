import { BrokenError } from '../../base/errors.js'
import type { Clock } from '../../base/clock.js'
import type { Broker } from '../broker.js'
import { brokerClock } from '../broker-clock.js'
import type { BrokerSettings } from '../options.js'
import { RemoteBroker } from '../remote/remote-broker.js'
import { LinkBackend } from './link-backend.js'
import { costOf, type HubAnswer, type HubRequest } from './messages.js'

/** The way of a worker to the rooms of its parent, for all of its brokers. */
export class HubLink {
  readonly #send: (batch: readonly HubRequest[]) => void
  readonly #clock: Clock
  readonly #backends = new Map<number, LinkBackend>()
  #opened = 0
  #batch: HubRequest[] = []
  #closed = false

  constructor(send: (batch: readonly HubRequest[]) => void, clock: Clock = brokerClock) {
    this.#send = send
    this.#clock = clock
  }

  /** @throws BrokenError `ERR_BROKER_GONE`. */
  async open(name: string, settings: BrokerSettings): Promise<Broker> {
    if (this.#closed) throw gone()
    this.#opened += 1
    const number = this.#opened
    let opened: Promise<void> | undefined
    const broker = new RemoteBroker(settings, (events) => {
      const backend = new LinkBackend(
        number,
        settings,
        events,
        (request) => this.#request(request),
        () => this.#backends.delete(number),
      )
      this.#backends.set(number, backend)
      opened = backend.open(name, settings)
      return backend
    })
    await opened
    return broker
  }

  receive(batch: readonly HubAnswer[]): void {
    const taken = new Map<number, { count: number; bytes: number }>()
    for (const answer of batch) {
      const { count, bytes } = costOf(answer)
      const sum = taken.get(answer.broker)
      if (sum === undefined) taken.set(answer.broker, { count, bytes })
      else {
        sum.count += count
        sum.bytes += bytes
      }
      this.#backends.get(answer.broker)?.receive(answer)
    }
    for (const [broker, { count, bytes }] of taken) this.#request({ op: 'taken', broker, count, bytes })
  }

  /** Sends what is left to send; from then on all brokers are closed, with `ERR_BROKER_GONE` for what has no answer. */
  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#closed = true
    for (const backend of this.#backends.values()) backend.lose(gone())
    this.#backends.clear()
  }

  /** All of a turn go in one message. */
  #request(request: HubRequest): void {
    if (this.#closed) return
    this.#batch.push(request)
    if (this.#batch.length === 1) this.#clock.soon(() => this.#flush())
  }

  #flush(): void {
    const batch = this.#batch
    this.#batch = []
    if (batch.length > 0) this.#send(batch)
  }
}

const gone = (): BrokenError =>
  new BrokenError('ERR_BROKER_GONE', 'Cannot use the broker: the server of this worker is gone')
