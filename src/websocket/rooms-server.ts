import { errorCodeOf, LimitError, messageOf, UsageError } from '../base/errors.js'
import { count, readOptions, value, type OptionSpecs } from '../base/options.js'
import { formatPosition } from '../pubsub/position.js'
import type { Broker } from '../pubsub/broker.js'
import type { Membership } from '../pubsub/presence.js'
import type { HttpRequest } from '../http/request.js'
import { Groups } from './groups.js'
import { WebSocketHandler, type WebSocketHandlerClass } from './handlers.js'
import type { Message } from './outgoing.js'
import {
  dataOf,
  positionOf,
  ROOMS_CODEC,
  tryParseRequest,
  type RoomsEvent,
  type RoomsRequest,
} from './rooms-protocol.js'

/** What somebody wants to do in a room. */
export interface RoomsAction {
  readonly type: 'follow' | 'publish' | 'enter' | 'members'
  readonly room: string
  /** That the WebSocket was opened with: whose it is, say. */
  readonly request: HttpRequest
}

export type RoomsAuthorizer = (action: RoomsAction) => boolean | Promise<boolean>

export interface RoomsSettings {
  readonly authorize: RoomsAuthorizer
  readonly maxRoomsPerPeer: number
}
export type RoomsOptions = Partial<RoomsSettings>

export const ROOMS_OPTIONS: OptionSpecs<RoomsSettings> = {
  authorize: value(
    'a function',
    () => true,
    'everybody may do everything',
    'Whether what a client asks for is done: false refuses it with ERR_ROOM_REFUSED.',
    (given): given is RoomsAuthorizer => typeof given === 'function',
  ),
  maxRoomsPerPeer: count(64, 'How many rooms one client may follow or be a member of. Centrifugo has 128.'),
}

/**
 * Serves the rooms of a broker to `connectRooms`: follow, publish, presence, and resuming behind a lost connection. Open
 * it with the subprotocol `ROOMS_PROTOCOL`.
 * @example
 * const rooms = websocket(roomsHandler(await openBroker('memory:')), { protocols: [ROOMS_PROTOCOL] })
 */
export function roomsHandler(broker: Broker, options?: RoomsOptions): WebSocketHandlerClass {
  const settings = readOptions('rooms', ROOMS_OPTIONS, options)
  const groups = new Groups(broker, ROOMS_CODEC)
  return class extends RoomsHandler {
    protected override readonly groups = groups
    protected override readonly settings = settings
  }
}

/** So many messages of one peer may be on their way to the broker; then it is read no further. */
const MAX_PUBLISHING = 64

abstract class RoomsHandler extends WebSocketHandler {
  protected abstract readonly groups: Groups
  protected abstract readonly settings: RoomsSettings
  readonly #followed = new Set<string>()
  readonly #entered = new Map<string, Membership>()
  #request: HttpRequest | undefined
  #publishing = 0
  #wake = (): void => undefined

  override open(request: HttpRequest): void {
    this.#request = request
  }

  override async message(message: Message): Promise<void> {
    const request = typeof message === 'string' ? tryParseRequest(message) : undefined
    if (request === undefined) {
      void this.peer.close(1003, 'expected a request of moorage.rooms.v1')
      return
    }
    const { id } = request
    try {
      if (request.type === 'publish') await this.#publish(request)
      else this.#tell({ type: 'done', id, ...(await this.#do(request)) })
    } catch (error) {
      this.#refuse(id, error)
    }
  }

  /** On its way in the order in which it came; who publishes much does not wait for one answer after the other. */
  async #publish({ id, room, publisher, ...body }: RoomsRequest & { readonly type: 'publish' }): Promise<void> {
    await this.#check('publish', room)
    this.#publishing += 1
    const taken = this.groups.group(room).publish(dataOf(body), publisher === undefined ? {} : { publisher })
    const answered = taken.then(
      (position) => this.#tell({ type: 'done', id, position: formatPosition(position) }),
      (error: unknown) =>
        this.#tell({ type: 'failed', id, code: errorCodeOf(error) ?? 'ERR_BROKER_GONE', message: messageOf(error) }),
    )
    void answered.finally(() => {
      this.#publishing -= 1
      this.#wake()
    })
    if (this.#publishing < MAX_PUBLISHING) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #refuse(id: number, error: unknown): void {
    const code = errorCodeOf(error)
    if (code === undefined) throw error
    this.#tell({ type: 'failed', id, code, message: messageOf(error) })
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#entered.values()].map((membership) => membership.leave()))
  }

  #tell(event: RoomsEvent): void {
    void this.peer.send(JSON.stringify(event))
  }

  async #do(
    request: Exclude<RoomsRequest, { readonly type: 'publish' }>,
  ): Promise<Pick<RoomsEvent & { readonly type: 'done' }, 'position' | 'members'>> {
    const { room } = request
    const group = this.groups.group(room)
    switch (request.type) {
      case 'follow': {
        await this.#check('follow', room)
        this.#count(this.#followed.has(room), this.#followed.size)
        const position = await group.join(this.peer, { from: positionOf(request.from), last: request.last })
        this.#followed.add(room)
        return { position: formatPosition(position) }
      }
      case 'unfollow':
        group.leave(this.peer)
        this.#followed.delete(room)
        return {}
      case 'enter': {
        await this.#check('enter', room)
        this.#count(this.#entered.has(room), this.#entered.size)
        await this.#entered.get(room)?.leave()
        this.#entered.set(room, await this.groups.broker.room(room).enter(request.member))
        return {}
      }
      case 'leave':
        await this.#entered.get(room)?.leave()
        this.#entered.delete(room)
        return {}
      case 'members':
        await this.#check('members', room)
        return { members: await this.groups.broker.room(room).members() }
    }
  }

  async #check(type: RoomsAction['type'], room: string): Promise<void> {
    const request = this.#request
    if (request !== undefined && (await this.settings.authorize({ type, room, request }))) return
    throw new UsageError(
      'ERR_ROOM_REFUSED',
      `Cannot ${type} the room ${JSON.stringify(room.slice(0, 64))}: not allowed`,
      {
        fault: 'remote',
      },
    )
  }

  #count(isIn: boolean, size: number): void {
    const { maxRoomsPerPeer } = this.settings
    if (isIn || size < maxRoomsPerPeer) return
    throw new LimitError('ERR_ROOM_LIMIT', `Cannot be in more than ${maxRoomsPerPeer} rooms`, {
      details: { limit: maxRoomsPerPeer },
    })
  }
}
