import { DONE, markHandled } from '../../base/deferred.js'
import { ClosedError } from '../../base/errors.js'
import { readMember } from '../memory/members.js'
import { checkData } from '../message-size.js'
import { checkName } from '../names.js'
import type { Position } from '../position.js'
import type { EnterOptions, Member, Membership } from '../presence.js'
import { checkHistoryOptions, checkSubscribeOptions, toHistoryPage } from '../replay.js'
import type {
  HistoryOptions,
  HistoryPage,
  PublishOptions,
  Room,
  RoomData,
  RoomListener,
  SubscribeOptions,
  Subscription,
} from '../room.js'
import type { LinkedBroker } from './linked-broker.js'

/** A room at the parent of this worker. */
export class LinkedRoom implements Room {
  readonly name: string
  readonly #broker: LinkedBroker

  constructor(broker: LinkedBroker, name: string) {
    this.#broker = broker
    this.name = name
  }

  publish(data: RoomData, { publisher }: PublishOptions = {}): Promise<Position> {
    return markHandled(this.#publish(data, publisher))
  }

  async #publish(given: RoomData, publisher: string | undefined): Promise<Position> {
    const { name: room } = this
    const { number: broker, settings, counts, calls } = this.#broker
    if (publisher !== undefined) checkName('publisher', publisher)
    this.#broker.check(checkData(given, settings.maxMessageBytes))
    // It is sent at the end of this turn, when the caller may have changed it.
    const data = typeof given === 'string' ? given : new Uint8Array(given)
    return calls.ask(
      'position',
      (call) => ({ op: 'publish', broker, call, room, data, publisher }),
      ({ position }) => {
        counts.published += 1
        return position
      },
    )
  }

  subscribe(listener: RoomListener, options: SubscribeOptions = {}): Promise<Subscription> {
    return markHandled(this.#subscribe(listener, options))
  }

  async #subscribe(listener: RoomListener, options: SubscribeOptions): Promise<Subscription> {
    checkSubscribeOptions(options)
    return this.#broker.subscribe(this.name, listener, options)
  }

  history(options: HistoryOptions = {}): Promise<HistoryPage> {
    return markHandled(this.#history(options))
  }

  async #history(options: HistoryOptions): Promise<HistoryPage> {
    const { name: room } = this
    const { number: broker, calls } = this.#broker
    checkHistoryOptions(options)
    this.#broker.check()
    const { after, maxMessages } = options
    const plain = { ...(after === undefined ? {} : { after }), ...(maxMessages === undefined ? {} : { maxMessages }) }
    return calls.ask(
      'replay',
      (call) => ({ op: 'history', broker, call, room, options: plain }),
      ({ replay }) => toHistoryPage(room, options, replay),
    )
  }

  enter(member: Member, { unique = false }: EnterOptions = {}): Promise<Membership> {
    return markHandled(this.#enter(member, unique))
  }

  async #enter(given: Member, unique: boolean): Promise<Membership> {
    const { name: room } = this
    const { number: broker, settings, calls } = this.#broker
    checkName('member', given.id)
    const member = readMember(given, settings.maxMemberBytes)
    this.#broker.check()
    const entering = this.#broker.nextEntering()
    return calls.ask(
      'done',
      (call) => ({ op: 'enter', broker, call, room, entering, member, unique }),
      () => new LinkedMembership(this.#broker, room, member.id, entering),
    )
  }

  members(): Promise<readonly Member[]> {
    return markHandled(this.#members())
  }

  async #members(): Promise<readonly Member[]> {
    const { name: room } = this
    const { number: broker, calls } = this.#broker
    this.#broker.check()
    return calls.ask(
      'members',
      (call) => ({ op: 'members', broker, call, room }),
      ({ members }) => members,
    )
  }
}

class LinkedMembership implements Membership {
  readonly room: string
  readonly id: string
  readonly #broker: LinkedBroker
  readonly #entering: number
  #leaving: Promise<void> | undefined

  constructor(broker: LinkedBroker, room: string, id: string, entering: number) {
    this.room = room
    this.id = id
    this.#broker = broker
    this.#entering = entering
    broker.members += 1
  }

  update(data: unknown): Promise<void> {
    return markHandled(this.#update(data))
  }

  async #update(given: unknown): Promise<void> {
    const { number: broker, settings, calls, state } = this.#broker
    if (this.#leaving !== undefined || state === 'closed')
      throw new ClosedError('ERR_CLOSED', 'Cannot update the member: it has left')
    const { data } = readMember({ id: this.id, data: given }, settings.maxMemberBytes)
    this.#broker.check()
    await calls.ask(
      'done',
      (call) => ({ op: 'update', broker, call, entering: this.#entering, data }),
      () => undefined,
    )
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  #leave(): Promise<void> {
    const { number: broker, calls, state } = this.#broker
    if (state === 'closed') return DONE
    this.#broker.members -= 1
    const left = calls.ask(
      'done',
      (call) => ({ op: 'leave', broker, call, entering: this.#entering }),
      () => undefined,
    )
    return left.catch(() => undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }
}
