import { EMPTY_BYTES, equalBytes } from '../base/bytes.js'

/** What is kept allocated while nothing is held: a thousand idle decoders cost a megabyte at most. */
const KEPT_BYTES = 1024

/**
 * The bytes an engine has received and not yet turned into events: copied in, so that the caller's buffer is free
 * again when `push` returns, and copied out by `take`. Each byte is moved a bounded number of times however the
 * input is cut, because the buffer grows by doubling and moves its content only when half of it is free.
 */
export class ReceiveBuffer {
  #bytes: Uint8Array = EMPTY_BYTES
  #start = 0
  #end = 0

  /** How many bytes are held. */
  get length(): number {
    return this.#end - this.#start
  }

  /** Copies the bytes in. */
  push(chunk: Uint8Array): void {
    if (chunk.length > this.#bytes.length - this.#end) this.#makeRoom(chunk.length)
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The byte at `index` from the first held one, -1 past the end. */
  at(index: number): number {
    return index < this.length ? (this.#bytes[this.#start + index] ?? -1) : -1
  }

  /** Where `byte` first stands at or after `from`, counted from the first held byte, or -1. */
  indexOf(byte: number, from: number = 0): number {
    return this.peek().indexOf(byte, from)
  }

  /** The held bytes from `from` to `to` without copying: valid until the next call that changes this buffer. */
  peek(from: number = 0, to: number = this.length): Uint8Array {
    return this.#bytes.subarray(this.#start + from, this.#start + Math.min(to, this.length))
  }

  /** Whether the held bytes begin with `prefix`, as far as both go. */
  agreesWith(prefix: Uint8Array): boolean {
    const count = Math.min(prefix.length, this.length)
    return equalBytes(this.peek(0, count), prefix.subarray(0, count))
  }

  /** A copy of the bytes from `from` to `to`, which is the caller's; everything before `drop` is let go. */
  take(from: number, to: number, drop: number): Uint8Array {
    const taken = this.#bytes.slice(this.#start + from, this.#start + to)
    this.drop(drop)
    return taken
  }

  /** A copy of everything held, which is the caller's. Nothing is held afterwards. */
  takeAll(): Uint8Array {
    return this.take(0, this.length, this.length)
  }

  drop(count: number): void {
    this.#start += count
    if (this.#start < this.#end) return
    this.#start = 0
    this.#end = 0
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = EMPTY_BYTES
  }

  #makeRoom(count: number): void {
    const held = this.length
    const needed = held + count
    const target = needed * 2 <= this.#bytes.length ? this.#bytes : new Uint8Array(held === 0 ? needed : needed * 2)
    target.set(this.#bytes.subarray(this.#start, this.#end))
    this.#bytes = target
    this.#start = 0
    this.#end = held
  }
}
