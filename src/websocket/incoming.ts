import type { Message } from './outgoing.js'
import type { PeerSettings } from './options.js'

type Next = IteratorResult<Message, undefined>
const END: Next = Object.freeze({ done: true, value: undefined })

/** Takes messages as they come; where it returns a promise, the next one when that is settled. */
export interface MessageConsumer {
  message(message: Message): void | Promise<void>
}

export interface IncomingOwner {
  /** There is room again. */
  hasRoom(): void
  /** A consumer threw. */
  threw(error: unknown): void
}

/** Messages on their way to a handler: to one that iterates, or to one that is called. */
export class Incoming {
  readonly #settings: PeerSettings
  readonly #owner: IncomingOwner
  #consumer: MessageConsumer | undefined
  #isBusy = false
  #queue: Message[] | undefined
  #bytes = 0
  #takenCount = 0
  #isEnded = false
  /** Somebody iterates. */
  #isAsked = false
  /** Told when whoever takes messages is done with all of them. */
  #taken: (() => void) | undefined
  #waiting: ((next: Next) => void) | undefined
  #whenIdle: (() => void) | undefined

  constructor(settings: PeerSettings, owner: IncomingOwner) {
    this.#settings = settings
    this.#owner = owner
  }

  /** So much is held that nothing more is to be read. */
  get isFull(): boolean {
    const queue = this.#queue
    if (queue === undefined) return false
    return queue.length >= this.#settings.maxReceivedMessages || this.#bytes >= this.#settings.maxReceivedBytes
  }

  /** Whether somebody takes messages: one who iterates and has not left, or one who is called. */
  get isWanted(): boolean {
    return this.#isAsked || this.#consumer !== undefined
  }

  /** How many were taken so far. */
  get taken(): number {
    return this.#takenCount
  }

  /** Whoever iterated does so no more. */
  leave(): Promise<Next> {
    this.#isAsked = false
    return Promise.resolve(END)
  }

  /** From now on messages are given to this; those that are held first. */
  consume(consumer: MessageConsumer): void {
    this.#consumer = consumer
    this.#feed()
  }

  push(message: Message): void {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting({ done: false, value: message })
      return
    }
    if (this.#consumer !== undefined && !this.#isBusy && this.#queue === undefined) {
      this.#call(message)
      return
    }
    this.#queue ??= []
    this.#queue.push(message)
    this.#bytes += message.length
  }

  #call(message: Message): void {
    let called: void | Promise<void>
    try {
      called = this.#consumer?.message(message)
    } catch (error) {
      this.#owner.threw(error)
      return
    }
    if (called === undefined) return
    this.#isBusy = true
    Promise.resolve(called)
      .catch((error: unknown) => this.#owner.threw(error))
      .finally(() => {
        this.#isBusy = false
        this.#feed()
        if (!this.#isBusy) {
          this.#tellIdle()
          this.#tellTaken()
        }
      })
      .catch((error: unknown) => this.#owner.threw(error))
  }

  #feed(): void {
    for (let message; !this.#isBusy && (message = this.#shift()) !== undefined;) this.#call(message)
  }

  #shift(): Message | undefined {
    const queue = this.#queue
    if (queue === undefined) return undefined
    const wasFull = this.isFull
    const message = queue.shift()
    if (message !== undefined) {
      this.#bytes -= message.length
      this.#takenCount += 1
    }
    if (queue.length === 0) this.#queue = undefined
    if (wasFull && !this.isFull) this.#owner.hasRoom()
    return message
  }

  next(): Promise<Next> {
    this.#isAsked = true
    const message = this.#shift()
    if (message !== undefined) return Promise.resolve({ done: false, value: message })
    if (this.#isEnded) {
      this.#tellTaken()
      return Promise.resolve(END)
    }
    return new Promise((resolve) => {
      // Who asked before sees the end, so that no wait is lost.
      this.#waiting?.(END)
      this.#waiting = resolve
    })
  }

  /**
   * Nothing comes any more; what is held can still be taken. `taken` is called when whoever takes messages has had them all,
   * and is done with the last: at once where nobody takes any.
   */
  end(taken?: () => void): void {
    this.#isEnded = true
    this.#taken = taken
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(END)
    const isDone = this.#consumer === undefined ? waiting !== undefined || !this.#isAsked : !this.#isBusy
    if (isDone) this.#tellTaken()
  }

  #tellTaken(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  /** Resolves when a consumer has had all that came. */
  idle(): Promise<void> {
    if (!this.#isBusy) return Promise.resolve()
    return new Promise((resolve) => (this.#whenIdle = resolve))
  }

  #tellIdle(): void {
    const whenIdle = this.#whenIdle
    this.#whenIdle = undefined
    whenIdle?.()
  }
}
