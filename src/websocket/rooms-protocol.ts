import { formatPosition, tryParsePosition, type Position } from '../pubsub/position.js'
import type { Member, PresenceEvent } from '../pubsub/presence.js'
import type { Gap, RoomData, RoomMessage } from '../pubsub/room.js'
import type { GroupCodec } from './groups.js'

/** The subprotocol: one JSON object in each text message. */
export const ROOMS_PROTOCOL = 'moorage.rooms.v1'

/** What a client asks. `id` comes back with the answer. */
export type RoomsRequest =
  | {
      readonly type: 'follow'
      readonly id: number
      readonly room: string
      readonly from?: string
      readonly last?: number
      readonly presence?: boolean
    }
  | { readonly type: 'unfollow'; readonly id: number; readonly room: string }
  | {
      readonly type: 'publish'
      readonly id: number
      readonly room: string
      readonly data: string
      readonly base64?: boolean
      readonly publisher?: string
    }
  | { readonly type: 'enter'; readonly id: number; readonly room: string; readonly member: Member }
  | { readonly type: 'leave'; readonly id: number; readonly room: string }
  | { readonly type: 'members'; readonly id: number; readonly room: string }

/** What a server tells. */
export type RoomsEvent =
  | {
      readonly type: 'message'
      readonly room: string
      readonly position: string
      readonly data: string
      readonly base64?: true
      readonly publisher?: string
      readonly timeMs: number
    }
  | {
      readonly type: 'gap'
      readonly room: string
      readonly after: string
      readonly until: string
      readonly missed?: number
    }
  | { readonly type: 'presence'; readonly room: string; readonly event: PresenceEvent['type']; readonly member: Member }
  | { readonly type: 'done'; readonly id: number; readonly position?: string; readonly members?: readonly Member[] }
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly message: string }

export const eventOfMessage = ({ room, data, publisher, timeMs, epoch, offset }: RoomMessage): RoomsEvent => ({
  type: 'message',
  room,
  position: formatPosition({ epoch, offset }),
  ...(typeof data === 'string' ? { data } : { data: Buffer.from(data).toString('base64'), base64: true }),
  ...(publisher === undefined ? {} : { publisher }),
  timeMs,
})

export const eventOfGap = ({ room, after, until, missed }: Gap): RoomsEvent => ({
  type: 'gap',
  room,
  after: formatPosition(after),
  until: formatPosition(until),
  ...(missed === undefined ? {} : { missed }),
})

const eventOfPresence = ({ type, room, member }: PresenceEvent): RoomsEvent => ({
  type: 'presence',
  room,
  event: type,
  member,
})

/** What happens in rooms, as clients of the protocol read it. */
export const ROOMS_CODEC: GroupCodec = {
  message: (message) => JSON.stringify(eventOfMessage(message)),
  gap: (gap) => JSON.stringify(eventOfGap(gap)),
  presence: (event) => JSON.stringify(eventOfPresence(event)),
}

export const dataOf = ({ data, base64 }: { readonly data: string; readonly base64?: boolean }): RoomData =>
  base64 === true ? Buffer.from(data, 'base64') : data

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isOptional = (value: unknown, type: 'string' | 'number' | 'boolean'): boolean =>
  value === undefined || typeof value === type

/** `undefined` for what is no request of this protocol. */
export function tryParseRequest(text: string): RoomsRequest | undefined {
  const given = parseObject(text)
  if (given === undefined || !isRequest(given)) return undefined
  return given
}

function isRequest(given: Record<string, unknown>): given is RoomsRequest & Record<string, unknown> {
  const { type, id, room } = given
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || typeof room !== 'string') return false
  switch (type) {
    case 'follow':
      return (
        isOptional(given['from'], 'string') &&
        isOptional(given['last'], 'number') &&
        isOptional(given['presence'], 'boolean')
      )
    case 'publish':
      return (
        typeof given['data'] === 'string' &&
        isOptional(given['base64'], 'boolean') &&
        isOptional(given['publisher'], 'string')
      )
    case 'enter':
      return isObject(given['member']) && typeof given['member']['id'] === 'string'
    case 'unfollow':
    case 'leave':
    case 'members':
      return true
    default:
      return false
  }
}

/** What a server tells; `undefined` for what is not understood here, which a newer server may say. */
export function tryParseEvent(text: string): RoomsEvent | undefined {
  const given = parseObject(text)
  return given !== undefined && isEvent(given) ? given : undefined
}

function isEvent(given: Record<string, unknown>): given is RoomsEvent & Record<string, unknown> {
  const { type, room, id } = given
  switch (type) {
    case 'message':
      return typeof room === 'string' && typeof given['data'] === 'string' && isPosition(given['position'])
    case 'gap':
      return typeof room === 'string' && isPosition(given['after']) && isPosition(given['until'])
    case 'presence':
      return typeof room === 'string' && typeof given['event'] === 'string' && isObject(given['member'])
    case 'done':
      return typeof id === 'number'
    case 'failed':
      return typeof id === 'number' && typeof given['message'] === 'string'
    default:
      return false
  }
}

const isPosition = (value: unknown): boolean => typeof value === 'string' && tryParsePosition(value) !== undefined

export const positionOf = (text: string | undefined): Position | undefined =>
  text === undefined ? undefined : tryParsePosition(text)
