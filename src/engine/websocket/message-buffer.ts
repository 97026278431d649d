import { EMPTY_BYTES } from '../../base/bytes.js'
import { applyMask } from './mask.js'

const FIRST_BYTES = 4096

/**
 * A message as it comes, frame by frame and piece by piece. It grows by doubling, so what is held is at most twice what has
 * arrived (or 4 KiB): a peer that announces a long message and sends nothing costs nothing.
 */
export class MessageBuffer {
  #bytes: Uint8Array = EMPTY_BYTES
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies a piece of a payload in, unmasked where there is a mask. `frameLeft` is what is still to come of its frame. */
  append(
    source: Uint8Array,
    from: number,
    to: number,
    mask: Uint8Array | undefined,
    phase: number,
    left: number,
  ): void {
    const start = this.#length
    const end = start + to - from
    if (end > this.#bytes.length) this.#grow(end, end + left)
    this.#bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), start)
    this.#length = end
    if (mask !== undefined) applyMask(this.#bytes, start, end, mask, phase)
  }

  #grow(needed: number, announced: number): void {
    const roomy = Math.max(FIRST_BYTES, needed * 2)
    const grown = new Uint8Array(announced <= roomy ? announced : roomy)
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  /** What is held from `from` on: valid until more comes. */
  peek(from: number = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length)
  }

  /** All of it, which is the caller's. Nothing is held afterwards. */
  take(): Uint8Array {
    const bytes = this.#bytes
    const length = this.#length
    this.#bytes = EMPTY_BYTES
    this.#length = 0
    // Half a buffer that nobody uses is not given away with the message.
    return length === bytes.length
      ? bytes
      : length * 2 > bytes.length
        ? bytes.subarray(0, length)
        : bytes.slice(0, length)
  }
}
