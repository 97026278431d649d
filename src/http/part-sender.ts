import type { ServerConnection } from '../engine/http1/server-connection.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import type { Output } from './output.js'
import { isFilePieces } from './response-body.js'

/** Sends the parts of a body that comes bit by bit, each in its framing. */
export class PartSender {
  readonly #connection: StreamConnection
  readonly #engine: ServerConnection
  readonly #out: Output

  constructor(connection: StreamConnection, engine: ServerConnection, out: Output) {
    this.#connection = connection
    this.#engine = engine
    this.#out = out
  }

  sendPart(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const before = this.#engine.data(bytes.length) ?? ''
    this.#out.begin()
    if (before !== '') this.#out.head(before)
    this.#out.bytes(bytes)
    if (before !== '') this.#out.head(this.#engine.dataEnd)
    this.#out.flush()
  }

  /** Bytes of a file that the system can send by itself now: how many, and 0 where it cannot. */
  sendPiece(parts: AsyncIterator<Uint8Array | string>): number {
    if (this.#out.isPressed || !isFilePieces(parts)) return 0
    const piece = parts.nextPiece()
    if (piece === undefined || !this.#connection.holdsFile(piece.descriptor, piece.offset, piece.length)) return 0
    const before = this.#engine.data(piece.length) ?? ''
    if (before !== '') this.#out.head(before)
    this.#out.file(piece)
    if (before !== '') this.#out.head(this.#engine.dataEnd)
    parts.skipPiece()
    return piece.length
  }
}
