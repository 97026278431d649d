import { deferred, type Deferred } from '../base/deferred.js'
import { ProtocolError } from '../base/errors.js'
import { unexpected, unexpectedEnd, type TransferChannel } from './channel.js'
import type { Message } from './messages.js'

/** What a receiver says of the file that was offered last. */
export type Answer = Extract<Message, { readonly type: 'ask' | 'go' | 'result' }>

/**
 * What comes from the receiver while files are sent to it: acknowledgements are noted, answers wait here, one at most:
 * the protocol has no two under way.
 */
export class SenderInbox {
  readonly #channel: TransferChannel
  #answer: Answer | undefined
  #acked = 0
  #isDone = false
  #failure: { readonly error: unknown } | undefined
  #changed: Deferred<void> | undefined

  constructor(channel: TransferChannel) {
    this.#channel = channel
  }

  /** Reads from now on, until the receiver has finished or the connection breaks. */
  start(): void {
    this.#readAll().then(
      () => this.#wake(),
      (error: unknown) => {
        this.#failure = { error }
        this.#wake()
      },
    )
  }

  async #readAll(): Promise<void> {
    while (!this.#isDone) {
      const message = await this.#channel.next()
      if (message === null) throw unexpectedEnd()
      this.#take(message)
      this.#wake()
    }
  }

  #take(message: Message): void {
    switch (message.type) {
      case 'ack':
        this.#acked = Math.max(this.#acked, message.offset)
        return
      case 'done':
        this.#isDone = true
        return
      case 'ask':
      case 'go':
      case 'result':
        if (this.#answer !== undefined)
          throw new ProtocolError('ERR_TRANSFER', 'Cannot send: the other end answered twice')
        this.#answer = message
        return
      default:
        throw unexpected(message, 'an answer')
    }
  }

  #wake(): void {
    const changed = this.#changed
    this.#changed = undefined
    changed?.resolve()
  }

  get isBroken(): boolean {
    return this.#failure !== undefined
  }

  /** The offset of the current file below which the receiver has everything. */
  get acked(): number {
    return this.#acked
  }

  /** Acknowledgements are for another stream of bytes from now on. */
  beginAt(offset: number): void {
    this.#acked = offset
  }

  /** Resolves when something came. @throws what ended the reading. */
  async change(): Promise<void> {
    this.#check()
    this.#changed ??= deferred()
    await this.#changed.promise
    this.#check()
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** The result of a file, when it came before its end was sent; it is taken. */
  resultOf(id: number): Extract<Answer, { type: 'result' }> | undefined {
    const answer = this.#answer
    if (answer?.type !== 'result' || answer.id !== id) return undefined
    this.#answer = undefined
    return answer
  }

  get hasAnswer(): boolean {
    return this.#answer !== undefined
  }

  async answer(id: number): Promise<Answer> {
    while (this.#answer === undefined) await this.change()
    const answer = this.#answer
    this.#answer = undefined
    if (answer.id === id) return answer
    throw new ProtocolError('ERR_TRANSFER', 'Cannot send: the other end answered for another file')
  }

  async done(): Promise<void> {
    while (!this.#isDone) await this.change()
  }
}
