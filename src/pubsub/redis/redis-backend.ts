import { BusyError, LimitError, messageOf, MoorageError } from '../../base/errors.js'
import type { RoomSummary } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import { closedError } from '../closed-error.js'
import { MESSAGE_COST_BYTES } from '../message-size.js'
import type { BrokerSettings } from '../options.js'
import type { Member } from '../presence.js'
import type { Position } from '../position.js'
import type { Backend, BackendEvents } from '../remote/backend.js'
import { brokerAway } from '../remote/broker-errors.js'
import { encodeMessage, messageTag } from '../remote/message-frame.js'
import { Outbox } from '../remote/outbox.js'
import { Pause } from '../remote/pause.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData } from '../room.js'
import { readFrame, readMembers, readPosition, readReplay, readRooms, textOf } from './replies.js'
import { isSaid, RedisConnection, toBrokerError, type Argument } from './redis-connection.js'
import type { RedisAddress } from './redis-url.js'
import { SCRIPTS, type Script } from './scripts.js'

/** Somebody whom this broker has entered. */
interface Entered {
  readonly room: string
  readonly unique: boolean
  member: Member
}

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
  readonly #outbox: Outbox
  readonly #followed = new Set<string>()
  readonly #entered = new Map<number, Entered>()
  readonly #pause: Pause
  #connection: RedisConnection | undefined
  #sequence = 0
  #isClosed = false
  #why = 'it was not there yet'
  #stopBeat = (): void => undefined
  #stopTouch = (): void => undefined

  constructor(address: RedisAddress, settings: BrokerSettings, events: BackendEvents, id: string) {
    this.#address = address
    this.#settings = settings
    this.#events = events
    this.#id = id
    this.#pause = new Pause(settings.clock)
    this.#outbox = new Outbox(
      settings,
      (error) => this.#isLost(error),
      (again) => this.#late(again),
    )
  }

  /** The first connection. @throws UsageError, BrokenError, LimitError. */
  async open(): Promise<void> {
    await this.#connect()
    this.#touchLater()
  }

  check(bytes: number): void {
    this.#outbox.check(bytes)
  }

  async append(room: string, data: RoomData, publisher: string | undefined): Promise<Position> {
    const { historyMessages, historyBytes } = this.#settings
    this.#sequence += 1
    const tag = messageTag(this.#id, this.#sequence)
    const frame = encodeMessage(tag, data, publisher)
    const cost = (typeof data === 'string' ? Buffer.byteLength(data) : data.length) + MESSAGE_COST_BYTES
    const reply = await this.#outbox.ask(frame.length, (again) =>
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
    const reply = await this.#outbox.ask(
      0,
      () => this.#run(SCRIPTS.read, this.#logKeys(room), [...this.#stand(), ...from, String(most)]),
      patient,
    )
    return readReplay(room, reply)
  }

  async follow(room: string): Promise<void> {
    this.#followed.add(room)
    await this.#connection?.subscribe([this.#channel(room)], this.#heard)
  }

  unfollow(room: string): void {
    this.#followed.delete(room)
    this.#connection?.unsubscribe(this.#channel(room)).catch(() => undefined)
  }

  async enter(room: string, entering: number, member: Member, unique: boolean): Promise<void> {
    await this.#outbox.ask(0, () => this.#enter(room, entering, member, unique))
    this.#entered.set(entering, { room, member, unique })
  }

  async update(room: string, entering: number, member: Member): Promise<void> {
    const entered = this.#entered.get(entering)
    if (entered !== undefined) entered.member = member
    await this.#outbox.ask(0, () =>
      this.#run(
        SCRIPTS.update,
        [this.#key('members', room)],
        [this.#channel(room), member.id, this.#who(entering), jsonOf(member.data)],
      ),
    )
  }

  async leave(room: string, entering: number, id: string): Promise<void> {
    this.#entered.delete(entering)
    await this.#outbox.ask(0, () =>
      this.#run(SCRIPTS.leave, this.#memberKeys(room), [room, this.#channel(room), id, this.#who(entering)]),
    )
  }

  async members(room: string): Promise<readonly Member[]> {
    return readMembers(await this.#outbox.ask(0, () => this.#call('HGETALL', this.#key('members', room))))
  }

  async rooms(): Promise<readonly RoomSummary[]> {
    return readRooms(await this.#outbox.ask(0, () => this.#call('HGETALL', this.#key('rooms'))))
  }

  async close(): Promise<void> {
    const { clock, maxAwayMs } = this.#settings
    this.#stopTouch()
    let stopWaiting = (): void => undefined
    const late = new Promise<void>((resolve) => {
      stopWaiting = clock.after(maxAwayMs, resolve)
    })
    const bye = this.#outbox.ask(0, () => this.#run(SCRIPTS.bye, [], [this.#address.prefix, this.#id]))
    await Promise.race([bye.then(() => this.#outbox.drained()).catch(() => undefined), late])
    stopWaiting()
    this.#isClosed = true
    this.#stopBeat()
    this.#pause.end()
    this.#outbox.fail(closedError())
    await this.#connection?.close()
    this.#connection = undefined
  }

  readonly #heard = (frame: Buffer, channel: Buffer): void => {
    const room = channel.toString('utf8', this.#channel('').length)
    const event = readFrame(room, frame)
    if (event === undefined) return
    if ('message' in event) this.#events.message(event.message)
    else this.#events.presence(event.presence)
  }

  async #connect(): Promise<void> {
    const connection = await RedisConnection.open(this.#address, () => this.#broken())
    if (this.#isClosed) {
      await connection.close()
      return
    }
    this.#connection = connection
    try {
      // Both are written before anything that waits is: whoever reads history then misses nothing behind it.
      const channels = Array.from(this.#followed, (room) => this.#channel(room))
      const subscribed = channels.length === 0 ? undefined : connection.subscribe(channels, this.#heard)
      await Promise.all([subscribed, this.#beat(connection)])
    } catch (error) {
      this.#connection = undefined
      connection.destroy()
      throw toBrokerError(this.#address.shown, error)
    }
    this.#outbox.online()
    this.#beatLater()
  }

  #broken(): void {
    this.#stopBeat()
    this.#outbox.offline()
    if (this.#connection === undefined || this.#isClosed) return
    this.#connection = undefined
    this.#why = 'the connection broke'
    void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    const { logger } = this.#settings
    const { shown } = this.#address
    logger.warn('the connection to the broker broke', { broker: shown })
    for (;;) {
      await this.#pause.wait()
      if (this.#isClosed) return
      try {
        await this.#connect()
        this.#pause.reset()
        logger.info('the broker is there again', { broker: shown })
        this.#events.missed()
        return
      } catch (error) {
        this.#why = messageOf(error)
      }
    }
  }

  /** Says that we live; when we were taken for dead, or Redis has lost what it knew, our members come again. */
  async #beat(connection: RedisConnection): Promise<void> {
    const { prefix } = this.#address
    const { leaseMs } = this.#settings
    const known = await connection.run(SCRIPTS.beat, [this.#key('brokers')], [prefix, this.#id, String(leaseMs)])
    if (known === 1) return
    for (const [entering, { room, member, unique }] of this.#entered) {
      this.#enter(room, entering, member, unique).catch((error: unknown) => {
        this.#settings.logger.warn('a member could not come back', { room, member: member.id, error })
      })
    }
  }

  /** Three in a lease; one that has no answer at the end of it tells that the connection is dead. */
  #beatLater(): void {
    const { clock, leaseMs } = this.#settings
    this.#stopBeat()
    this.#stopBeat = clock.after(leaseMs / 3, () => {
      const connection = this.#connection
      if (connection === undefined) return
      const stopWaiting = clock.after(leaseMs, () => connection.destroy())
      this.#beat(connection).then(
        () => {
          stopWaiting()
          if (this.#connection === connection) this.#beatLater()
        },
        () => {
          stopWaiting()
          connection.destroy()
        },
      )
    })
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
    for (const { room } of this.#entered.values()) used.add(room)
    const rooms = [...used]
    for (let at = 0; at < rooms.length; at += TOUCHED_AT_ONCE) {
      const keys = rooms.slice(at, at + TOUCHED_AT_ONCE).flatMap((room) => this.#logKeys(room))
      this.#run(SCRIPTS.touch, keys, [this.#ttl()]).catch(() => undefined)
    }
  }

  async #enter(room: string, entering: number, { id, data }: Member, unique: boolean): Promise<void> {
    const { maxRoomMembers } = this.#settings
    const done = await this.#run(SCRIPTS.enter, this.#memberKeys(room), [
      room,
      this.#channel(room),
      id,
      this.#who(entering),
      jsonOf(data),
      unique ? '1' : '0',
      String(maxRoomMembers),
    ])
    switch (textOf(done)) {
      case 'taken':
        throw new BusyError('ERR_MEMBER_TAKEN', `Cannot enter as ${JSON.stringify(id)}: there is a member of that id`)
      case 'full':
        throw new LimitError(
          'ERR_ROOM_LIMIT',
          `Cannot enter: the room has ${maxRoomMembers} members (maxRoomMembers)`,
          {
            details: { maxRoomMembers },
          },
        )
    }
  }

  async #run(script: Script, keys: readonly string[], given: readonly Argument[]): Promise<unknown> {
    const connection = this.#connection
    if (connection === undefined) throw brokerAway(this.#address.shown, this.#why)
    try {
      return await connection.run(script, keys, given)
    } catch (error) {
      throw this.#translate(connection, error)
    }
  }

  async #call(...command: Argument[]): Promise<unknown> {
    const connection = this.#connection
    if (connection === undefined) throw brokerAway(this.#address.shown, this.#why)
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

  #isLost(error: unknown): boolean {
    return !this.#isClosed && (!(error instanceof MoorageError) || error.code === 'ERR_BROKER_AWAY')
  }

  #late(again: boolean): Error {
    const maybe = again ? '; what was asked may have been done' : ''
    return brokerAway(this.#address.shown, `${this.#why}${maybe}`)
  }

  #stand(): string[] {
    return [this.#connection?.serverRun ?? '', newBrokerId(), this.#ttl()]
  }

  #ttl(): string {
    const { historyTtlMs } = this.#settings
    return historyTtlMs === Infinity ? '-1' : String(Math.ceil(historyTtlMs))
  }

  #who(entering: number): string {
    return `${this.#id}/${entering}`
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
