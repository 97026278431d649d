import type { RoomSummary } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import { MESSAGE_COST_BYTES } from '../message-size.js'
import type { BrokerSettings } from '../options.js'
import type { Member } from '../presence.js'
import type { Position } from '../position.js'
import type { Backend, BackendEvents } from '../remote/backend.js'
import { decisionOf, type RateDecision, type WholeRate } from '../rate-limit.js'
import { Enterings, type Entering } from '../remote/enterings.js'
import { BRIEFLY_MS, Lifeline } from '../remote/lifeline.js'
import { memberTaken, roomFull } from '../member-limits.js'
import { encodeMessage, messageTag } from '../remote/message-frame.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData } from '../room.js'
import type { Values } from '../values.js'
import { readFrame, readMembers, readPosition, readReplay, readRooms, readUsed, textOf } from './replies.js'
import { isSaid, RedisConnection, toBrokerError, type Argument } from './redis-connection.js'
import { RedisValues } from './redis-values.js'
import type { RedisAddress } from './redis-url.js'
import { SCRIPTS, type Script } from './scripts.js'

/** So many rooms are touched by one command. */
const TOUCHED_AT_ONCE = 256

/**
 * Rooms at Redis: one connection, which is made anew when it breaks. Messages are appended once, also when a connection
 * broke before the answer came; what was told meanwhile is read from history.
 */
export class RedisBackend implements Backend {
  readonly #address: RedisAddress
  readonly #settings: BrokerSettings
  readonly #events: BackendEvents
  readonly #id: string
  readonly #line: Lifeline<RedisConnection>
  readonly #followed = new Set<string>()
  readonly #enterings: Enterings
  readonly values: Values
  #sequence = 0
  #stopTouch = (): void => undefined

