import type { RoomData } from '../room.js'

// A message as it stands in a log elsewhere: what it is, who sent it and which of that sender's it is, its publisher, its
// data. The first bytes are text, so that a script can compare them.

const TEXT = 0x73
const BYTES = 0x62
const SEQUENCE_DIGITS = 11
/** Of the id of a broker, see `newBrokerId`. */
const SENDER_BYTES = 16
/** Where the publisher's length stands. */
const HEAD_BYTES = 1 + SENDER_BYTES + SEQUENCE_DIGITS

/** The sender and the number of a message: unique among all messages. */
export const messageTag = (sender: string, sequence: number): string =>
  sender + sequence.toString(36).padStart(SEQUENCE_DIGITS, '0')

export const TAG_BYTES: number = SENDER_BYTES + SEQUENCE_DIGITS

export function encodeMessage(tag: string, data: RoomData, publisher: string = ''): Buffer {
  const publisherBytes = Buffer.byteLength(publisher)
  const isText = typeof data === 'string'
  const length = isText ? Buffer.byteLength(data) : data.byteLength
  const start = HEAD_BYTES + 1 + publisherBytes
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = isText ? TEXT : BYTES
  frame.write(tag, 1, 'latin1')
  frame[HEAD_BYTES] = publisherBytes
  if (publisherBytes > 0) frame.write(publisher, HEAD_BYTES + 1)
  if (isText) frame.write(data, start)
  else frame.set(data, start)
  return frame
}

export interface DecodedMessage {
  readonly data: RoomData
  readonly publisher: string | undefined
}

/** Bytes are copied: what they come in may be used again. */
export function decodeMessage(frame: Buffer, at: number = 0): DecodedMessage {
  const publisherBytes = frame[at + HEAD_BYTES] ?? 0
  const start = at + HEAD_BYTES + 1 + publisherBytes
  const publisher = publisherBytes === 0 ? undefined : frame.toString('utf8', at + HEAD_BYTES + 1, start)
  const data = frame[at] === TEXT ? frame.toString('utf8', start) : new Uint8Array(frame.subarray(start))
  return { data, publisher }
}
