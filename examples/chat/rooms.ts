/** A line of a room, with when it was said. */
export interface Line {
  readonly at: number
  readonly text: string
}

/** Someone in a room. `deliver` must not wait: a member that cannot take a line says false. */
export interface Member {
  readonly name: string
  deliver(text: string): void
}

const HISTORY_LINES = 100
const MAX_ROOMS = 1000
const MAX_MEMBERS = 1000

/** Named rooms with who is in them and their last 100 lines; an empty room is forgotten. */
export class Rooms {
  readonly #rooms = new Map<string, Room>()

  /** The room of that name, made when it is not there; `undefined` when there are too many. */
  open(name: string): Room | undefined {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    if (this.#rooms.size >= MAX_ROOMS) return undefined
    const room = new Room(name, () => this.#rooms.delete(name))
    this.#rooms.set(name, room)
    return room
  }

  names(): string[] {
    return [...this.#rooms.keys()].toSorted()
  }
}

export class Room {
  readonly name: string
  readonly #members = new Map<string, Member>()
  readonly #history: Line[] = []
  readonly #emptied: () => void

  constructor(name: string, emptied: () => void) {
    this.name = name
    this.#emptied = emptied
  }

  get history(): readonly Line[] {
    return this.#history
  }

  who(): string[] {
    return [...this.#members.keys()].toSorted()
  }

  /** False when the name is taken there, or the room is full. */
  join(member: Member): boolean {
    if (this.#members.has(member.name) || this.#members.size >= MAX_MEMBERS) return false
    this.announce(`* ${member.name} joined`)
    this.#members.set(member.name, member)
    return true
  }

  leave(member: Member): void {
    if (this.#members.get(member.name) !== member) return
    this.#members.delete(member.name)
    this.announce(`* ${member.name} left`)
    if (this.#members.size === 0) this.#emptied()
  }

  /** Gives a member another name, in its place: the room keeps its history, even with nobody else in it. False when the name is taken. */
  rename(member: Member, name: string): boolean {
    if (this.#members.has(name) || this.#members.get(member.name) !== member) return false
    this.#members.delete(member.name)
    this.#members.set(name, member)
    this.announce(`* ${member.name} is now ${name}`)
    return true
  }

  say(from: Member, text: string): void {
    const line = `${from.name}: ${text}`
    this.#history.push({ at: Date.now(), text: line })
    if (this.#history.length > HISTORY_LINES) this.#history.shift()
    for (const member of this.#members.values()) if (member !== from) member.deliver(line)
  }

  announce(text: string): void {
    for (const member of this.#members.values()) member.deliver(text)
  }
}
