import { decodeMessage, TAG_BYTES } from '../remote/message-frame.js'
import { MESSAGE_COST_BYTES } from '../message-size.js'
import type { RoomMessage } from '../room.js'

// What one message of the stream holds: some messages of a room, which came while others were on their way. A line in
// ASCII, then each as its length (32 bits, big-endian) and its frame.

export interface BatchHead {
  readonly epoch: string
  /** The run of the server that took it. */
  readonly run: string
  /** The offset of its first message. */
  readonly first: number
  readonly count: number
  readonly timeMs: number
  /** Epochs before this one, the newest first, each with the offset at which it ended. */
  readonly past: string
}

export interface Batch extends BatchHead {
  readonly frames: readonly Buffer[]
}

const NEWLINE = 0x0a
const LENGTH_BYTES = 4
const MAX_PAST = 1024
/** No run, no past. */
const NONE = '-'

export const lastOffset = ({ first, count }: BatchHead): number => first + count - 1

/** The epochs before a new one that begins behind `head`. */
export const pastBehind = (head: BatchHead): string =>
  `${head.epoch}=${lastOffset(head)},${head.past}`.slice(0, MAX_PAST)

/** Up to which offset positions of an epoch are good: those of `head`, and of those before it as far as they went. */
export function goodUntil(head: BatchHead, epoch: string): number | undefined {
  if (epoch === head.epoch) return lastOffset(head)
  // What was cut off at the end has no comma behind it.
  const known = head.past.split(',').slice(0, -1)
  const found = known.find((entry) => entry.startsWith(`${epoch}=`))
  return found === undefined ? undefined : Number(found.slice(epoch.length + 1))
}

export function encodeBatch({ epoch, run, first, count, timeMs, past }: BatchHead, frames: readonly Buffer[]): Buffer {
  const head = Buffer.from(`${epoch} ${run} ${first} ${count} ${timeMs} ${past === '' ? NONE : past}\n`, 'latin1')
  const parts: Buffer[] = [head]
  for (const frame of frames) {
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(frame.length)
    parts.push(length, frame)
  }
  return Buffer.concat(parts)
}

export function decodeBatch(data: Uint8Array): Batch | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const end = bytes.indexOf(NEWLINE)
  const [epoch = '', run = '', first, count, timeMs, past = ''] = bytes
    .toString('latin1', 0, Math.max(0, end))
    .split(' ')
  if (past === '') return undefined
  const frames: Buffer[] = []
  for (let at = end + 1; at + LENGTH_BYTES <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    frames.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length))
    at += LENGTH_BYTES + length
  }
  const head = { epoch, run, first: Number(first), count: Number(count), timeMs: Number(timeMs) }
  return { ...head, past: past === NONE ? '' : past, frames }
}

/** Whether a batch has the messages of these frames: their tags are unlike all others. */
export function isSame({ frames }: Batch, others: readonly Buffer[]): boolean {
  const [first, other] = [frames[0], others[0]]
  return (
    first !== undefined &&
    other !== undefined &&
    first.subarray(1, 1 + TAG_BYTES).equals(other.subarray(1, 1 + TAG_BYTES))
  )
}

export function* messagesOf(room: string, { epoch, first, timeMs, frames }: Batch): Generator<RoomMessage> {
  for (const [i, frame] of frames.entries()) {
    const { data, publisher } = decodeMessage(frame)
    yield { room, epoch, offset: first + i, data, publisher, timeMs }
  }
}

/** What a message counts in history. */
export const costOf = ({ data }: RoomMessage): number =>
  MESSAGE_COST_BYTES + (typeof data === 'string' ? Buffer.byteLength(data) : data.length)
