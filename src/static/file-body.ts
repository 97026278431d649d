import { read } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { NetError } from '../base/errors.js'
import type { ByteRange } from '../engine/http/range.js'
import type { FilePiece, FilePieces } from '../http/response-body.js'
import { sharedBytes } from '../http/system-files.js'
import { isSameIdentity, type FileIdentity } from './file-identity.js'

/** Read at first; twice as much each time that the client has taken all of it meanwhile. */
const FIRST_BYTES = 128 * 1024
/** A larger one saves few calls, and is held for each client that stops to read. */
const MOST_BYTES = 512 * 1024

/** What the system sends by itself goes to it in larger pieces, which hold nothing here. As nginx has it. */
const PIECE_BYTES = 2 * 1024 * 1024

const SHORTER = 'Cannot send the file: it became shorter while it was sent'

/** All bytes of a file in one state; `undefined` when it has changed before all of them were read. */
export async function readState(file: FileHandle, identity: FileIdentity): Promise<Uint8Array | undefined> {
  const bytes = sharedBytes(Number(identity.size))
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, at)
    if (bytesRead === 0) return undefined
    at += bytesRead
  }
  return isSameIdentity(await file.stat({ bigint: true }), identity) ? bytes : undefined
}

/**
 * Parts of an open file, and bytes between them, as a body that closes the file when it was sent, and also when nobody
 * ever reads it. A file that has become shorter fails, which the client sees, as the length was announced.
 *
 * One buffer is used again and again, as long as `isSent` says that nothing of it waits to be sent.
 */
export class FileBody implements AsyncIterableIterator<Uint8Array>, FilePieces {
  readonly #file: FileHandle
  readonly #pieces: readonly (Uint8Array | ByteRange)[]
  readonly #isSent: () => boolean
  #buffer: Buffer | undefined
  #piece = 0
  /** In the piece that is being sent. */
  #sent = 0
  #isClosed = false

  /** Without pieces there is nothing to be sent: of a file that is empty, or only asked about. */
  constructor(file: FileHandle, pieces: readonly (Uint8Array | ByteRange)[], isSent: () => boolean) {
    this.#file = file
    this.#pieces = pieces
    this.#isSent = isSent
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const piece = this.#pieces[this.#piece]
    if (piece === undefined || this.#isClosed) return this.return()
    if (!(piece instanceof Uint8Array)) return this.#read(piece)
    this.#piece += 1
    return Promise.resolve({ done: false, value: piece })
  }

  #read({ start, end }: ByteRange): Promise<IteratorResult<Uint8Array, undefined>> {
    const at = start + this.#sent
    const left = end - at
    const buffer = this.#freeBuffer(left)
    return new Promise((resolve, reject) => {
      read(this.#file.fd, buffer, 0, Math.min(buffer.length, left), at, (error, count) => {
        if (error !== null || count === 0) {
          const failure = error ?? new NetError('ERR_FILE_READ', SHORTER)
          void this.#close().then(() => reject(failure), reject)
          return
        }
        this.#advance(count)
        resolve({ done: false, value: count === buffer.length ? buffer : buffer.subarray(0, count) })
      })
    })
  }

  nextPiece(): FilePiece | undefined {
    const piece = this.#pieces[this.#piece]
    if (piece === undefined || piece instanceof Uint8Array || this.#isClosed) return undefined
    const offset = piece.start + this.#sent
    return { descriptor: this.#file.fd, offset, length: Math.min(piece.end - offset, PIECE_BYTES) }
  }

  skipPiece(): void {
    const piece = this.nextPiece()
    if (piece !== undefined) this.#advance(piece.length)
  }

  /** Past bytes of the piece that is being sent. */
  #advance(count: number): void {
    const piece = this.#pieces[this.#piece]
    this.#sent += count
    if (piece === undefined || piece instanceof Uint8Array || piece.start + this.#sent < piece.end) return
    this.#sent = 0
    this.#piece += 1
  }

  #freeBuffer(left: number): Buffer {
    const last = this.#buffer
    const isFree = last !== undefined && this.#isSent()
    const wanted = last === undefined ? FIRST_BYTES : isFree ? Math.min(2 * last.length, MOST_BYTES) : last.length
    if (last !== undefined && isFree && (last.length >= left || last.length === MOST_BYTES)) return last
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(left, 1)))
    return this.#buffer
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
    await this.#file.close()
  }
}
