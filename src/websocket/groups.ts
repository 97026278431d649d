import type { Broker } from '../pubsub/broker.js'
import type { Position } from '../pubsub/position.js'
import type { Gap, Room, RoomData, RoomListener, RoomMessage, Subscription } from '../pubsub/room.js'
import type { PresenceEvent } from '../pubsub/presence.js'
import { LimitError } from '../base/errors.js'
import type { Message } from './outgoing.js'
import type { WebSocketPeer } from './peer.js'
import { SharedFrame } from './shared-frame.js'

/** How what happens in a room is told to WebSockets. */
export interface GroupCodec {
  message(message: RoomMessage): Message
  /** What tells of messages that will not come; nothing is told without it. */
  gap?(gap: Gap): Message
  presence?(event: PresenceEvent): Message
}

/** The data of messages as they were published, and nothing else. */
export const PLAIN_CODEC: GroupCodec = { message: ({ data }) => data }

export interface JoinOptions {
  /** What came after this position comes first, as far as history holds it. */
  readonly from?: Position | undefined
  /** Instead of `from`: so many of the newest messages come first. */
  readonly last?: number | undefined
  /** Messages that were published with this are passed over for this peer: its own, say. */
  readonly except?: string
}

/** Handles of rooms with nobody in them, for publishing. */
const MAX_KEPT = 10_000

/** Live messages that are held for one peer while history is on its way. */
const MAX_BACKLOG = 4096

interface Membership {
  readonly except: string | undefined
  /** While history is on its way. */
  backlog: RoomMessage[] | undefined
}

/**
 * Rooms with WebSockets in them: each room is listened to once in this process (or worker), and each message is framed
 * once for all peers. A peer that does not read meets its own policy, `slowReader`: nobody waits for it.
 * @example
 * const groups = new Groups(await openBroker('memory:'))
 * const chat = websocket(async (peer) => {
 *   const lobby = groups.group('lobby')
 *   await lobby.join(peer, { last: 100 })
 *   for await (const message of peer) await lobby.publish(message)
 * })
 */
export class Groups {
  readonly #broker: Broker
  readonly #codec: GroupCodec
  readonly #groups = new Map<string, Group>()

  constructor(broker: Broker, codec: GroupCodec = PLAIN_CODEC) {
    this.#broker = broker
    this.#codec = codec
  }

  get broker(): Broker {
    return this.#broker
  }

  /** @throws UsageError `ERR_ROOM_NAME`. */
  group(name: string): Group {
    let group = this.#groups.get(name)
    if (group === undefined) {
      if (this.#groups.size >= MAX_KEPT) this.#forgetEmpty()
      group = new Group(this.#broker.room(name), this.#codec, () => this.#groups.delete(name))
      this.#groups.set(name, group)
    }
    return group
  }

  /** A handle is made anew when it is asked for. */
  #forgetEmpty(): void {
    for (const [name, { peers }] of this.#groups) if (peers === 0) this.#groups.delete(name)
  }
}

/** The WebSockets of one room. */
export class Group implements RoomListener {
  readonly #room: Room
  readonly #codec: GroupCodec
  readonly #emptied: () => void
  readonly #members = new Map<WebSocketPeer, Membership>()
  #subscription: Promise<Subscription> | undefined
  /** Of messages that are asked for again by who comes late. */
  readonly #frames = new WeakMap<RoomMessage, SharedFrame>()

  /** @internal Use `Groups.group`. */
  constructor(room: Room, codec: GroupCodec, emptied: () => void) {
    this.#room = room
    this.#codec = codec
    this.#emptied = emptied
  }

  /** How many peers of this process are in it. */
  get peers(): number {
    return this.#members.size
  }

  /**
   * Sends a message to all of the room, in this process and elsewhere. Resolves to its position when the broker has it.
   * @throws as `Room.publish` does.
   */
  publish(data: RoomData, options?: { readonly publisher?: string }): Promise<Position> {
    return this.#room.publish(data, options)
  }

  /**
   * From now on the peer gets what is published, in order, until it leaves or is gone; with `from` or `last` what was
   * missed comes first, and nothing twice. Resolves to the position behind which the live messages begin.
   * @throws as `Room.subscribe` and `Room.history` do.
   */
  async join(peer: WebSocketPeer, options: JoinOptions = {}): Promise<Position> {
    const { from, last, except } = options
    const wantsHistory = from !== undefined || last !== undefined
    const membership: Membership = { except, backlog: wantsHistory ? [] : undefined }
    const isNew = !this.#members.has(peer)
    this.#members.set(peer, membership)
    this.#subscription ??= this.#room.subscribe(this)
    if (isNew) void peer.closed.then(() => this.leave(peer))
    try {
      const subscription = await this.#subscription
      return wantsHistory ? await this.#catchUp(peer, membership, options) : subscription.position
    } catch (error) {
      this.leave(peer)
      throw error
    }
  }

  async #catchUp(peer: WebSocketPeer, membership: Membership, { from, last }: JoinOptions): Promise<Position> {
    const page = await this.#room.history({
      ...(from === undefined ? {} : { after: from }),
      ...(last === undefined ? {} : { maxMessages: last }),
    })
    if (page.gap !== undefined && this.#codec.gap !== undefined) void peer.send(this.#codec.gap(page.gap))
    for (const message of page.messages) this.#send(peer, membership, message)
    const { head } = page
    for (const message of membership.backlog ?? [])
      if (message.epoch !== head.epoch || message.offset > head.offset) this.#send(peer, membership, message)
    membership.backlog = undefined
    return head
  }

  #send(peer: WebSocketPeer, { except }: Membership, message: RoomMessage): void {
    if (except === undefined || message.publisher !== except) void peer.sendShared(this.#frameOf(message))
  }

  #frameOf(message: RoomMessage): SharedFrame {
    let frame = this.#frames.get(message)
    if (frame === undefined) {
      frame = new SharedFrame(this.#codec.message(message))
      this.#frames.set(message, frame)
    }
    return frame
  }

  leave(peer: WebSocketPeer): void {
    if (!this.#members.delete(peer) || this.#members.size > 0) return
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#emptied()
    void subscription?.then((open) => open.close()).catch(() => undefined)
  }

  // ---- from the room

  message(message: RoomMessage): void {
    const frame = new SharedFrame(this.#codec.message(message))
    const { publisher } = message
    for (const [peer, { except, backlog }] of this.#members) {
      if (backlog !== undefined) this.#holdBack(peer, backlog, message)
      else if (publisher === undefined || publisher !== except) void peer.sendShared(frame)
    }
  }

  #holdBack(peer: WebSocketPeer, backlog: RoomMessage[], message: RoomMessage): void {
    if (backlog.push(message) > MAX_BACKLOG)
      peer.destroy(
        new LimitError('ERR_QUEUE_LIMIT', `Cannot hold more than ${MAX_BACKLOG} messages for one that joins`),
      )
  }

  gap(gap: Gap): void {
    if (this.#codec.gap !== undefined) this.#tellAll(this.#codec.gap(gap))
  }

  presence(event: PresenceEvent): void {
    if (this.#codec.presence !== undefined) this.#tellAll(this.#codec.presence(event))
  }

  /** The broker is gone, and comes back no more: neither do the messages. */
  ended(): void {
    this.#subscription = undefined
    const peers = [...this.#members.keys()]
    this.#members.clear()
    this.#emptied()
    for (const peer of peers) void peer.close(1012, 'the room is gone')
  }

  #tellAll(told: Message): void {
    const frame = new SharedFrame(told)
    for (const peer of this.#members.keys()) void peer.sendShared(frame)
  }
}
