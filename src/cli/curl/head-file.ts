import { appendFileSync, writeFileSync } from 'node:fs'
import { messageOf } from '../../base/index.js'
import { toStdout } from './destination.js'
import { CurlFailure } from './exit-codes.js'

/** The file of --dump-header: the heads of all URLs, and of all their tries, one behind the other. */
export class HeadFile {
  readonly #path: string | undefined
  #isBegun = false

  /** Nothing is kept without a path; `-` is stdout. */
  constructor(path: string | undefined) {
    this.#path = path
  }

  /** Makes it, before anything is asked for. @throws CurlFailure 23. */
  begin(): void {
    if (this.#isBegun || this.#path === undefined || this.#path === '-') return
    this.#writing(writeFileSync, '')
    this.#isBegun = true
  }

  /** @throws CurlFailure 23. */
  async add(heads: string): Promise<void> {
    if (this.#path === '-') await toStdout(Buffer.from(heads, 'latin1'))
    else if (this.#path !== undefined) this.#writing(appendFileSync, heads)
  }

  #writing(write: (path: string, text: string, coding: 'latin1') => void, text: string): void {
    try {
      write(this.#path ?? '', text, 'latin1')
    } catch (cause) {
      throw new CurlFailure(
        'write',
        `Cannot write --dump-header ${JSON.stringify(this.#path)}: ${messageOf(cause)}`,
        cause,
      )
    }
  }
}
