import { LimitError, StreamHandler } from 'moorage'
import { openChat } from './broker.js'
import { Chatter } from './chatter.js'
import { toLine, type ChatEvent } from './events.js'

/** Bytes that may wait for a reader before it is dropped: it has fallen behind by some thousand lines. */
const MAX_BEHIND_BYTES = 256 * 1024
const LINES = { keepEnd: false, maxLineBytes: 4096 }

/** The chat over lines of text: what is typed goes to the room, and lines that begin with a slash are commands. */
export default class Chat extends StreamHandler {
  #chatter: Chatter | undefined

  override async handle(): Promise<void> {
    const chatter = new Chatter(await openChat(this.server.data), (event) => this.#tell(event))
    this.#chatter = chatter
    await this.write('Welcome. What is your name?\n')
    for (;;) {
      const name = await this.readLine(LINES)
      if (name === null) return
      if (await chatter.introduce(name)) break
      await this.write('That name will not do: 1 to 24 letters, digits, _ or -, and nobody else’s. Another?\n')
    }
    for await (const line of this.lines(LINES)) if (!(await chatter.receive(line))) return
  }

  override async finish(): Promise<void> {
    await this.#chatter?.leave()
  }

  /** A reader that does not keep up is dropped: the others do not wait for it, and memory is bounded. */
  #tell(event: ChatEvent): void {
    // It stands on the terminal already.
    if (event.type === 'said' && event.own) return
    void this.write(`${toLine(event)}\n`)
    // What is past comes in one piece, which can be larger than that.
    if (event.type === 'entered' || this.connection.bufferedBytes <= MAX_BEHIND_BYTES) return
    this.connection.destroy(new LimitError('ERR_QUEUE_LIMIT', 'a reader was too slow and was dropped'))
  }
}
