import { LimitError, StreamHandler } from 'moorage'
import { Rooms, type Member, type Room } from './rooms.js'

/** One set of rooms for all connections of this process. */
const rooms = new Rooms()

/** Bytes that may wait for a reader before it is dropped: it has fallen behind by some thousand lines. */
const MAX_BEHIND_BYTES = 256 * 1024
const MAX_LINE_BYTES = 4096
const NAME = /^[\p{L}\p{N}_-]{1,24}$/u
const HELP = ['/nick <name>', '/join <room>', '/who', '/rooms', '/quit']

/** A chat over lines of text: what is typed goes to the room, and lines that begin with a slash are commands. */
export default class Chat extends StreamHandler implements Member {
  name = ''
  #room: Room | undefined

  override async handle(): Promise<void> {
    await this.write('Welcome. What is your name?\n')
    if (!(await this.#askName())) return
    await this.#enter('lobby')
    for await (const line of this.lines({ keepEnd: false, maxLineBytes: MAX_LINE_BYTES })) {
      if (line.startsWith('/')) {
        if (line === '/quit') return
        await this.#command(line)
      } else if (line !== '') {
        this.#room?.say(this, readable(line))
      }
    }
  }

  override finish(): void {
    this.#room?.leave(this)
  }

  /** A reader that does not keep up is dropped: the others do not wait for it, and memory is bounded. */
  deliver(text: string): void {
    void this.write(`${text}\n`)
    if (this.connection.bufferedBytes <= MAX_BEHIND_BYTES) return
    this.connection.destroy(new LimitError('ERR_QUEUE_LIMIT', `${this.name} reads too slowly and was dropped`))
  }

  async #askName(): Promise<boolean> {
    for (;;) {
      const line = await this.readLine({ keepEnd: false, maxLineBytes: MAX_LINE_BYTES })
      if (line === null) return false
      if (NAME.test(line) && rooms.open('lobby')?.who().includes(line) !== true) {
        this.name = line
        return true
      }
      await this.write('That name will not do: 1 to 24 letters, digits, _ or -, and nobody else’s. Another?\n')
    }
  }

  async #enter(name: string): Promise<void> {
    const room = NAME.test(name) ? rooms.open(name) : undefined
    if (room === undefined || room === this.#room) {
      await this.write(`* cannot join ${readable(name)}\n`)
      return
    }
    if (!room.join(this)) {
      await this.write(`* your name is taken in ${name}, or it is full\n`)
      return
    }
    this.#room?.leave(this)
    this.#room = room
    await this.write(`* you are in ${name}, with ${room.who().join(', ')}\n`)
    // In one piece: lines that are said meanwhile come after it, each once.
    await this.write(room.history.map(({ text }) => `${text}\n`).join(''))
  }

  async #command(line: string): Promise<void> {
    const [command = '', argument = ''] = line.split(/\s+/)
    switch (command) {
      case '/who':
        await this.write(`* here are ${this.#room?.who().join(', ') ?? 'nobody'}\n`)
        return
      case '/rooms':
        await this.write(`* rooms: ${rooms.names().join(', ')}\n`)
        return
      case '/join':
        await this.#enter(argument)
        return
      case '/nick':
        await this.#rename(argument)
        return
      default:
        await this.write(`* commands: ${HELP.join(', ')}\n`)
    }
  }

  async #rename(name: string): Promise<void> {
    if (NAME.test(name) && this.#room?.rename(this, name) === true) this.name = name
    else await this.write('* that name will not do\n')
  }
}

/** Control characters of one terminal are not for another. */
// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const readable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?')
