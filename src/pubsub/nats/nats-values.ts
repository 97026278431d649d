import type { BrokerSettings } from '../options.js'
import { BRIEFLY_MS, type Lifeline } from '../remote/lifeline.js'
import { NOTHING, type Kept, type Values } from '../values.js'
import type { NatsConnection, Stored } from './nats-connection.js'
import { encodeName } from './subject-names.js'

const NEWLINE = 0x0a

/** A record with what of it can still be used. */
interface Read {
  readonly stored: Stored | undefined
  readonly kept: Kept | undefined
}

/** Values at NATS: a record each, with the time until which it is one; the stream forgets the oldest when it is full. */
export class NatsValues implements Values {
  readonly #line: Lifeline<NatsConnection>
  readonly #settings: BrokerSettings
  readonly #stream: string
  readonly #base: string

  /** Subjects are `<base>.<space>.<key>`. */
  constructor(line: Lifeline<NatsConnection>, settings: BrokerSettings, stream: string, base: string) {
    this.#line = line
    this.#settings = settings
    this.#stream = stream
    this.#base = base
  }

  get(space: string, keys: readonly string[]): Promise<readonly (Kept | undefined)[]> {
    const subjects = keys.map((key) => this.#subject(space, key))
    const read = async (): Promise<readonly (Kept | undefined)[]> =>
      (await Promise.all(subjects.map((subject) => this.#read(subject)))).map(({ kept }) => kept)
    return this.#line.outbox.ask(0, read, BRIEFLY_MS)
  }

  set(space: string, key: string, bytes: Uint8Array, ttlMs: number, expected?: string): Promise<string | undefined> {
    const subject = this.#subject(space, key)
    return this.#line.outbox.ask(bytes.length, () => this.#set(subject, bytes, ttlMs, expected), BRIEFLY_MS)
  }

  async delete(space: string, key: string): Promise<void> {
    const subject = this.#subject(space, key)
    await this.#line.outbox.ask(0, () => this.#line.need().purge(this.#stream, subject), BRIEFLY_MS)
  }

  async #set(subject: string, bytes: Uint8Array, ttlMs: number, expected?: string): Promise<string | undefined> {
    for (;;) {
      const { stored, kept } = await this.#read(subject)
      if (expected !== undefined && expected !== (kept?.version ?? NOTHING)) return undefined
      const head = Buffer.from(`${this.#settings.clock.now() + ttlMs}\n`)
      const seq = await this.#line.need().set(subject, Buffer.concat([head, bytes]), stored?.seq ?? 0)
      if (seq !== undefined) return String(seq)
    }
  }

  async #read(subject: string): Promise<Read> {
    const stored = await this.#line.need().last(this.#stream, subject)
    if (stored === undefined) return { stored, kept: undefined }
    const { seq, data } = stored
    const end = data.indexOf(NEWLINE)
    const untilMs = Number(Buffer.from(data.subarray(0, end)).toString())
    const isOver = !(untilMs > this.#settings.clock.now())
    return { stored, kept: isOver ? undefined : { version: String(seq), bytes: data.slice(end + 1) } }
  }

  #subject(space: string, key: string): string {
    return `${this.#base}.${encodeName(space)}.${encodeName(key)}`
  }
}
