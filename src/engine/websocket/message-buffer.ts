import { EMPTY_BYTES } from '../../base/bytes.js'
import { copyRange, type MaskCopy } from './mask.js'

const FIRST_BYTES = 4096

/**
 * A message as it comes, frame by frame and piece by piece. It grows by doubling, so what is held is at most twice what has
 * arrived (or 4 KiB): a peer that announces a long message and sends nothing costs nothing.
 */
export class MessageBuffer {
  readonly #allocate: (length: number) => Uint8Array
  #bytes: Uint8Array = EMPTY_BYTES
  #length = 0

  /** `allocate`: bytes that need not be zero. */
  constructor(allocate: (length: number) => Uint8Array = (length) => new Uint8Array(length)) {
    this.#allocate = allocate
  }

  get length(): number {
    return this.#length
  }

  /** Copies a piece of a payload in; `left` is what is still to come of the message: Infinity while nobody knows. */
  append(source: Uint8Array, from: number, to: number, left: number): void {
    // It may make another buffer: only behind it `#bytes` is the one to copy to.
    const at = this.#claim(to - from, left)
    copyRange(this.#bytes, at, source, from, to)
  }

  /** The same of one that is masked. Returns all that came out, joined by "or". */
  appendMasked(
    source: Uint8Array,
    from: number,
    to: number,
    left: number,
    { mask, phase, copy }: { readonly mask: Uint8Array; readonly phase: number; readonly copy: MaskCopy },
  ): number {
    const at = this.#claim(to - from, left)
    return copy(this.#bytes, at, source, from, to, mask, phase)
  }

  /** Room behind what is held: where it begins. */
  #claim(count: number, left: number): number {
    const at = this.#length
    const end = at + count
    if (end > this.#bytes.length) this.#grow(end, end + left)
    this.#length = end
    return at
  }

  #grow(needed: number, announced: number): void {
    // Exactly as much as is announced is made at the end of a message alone: frame by frame it would be copied as often.
    const roomy = Math.max(FIRST_BYTES, needed * 2)
    const grown = this.#allocate(announced <= roomy ? announced : roomy)
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
