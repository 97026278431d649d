import type { RoomSummary } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import type { BrokerCounts } from '../counts.js'
import { FeedSubscription } from '../feed-subscription.js'
import { readMember } from '../member-data.js'
import { checkData } from '../message-size.js'
import type { BrokerSettings } from '../options.js'
import type { Position } from '../position.js'
import type { Member } from '../presence.js'
import type { RateDecision, WholeRate } from '../rate-limit.js'
import { startOf, type Replay } from '../replay.js'
import { tooMany } from '../room-limit.js'
import type { HistoryOptions, RoomData, RoomListener, RoomMessage, SubscribeOptions } from '../room.js'
import { HistoryBudget } from './history.js'
import { HubRoom } from './hub-room.js'
import { MemoryValues } from './memory-values.js'
import { RestingRooms } from './resting-rooms.js'
import { Usage } from './usage.js'

/** One entering of a member, until it is left. */
export interface Entering {
  readonly room: HubRoom
  readonly id: string
}

/**
 * The rooms of one name in one process. It assigns the offsets; everything is done when a call returns. Who may call, and
 * what is theirs, is a matter of sessions.
 */
export class Hub {
  readonly settings: BrokerSettings
  readonly history: HistoryBudget
  readonly values: MemoryValues
  readonly #usage: Usage
  readonly #id = newBrokerId()
  readonly #rooms = new Map<string, HubRoom>()
  readonly #resting: RestingRooms
  #epochs = 0
  #subscriptions = 0
  #enterings = 0

  /** `forgotten` is called when a room is. */
  constructor(settings: BrokerSettings, forgotten: () => void = () => undefined) {
    this.settings = settings
    const { maxHistoryMessages, maxHistoryBytes, historyTtlMs, maxLimitKeys, clock } = settings
    this.#usage = new Usage(maxLimitKeys)
    this.values = new MemoryValues(settings, clock)
    this.history = new HistoryBudget({ maxMessages: maxHistoryMessages, maxBytes: maxHistoryBytes })
    this.#resting = new RestingRooms(historyTtlMs, clock, (room) => {
      this.#forget(room)
      forgotten()
    })
  }

  get roomCount(): number {
    return this.#rooms.size
  }

  publish(name: string, data: RoomData, publisher: string | undefined): Position {
    const { maxMessageBytes, clock } = this.settings
    const bytes = checkData(data, maxMessageBytes)
    const room = this.#open(name)
    const { log, feed } = room
    feed.checkRoomFor(bytes)
    const message: RoomMessage = {
      room: name,
      epoch: log.epoch,
      offset: log.offset + 1,
      // A copy with a memory of its own: the caller's may be a part of a large buffer, and may change.
      data: typeof data === 'string' ? data : new Uint8Array(data),
      publisher,
      timeMs: Math.floor(clock.now()),
    }
    log.append(message, bytes)
    feed.deliver(message, bytes)
    if (room.users === 0) this.#resting.add(room)
    return { epoch: message.epoch, offset: message.offset }
  }

  subscribe(
    name: string,
    listener: RoomListener,
    options: SubscribeOptions,
    counts: BrokerCounts,
    closing: (subscription: FeedSubscription) => void,
  ): FeedSubscription {
    const { maxSubscriptions } = this.settings
    if (this.#subscriptions >= maxSubscriptions) throw tooMany('subscribe', 'maxSubscriptions', maxSubscriptions)
    const room = this.#open(name)
    const { from, last = 0, except } = options
    const replay = from === undefined ? room.log.last(last) : room.log.resume(from)
    const start = startOf(options, replay)
    const subscription = new FeedSubscription(name, listener, except, start, counts, (closed) => {
      room.feed.remove(closed)
      this.#subscriptions -= 1
      this.#release(room)
      closing(closed)
    })
    this.#subscriptions += 1
    this.#use(room)
    room.feed.begin(subscription, replay)
    return subscription
  }

  read(name: string, { after, maxMessages }: HistoryOptions): Replay {
    const room = this.#open(name)
    if (room.users === 0) this.#resting.add(room)
    return after === undefined ? room.log.last(maxMessages ?? Infinity) : room.log.resume(after, maxMessages)
  }

  enter(name: string, given: Member, unique: boolean): Entering {
    const { maxMembers, maxRoomMembers, maxMemberBytes, clock } = this.settings
    const member = readMember(given, maxMemberBytes)
    if (this.#enterings >= maxMembers) throw tooMany('enter', 'maxMembers', maxMembers)
    const room = this.#open(name)
    try {
      room.members.check(member.id, unique, maxRoomMembers)
      room.feed.checkRoomFor(0)
    } catch (error) {
      if (room.users === 0) this.#resting.add(room)
      throw error
    }
    this.#enterings += 1
    this.#use(room)
    const change = room.members.enter(member, unique)
    if (change !== undefined) room.tell(change, member, Math.floor(clock.now()))
    return { room, id: member.id }
  }

  update({ room, id }: Entering, data: unknown): void {
    const { maxMemberBytes, clock } = this.settings
    const member = readMember({ id, data }, maxMemberBytes)
    room.feed.checkRoomFor(0)
    if (room.members.update(member) !== undefined) room.tell('update', member, Math.floor(clock.now()))
  }

  leave({ room, id }: Entering): void {
    this.#enterings -= 1
    const left = room.members.leave(id)
    if (left !== undefined) room.tell('leave', left, Math.floor(this.settings.clock.now()))
    this.#release(room)
  }

  take(name: string, key: string, rate: WholeRate, cost: number): RateDecision {
    return this.#usage.take(name, key, rate, cost, this.settings.clock.now())
  }

  members(name: string): Member[] {
    return this.#rooms.get(name)?.members.list() ?? []
  }

  rooms(): RoomSummary[] {
    const summaries: RoomSummary[] = []
    for (const { name, members } of this.#rooms.values())
      if (members.count > 0) summaries.push({ name, members: members.count })
    return summaries.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** Forgets everything: nobody uses it any more. */
  clear(): void {
    this.#resting.clear()
    for (const room of this.#rooms.values()) this.#forget(room)
  }

  #open(name: string): HubRoom {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const { maxRooms, historyMessages, historyBytes } = this.settings
    if (this.#rooms.size >= maxRooms && !this.#resting.forgetOldest())
      throw tooMany('open a room', 'maxRooms', maxRooms)
    this.#epochs += 1
    const epoch = `${this.#id}-${this.#epochs.toString(36)}`
    const bounds = { maxMessages: historyMessages, maxBytes: historyBytes }
    const room = new HubRoom(name, epoch, bounds, this.history, this.settings)
    this.#rooms.set(name, room)
    return room
  }

  #use(room: HubRoom): void {
    if (room.users === 0) this.#resting.delete(room)
    room.users += 1
  }

  #release(room: HubRoom): void {
    room.users -= 1
    if (room.users === 0) this.#resting.add(room)
  }

  #forget(room: HubRoom): void {
    room.log.clear()
    this.#rooms.delete(room.name)
  }
}
