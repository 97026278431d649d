import { UsageError } from '../base/errors.js'
import { ReceiveBuffer } from './receive-buffer.js'

/** All that was received is used up: call `receive` or `receiveEof` next. */
export interface NeedData {
  readonly type: 'need-data'
}

/** Everything was delivered and nothing comes any more: the peer has finished, or the decoder has what it is for. */
export interface End {
  readonly type: 'end'
}

export const NEED_DATA: NeedData = Object.freeze({ type: 'need-data' })
export const END: End = Object.freeze({ type: 'end' })

/**
 * What every decoder of this floor does. Feed it with `receive`, then call `nextEvent` until it says `need-data`.
 *
 * Bytes given to `receive` are copied, and are the caller's again when it returns. Bytes in events are copies too, and
 * belong to whoever takes the event.
 *
 * An error is thrown by `nextEvent`, after all events that came before it, and is final: the same error is thrown
 * again by each later call. What is received afterwards is dropped.
 */
export interface Decoder<Event> {
  /** Bytes received that are not part of an event yet. */
  readonly heldBytes: number
  /** @throws UsageError `ERR_STATE` after `receiveEof`. */
  receive(bytes: Uint8Array): void
  /** Says that the peer has finished sending. Idempotent. */
  receiveEof(): void
  nextEvent(): Event | NeedData | End
  /** Gives back what was received and is not part of an event yet, to be read by whoever is next; the decoder is as new. */
  takeRest(): Uint8Array
}

/** The part that is the same in every decoder: holding bytes, the end, and the final error. */
export abstract class BufferedDecoder<Event> implements Decoder<Event> {
  protected readonly held: ReceiveBuffer = new ReceiveBuffer()
  #ended = false
  #failure: { readonly error: unknown } | undefined

  get heldBytes(): number {
    return this.held.length
  }

  receive(bytes: Uint8Array): void {
    if (this.#ended) throw new UsageError('ERR_STATE', 'Cannot receive bytes: the end was received before')
    if (this.#failure === undefined) this.held.push(bytes)
  }

  receiveEof(): void {
    this.#ended = true
  }

  nextEvent(): Event | NeedData | End {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      const event = this.decode()
      if (event !== undefined) return event
      if (!this.#ended) return NEED_DATA
      return this.held.length === 0 ? END : this.decodeLast()
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  takeRest(): Uint8Array {
    this.restart()
    return this.held.takeAll()
  }

  /** The next whole event, taken out of `held`; `undefined` when it is not there yet. */
  protected abstract decode(): Event | undefined
  /** What the held bytes are when no more come: an event that takes all of them, or an error. */
  protected abstract decodeLast(): Event
  /** Forgets how far the held bytes were looked through. */
  protected abstract restart(): void
}
