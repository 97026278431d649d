import { LimitError } from '../base/errors.js'
import type { RoomData } from './room.js'

/** The bytes of a message, text as UTF-8. @throws LimitError `ERR_ROOM_MESSAGE_SIZE`. */
export function checkData(data: RoomData, maxMessageBytes: number): number {
  const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
  if (bytes <= maxMessageBytes) return bytes
  throw new LimitError(
    'ERR_ROOM_MESSAGE_SIZE',
    `Cannot publish ${bytes} bytes: at most maxMessageBytes, ${maxMessageBytes}`,
    { details: { maxMessageBytes } },
  )
}
