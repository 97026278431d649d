import type { BrokerSettings } from '../options.js'
import { decisionOf, use, type RateDecision, type Used, type WholeRate } from '../rate-limit.js'
import type { Lifeline } from '../remote/lifeline.js'
import type { NatsConnection } from './nats-connection.js'
import { encodeName } from './subject-names.js'

/**
 * How much each key of each limiter has used: a record each, set only when it is the one that was read. Time is that of the
 * server that asks: clocks that differ by a second let one second's worth more through.
 */
export class RateRecords {
  readonly #line: Lifeline<NatsConnection>
  readonly #settings: BrokerSettings
  readonly #stream: string
  readonly #base: string

  /** Subjects are `<base>.<limiter>.<key>`. */
  constructor(line: Lifeline<NatsConnection>, settings: BrokerSettings, stream: string, base: string) {
    this.#line = line
    this.#settings = settings
    this.#stream = stream
    this.#base = base
  }

  async take(name: string, key: string, rate: WholeRate, cost: number): Promise<RateDecision> {
    return decisionOf(await this.#use(`${this.#base}.${encodeName(name)}.${encodeName(key)}`, rate, cost), rate, cost)
  }

  async #use(subject: string, rate: WholeRate, cost: number): Promise<Used> {
    for (;;) {
      const connection = this.#line.need()
      const stored = await connection.last(this.#stream, subject)
      const before = stored === undefined ? 0 : Number(Buffer.from(stored.data).toString())
      const used = use(before, this.#settings.clock.now(), rate, cost)
      if (!used.isAllowed) return used
      const seq = await connection.set(subject, Buffer.from(String(used.usedUpMs)), stored?.seq ?? 0)
      if (seq !== undefined) return used
    }
  }
}
