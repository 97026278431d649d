import type { BrokerLimits } from '../options.js'
import type { Position } from '../position.js'
import type { Member, PresenceEvent } from '../presence.js'
import type { RoomSummary } from '../broker.js'
import type { RateDecision, WholeRate } from '../rate-limit.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomData, RoomMessage } from '../room.js'
import type { Kept } from '../values.js'
import type { PlainHubError } from './plain-error.js'

// What travels between a worker, whose brokers have no rooms of their own, and its parent, which has them all: plain
// data, many in one message, in order both ways. `broker` is the number of a broker in its worker.

/** Each with a `call` has one answer with the same. */
export type HubRequest =
  | {
      readonly op: 'open'
      readonly broker: number
      readonly call: number
      readonly name: string
      readonly limits: BrokerLimits
    }
  | {
      readonly op: 'publish'
      readonly broker: number
      readonly call: number
      readonly room: string
      readonly data: RoomData
      readonly publisher: string | undefined
    }
  /** Messages of the room come from now on. */
  | { readonly op: 'follow'; readonly broker: number; readonly call: number; readonly room: string }
  | { readonly op: 'unfollow'; readonly broker: number; readonly room: string }
  | {
      readonly op: 'history'
      readonly broker: number
      readonly call: number
      readonly room: string
      readonly options: HistoryOptions
    }
  | {
      readonly op: 'enter'
      readonly broker: number
      readonly call: number
      readonly room: string
      /** The worker’s number for it. */
      readonly entering: number
      readonly member: Member
      readonly unique: boolean
    }
  | {
      readonly op: 'update'
      readonly broker: number
      readonly call: number
      readonly entering: number
      readonly data: unknown
    }
  | { readonly op: 'leave'; readonly broker: number; readonly call: number; readonly entering: number }
  | { readonly op: 'members'; readonly broker: number; readonly call: number; readonly room: string }
  | {
      readonly op: 'take'
      readonly broker: number
      readonly call: number
      readonly name: string
      readonly key: string
      readonly rate: WholeRate
      readonly cost: number
    }
  | {
      readonly op: 'get'
      readonly broker: number
      readonly call: number
      readonly space: string
      readonly keys: readonly string[]
    }
  | {
      readonly op: 'set'
      readonly broker: number
      readonly call: number
      readonly space: string
      readonly key: string
      readonly bytes: Uint8Array
      readonly ttlMs: number
      readonly expected: string | undefined
    }
  | {
      readonly op: 'delete'
      readonly broker: number
      readonly call: number
      readonly space: string
      readonly key: string
    }
  | { readonly op: 'rooms'; readonly broker: number; readonly call: number }
  | { readonly op: 'close'; readonly broker: number; readonly call: number }
  /** So much of what came was taken: as much more may come. */
  | { readonly op: 'taken'; readonly broker: number; readonly count: number; readonly bytes: number }

/** A request that is answered. */
export type HubCall = Extract<HubRequest, { readonly call: number }>

export type HubAnswer =
  | { readonly op: 'done'; readonly broker: number; readonly call: number }
  | { readonly op: 'failed'; readonly broker: number; readonly call: number; readonly error: PlainHubError }
  | { readonly op: 'position'; readonly broker: number; readonly call: number; readonly position: Position }
  | { readonly op: 'replay'; readonly broker: number; readonly call: number; readonly replay: Replay }
  | { readonly op: 'members'; readonly broker: number; readonly call: number; readonly members: readonly Member[] }
  | {
      readonly op: 'kept'
      readonly broker: number
      readonly call: number
      readonly kept: readonly (Kept | undefined)[]
    }
  | { readonly op: 'version'; readonly broker: number; readonly call: number; readonly version: string | undefined }
  | { readonly op: 'decision'; readonly broker: number; readonly call: number; readonly decision: RateDecision }
  | { readonly op: 'rooms'; readonly broker: number; readonly call: number; readonly rooms: readonly RoomSummary[] }
  | { readonly op: 'message'; readonly broker: number; readonly message: RoomMessage }
  | { readonly op: 'presence'; readonly broker: number; readonly event: PresenceEvent }
  | {
      readonly op: 'gap'
      readonly broker: number
      readonly room: string
      readonly until: Position
      readonly presenceMissed: boolean
    }

const FRAME_BYTES = 64

export interface Cost {
  readonly count: number
  readonly bytes: number
}

/** What an answer counts while it is on its way; both ends reckon alike. */
export function costOf(answer: HubAnswer): Cost {
  if (answer.op === 'message') return { count: 1, bytes: FRAME_BYTES + answer.message.data.length }
  if (answer.op === 'kept')
    return { count: 1, bytes: answer.kept.reduce((sum, one) => sum + (one?.bytes.length ?? 0), FRAME_BYTES) }
  if (answer.op !== 'replay') return { count: 1, bytes: FRAME_BYTES }
  const { messages } = answer.replay
  const bytes = messages.reduce((sum, { data }) => sum + FRAME_BYTES + data.length, FRAME_BYTES)
  return { count: 1 + messages.length, bytes }
}

/** The same of a request. */
export function bytesOf(request: HubRequest): number {
  if (request.op === 'publish') return FRAME_BYTES + request.data.length
  return FRAME_BYTES + (request.op === 'set' ? request.bytes.length : 0)
}
