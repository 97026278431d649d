import { DONE, markHandled } from '../../base/deferred.js'
import { ClosedError } from '../../base/errors.js'
import { checkListener } from '../check-listener.js'
import { checkMember, readMember } from '../member-data.js'
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
import type { RemoteBroker } from './remote-broker.js'

/** A room that is elsewhere. */
export class RemoteRoom implements Room {
  readonly name: string
  readonly #broker: RemoteBroker

  constructor(broker: RemoteBroker, name: string) {
    this.#broker = broker
    this.name = name
  }

  publish(data: RoomData, { publisher }: PublishOptions = {}): Promise<Position> {
    return markHandled(this.#publish(data, publisher))
  }

  async #publish(given: RoomData, publisher: string | undefined): Promise<Position> {
    const broker = this.#broker
    if (publisher !== undefined) checkName('publisher', publisher)
    broker.check(checkData(given, broker.settings.maxMessageBytes))
    // It is sent later, when the caller may have changed it.
    const data = typeof given === 'string' ? given : new Uint8Array(given)
    const position = await broker.backend.append(this.name, data, publisher)
    broker.counts.published += 1
    const heard = broker.reached(this.name, position)
    if (heard !== undefined) await heard
    return position
  }

  subscribe(listener: RoomListener, options: SubscribeOptions = {}): Promise<Subscription> {
    return markHandled(this.#subscribe(listener, options))
  }

  async #subscribe(listener: RoomListener, options: SubscribeOptions): Promise<Subscription> {
    checkListener(listener)
    checkSubscribeOptions(options)
    return this.#broker.subscribe(this.name, listener, options)
  }

  history(options: HistoryOptions = {}): Promise<HistoryPage> {
    return markHandled(this.#history(options))
  }

  async #history(options: HistoryOptions): Promise<HistoryPage> {
    checkHistoryOptions(options)
    this.#broker.check()
    const { after, maxMessages } = options
    const plain = { ...(after === undefined ? {} : { after }), ...(maxMessages === undefined ? {} : { maxMessages }) }
    return toHistoryPage(this.name, options, await this.#broker.backend.read(this.name, plain, false))
  }

  enter(member: Member, { unique = false }: EnterOptions = {}): Promise<Membership> {
    return markHandled(this.#enter(member, unique))
  }

  async #enter(given: Member, unique: boolean): Promise<Membership> {
    const broker = this.#broker
    checkMember(given)
    const member = readMember(given, broker.settings.maxMemberBytes)
    broker.check()
    const entering = broker.nextEntering()
    await broker.backend.enter(this.name, entering, member, unique)
    return new RemoteMembership(broker, this.name, member.id, entering)
  }

  members(): Promise<readonly Member[]> {
    return markHandled(this.#members())
  }

  async #members(): Promise<readonly Member[]> {
    this.#broker.check()
    return this.#broker.backend.members(this.name)
  }
}

class RemoteMembership implements Membership {
  readonly room: string
  readonly id: string
  readonly #broker: RemoteBroker
  readonly #entering: number
  #leaving: Promise<void> | undefined

  constructor(broker: RemoteBroker, room: string, id: string, entering: number) {
    this.room = room
    this.id = id
    this.#broker = broker
    this.#entering = entering
    if (broker.state === 'open') broker.members += 1
  }

  update(data: unknown): Promise<void> {
    return markHandled(this.#update(data))
  }

  async #update(data: unknown): Promise<void> {
    const broker = this.#broker
    if (this.#leaving !== undefined || broker.state === 'closed')
      throw new ClosedError('ERR_CLOSED', 'Cannot update the member: it has left')
    const member = readMember({ id: this.id, data }, broker.settings.maxMemberBytes)
    broker.check()
    await broker.backend.update(this.room, this.#entering, member)
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  #leave(): Promise<void> {
    const broker = this.#broker
    if (broker.state === 'closed') return DONE
    broker.members -= 1
    return broker.backend.leave(this.room, this.#entering, this.id).catch(() => undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }
}
