import { ByteQueue } from '../../base/byte-queue.js'
import { ReceiveBuffer } from '../../engine/receive-buffer.js'
import { HttpError } from '../response.js'
import type { FormFilePart } from './part.js'

const decoder = new TextDecoder('utf-8')

/** One part, with what has come of it and was not read. */
export class ReceivedPart implements FormFilePart {
  readonly kind = 'file'
  readonly name: string
  readonly fileName: string
  readonly sentName: string
  readonly type: string
  readonly isFile: boolean
  readonly #progress: () => Promise<void>
  readonly #maxBytes: number
  /** Of a file: as much as one piece of the body had of it. */
  readonly #held: ByteQueue = new ByteQueue()
  /** Of a field, all of it: in chunks of one byte, a list of them would cost a hundred times its length. */
  readonly #value = new ReceiveBuffer()
  #bytes = 0
  #isDropped = false
  #failure: HttpError | undefined
  isEnded: boolean = false

  constructor(
    progress: () => Promise<void>,
    isFile: boolean,
    names: Pick<FormFilePart, 'name' | 'fileName' | 'sentName' | 'type'>,
    maxBytes: number,
  ) {
    this.#progress = progress
    this.isFile = isFile
    this.name = names.name
    this.fileName = names.fileName
    this.sentName = names.sentName
    this.type = names.type
    this.#maxBytes = maxBytes
  }

  /** Returns what is wrong when that is too much. */
  take(bytes: Uint8Array): HttpError | undefined {
    this.#bytes += bytes.length
    if (this.#bytes > this.#maxBytes) {
      const what = this.isFile ? 'file' : 'field'
      this.fail(new HttpError(413, `A ${what} of the form has more than ${this.#maxBytes} bytes`))
    } else if (!this.isFile) this.#value.push(bytes)
    else if (!this.#isDropped) this.#held.push(bytes)
    return this.#failure
  }

  /** It is never read to an end that is none. */
  fail(error: HttpError): void {
    this.#failure ??= error
  }

  end(): void {
    this.isEnded = true
  }

  drop(): void {
    this.#isDropped = true
    while (this.#held.shift() !== undefined);
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const bytes = this.#held.shift()
      if (bytes !== undefined) return bytes
      if (this.#failure !== undefined) throw this.#failure
      if (this.isEnded || this.#isDropped) return null
      await this.#progress()
    }
  }

  /** Of a field, when all of it has come. */
  async text(): Promise<string> {
    while (this.#failure === undefined && !this.isEnded) await this.#progress()
    if (this.#failure !== undefined) throw this.#failure
    const value = decoder.decode(this.#value.peek())
    this.#value.drop(this.#value.length)
    return value
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const value = await this.read()
        return value === null ? { done: true, value: undefined } : { done: false, value }
      },
    }
  }
}
