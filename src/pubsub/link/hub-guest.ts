import type { BrokerLimits } from '../options.js'
import type { Entering } from '../memory/hub.js'
import type { Session } from '../memory/session.js'
import type { Position } from '../position.js'
import type { PresenceEvent } from '../presence.js'
import type { RoomMessage, Subscription } from '../room.js'
import { costOf, type HubAnswer, type HubCall, type HubRequest } from './messages.js'
import { toPlainHubError } from './plain-error.js'

/** A room that a worker listens to. */
interface Followed {
  readonly room: string
  subscription: Subscription | undefined
  /** The last message that is on its way to the worker. */
  sent: Position
  /** It has missed something: it goes on from history when there is room. */
  isBehind: boolean
  presenceMissed: boolean
}

/** Not the message itself: its data would be held beyond its history. */
const positionOf = ({ epoch, offset }: RoomMessage): Position => ({ epoch, offset })

/** So many messages are taken from history at once for a worker that was behind. */
const CHUNK = 256

/**
 * One broker of a worker, at its parent. What is on its way there is bounded: a worker that does not keep up gets no
 * more answers, and the rooms that it follows go on from history once it does, with a gap where history is too short.
 */
export class HubGuest {
  readonly #broker: number
  readonly #session: Session
  readonly #limits: BrokerLimits
  readonly #closed: () => void
  readonly #send: (answer: HubAnswer) => void
  readonly #followed = new Map<string, Followed>()
  readonly #behind = new Set<Followed>()
  readonly #enterings = new Map<number, Entering>()
  /** Requests that wait until the worker has taken what is on its way: no more than it may have unanswered. */
  #inbox: HubRequest[] = []
  #count = 0
  #bytes = 0

  constructor(
    broker: number,
    limits: BrokerLimits,
    session: Session,
    send: (answer: HubAnswer) => void,
    closed: () => void,
  ) {
    this.#broker = broker
    this.#limits = limits
    this.#session = session
    this.#send = send
    this.#closed = closed
  }

  receive(request: HubRequest): void {
    if (request.op === 'taken') this.#taken(request.count, request.bytes)
    else if (this.#inbox.length > 0 || this.#isFull(1)) this.#inbox.push(request)
    else this.#handle(request)
  }

  /** Its members leave, and it follows nothing any more. */
  close(): void {
    if (this.#session.closed) return
    this.#inbox = []
    this.#behind.clear()
    this.#session.close()
    this.#closed()
  }

  #handle(request: HubRequest): void {
    if (!('call' in request)) {
      if (request.op === 'unfollow') this.#unfollow(request.room)
      return
    }
    const { call } = request
    try {
      this.#answer(this.#do(request))
    } catch (error) {
      this.#answer({ op: 'failed', broker: this.#broker, call, error: toPlainHubError(error) })
    }
  }

  #do(request: HubCall): HubAnswer {
    const { call } = request
    const broker = this.#broker
    const session = this.#session
    switch (request.op) {
      case 'publish':
        return {
          op: 'position',
          broker,
          call,
          position: session.publish(request.room, request.data, request.publisher),
        }
      case 'follow':
        this.#follow(request.room)
        return { op: 'done', broker, call }
      case 'history':
        return { op: 'replay', broker, call, replay: session.read(request.room, request.options) }
      case 'enter':
        this.#enterings.set(request.entering, session.enter(request.room, request.member, request.unique))
        return { op: 'done', broker, call }
      case 'update': {
        const entering = this.#enterings.get(request.entering)
        if (entering !== undefined) session.update(entering, request.data)
        return { op: 'done', broker, call }
      }
      case 'leave': {
        const entering = this.#enterings.get(request.entering)
        this.#enterings.delete(request.entering)
        if (entering !== undefined) session.leave(entering)
        return { op: 'done', broker, call }
      }
      case 'get':
        return { op: 'kept', broker, call, kept: session.values.get(request.space, request.keys) }
      case 'set': {
        const { space, key, bytes, ttlMs, expected } = request
        return { op: 'version', broker, call, version: session.values.set(space, key, bytes, ttlMs, expected) }
      }
      case 'delete':
        session.values.delete(request.space, request.key)
        return { op: 'done', broker, call }
      case 'take': {
        const { name, key, rate, cost } = request
        return { op: 'decision', broker, call, decision: session.take(name, key, rate, cost) }
      }
      case 'members':
        return { op: 'members', broker, call, members: session.members(request.room) }
      case 'rooms':
        return { op: 'rooms', broker, call, rooms: session.rooms() }
      case 'close':
        this.close()
        return { op: 'done', broker, call }
      case 'open':
        return { op: 'done', broker, call }
    }
  }

