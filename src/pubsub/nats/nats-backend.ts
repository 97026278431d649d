import type { RoomSummary } from '../broker.js'
import { closedError } from '../closed-error.js'
import type { BrokerSettings } from '../options.js'
import type { Member } from '../presence.js'
import type { Position } from '../position.js'
import type { Backend, BackendEvents } from '../remote/backend.js'
import type { RateDecision, WholeRate } from '../rate-limit.js'
import { Enterings } from '../remote/enterings.js'
import { BRIEFLY_MS, Lifeline } from '../remote/lifeline.js'
import { encodeMessage, messageTag } from '../remote/message-frame.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData } from '../room.js'
import type { Values } from '../values.js'
import { NatsConnection } from './nats-connection.js'
import type { NatsAddress } from './nats-url.js'
import { NatsValues } from './nats-values.js'
import { RateRecords } from './rate-records.js'
import { decodeBatch, messagesOf } from './room-batch.js'
import { RoomLog } from './room-log.js'
import { RoomMembers } from './room-members.js'
import { Roll } from './roll.js'
import { encodeName } from './subject-names.js'

/** What a key has used is forgotten behind a day: longer than any burst should need to come back. */
const RATE_AGE_MS = 24 * 60 * 60 * 1000
/** Values have times of their own; none is kept for longer. */
const VALUE_AGE_MS = 7 * RATE_AGE_MS

/**
 * Rooms at NATS: two streams of JetStream, one for what is said in all rooms and one for who is there. What is stored is
 * told on subjects of its own, which each server listens to for the rooms that it follows.
 */
export class NatsBackend implements Backend {
  readonly #address: NatsAddress
  readonly #settings: BrokerSettings
  readonly #events: BackendEvents
  readonly #id: string
  readonly #line: Lifeline<NatsConnection>
  readonly #log: RoomLog
  readonly #members: RoomMembers
  readonly #rates: RateRecords
  readonly values: Values
  readonly #roll: Roll
  readonly #enterings: Enterings
  /** What ends the following of each room, over the connection that there is. */
  readonly #followed = new Map<string, () => void>()
  #sequence = 0

