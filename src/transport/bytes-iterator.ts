import type { NextBytes, ReadSide } from './read-side.js'

/** Gives the promises of reads straight to `for await`: no generator stands between. */
export class BytesIterator implements AsyncIterableIterator<Uint8Array> {
  readonly #reading: ReadSide

  constructor(reading: ReadSide) {
    this.#reading = reading
  }

  next(): Promise<NextBytes> {
    return this.#reading.next()
  }

  /** Leaving the loop early closes nothing: what comes next can be read in another way. */
  return(): Promise<NextBytes> {
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