  #follow(room: string): void {
    if (this.#followed.has(room)) return
    const followed: Followed = {
      room,
      subscription: undefined,
      sent: { epoch: '', offset: 0 },
      isBehind: false,
      presenceMissed: false,
    }
    const subscription = this.#session.subscribe(
      room,
      {
        message: (message) => this.#message(followed, message),
        presence: (event) => this.#presence(followed, event),
      },
      {},
    )
    followed.subscription = subscription
    followed.sent = subscription.position
    this.#followed.set(room, followed)
  }

  #unfollow(room: string): void {
    const followed = this.#followed.get(room)
    if (followed === undefined) return
    this.#followed.delete(room)
    this.#behind.delete(followed)
    void followed.subscription?.close()
  }

  #message(followed: Followed, message: RoomMessage): void {
    if (followed.isBehind || this.#isFull(1)) {
      this.#fallBehind(followed)
      return
    }
    followed.sent = positionOf(message)
    this.#answer({ op: 'message', broker: this.#broker, message })
  }

  #presence(followed: Followed, event: PresenceEvent): void {
    if (followed.isBehind || this.#isFull(1)) {
      followed.presenceMissed = true
      this.#fallBehind(followed)
      return
    }
    this.#answer({ op: 'presence', broker: this.#broker, event })
  }

  #fallBehind(followed: Followed): void {
    followed.isBehind = true
    this.#behind.add(followed)
  }

  /** Sends what the room has behind what was sent, as far as there is room. */
  #catchUp(followed: Followed): void {
    const { room } = followed
    for (;;) {
      if (this.#isFull(1)) return
      const { gapUntil, messages } = this.#session.read(room, { after: followed.sent, maxMessages: CHUNK })
      if (gapUntil !== undefined) this.#gap(followed, gapUntil)
      for (const message of messages) {
        if (this.#isFull(1)) return
        followed.sent = positionOf(message)
        this.#answer({ op: 'message', broker: this.#broker, message })
      }
      if (messages.length < CHUNK) break
    }
    if (followed.presenceMissed) this.#gap(followed, followed.sent)
    followed.isBehind = false
    this.#behind.delete(followed)
  }

  #gap(followed: Followed, until: Position): void {
    const { room, presenceMissed } = followed
    followed.sent = until
    followed.presenceMissed = false
    this.#answer({ op: 'gap', broker: this.#broker, room, until, presenceMissed })
  }

  #taken(count: number, bytes: number): void {
    this.#count -= count
    this.#bytes -= bytes
    // Not before there is room for more than a few: each beginning has its cost.
    if (this.#isFull(2)) return
    for (const followed of this.#behind) {
      this.#catchUp(followed)
      if (followed.isBehind) {
        // The others first, next time.
        this.#behind.delete(followed)
        this.#behind.add(followed)
        break
      }
    }
    while (this.#inbox.length > 0 && !this.#isFull(1)) {
      const request = this.#inbox.shift()
      if (request !== undefined) this.#handle(request)
    }
  }

  /** Whether that part of the bound is reached: the whole, or a half. */
  #isFull(part: 1 | 2): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits
    return this.#count * part >= maxQueuedMessages || this.#bytes * part >= maxQueuedBytes
  }

  #answer(answer: HubAnswer): void {
    const { count, bytes } = costOf(answer)
    this.#count += count
    this.#bytes += bytes
    this.#send(answer)
  }
}
