import type { RoomSummary } from '../broker.js'
import type { BrokerSettings } from '../options.js'
import type { Member, PresenceEvent } from '../presence.js'
import type { Lifeline } from '../remote/lifeline.js'
import { memberTaken, roomFull } from '../member-limits.js'
import { decodeMember, encodeMember, type MemberRecord } from './member-record.js'
import type { NatsConnection, Stored } from './nats-connection.js'
import { decodeName, encodeName } from './subject-names.js'

/** What becomes of a record: another one, or `undefined` when it stays as it is. */
type Change = (there: MemberRecord | undefined) => MemberRecord | undefined | Promise<MemberRecord | undefined>

/**
 * Who is in which room: a record for each member in a stream of JetStream, set only when it is the one that was read. What
 * is asked again changes nothing.
 */
export class RoomMembers {
  readonly #line: Lifeline<NatsConnection>
  readonly #settings: BrokerSettings
  readonly #stream: string
  readonly #base: string

  /** Subjects are `<base>.<room>.<member>`. */
  constructor(line: Lifeline<NatsConnection>, settings: BrokerSettings, stream: string, base: string) {
    this.#line = line
    this.#settings = settings
    this.#stream = stream
    this.#base = base
  }

  async enter(room: string, who: string, member: Member, unique: boolean): Promise<void> {
    const { maxRoomMembers } = this.#settings
    await this.#change(room, member.id, async (there) => {
      const timeMs = this.#now()
      if (there === undefined || there.entered.length === 0) {
        const { length } = await this.#line.need().subjects(this.#stream, `${this.#base}.${encodeName(room)}.*`)
        if (length - (there === undefined ? 0 : 1) >= maxRoomMembers) throw roomFull(maxRoomMembers)
        return { member, unique, entered: [who], since: 0, change: 'join', timeMs }
      }
      if (there.entered.includes(who)) return undefined
      if (unique || there.unique) throw memberTaken(member.id)
      const isNew = member.data !== undefined && !isSame(member, there.member)
      return {
        ...there,
        member: isNew ? member : there.member,
        entered: [...there.entered, who],
        change: isNew ? 'update' : 'same',
        timeMs,
      }
    })
  }

  async update(room: string, who: string, member: Member): Promise<void> {
    await this.#change(room, member.id, (there) => {
      if (there?.entered.includes(who) !== true || isSame(member, there.member)) return undefined
      return { ...there, member, change: 'update', timeMs: this.#now() }
    })
  }

  /** All enterings leave whose name begins so. */
  async leave(room: string, id: string, who: (name: string) => boolean): Promise<void> {
    const seq = await this.#change(room, id, (there) => {
      const entered = there?.entered.filter((name) => !who(name)) ?? []
      if (there === undefined || entered.length === there.entered.length) return undefined
      return { ...there, entered, change: entered.length === 0 ? 'leave' : 'same', timeMs: this.#now() }
    })
    if (seq !== undefined) await this.#line.need().purge(this.#stream, this.#subject(room, id), seq + 1)
  }

  /** In the order in which they came. */
  async list(room: string): Promise<readonly Member[]> {
    const found: { readonly since: number; readonly member: Member }[] = []
    for (const { seq, data } of await this.#line.need().records(this.#stream, `${this.#base}.${encodeName(room)}.*`)) {
      const record = decodeMember(data)
      if (record === undefined || record.entered.length === 0) continue
      found.push({ since: record.since === 0 ? seq : record.since, member: record.member })
    }
    found.sort((left, right) => left.since - right.since)
    return found.map(({ member }) => member)
  }

  async rooms(): Promise<readonly RoomSummary[]> {
    const counts = new Map<string, number>()
    for (const subject of await this.#line.need().subjects(this.#stream, `${this.#base}.>`)) {
      const { room } = this.#names(subject)
      counts.set(room, (counts.get(room) ?? 0) + 1)
    }
    const summaries = Array.from(counts, ([name, members]) => ({ name, members }))
    return summaries.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** Whoever a broker has entered leaves, everywhere. */
  async leaveAll(broker: string): Promise<void> {
    const isTheirs = (name: string): boolean => name.startsWith(`${broker}/`)
    for (const { subject, data } of await this.#line.need().records(this.#stream, `${this.#base}.>`)) {
      if (decodeMember(data)?.entered.some(isTheirs) !== true) continue
      const { room, id } = this.#names(subject)
      await this.leave(room, id, isTheirs)
    }
  }

  /** What a record that was told is for those who listen. */
  eventOf(subject: string, data: Uint8Array): PresenceEvent | undefined {
    const record = decodeMember(data)
    if (record === undefined || record.change === 'same') return undefined
    const { member, change: type, timeMs } = record
    return { type, room: this.#names(subject).room, member, timeMs }
  }

  /** @returns the place of the record when there is nobody left in it. */
  async #change(room: string, id: string, change: Change): Promise<number | undefined> {
    const subject = this.#subject(room, id)
    for (;;) {
      const connection = this.#line.need()
      const stored = await connection.last(this.#stream, subject)
      const next = await change(stored === undefined ? undefined : recordOf(stored))
      if (next === undefined) return undefined
      const seq = await connection.set(subject, encodeMember(next), stored?.seq ?? 0)
      if (seq !== undefined) return next.entered.length === 0 ? seq : undefined
    }
  }

  #subject(room: string, id: string): string {
    return `${this.#base}.${encodeName(room)}.${encodeName(id)}`
  }

  #names(subject: string): { readonly room: string; readonly id: string } {
    const [room = '', id = ''] = subject.split('.').slice(-2)
    return { room: decodeName(room), id: decodeName(id) }
  }

  #now(): number {
    return Math.floor(this.#settings.clock.now())
  }
}

/** A record with the place at which its member joined. */
function recordOf({ seq, data }: Stored): MemberRecord | undefined {
  const record = decodeMember(data)
  return record === undefined || record.since > 0 ? record : { ...record, since: seq }
}

const isSame = (left: Member, right: Member): boolean => JSON.stringify(left.data) === JSON.stringify(right.data)
