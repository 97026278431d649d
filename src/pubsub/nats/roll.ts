import type { BrokerSettings } from '../options.js'
import type { NatsConnection } from './nats-connection.js'

/**
 * Which brokers live: each says so a few times in a lease, to all others, and stands in a roll for as long as it does.
 * Whoever is silent for a lease is dead; one of the others removes what is left of it.
 */
export class Roll {
  readonly #settings: BrokerSettings
  readonly #id: string
  readonly #stream: string
  readonly #base: string
  readonly #bury: (broker: string) => Promise<void>
  readonly #heardMs = new Map<string, number>()
  readonly #dying = new Set<string>()

  /** `bury` is called for one that is dead, before its name is taken from the roll. */
  constructor(
    settings: BrokerSettings,
    id: string,
    stream: string,
    base: string,
    bury: (broker: string) => Promise<void>,
  ) {
    this.#settings = settings
    this.#id = id
    this.#stream = stream
    this.#base = base
    this.#bury = bury
  }

  /** Before anything else is done over a connection. */
  join(connection: NatsConnection): void {
    connection.subscribe(`${this.#base}.beat`, (_subject, data) => this.#heard(Buffer.from(data).toString()))
    connection.subscribe(`${this.#base}.bye`, (_subject, data) => this.#heardMs.delete(Buffer.from(data).toString()))
    // What was not heard while nothing could be is no sign.
    for (const broker of this.#heardMs.keys()) this.#heard(broker)
  }

  /** Says that we live. False when we were taken for dead, or stand there for the first time. */
  async beat(connection: NatsConnection): Promise<boolean> {
    connection.publish(`${this.#base}.beat`, this.#id)
    const there = await connection.subjects(this.#stream, `${this.#base}.roll.*`)
    const own = this.#name(this.#id)
    for (const subject of there) {
      const broker = subject.slice(own.length - this.#id.length)
      if (broker !== this.#id && !this.#heardMs.has(broker)) this.#heard(broker)
    }
    this.#look(connection)
    if (there.includes(own)) return true
    await connection.set(own, new Uint8Array(1), 0)
    return false
  }

  /** We are about to end, and have removed what was ours. */
  async leave(connection: NatsConnection): Promise<void> {
    await connection.purge(this.#stream, this.#name(this.#id))
    connection.publish(`${this.#base}.bye`, this.#id)
  }

  #heard(broker: string): void {
    this.#heardMs.set(broker, this.#settings.clock.now())
  }

  #look(connection: NatsConnection): void {
    const { clock, leaseMs } = this.#settings
    const now = clock.now()
    for (const [broker, heardMs] of this.#heardMs) {
      if (broker === this.#id || now - heardMs <= leaseMs || this.#dying.has(broker)) continue
      this.#dying.add(broker)
      // With chance in it: most of the others find that it was done.
      clock.after((Math.random() * leaseMs) / 6, () => void this.#remove(connection, broker))
    }
  }

  async #remove(connection: NatsConnection, broker: string): Promise<void> {
    try {
      const name = this.#name(broker)
      const isThere = (await connection.last(this.#stream, name)) !== undefined
      const isSilent = this.#settings.clock.now() - (this.#heardMs.get(broker) ?? 0) > this.#settings.leaseMs
      if (isThere && isSilent) {
        await this.#bury(broker)
        await connection.purge(this.#stream, name)
      }
      if (isSilent) this.#heardMs.delete(broker)
    } catch (error) {
      // It is still silent the next time that somebody looks.
      this.#settings.logger.debug('could not remove what is left of a broker', { broker, error })
    } finally {
      this.#dying.delete(broker)
    }
  }

  #name(broker: string): string {
    return `${this.#base}.roll.${broker}`
  }
}
