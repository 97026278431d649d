import { writeFileSync } from 'node:fs'
import { messageOf } from '../../base/index.js'
import type { ClientResponse } from '../../client/index.js'
import { CurlFailure } from './exit-codes.js'

/** The file of --etag-save. */
export class EtagFile {
  readonly #path: string | undefined

  /** Nothing is kept without a path. */
  constructor(path: string | undefined) {
    this.#path = path
  }

  /** Whether it can be written is known before anything is asked for; what it has stays. @throws CurlFailure 26. */
  begin(): void {
    this.#write('', 'a')
  }

  /** Empty where the server told none. @throws CurlFailure 26. */
  save({ headers }: ClientResponse): void {
    const etag = headers.get('etag')
    this.#write(etag === undefined ? '' : `${etag}\n`, 'w')
  }

  #write(text: string, flag: 'a' | 'w'): void {
    if (this.#path === undefined) return
    try {
      writeFileSync(this.#path, text, { flag })
    } catch (cause) {
      throw new CurlFailure('read', `Cannot use --etag-save ${JSON.stringify(this.#path)}: ${messageOf(cause)}`, cause)
    }
  }
}
