import type { Broker } from '../pubsub/broker.js'
import type { Position } from '../pubsub/position.js'
import type { Gap, HistoryOptions, Room, RoomData, RoomListener, RoomMessage, Subscription } from '../pubsub/room.js'
import type { PresenceEvent } from '../pubsub/presence.js'
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

/** Live messages that are held for one peer while history is on its way; behind that they are read from history, too. */
const MAX_BACKLOG = 4096

interface Membership {
  readonly except: string | undefined
  /** While history is on its way. */
  backlog: RoomMessage[] | undefined
  /** Some did not fit into the backlog. */
  hasMissed: boolean
  /** History had this already, ahead of what is told live: another server's broker answers faster than it tells. */
  seen: Position | undefined
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
  readonly #rooms: Rooms

  constructor(broker: Broker, codec: GroupCodec = PLAIN_CODEC) {
    this.#broker = broker
    this.#rooms = new Rooms(codec)
  }

  get broker(): Broker {
    return this.#broker
  }

  /** A handle, which costs nothing and is good for ever. @throws UsageError `ERR_ROOM_NAME`. */
  group(name: string): Group {
    return new Group(this.#broker.room(name), this.#rooms)
  }
}

/** The WebSockets of one room. */
export class Group {
  readonly #room: Room
  readonly #rooms: Rooms

  /** @internal Use `Groups.group`. */
  constructor(room: Room, rooms: Rooms) {
    this.#room = room
    this.#rooms = rooms
  }

  /** How many peers of this process are in it. */
  get peers(): number {
    return this.#rooms.find(this.#room.name)?.peers ?? 0
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
   * missed comes first, as fast as the peer reads it, and nothing twice. Resolves to the position behind which the live
   * messages begin.
   * @throws as `Room.subscribe` and `Room.history` do.
   */
  join(peer: WebSocketPeer, options: JoinOptions = {}): Promise<Position> {
    return this.#rooms.of(this.#room).join(peer, options)
  }

  leave(peer: WebSocketPeer): void {
    this.#rooms.find(this.#room.name)?.leave(peer)
  }
}

/** The rooms in which somebody is, and in which of them each peer is. */
class Rooms {
  readonly #codec: GroupCodec
  readonly #byName = new Map<string, PeersOfRoom>()
  readonly #byPeer = new WeakMap<WebSocketPeer, Set<PeersOfRoom>>()

  constructor(codec: GroupCodec) {
    this.#codec = codec
  }

  find(name: string): PeersOfRoom | undefined {
    return this.#byName.get(name)
  }

  of(room: Room): PeersOfRoom {
    let found = this.#byName.get(room.name)
    if (found === undefined) this.#byName.set(room.name, (found = new PeersOfRoom(room, this.#codec, this)))
    return found
  }

  emptied(room: PeersOfRoom, name: string): void {
    if (this.#byName.get(name) === room) this.#byName.delete(name)
  }

  entered(peer: WebSocketPeer, room: PeersOfRoom): void {
    let rooms = this.#byPeer.get(peer)
    if (rooms === undefined) {
      const made = new Set<PeersOfRoom>()
      this.#byPeer.set(peer, (rooms = made))
      // Once for a peer, into however many rooms it goes.
      void peer.closed.then(() => {
        this.#byPeer.delete(peer)
        for (const each of made) each.leave(peer)
      })
    }
    rooms.add(room)
  }

  left(peer: WebSocketPeer, room: PeersOfRoom): void {
    this.#byPeer.get(peer)?.delete(room)
  }
}

/** What the WebSockets of one room share: one subscription. */
class PeersOfRoom implements RoomListener {
  readonly #room: Room
  readonly #codec: GroupCodec
  readonly #rooms: Rooms
  readonly #members = new Map<WebSocketPeer, Membership>()
  #subscription: Promise<Subscription> | undefined
  /** Of messages that are asked for again by who comes late. */
  readonly #frames = new WeakMap<RoomMessage, SharedFrame>()

  constructor(room: Room, codec: GroupCodec, rooms: Rooms) {
    this.#room = room
    this.#codec = codec
    this.#rooms = rooms
  }

