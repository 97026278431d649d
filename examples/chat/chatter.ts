import { BusyError, LimitError } from 'moorage'
import {
  formatPosition,
  type Broker,
  type Gap,
  type Membership,
  type Position,
  type PresenceEvent,
  type Room,
  type RoomListener,
  type RoomMessage,
  type Subscription,
} from 'moorage/pubsub'
import { formatSaid, fromPresence, toSaid, type ChatEvent, type Said } from './events.js'

export const LOBBY = 'lobby'
const PAST_MESSAGES = 100
const MAX_TEXT_LENGTH = 4096
const NAME = /^[\p{L}\p{N}_-]{1,24}$/u
const COMMANDS = ['/nick <name>', '/join <room>', '/who', '/rooms', '/quit']

let chatters = 0

/** Where somebody was whose connection was lost: the room, and the position behind which they have heard nothing. */
export interface Resumption {
  readonly room?: string
  readonly from?: Position
}

/** Where somebody is: one room at a time. */
interface Place {
  readonly room: Room
  membership: Membership
  readonly subscription: Subscription
}

/**
 * Somebody in the chat, whatever connects them: it takes what they type and tells what happens, as events. TCP,
 * WebSocket and server-sent events differ in how they carry these two. `tell` must not wait.
 */
export class Chatter {
  readonly #broker: Broker
  readonly #tell: (event: ChatEvent) => void
  readonly #id: string
  #name = ''
  #place: Place | undefined
  #hasLeft = false

  constructor(broker: Broker, tell: (event: ChatEvent) => void) {
    this.#broker = broker
    this.#tell = tell
    this.#id = `${broker.id}-${(chatters += 1)}`
  }

  get name(): string {
    return this.#name
  }

  /**
   * Enters the lobby under a name, or goes on where somebody was who comes back: then what was missed since is told. False
   * when the name will not do, or is taken.
   */
  async introduce(name: string, { room = LOBBY, from }: Resumption = {}): Promise<boolean> {
    if (!NAME.test(name) || !NAME.test(room)) return false
    this.#name = name
    return this.#enter(room, from)
  }

  /** A line: a command when it begins with a slash, or what is said to the room. False when they want to leave. */
  async receive(line: string): Promise<boolean> {
    if (!line.startsWith('/')) {
      if (line !== '') await this.say(line)
      return true
    }
    const [command = '', argument = ''] = line.split(/\s+/)
    if (command === '/quit') return false
    await this.#command(command, argument)
    return true
  }

  async say(text: string): Promise<void> {
    try {
      const said = formatSaid(this.#name, readable(text.slice(0, MAX_TEXT_LENGTH)))
      await this.#place?.room.publish(said, { publisher: this.#id })
    } catch (error) {
      if (!(error instanceof LimitError)) throw error
      this.#refuse('that was too much at once')
    }
  }

  /** Leaves the room, and so the chat. */
  async leave(): Promise<void> {
    this.#hasLeft = true
    const place = this.#place
    this.#place = undefined
    await place?.subscription.close()
    await place?.membership.leave()
  }

  async #command(command: string, argument: string): Promise<void> {
    switch (command) {
      case '/who':
        return this.#tell({ type: 'members', members: await this.#members() })
      case '/rooms':
        return this.#tell({ type: 'rooms', rooms: (await this.#broker.rooms()).map(({ name }) => name) })
      case '/join':
        if (!NAME.test(argument) || argument === this.#place?.room.name) {
          return this.#refuse(`cannot join ${readable(argument)}`)
        }
        if (!(await this.#enter(argument))) this.#refuse(`your name is taken in ${argument}, or it is full`)
        return
      case '/nick':
        if (!NAME.test(argument) || !(await this.#rename(argument))) this.#refuse('that name will not do')
        return
      default:
        this.#tell({ type: 'help', commands: COMMANDS })
    }
  }

  /** Enters the other room before it leaves this one. False when the name is taken there, or the room is full. */
  async #enter(name: string, from?: Position): Promise<boolean> {
    const room = this.#broker.room(name)
    const membership = await entered(room.enter({ id: this.#name }, { unique: true }))
    if (membership === undefined) return false
    const listening = new Listening(name, this.#id, this.#tell)
    try {
      const asked = from === undefined ? { last: PAST_MESSAGES } : { from }
      const [subscription, members] = await Promise.all([room.subscribe(listening, asked), room.members()])
      const left = this.#place
      this.#place = { room, membership, subscription }
      await left?.subscription.close()
      await left?.membership.leave()
      listening.begin(this.#name, members.map(({ id }) => id).toSorted(), subscription.position)
    } catch (error) {
      await membership.leave()
      throw error
    }
    if (this.#hasLeft) await this.leave()
    return true
  }

  /** Under the other name in the same room, which is not left for a moment; see `fromPresence`. */
  async #rename(name: string): Promise<boolean> {
    const place = this.#place
    if (place === undefined) return false
    const was = this.#name
    const membership = await entered(place.room.enter({ id: name, data: { was } }, { unique: true }))
    if (membership === undefined) return false
    const left = place.membership
    place.membership = membership
    this.#name = name
    await left.update({ now: name })
    await left.leave()
    return true
  }

  async #members(): Promise<string[]> {
    const members = (await this.#place?.room.members()) ?? []
    return members.map(({ id }) => id).toSorted()
  }

  #refuse(why: string): void {
    this.#tell({ type: 'refused', why })
  }
}

/** Tells what happens in a room: what is past in one event with who is there, then the rest as it comes. */
class Listening implements RoomListener {
  readonly #room: string
  readonly #id: string
  readonly #tell: (event: ChatEvent) => void
  readonly #past: Said[] = []
  #hasBegun = false

  constructor(room: string, id: string, tell: (event: ChatEvent) => void) {
    this.#room = room
    this.#id = id
    this.#tell = tell
  }

  begin(name: string, members: readonly string[], at: Position): void {
    this.#hasBegun = true
    const [room, position, past] = [this.#room, formatPosition(at), this.#past]
    this.#tell({ type: 'entered', room, name, members, past, position })
  }

  message(message: RoomMessage): void {
    const said = toSaid(message, message.publisher === this.#id)
    if (said === undefined) return
    if (this.#hasBegun) this.#tell(said)
    else this.#past.push(said)
  }

  presence(event: PresenceEvent): void {
    const told = fromPresence(event)
    // Whoever came before the list of members is in it.
    if (told !== undefined && this.#hasBegun) this.#tell(told)
  }

  gap({ missed }: Gap): void {
    if (missed !== 0) this.#tell({ type: 'gap', room: this.#room, missed })
  }
}

/** `undefined` when the name is taken, or there is no room for more. */
async function entered(entering: Promise<Membership>): Promise<Membership | undefined> {
  try {
    return await entering
  } catch (error) {
    if (error instanceof BusyError || error instanceof LimitError) return undefined
    throw error
  }
}

/** Control characters of one terminal are not for another. */
// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const readable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?')
