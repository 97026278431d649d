import { concatBytes, EMPTY_BYTES } from '../base/bytes.js'
import { ProtocolError, TimeoutError } from '../base/errors.js'
import type { Connection } from '../transport/connection.js'
import { TransferDecoder } from './decoder.js'
import { encodeMessage } from './encode.js'
import { errorOf } from './errors.js'
import { HEADER_BYTES, VERSION, type Message } from './messages.js'

/**
 * Messages over a connection, each way, with a watch on a peer that stalls: when nothing comes for `idleTimeoutMs`
 * while it is this end's turn to wait, the connection is destroyed.
 */
export class TransferChannel {
  readonly connection: Connection
  readonly #decoder = new TransferDecoder()
  readonly #idleTimeoutMs: number
  #payload = 0
  #rest: Uint8Array = EMPTY_BYTES
  #unread: Message | undefined
  #timer: NodeJS.Timeout | undefined
  #reading = false
  #stalledChecks = 0

  constructor(connection: Connection, idleTimeoutMs: number) {
    this.connection = connection
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** The next message but `alive`; `null` when the peer has finished between two. */
  async next(): Promise<Message | null> {
    const unread = this.#unread
    this.#unread = undefined
    if (unread !== undefined) return unread
    for (;;) {
      if (this.#payload > 0) throw new Error('the bytes of a data message were not taken')
      const event = this.#decoder.nextEvent()
      if (event.type === 'end') return null
      if (event.type === 'need-data') {
        const bytes = this.#takeRest() ?? (await this.#read())
        if (bytes === null) this.#decoder.receiveEof()
        else this.#feed(bytes)
      } else if (event.type === 'data') {
        this.#payload = event.length
        this.#rest = joinRest(this.#decoder.takeRest(), this.#rest)
        return event
      } else if (event.type === 'refuse') {
        throw errorOf(event.reason, event.text)
      } else if (event.type !== 'alive') {
        return event
      }
    }
  }

  /** Gives a message back: the next call of `next` returns it. */
  unread(message: Message): void {
    this.#unread = message
  }

  /** Reads over the bytes of the data message that was taken last. */
  async dropPayload(): Promise<void> {
    let bytes: Uint8Array | null
    do bytes = await this.nextPayload()
    while (bytes !== null)
  }

  /** @throws ProtocolError `ERR_UNEXPECTED_END`, `ERR_TRANSFER` when it is not of this type. */
  async expect<T extends Message['type']>(type: T): Promise<Extract<Message, { readonly type: T }>> {
    const message = await this.next()
    if (message === null) throw unexpectedEnd()
    if (!isOfType(message, type)) throw unexpected(message, type)
    return message
  }

  /** The next bytes of the data message that was taken last, yours to keep; `null` when that was all of them. */
  async nextPayload(): Promise<Uint8Array | null> {
    if (this.#payload === 0) return null
    const bytes = this.#takeRest() ?? (await this.#read())
    if (bytes === null) throw unexpectedEnd()
    const taken = bytes.length > this.#payload ? bytes.subarray(0, this.#payload) : bytes
    if (taken.length < bytes.length) this.#rest = bytes.subarray(taken.length)
    this.#payload -= taken.length
    return taken
  }

  send(message: Message): Promise<void> {
    return this.connection.write(encodeMessage(message))
  }

  /** Says at intervals that this end is busy with its disk, for as long as the work takes. */
  async whileBusy<T>(work: Promise<T>): Promise<T> {
    const every = Math.min(this.#idleTimeoutMs / 3, 10_000)
    const timer = setInterval(() => void this.send({ type: 'alive' }), every)
    try {
      return await work
    } finally {
      clearInterval(timer)
    }
  }

  /** A header first, and then a little: the bytes of files, which follow a header, are not copied through the decoder. */
  #feed(bytes: Uint8Array): void {
    const held = this.#decoder.heldBytes
    const wanted = held < HEADER_BYTES ? HEADER_BYTES - held : MAX_FED_BYTES
    this.#decoder.receive(bytes.subarray(0, wanted))
    this.#rest = bytes.subarray(wanted)
  }

  async #read(): Promise<Uint8Array | null> {
    this.#watch()
    try {
      return await this.connection.read()
    } finally {
      this.#reading = false
    }
  }

  /** One timer for the whole connection: a timer for each read would cost more than the read. */
  #watch(): void {
    this.#reading = true
    this.#stalledChecks = 0
    if (this.#timer !== undefined || this.#idleTimeoutMs === Infinity) return
    const check = (): void => {
      this.#stalledChecks = this.#reading ? this.#stalledChecks + 1 : 0
      if (this.#stalledChecks <= CHECKS_PER_TIMEOUT) return
      this.connection.destroy(
        new TimeoutError('ERR_IDLE_TIMEOUT', `Gave up: nothing came for ${this.#idleTimeoutMs} ms`, {
          details: { timeoutMs: this.#idleTimeoutMs },
        }),
      )
    }
    this.#timer = setInterval(check, this.#idleTimeoutMs / CHECKS_PER_TIMEOUT)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #takeRest(): Uint8Array | undefined {
    const rest = this.#rest
    this.#rest = EMPTY_BYTES
    return rest.length === 0 ? undefined : rest
  }
}

const CHECKS_PER_TIMEOUT = 8
const MAX_FED_BYTES = 1024

const isOfType = <T extends Message['type']>(
  message: Message,
  type: T,
): message is Extract<Message, { readonly type: T }> => message.type === type

function joinRest(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first
  return concatBytes([first, second])
}

export const PREAMBLE: Message = { type: 'preamble', version: VERSION }

export const unexpectedEnd = (): ProtocolError =>
  new ProtocolError('ERR_UNEXPECTED_END', 'Cannot go on with the transfer: the other end has gone')

export const unexpected = (message: Message, wanted: string): ProtocolError =>
  new ProtocolError(
    'ERR_TRANSFER',
    `Cannot go on with the transfer: a message "${message.type}" came where ${wanted} was expected`,
  )
