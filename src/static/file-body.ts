import type { FileHandle } from 'node:fs/promises'
import { isSameIdentity, type FileIdentity } from './file-identity.js'

/** At least the high-water mark of a connection: the loop of HTTP waits then until the one before has left. */
const CHUNK_BYTES = 256 * 1024

/**
 * The bytes of an open file from `start` to before `end`, through two buffers in turn: one is filled while the other
 * leaves. A file that has become shorter ends early, which the client sees, as the length was announced.
 */
export async function* readFileRange(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  const length = Math.min(CHUNK_BYTES, end - start)
  const buffers = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(end - start > length ? length : 0)]
  let turn = 0
  for (let at = start; at < end;) {
    const buffer = buffers[turn] ?? Buffer.alloc(0)
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at)
    if (bytesRead === 0) throw new Error('the file became shorter while it was sent')
    yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead)
    at += bytesRead
    turn = 1 - turn
  }
}

/** All bytes of a file in one state; `undefined` when it has changed before all of them were read. */
export async function readState(file: FileHandle, identity: FileIdentity): Promise<Uint8Array | undefined> {
  const bytes = Buffer.allocUnsafeSlow(Number(identity.size))
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, at)
    if (bytesRead === 0) return undefined
    at += bytesRead
  }
  return isSameIdentity(await file.stat({ bigint: true }), identity) ? bytes : undefined
}

/** A body that closes its file when it was sent, and also when nobody ever reads it. */
export class FileBody implements AsyncIterableIterator<Uint8Array> {
  readonly #file: FileHandle
  readonly #inner: AsyncIterator<Uint8Array> | undefined
  #isClosed = false

  /** Without an `inner` there is nothing to be sent: of a file that is empty, or only asked about. */
  constructor(file: FileHandle, inner: AsyncIterable<Uint8Array> | undefined) {
    this.#file = file
    this.#inner = inner?.[Symbol.asyncIterator]()
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      const result = await this.#inner?.next()
      if (result !== undefined && result.done !== true) return result
    } catch (error) {
      await this.#close()
      throw error
    }
    return this.return()
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#inner?.return?.()
    await this.#file.close()
  }
}
