import { EMPTY_BYTES } from '../base/bytes.js'
import { UsageError } from '../base/errors.js'
import { ReceiveBuffer } from './receive-buffer.js'

/** What one end of a connection received and has not read yet: borrowed from the caller, or copied where it must wait. */
export class Received {
  bytes: Uint8Array = EMPTY_BYTES
  /** Where the reading stands in `bytes`. */
  at: number = 0
  /** Only while something is held. */
  #held: ReceiveBuffer | undefined
  /** Whether `bytes` are those that are held. */
  #isHeld = false

  get isEmpty(): boolean {
    return this.at === this.bytes.length
  }

  /** @throws UsageError `ERR_STATE` while what was received before is not read. */
  receive(bytes: Uint8Array): void {
    // What was read must not be read again, whether or not `hold` was called since.
    if (this.#isHeld) this.hold()
    if (this.#held !== undefined) {
      this.#held.push(bytes)
      this.bytes = this.#held.peek()
      this.#isHeld = true
    } else {
      if (this.at < this.bytes.length)
        throw new UsageError('ERR_STATE', 'Cannot receive: take the events of what was received before, or call hold()')
      this.bytes = bytes
      this.#isHeld = false
    }
    this.at = 0
  }

  /** Copies what was not read, so that the bytes that were received are the caller's again. */
  hold(): void {
    if (this.#isHeld) this.#held?.drop(this.at)
    else if (this.at < this.bytes.length) {
      this.#held ??= new ReceiveBuffer()
      this.#held.push(this.bytes.subarray(this.at))
    }
    if (this.#held?.length === 0) this.#held = undefined
    this.#isHeld = this.#held !== undefined
    this.bytes = this.#held?.peek() ?? EMPTY_BYTES
    this.at = 0
  }

  /** What was not read, which is the caller's. */
  takeRest(): Uint8Array {
    this.hold()
    const rest = this.#held?.takeAll() ?? EMPTY_BYTES
    this.#held = undefined
    this.#isHeld = false
    this.bytes = EMPTY_BYTES
    return rest
  }
}