  constructor(address: RedisAddress, settings: BrokerSettings, events: BackendEvents, id: string) {
    this.#address = address
    this.#settings = settings
    this.#events = events
    this.#id = id
    this.#enterings = new Enterings(id, settings.logger)
    this.#line = new Lifeline(address.shown, settings, {
      open: (ended) => RedisConnection.open(address, ended),
      ready: (connection) => this.#ready(connection),
      again: () => events.missed(),
      beat: (connection) => this.#beat(connection),
    })
    const { outbox } = this.#line
    this.values = new RedisValues(
      {
        call: (bytes, ...command) => outbox.ask(bytes, () => this.#call(...command), BRIEFLY_MS),
        run: (bytes, script, keys, given) => outbox.ask(bytes, () => this.#run(script, keys, given), BRIEFLY_MS),
      },
      address.prefix,
      id,
    )
  }

  /** The first connection. @throws UsageError, BrokenError, LimitError. */
  async open(): Promise<void> {
    await this.#line.open()
    this.#touchLater()
  }

  check(bytes: number): void {
    this.#line.outbox.check(bytes)
  }

  async append(room: string, data: RoomData, publisher: string | undefined): Promise<Position> {
    const { historyMessages, historyBytes } = this.#settings
    this.#sequence += 1
    const tag = messageTag(this.#id, this.#sequence)
    const frame = encodeMessage(tag, data, publisher)
    const cost = (typeof data === 'string' ? Buffer.byteLength(data) : data.length) + MESSAGE_COST_BYTES
    const reply = await this.#line.outbox.ask(frame.length, (again) =>
      this.#run(SCRIPTS.append, this.#logKeys(room), [
        ...this.#stand(),
        this.#channel(room),
        again ? tag : '',
        frame,
        String(cost),
        String(historyMessages),
        String(historyBytes),
      ]),
    )
    return readPosition(reply)
  }

  async read(room: string, { after, maxMessages }: HistoryOptions, patient: boolean): Promise<Replay> {
    const most = maxMessages === undefined || maxMessages === Infinity ? -1 : maxMessages
    const from = after === undefined ? ['', ''] : [after.epoch, String(after.offset)]
    const reply = await this.#line.outbox.ask(
      0,
      () => this.#run(SCRIPTS.read, this.#logKeys(room), [...this.#stand(), ...from, String(most)]),
      patient ? Infinity : undefined,
    )
    return readReplay(room, reply)
  }

  async follow(room: string): Promise<void> {
    this.#followed.add(room)
    await this.#line.connection?.subscribe([this.#channel(room)], this.#heard)
  }

  unfollow(room: string): void {
    this.#followed.delete(room)
    this.#line.connection?.unsubscribe(this.#channel(room)).catch(() => undefined)
  }

  async enter(room: string, entering: number, member: Member, unique: boolean): Promise<void> {
    const who = this.#enterings.who(entering)
    await this.#line.outbox.ask(0, () => this.#enter({ room, who, member, unique }))
    this.#enterings.add(entering, { room, member, unique })
  }

  async update(room: string, entering: number, member: Member): Promise<void> {
    this.#enterings.update(entering, member)
    const who = this.#enterings.who(entering)
    await this.#line.outbox.ask(0, () =>
      this.#run(
        SCRIPTS.update,
        [this.#key('members', room)],
        [this.#channel(room), member.id, who, jsonOf(member.data)],
      ),
    )
  }

  async leave(room: string, entering: number, id: string): Promise<void> {
    this.#enterings.delete(entering)
    const who = this.#enterings.who(entering)
    await this.#line.outbox.ask(0, () =>
      this.#run(SCRIPTS.leave, this.#memberKeys(room), [room, this.#channel(room), id, who]),
    )
  }

  async members(room: string): Promise<readonly Member[]> {
    return readMembers(await this.#line.outbox.ask(0, () => this.#call('HGETALL', this.#key('members', room))))
  }

  async take(name: string, key: string, rate: WholeRate, cost: number): Promise<RateDecision> {
    // The length of the name tells where it ends.
    const full = this.#key('rate', `${name.length}:${name}:${key}`)
    const given = [String(rate.perMs / rate.limit), String(rate.burst), String(cost)]
    const reply = await this.#line.outbox.ask(0, () => this.#run(SCRIPTS.take, [full], given), BRIEFLY_MS)
    return decisionOf(readUsed(reply), rate, cost)
  }

  async rooms(): Promise<readonly RoomSummary[]> {
    return readRooms(await this.#line.outbox.ask(0, () => this.#call('HGETALL', this.#key('rooms'))))
  }

  close(): Promise<void> {
    this.#stopTouch()
    return this.#line.close(() => this.#run(SCRIPTS.bye, [], [this.#address.prefix, this.#id]))
  }

  readonly #heard = (frame: Buffer, channel: Buffer): void => {
    const room = channel.toString('utf8', this.#channel('').length)
    const event = readFrame(room, frame)
    if (event === undefined) return
    if ('message' in event) this.#events.message(event.message)
    else this.#events.presence(event.presence)
  }

  /** Both are written before anything that waits is: whoever reads history then misses nothing behind it. */
  async #ready(connection: RedisConnection): Promise<void> {
    const channels = Array.from(this.#followed, (room) => this.#channel(room))
    const subscribed = channels.length === 0 ? undefined : connection.subscribe(channels, this.#heard)
    try {
      await Promise.all([subscribed, this.#beat(connection)])
    } catch (error) {
      throw toBrokerError(this.#address.shown, error)
    }
  }

  /** Says that we live; when we were taken for dead, or Redis has lost what it knew, our members come again. */
  async #beat(connection: RedisConnection): Promise<void> {
    const { prefix } = this.#address
    const { leaseMs } = this.#settings
    const known = await connection.run(SCRIPTS.beat, [this.#key('brokers')], [prefix, this.#id, String(leaseMs)])
    if (known !== 1) this.#enterings.comeAgain((entering) => this.#enter(entering))
  }

  /** Rooms that somebody uses here keep their history. */
  #touchLater(): void {
    const { clock, historyTtlMs } = this.#settings
    if (historyTtlMs === Infinity) return
    this.#stopTouch = clock.after(historyTtlMs / 3, () => {
      this.#touch()
      this.#touchLater()
    })
  }

  #touch(): void {
    const used = new Set(this.#followed)
    for (const { room } of this.#enterings.all()) used.add(room)
    const rooms = [...used]
    for (let at = 0; at < rooms.length; at += TOUCHED_AT_ONCE) {
      const keys = rooms.slice(at, at + TOUCHED_AT_ONCE).flatMap((room) => this.#logKeys(room))
      this.#run(SCRIPTS.touch, keys, [this.#ttl()]).catch(() => undefined)
    }
  }

  async #enter({ room, who, member: { id, data }, unique }: Entering): Promise<void> {
    const { maxRoomMembers } = this.#settings
    const more = [who, jsonOf(data), unique ? '1' : '0', String(maxRoomMembers)]
    const done = await this.#run(SCRIPTS.enter, this.#memberKeys(room), [room, this.#channel(room), id, ...more])
    switch (textOf(done)) {
      case 'taken':
        throw memberTaken(id)
      case 'full':
        throw roomFull(maxRoomMembers)
    }
  }

  async #run(script: Script, keys: readonly string[], given: readonly Argument[]): Promise<unknown> {
    const connection = this.#line.need()
    try {
      return await connection.run(script, keys, given)
    } catch (error) {
      throw this.#translate(connection, error)
    }
  }

  async #call(...command: Argument[]): Promise<unknown> {
    const connection = this.#line.need()
    try {
      return await connection.call(...command)
    } catch (error) {
      throw this.#translate(connection, error)
    }
  }

  #translate(connection: RedisConnection, error: unknown): unknown {
    if (isSaid(error)) return toBrokerError(this.#address.shown, error)
    // A replica that is read-only, a server that loads: somewhere else, or later, it is done.
    connection.destroy()
    return error
  }

  #stand(): string[] {
    return [this.#line.connection?.serverRun ?? '', newBrokerId(), this.#ttl()]
  }

  #ttl(): string {
    const { historyTtlMs } = this.#settings
    return historyTtlMs === Infinity ? '-1' : String(Math.ceil(historyTtlMs))
  }

  #key(kind: string, room?: string): string {
    const { prefix } = this.#address
    return room === undefined ? `${prefix}:${kind}` : `${prefix}:${kind}:${room}`
  }

  #channel(room: string): string {
    return this.#key('room', room)
  }

  #logKeys(room: string): string[] {
    return [this.#key('log', room), this.#key('sizes', room), this.#key('stand', room)]
  }

  #memberKeys(room: string): string[] {
    return [this.#key('members', room), this.#key('rooms'), this.#key('broker', this.#id)]
  }
}

const jsonOf = (data: unknown): string => (data === undefined ? '' : JSON.stringify(data))
