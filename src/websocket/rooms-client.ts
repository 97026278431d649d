import { deferred, markHandled, type Deferred } from '../base/deferred.js'
import { ClosedError, LimitError, UsageError } from '../base/errors.js'
import type { Member } from '../pubsub/presence.js'
import { tryParsePosition, type Position } from '../pubsub/position.js'
import type { RoomData } from '../pubsub/room.js'
import { connectWebSocket, type WebSocketClient } from './client.js'
import type { WebSocketReport } from './link.js'
import type { WebSocketClientOptions } from './options.js'
import { tell } from './tell.js'
import { dataOf, ROOMS_PROTOCOL, tryParseEvent, type RoomsEvent, type RoomsRequest } from './rooms-protocol.js'

/** A message as a client gets it. It is a position. */
export interface ReceivedMessage extends Position {
  readonly room: string
  readonly data: RoomData
  readonly publisher: string | undefined
  readonly timeMs: number
}

/** Messages that will not come: the history of the server does not reach back to where this client was. */
export interface ReceivedGap {
  readonly room: string
  readonly after: Position
  readonly until: Position
  readonly missed: number | undefined
}

/** What one of its methods throws is the program's own: it is thrown behind the call, and hurts no other message. */
export interface FollowListener {
  message(message: ReceivedMessage): void
  /** Told instead of what is missing; what comes next follows `until`. */
  gap?(gap: ReceivedGap): void
  presence?(event: { readonly type: string; readonly room: string; readonly member: Member }): void
  /** Behind a lost connection the server lets this client follow no more: nothing comes now; it can be followed again. */
  ended?(error: Error): void
}

export interface FollowOptions {
  /** What came after this position comes first. */
  readonly from?: Position
  /** Instead of `from`: so many of the newest messages come first. */
  readonly last?: number
}

interface Followed {
  readonly listener: FollowListener
  /** Where it goes on when the connection was lost. */
  position: Position | undefined
}

const MAX_REQUESTS = 1024

/**
 * Follows and publishes in the rooms of a server that has a `roomsHandler`. When the connection is lost it is made again
 * (unless `reconnect` says otherwise), and each room goes on behind the last message that was seen: what history does not
 * hold any more is told as a gap.
 * @throws as `connectWebSocket` does.
 * @example
 * await using rooms = await connectRooms('ws://127.0.0.1:8000/rooms')
 * await rooms.follow('lobby', { message: ({ data }) => console.log(data) }, { last: 10 })
 * await rooms.publish('lobby', 'hello')
 */
export async function connectRooms(url: string | URL, options?: WebSocketClientOptions): Promise<RoomsClient> {
  const socket = await connectWebSocket(url, { protocols: [ROOMS_PROTOCOL], reconnect: {}, ...options })
  return new RoomsClient(socket)
}

export class RoomsClient implements AsyncDisposable {
  readonly #socket: WebSocketClient
  readonly #followed = new Map<string, Followed>()
  readonly #entered = new Map<string, Member>()
  readonly #waiting = new Map<number, Deferred<RoomsEvent & { readonly type: 'done' }>>()
  #requests = 0