  get peers(): number {
    return this.#members.size
  }

  async join(peer: WebSocketPeer, options: JoinOptions): Promise<Position> {
    const { from, last, except } = options
    const wantsHistory = from !== undefined || last !== undefined
    const membership: Membership = { except, backlog: wantsHistory ? [] : undefined, hasMissed: false, seen: undefined }
    this.#members.set(peer, membership)
    this.#subscription ??= this.#room.subscribe(this)
    this.#rooms.entered(peer, this)
    try {
      const subscription = await this.#subscription
      return wantsHistory ? await this.#catchUp(peer, membership, options) : subscription.position
    } catch (error) {
      this.leave(peer)
      throw error
    }
  }

  /** What is published meanwhile waits, or is read from history as well: until nothing is left of either. */
  async #catchUp(peer: WebSocketPeer, membership: Membership, { from, last }: JoinOptions): Promise<Position> {
    let wanted: HistoryOptions = {
      ...(from === undefined ? {} : { after: from }),
      ...(last === undefined ? {} : { maxMessages: last }),
    }
    for (;;) {
      const page = await this.#room.history(wanted)
      let { head } = page
      if (page.gap !== undefined && this.#codec.gap !== undefined) void peer.send(this.#codec.gap(page.gap))
      await this.#replay(peer, membership, page.messages)
      for (let held = membership.backlog?.splice(0); held !== undefined && held.length > 0;) {
        // Behind a restart of the broker offsets count in another epoch: history knows where they meet.
        if (held.some(({ epoch }) => epoch !== head.epoch)) {
          membership.hasMissed = true
          break
        }
        const missed = held.filter(({ offset }) => offset > head.offset)
        await this.#replay(peer, membership, missed)
        head = missed.at(-1) ?? head
        held = membership.backlog?.splice(0)
      }
      if (!membership.hasMissed) {
        membership.backlog = undefined
        membership.seen = head
        return head
      }
      membership.hasMissed = false
      wanted = { after: head }
    }
  }

  /** At the pace of the peer: whoever comes back behind a long time reads no faster than others. */
  async #replay(peer: WebSocketPeer, membership: Membership, messages: readonly RoomMessage[]): Promise<void> {
    for (const message of messages) {
      if (this.#members.get(peer) !== membership) return
      this.#send(peer, membership, message)
      await peer.drained()
    }
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
    this.#rooms.left(peer, this)
    if (!this.#members.delete(peer) || this.#members.size > 0) return
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#rooms.emptied(this, this.#room.name)
    void subscription?.then((open) => open.close()).catch(() => undefined)
  }

  // ---- from the room

  message(message: RoomMessage): void {
    const frame = new SharedFrame(this.#codec.message(message))
    const { publisher } = message
    for (const [peer, membership] of this.#members) {
      const { except, backlog } = membership
      if (hasSeen(membership, message)) continue
      if (backlog !== undefined) holdBack(membership, backlog, message)
      else if (publisher === undefined || publisher !== except) void peer.sendShared(frame)
    }
  }

  gap(gap: Gap): void {
    // Behind one that nobody can count offsets can begin anew.
    if (gap.missed === undefined) {
      for (const membership of this.#members.values())
        if (membership.seen?.epoch !== gap.until.epoch) membership.seen = undefined
    }
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
    this.#rooms.emptied(this, this.#room.name)
    for (const peer of peers) void peer.close(1012, 'the room is gone')
  }

  #tellAll(told: Message): void {
    const frame = new SharedFrame(told)
    for (const peer of this.#members.keys()) void peer.sendShared(frame)
  }
}

function holdBack(membership: Membership, backlog: RoomMessage[], message: RoomMessage): void {
  if (!membership.hasMissed && backlog.length < MAX_BACKLOG) backlog.push(message)
  else membership.hasMissed = true
}

function hasSeen(membership: Membership, { offset }: RoomMessage): boolean {
  if (membership.seen === undefined) return false
  if (offset <= membership.seen.offset) return true
  membership.seen = undefined
  return false
}
