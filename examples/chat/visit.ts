import { tryParsePosition, type Broker } from 'moorage/pubsub'
import { Chatter } from './chatter.js'
import type { ChatEvent } from './events.js'

/** Those who are here by a page, by the secret of that page. */
const visits = new Map<string, Visit>()

/** Longer than can be guessed; what is longer than that is none. */
const SECRET = /^[\w-]{22,64}$/

/**
 * One connection of a page. Who comes back with the secret of the page takes its name over, also from a connection of
 * which only the client has noticed that it is lost.
 */
export class Visit {
  readonly #chatter: Chatter
  readonly #over: (why: string) => void
  #session: string | undefined
  #entering: Promise<boolean> | undefined

  /** `over` ends the connection, and tells why; like `tell` it must not wait. */
  constructor(broker: Broker, tell: (event: ChatEvent) => void, over: (why: string) => void) {
    this.#chatter = new Chatter(broker, tell)
    this.#over = over
  }

  /** Enters as the query of the page says: `name`, and for one that comes back `session`, `room` and `from`. */
  begin(query: URLSearchParams, last?: string): Promise<boolean> {
    const session = query.get('session') ?? ''
    if (SECRET.test(session)) this.#session = session
    const before = visits.get(session)
    if (this.#session !== undefined) visits.set(session, this)
    this.#entering = this.#enter(before, query, last)
    return this.#entering
  }

  async #enter(before: Visit | undefined, query: URLSearchParams, last: string | undefined): Promise<boolean> {
    if (before !== undefined) await before.#takenOver()
    const room = query.get('room') ?? undefined
    const from = tryParsePosition(last ?? query.get('from') ?? '')
    return this.#chatter.introduce(query.get('name') ?? '', {
      ...(room === undefined ? {} : { room }),
      ...(from === undefined ? {} : { from }),
    })
  }

  async #takenOver(): Promise<void> {
    this.#over('you are here by another connection')
    await this.end()
  }

  /** False when they want to leave. */
  receive(line: string): Promise<boolean> {
    return this.#chatter.receive(line)
  }

  /** The connection is over, whoever ended it. */
  async end(): Promise<void> {
    if (this.#session !== undefined && visits.get(this.#session) === this) visits.delete(this.#session)
    try {
      // Whoever is entering has not left before having entered.
      await this.#entering
    } finally {
      await this.#chatter.leave()
    }
  }
}
