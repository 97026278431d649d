import type { RoomSummary } from '../broker.js'
import { plainLimits, type BrokerSettings } from '../options.js'
import type { Member } from '../presence.js'
import type { Position } from '../position.js'
import type { Backend, BackendEvents } from '../remote/backend.js'
import type { RateDecision, WholeRate } from '../rate-limit.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData } from '../room.js'
import type { Values } from '../values.js'
import { Calls } from './calls.js'
import type { HubAnswer, HubRequest } from './messages.js'

const nothing = (): void => undefined

/** The rooms at the parent of this worker. */
export class LinkBackend implements Backend {
  readonly #broker: number
  readonly #events: BackendEvents
  readonly #send: (request: HubRequest) => void
  readonly #ended: () => void
  readonly #calls: Calls
  readonly values: Values = {
    get: (space, keys) =>
      this.#calls.ask(
        'kept',
        (call) => ({ op: 'get', broker: this.#broker, call, space, keys }),
        ({ kept }) => kept,
      ),
    set: (space, key, bytes, ttlMs, expected) =>
      this.#calls.ask(
        'version',
        (call) => ({ op: 'set', broker: this.#broker, call, space, key, bytes, ttlMs, expected }),
        ({ version }) => version,
      ),
    delete: (space, key) =>
      this.#calls.ask('done', (call) => ({ op: 'delete', broker: this.#broker, call, space, key }), nothing),
  }

  constructor(
    broker: number,
    settings: BrokerSettings,
    events: BackendEvents,
    send: (request: HubRequest) => void,
    ended: () => void,
  ) {
    this.#broker = broker
    this.#events = events
    this.#send = send
    this.#ended = ended
    this.#calls = new Calls(settings, send)
  }

  open(name: string, settings: BrokerSettings): Promise<void> {
    const limits = plainLimits(settings)
    return this.#calls.ask('done', (call) => ({ op: 'open', broker: this.#broker, call, name, limits }), nothing)
  }

  check(bytes: number): void {
    this.#calls.check(bytes)
  }

  append(room: string, data: RoomData, publisher: string | undefined): Promise<Position> {
    return this.#calls.ask(
      'position',
      (call) => ({ op: 'publish', broker: this.#broker, call, room, data, publisher }),
      ({ position }) => position,
    )
  }

  read(room: string, options: HistoryOptions): Promise<Replay> {
    return this.#calls.ask(
      'replay',
      (call) => ({ op: 'history', broker: this.#broker, call, room, options }),
      ({ replay }) => replay,
    )
  }

  follow(room: string): Promise<void> {
    return this.#calls.ask('done', (call) => ({ op: 'follow', broker: this.#broker, call, room }), nothing)
  }

  unfollow(room: string): void {
    this.#send({ op: 'unfollow', broker: this.#broker, room })
  }

  enter(room: string, entering: number, member: Member, unique: boolean): Promise<void> {
    return this.#calls.ask(
      'done',
      (call) => ({ op: 'enter', broker: this.#broker, call, room, entering, member, unique }),
      nothing,
    )
  }

  update(_room: string, entering: number, { data }: Member): Promise<void> {
    return this.#calls.ask('done', (call) => ({ op: 'update', broker: this.#broker, call, entering, data }), nothing)
  }

  leave(_room: string, entering: number): Promise<void> {
    return this.#calls.ask('done', (call) => ({ op: 'leave', broker: this.#broker, call, entering }), nothing)
  }

  members(room: string): Promise<readonly Member[]> {
    return this.#calls.ask(
      'members',
      (call) => ({ op: 'members', broker: this.#broker, call, room }),
      ({ members }) => members,
    )
  }

  take(name: string, key: string, rate: WholeRate, cost: number): Promise<RateDecision> {
    return this.#calls.ask(
      'decision',
      (call) => ({ op: 'take', broker: this.#broker, call, name, key, rate, cost }),
      ({ decision }) => decision,
    )
  }

  rooms(): Promise<readonly RoomSummary[]> {
    return this.#calls.ask(
      'rooms',
      (call) => ({ op: 'rooms', broker: this.#broker, call }),
      ({ rooms }) => rooms,
    )
  }

  /** What was asked before is still answered: the parent takes one thing after the other. */
  async close(): Promise<void> {
    try {
      await this.#calls.ask('done', (call) => ({ op: 'close', broker: this.#broker, call }), nothing)
    } catch {
      // The parent is gone, and with it what was to be closed.
    }
    this.#ended()
  }

  receive(answer: HubAnswer): void {
    switch (answer.op) {
      case 'message':
        this.#events.message(answer.message)
        return
      case 'presence':
        this.#events.presence(answer.event)
        return
      case 'gap':
        this.#events.gap(answer.room, answer.until, answer.presenceMissed)
        return
      default:
        this.#calls.receive(answer)
    }
  }

  /** The parent is gone. */
  lose(error: Error): void {
    this.#events.lost(error)
    this.#calls.fail(error)
  }
}