  constructor(address: NatsAddress, settings: BrokerSettings, events: BackendEvents, id: string) {
    this.#address = address
    this.#settings = settings
    this.#events = events
    this.#id = id
    this.#line = new Lifeline(address.shown, settings, {
      open: (ended) => NatsConnection.open(address, ended),
      ready: (connection) => this.#ready(connection),
      again: () => events.missed(),
      beat: (connection) => this.#beat(connection),
    })
    this.#log = new RoomLog(this.#line, settings, this.#stream('rooms'), (room) => this.#subject('rooms', room))
    this.#members = new RoomMembers(this.#line, settings, this.#stream('members'), this.#subject('members'))
    this.#rates = new RateRecords(this.#line, settings, this.#stream('rates'), this.#subject('rates'))
    this.values = new NatsValues(this.#line, settings, this.#stream('values'), this.#subject('values'))
    this.#roll = new Roll(settings, id, this.#stream('members'), address.prefix, (broker) =>
      this.#members.leaveAll(broker),
    )
    this.#enterings = new Enterings(id, settings.logger)
  }

  /** The first connection. @throws UsageError, BrokenError, LimitError. */
  open(): Promise<void> {
    return this.#line.open()
  }

  check(bytes: number): void {
    this.#line.outbox.check(bytes)
  }

  async append(room: string, data: RoomData, publisher: string | undefined): Promise<Position> {
    this.#sequence += 1
    const frame = encodeMessage(messageTag(this.#id, this.#sequence), data, publisher)
    // The log asks again by itself; asked twice, it gives the same answer.
    let taken: Promise<Position> | undefined
    return this.#line.outbox.ask(frame.length, () => (taken ??= this.#log.append(room, frame)))
  }

  read(room: string, options: HistoryOptions, patient: boolean): Promise<Replay> {
    return this.#line.outbox.ask(0, () => this.#log.read(room, options), patient ? Infinity : undefined)
  }

  async follow(room: string): Promise<void> {
    const { connection } = this.#line
    this.#followed.set(room, connection === undefined ? () => undefined : this.#listen(connection, room))
  }

  unfollow(room: string): void {
    this.#followed.get(room)?.()
    this.#followed.delete(room)
  }

  async enter(room: string, entering: number, member: Member, unique: boolean): Promise<void> {
    const who = this.#enterings.who(entering)
    await this.#line.outbox.ask(0, () => this.#members.enter(room, who, member, unique))
    this.#enterings.add(entering, { room, member, unique })
  }

  async update(room: string, entering: number, member: Member): Promise<void> {
    this.#enterings.update(entering, member)
    const who = this.#enterings.who(entering)
    await this.#line.outbox.ask(0, () => this.#members.update(room, who, member))
  }

  async leave(room: string, entering: number, id: string): Promise<void> {
    this.#enterings.delete(entering)
    const who = this.#enterings.who(entering)
    await this.#line.outbox.ask(0, () => this.#members.leave(room, id, (name) => name === who))
  }

  members(room: string): Promise<readonly Member[]> {
    return this.#line.outbox.ask(0, () => this.#members.list(room))
  }

  take(name: string, key: string, rate: WholeRate, cost: number): Promise<RateDecision> {
    return this.#line.outbox.ask(0, () => this.#rates.take(name, key, rate, cost), BRIEFLY_MS)
  }

  rooms(): Promise<readonly RoomSummary[]> {
    return this.#line.outbox.ask(0, () => this.#members.rooms())
  }

  async close(): Promise<void> {
    await this.#line.close(async () => {
      const all = Array.from(this.#enterings.all(), ({ room, member, who }) =>
        this.#members.leave(room, member.id, (name) => name === who),
      )
      await Promise.all(all)
      const connection = this.#line.need()
      await this.#roll.leave(connection)
      await connection.flush()
    })
    this.#log.fail(closedError())
  }

  async #ready(connection: NatsConnection): Promise<void> {
    const {
      historyMessages,
      maxHistoryMessages,
      maxHistoryBytes,
      maxMembers,
      maxLimitKeys,
      maxCacheEntries,
      maxCacheBytes,
    } = this.#settings
    const live = `${this.#address.prefix}.live`
    const rooms = this.#subject('rooms')
    const members = this.#subject('members')
    await connection.ensureStream({
      name: this.#stream('rooms'),
      subjects: [`${rooms}.*`],
      tells: { src: `${rooms}.*`, dest: `${live}.rooms.{{wildcard(1)}}` },
      // The last one says where a room stands, also when no history is kept, and restarts leave some that are empty.
      maxPerSubject: historyMessages + 2,
      maxMessages: Math.max(1, maxHistoryMessages),
      maxBytes: Math.max(1, maxHistoryBytes),
    })
    await connection.ensureStream({
      name: this.#stream('members'),
      subjects: [`${members}.*.*`, `${this.#address.prefix}.roll.*`],
      tells: { src: `${members}.*.*`, dest: `${live}.members.{{wildcard(1)}}.{{wildcard(2)}}` },
      maxPerSubject: 1,
      maxMessages: maxMembers,
      maxBytes: -1,
    })
    await connection.ensureStream({
      name: this.#stream('rates'),
      subjects: [`${this.#subject('rates')}.*.*`],
      maxPerSubject: 1,
      maxMessages: maxLimitKeys,
      maxBytes: -1,
      maxAgeMs: RATE_AGE_MS,
    })
    await connection.ensureStream({
      name: this.#stream('values'),
      subjects: [`${this.#subject('values')}.*.*`],
      maxPerSubject: 1,
      maxMessages: maxCacheEntries,
      maxBytes: maxCacheBytes,
      maxAgeMs: VALUE_AGE_MS,
    })
    this.#roll.join(connection)
    for (const room of this.#followed.keys()) this.#followed.set(room, this.#listen(connection, room))
    await this.#beat(connection)
  }

  /** When we were taken for dead, or NATS has lost what it knew, our members come again. */
  async #beat(connection: NatsConnection): Promise<void> {
    if (await this.#roll.beat(connection)) return
    this.#enterings.comeAgain(({ room, who, member, unique }) => this.#members.enter(room, who, member, unique))
  }

  #listen(connection: NatsConnection, room: string): () => void {
    const { prefix } = this.#address
    const token = encodeName(room)
    const ends = [
      connection.subscribe(`${prefix}.live.rooms.${token}`, (_subject, data, seq) => this.#told(room, data, seq)),
      connection.subscribe(`${prefix}.live.members.${token}.*`, (subject, data) => {
        const event = this.#members.eventOf(subject, data)
        if (event !== undefined) this.#events.presence(event)
      }),
    ]
    return () => {
      for (const end of ends) end()
    }
  }

  #told(room: string, data: Uint8Array, seq: number): void {
    const batch = decodeBatch(data)
    if (batch === undefined) return
    this.#log.heard(room, batch, seq)
    for (const message of messagesOf(room, batch)) this.#events.message(message)
  }

  #stream(kind: string): string {
    return `${this.#address.prefix}_${kind}`
  }

  #subject(kind: string, room?: string): string {
    const { prefix } = this.#address
    return room === undefined ? `${prefix}.${kind}` : `${prefix}.${kind}.${encodeName(room)}`
  }
}