  /** @internal Use `connectRooms`. */
  constructor(socket: WebSocketClient) {
    this.#socket = socket
    socket.onReconnect(() => this.#resume())
    void this.#read()
  }

  /** The WebSocket below. */
  get socket(): WebSocketClient {
    return this.#socket
  }

  get closed(): Promise<WebSocketReport> {
    return this.#socket.closed
  }

  /**
   * Calls the listener with each message from now on, in order, until `unfollow`. Once for a room.
   * @throws UsageError `ERR_STATE` when it is followed already; `ERR_ROOM_REFUSED` and what else the server says;
   *   ClosedError `ERR_CLOSED` when the connection ends before the answer.
   */
  async follow(room: string, listener: FollowListener, { from, last }: FollowOptions = {}): Promise<void> {
    if (this.#followed.has(room)) throw new UsageError('ERR_STATE', `Cannot follow the room ${room}: it is followed`)
    const followed: Followed = { listener, position: from }
    this.#followed.set(room, followed)
    try {
      await this.#follow(room, followed, last)
    } catch (error) {
      this.#followed.delete(room)
      throw error
    }
  }

  async #follow(room: string, followed: Followed, last?: number): Promise<void> {
    const { position } = followed
    const from = position === undefined ? {} : { from: `${position.epoch}:${position.offset}` }
    const done = await this.#ask({ type: 'follow', room, ...from, ...(last === undefined ? {} : { last }) })
    // Where nothing was said yet, that is where it goes on.
    followed.position ??= tryParsePosition(done.position ?? '')
  }

  async unfollow(room: string): Promise<void> {
    if (this.#followed.delete(room)) await this.#ask({ type: 'unfollow', room })
  }

  /** Resolves to the position when the server has it. @throws as `follow` does. */
  async publish(room: string, data: RoomData, publisher?: string): Promise<Position | undefined> {
    const body = typeof data === 'string' ? { data } : { data: Buffer.from(data).toString('base64'), base64: true }
    const done = await this.#ask({ type: 'publish', room, ...body, ...(publisher === undefined ? {} : { publisher }) })
    return tryParsePosition(done.position ?? '')
  }

  /** Is a member of the room until `leave` or the end of this client, also behind a lost connection. */
  async enter(room: string, member: Member): Promise<void> {
    await this.#ask({ type: 'enter', room, member })
    this.#entered.set(room, member)
  }

  async leave(room: string): Promise<void> {
    if (this.#entered.delete(room)) await this.#ask({ type: 'leave', room })
  }

  async members(room: string): Promise<readonly Member[]> {
    return (await this.#ask({ type: 'members', room })).members ?? []
  }

  close(code?: number, reason?: string): Promise<WebSocketReport> {
    return this.#socket.close(code, reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }

  async #ask(request: WithoutId<RoomsRequest>): Promise<RoomsEvent & { readonly type: 'done' }> {
    if (this.#waiting.size >= MAX_REQUESTS)
      throw new LimitError('ERR_QUEUE_LIMIT', `Cannot ask: ${MAX_REQUESTS} requests wait for an answer`)
    this.#requests += 1
    const id = this.#requests
    const waiting = deferred<RoomsEvent & { readonly type: 'done' }>()
    void markHandled(waiting.promise)
    this.#waiting.set(id, waiting)
    if (!(await this.#socket.send(JSON.stringify({ ...request, id })))) {
      this.#waiting.delete(id)
      throw lost()
    }
    return waiting.promise
  }

  async #read(): Promise<void> {
    for await (const message of this.#socket) {
      const event = typeof message === 'string' ? tryParseEvent(message) : undefined
      if (event !== undefined) this.#heard(event)
    }
    this.#failAll()
  }

  #failAll(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(lost())
    this.#waiting.clear()
  }

  #heard(event: RoomsEvent): void {
    if (event.type === 'done' || event.type === 'failed') {
      const waiting = this.#waiting.get(event.id)
      this.#waiting.delete(event.id)
      if (event.type === 'done') waiting?.resolve(event)
      else waiting?.reject(refused(event))
      return
    }
    const followed = this.#followed.get(event.room)
    if (followed === undefined) return
    const { room } = event
    if (event.type === 'message') {
      const position = tryParsePosition(event.position)
      if (position === undefined) return
      followed.position = position
      const { publisher, timeMs } = event
      const message = { ...position, room, data: dataOf(event), publisher, timeMs }
      tell(() => followed.listener.message(message))
    } else if (event.type === 'gap') {
      const [after, until] = [tryParsePosition(event.after), tryParsePosition(event.until)]
      if (after === undefined || until === undefined) return
      followed.position = until
      tell(() => followed.listener.gap?.({ room, after, until, missed: event.missed }))
    } else tell(() => followed.listener.presence?.({ type: event.event, room, member: event.member }))
  }

  /** A connection that was lost again goes on behind the next one; what the server refuses is over. */
  #ended(room: string, followed: Followed, error: unknown): void {
    if (!(error instanceof UsageError) || this.#followed.get(room) !== followed) return
    this.#followed.delete(room)
    tell(() => followed.listener.ended?.(error))
  }

  /** Over a new connection: what was asked on the old one is lost, what is followed goes on. */
  #resume(): void {
    this.#failAll()
    for (const [room, followed] of this.#followed)
      this.#follow(room, followed).catch((error: unknown) => this.#ended(room, followed, error))
    for (const [room, member] of this.#entered) this.#ask({ type: 'enter', room, member }).catch(() => undefined)
  }
}

type WithoutId<Request> = Request extends { readonly id: number } ? Omit<Request, 'id'> : never

const lost = (): ClosedError => new ClosedError('ERR_CLOSED', 'The connection ended before the server answered')

const refused = ({ code, message }: { readonly code: string; readonly message: string }): UsageError =>
  new UsageError('ERR_ROOM_REFUSED', message, { fault: 'remote', details: { code } })
