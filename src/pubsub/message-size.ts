import { LimitError, UsageError } from '../base/errors.js'
import type { RoomData } from './room.js'

/** What a message costs in history besides its data: itself, its place there, the head of its text or bytes. */
export const MESSAGE_COST_BYTES = 256

/** The bytes of a message, text as UTF-8. @throws LimitError `ERR_ROOM_MESSAGE_SIZE`; UsageError `ERR_ARGUMENT`. */
export function checkData(data: RoomData, maxMessageBytes: number): number {
  // Also for programs that are not checked by types.
  if (typeof data !== 'string' && !(data instanceof Uint8Array))
    throw new UsageError(
      'ERR_ARGUMENT',
      `Cannot publish a value of type ${typeof data}: expected a string or bytes; an object is sent by JSON.stringify`,
    )
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
  if (bytes <= maxMessageBytes) return bytes
  throw new LimitError(
    'ERR_ROOM_MESSAGE_SIZE',
    `Cannot publish ${bytes} bytes: at most maxMessageBytes, ${maxMessageBytes}`,
    { details: { maxMessageBytes } },
  )
}
