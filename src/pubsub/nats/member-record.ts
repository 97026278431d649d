import type { Member, PresenceEvent } from '../presence.js'

/** What stands of a member in the stream of the members; as JSON. */
export interface MemberRecord {
  readonly member: Member
  readonly unique: boolean
  /** Who has entered it: `<broker>/<number>`. With none it has left, and the record is about to be forgotten. */
  readonly entered: readonly string[]
  /** The place of the record that it joined with; 0 in that record itself. */
  readonly since: number
  /** What this record was for those who listen; `same` is nothing to them. */
  readonly change: PresenceEvent['type'] | 'same'
  readonly timeMs: number
}

export const encodeMember = (record: MemberRecord): Buffer => Buffer.from(JSON.stringify(record))

/** `undefined` for what is none: another program’s, or an empty one. */
export function decodeMember(data: Uint8Array): MemberRecord | undefined {
  if (data.length === 0) return undefined
  try {
    const read: unknown = JSON.parse(Buffer.from(data).toString())
    return isMemberRecord(read) ? read : undefined
  } catch {
    return undefined
  }
}

function isMemberRecord(read: unknown): read is MemberRecord {
  return (
    typeof read === 'object' &&
    read !== null &&
    'member' in read &&
    typeof read.member === 'object' &&
    read.member !== null &&
    'id' in read.member &&
    typeof read.member.id === 'string' &&
    'entered' in read &&
    Array.isArray(read.entered) &&
    'change' in read
  )
}
