import { BrokenError } from '../../base/errors.js'
import type { RoomSummary } from '../broker.js'
import type { Member, PresenceEvent } from '../presence.js'
import type { Position } from '../position.js'
import type { Used } from '../rate-limit.js'
import { decodeMessage } from '../remote/message-frame.js'
import type { Replay } from '../replay.js'
import type { RoomMessage } from '../room.js'
import type { Kept } from '../values.js'

const SPACE = 0x20

/** Somebody else wrote to our keys, or another version did. */
const strange = (): BrokenError => new BrokenError('ERR_BROKER_GONE', 'Cannot understand what Redis answered')

function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw strange()
  return reply
}

/** Bytes, but for what Redis calls verbatim. */
export function textOf(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (!Buffer.isBuffer(reply)) throw strange()
  return reply.toString()
}

function numberOf(reply: unknown): number {
  if (typeof reply === 'number') return reply
  const read = Number(textOf(reply))
  if (!Number.isSafeInteger(read)) throw strange()
  return read
}

export function readPosition(reply: unknown): Position {
  const [epoch, offset] = listOf(reply)
  return { epoch: textOf(epoch), offset: numberOf(offset) }
}

/** What the script `read` returns: epoch, head, whether there is a gap, where the messages begin, and these. */
export function readReplay(room: string, reply: unknown): Replay {
  const [epochReply, headReply, torn, from, entries] = listOf(reply)
  const epoch = textOf(epochReply)
  const head = { epoch, offset: numberOf(headReply) }
  return {
    gapUntil: numberOf(torn) === 1 ? { epoch, offset: numberOf(from) } : undefined,
    messages: listOf(entries).map((entry) => readEntry(room, epoch, entry)),
    head,
  }
}

/** An entry of the stream: its id, and its fields with their names. */
function readEntry(room: string, epoch: string, entry: unknown): RoomMessage {
  const [id, fields] = listOf(entry)
  const [, frame, , timeMs] = listOf(fields)
  if (!Buffer.isBuffer(frame)) throw strange()
  const { data, publisher } = decodeMessage(frame)
  return { room, epoch, offset: Number.parseInt(textOf(id), 10), data, publisher, timeMs: numberOf(timeMs) }
}

type Heard = { readonly message: RoomMessage } | { readonly presence: PresenceEvent }

/** What came on the channel of a room: `m<epoch> <offset> <ms> ` and a message, or `p<ms> <type> ` and a member as JSON. */
export function readFrame(room: string, frame: Buffer): Heard | undefined {
  const first = frame.indexOf(SPACE)
  const second = frame.indexOf(SPACE, first + 1)
  if (frame[0] === 0x6d) {
    const third = frame.indexOf(SPACE, second + 1)
    if (third === -1) return undefined
    const { data, publisher } = decodeMessage(frame, third + 1)
    return {
      message: {
        room,
        epoch: frame.toString('latin1', 1, first),
        offset: Number(frame.toString('latin1', first + 1, second)),
        data,
        publisher,
        timeMs: Number(frame.toString('latin1', second + 1, third)),
      },
    }
  }
  const type = frame.toString('latin1', first + 1, second)
  if (frame[0] !== 0x70 || (type !== 'join' && type !== 'update' && type !== 'leave')) return undefined
  const member = readMember(frame.toString('utf8', second + 1))
  return { presence: { type, room, member, timeMs: Number(frame.toString('latin1', 1, first)) } }
}

/** A member as the scripts write it: what it shows is JSON within JSON, so that Lua leaves it as it is. */
function readMember(text: string, id?: string): Member {
  const read: unknown = JSON.parse(text)
  if (typeof read !== 'object' || read === null) throw strange()
  const name = id ?? ('id' in read ? String(read.id) : '')
  if (!('d' in read) || typeof read.d !== 'string') return { id: name }
  const data: unknown = JSON.parse(read.d)
  return { id: name, data }
}

/** A hash, as RESP3 gives it: a map, which is read as a list of names and values here. */
function* pairsOf(reply: unknown): Generator<readonly [string, string]> {
  const list = listOf(reply)
  for (let i = 0; i + 1 < list.length; i += 2) yield [textOf(list[i]), textOf(list[i + 1])]
}

/** In the order in which they came. */
export function readMembers(reply: unknown): readonly Member[] {
  const found: { readonly order: string; readonly member: Member }[] = []
  for (const [id, text] of pairsOf(reply)) {
    const read: unknown = JSON.parse(text)
    const order = typeof read === 'object' && read !== null && 'o' in read ? String(read.o) : ''
    found.push({ order, member: readMember(text, id) })
  }
  found.sort((left, right) => (left.order < right.order ? -1 : 1))
  return found.map(({ member }) => member)
}

/** The two fields of a value. */
export function readKept(reply: unknown): Kept | undefined {
  const [version, bytes] = listOf(reply)
  if (version === null || !Buffer.isBuffer(bytes)) return undefined
  return { version: textOf(version), bytes: new Uint8Array(bytes) }
}

/** What the script `take` returns. */
export function readUsed(reply: unknown): Used {
  const [isAllowed, usedUp, now] = listOf(reply)
  return { isAllowed: numberOf(isAllowed) === 1, usedUpMs: Number(textOf(usedUp)), nowMs: Number(textOf(now)) }
}

export function readRooms(reply: unknown): readonly RoomSummary[] {
  const found = Array.from(pairsOf(reply), ([name, members]) => ({ name, members: Number(members) }))
  return found.toSorted((left, right) => (left.name < right.name ? -1 : 1))
}
