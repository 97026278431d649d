import { memberTaken, roomFull } from '../member-limits.js'
import type { Member } from '../presence.js'

/** Under one id: what is shown of it, and how often it was entered. */
interface Entered {
  member: Member
  readonly unique: boolean
  times: number
}

/** Who is in one room. */
export class Members {
  readonly #entered = new Map<string, Entered>()

  get count(): number {
    return this.#entered.size
  }

  list(): Member[] {
    return Array.from(this.#entered.values(), ({ member }) => member)
  }

  /** @throws BusyError `ERR_MEMBER_TAKEN`, LimitError `ERR_ROOM_LIMIT`. */
  check(id: string, unique: boolean, maxRoomMembers: number): void {
    const there = this.#entered.get(id)
    if (there !== undefined && (unique || there.unique)) throw memberTaken(id)
    if (there === undefined && this.#entered.size >= maxRoomMembers) throw roomFull(maxRoomMembers)
  }

  /** After `check`. What it was for those who listen. */
  enter(member: Member, unique: boolean): 'join' | 'update' | undefined {
    const there = this.#entered.get(member.id)
    if (there === undefined) {
      this.#entered.set(member.id, { member, unique, times: 1 })
      return 'join'
    }
    there.times += 1
    return member.data === undefined ? undefined : this.update(member)
  }

  update(member: Member): 'update' | undefined {
    const there = this.#entered.get(member.id)
    if (there === undefined || JSON.stringify(there.member.data) === JSON.stringify(member.data)) return undefined
    there.member = member
    return 'update'
  }

  /** The member, when nobody has entered it any more. */
  leave(id: string): Member | undefined {
    const there = this.#entered.get(id)
    if (there === undefined) return undefined
    there.times -= 1
    if (there.times > 0) return undefined
    this.#entered.delete(id)
    return there.member
  }
}
