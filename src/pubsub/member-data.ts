import { LimitError, messageOf, UsageError } from '../base/errors.js'
import { checkName } from './names.js'
import type { Member } from './presence.js'

/** Also for programs that are not checked by types. @throws UsageError `ERR_ARGUMENT`, `ERR_ROOM_NAME`. */
export function checkMember(member: Member): void {
  if (typeof member !== 'object' || member === null)
    throw new UsageError('ERR_ARGUMENT', 'Cannot enter a room: expected a member, as in { id: "ann" }')
  checkName('member', member.id)
}

/** A copy as JSON carries it, so that every backend gives the same. @throws LimitError, UsageError. */
export function readMember({ id, data }: Member, maxBytes: number): Member {
  const text = toJson(data)
  if (text === undefined) return { id }
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) {
    throw new LimitError(
      'ERR_ROOM_MESSAGE_SIZE',
      `Cannot show ${bytes} bytes of a member: at most maxMemberBytes, ${maxBytes}`,
      { details: { maxMemberBytes: maxBytes } },
    )
  }
  const copy: unknown = JSON.parse(text)
  return { id, data: copy }
}

function toJson(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch (error) {
    throw new UsageError('ERR_ARGUMENT', `Cannot show that of a member: ${messageOf(error)}`, { cause: error })
  }
}
