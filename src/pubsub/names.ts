import { UsageError } from '../base/errors.js'

/** What NATS allows for a subject and Centrifugo for a channel, too. */
export const MAX_NAME_BYTES = 255

/** Control characters, and halves of surrogate pairs, which have no UTF-8. */
const UNFIT = /[\p{Cc}\p{Cs}]/u

/** The name of a room, a member or a publisher. @throws UsageError `ERR_ROOM_NAME`. */
export function checkName(kind: string, name: string): string {
  if (typeof name !== 'string') throw wrong(kind, `expected a string, got ${typeof name}`)
  if (name === '') throw wrong(kind, 'it is empty')
  // No character has fewer bytes than code units, so that a long string is not counted first.
  if (name.length > MAX_NAME_BYTES || Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw wrong(kind, `it is longer than ${MAX_NAME_BYTES} bytes`)
  if (UNFIT.test(name)) throw wrong(kind, 'it has control characters or unpaired surrogates')
  return name
}

function wrong(kind: string, why: string): UsageError {
  return new UsageError('ERR_ROOM_NAME', `Cannot use the name of a ${kind}: ${why}`)
}
