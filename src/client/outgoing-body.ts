import type { FilePiece, SendsFile } from '../transport/file-piece.js'

export type BodyPiece = Uint8Array | FilePiece

/** The body of a request, as it is sent. */
export interface OutgoingBody {
  /** Of what it is; `undefined` says nothing of it. */
  readonly contentType: string | undefined
  readonly length: number | 'chunked'
  /** All of it, where it is in memory. */
  readonly bytes: Uint8Array | undefined
  /** Whether it can be sent again: behind a redirect, with credentials, on another connection. */
  readonly isReplayable: boolean
  /** The same as `open`; pieces of files for which `sendsFile` is true are not read, and stay open until the next is asked for. */
  openPieces?: ((sendsFile: SendsFile) => AsyncIterable<BodyPiece>) | undefined
  /** From its beginning. @throws UsageError `ERR_BODY_USED` where it was read before and cannot be read again. */
  open(): AsyncIterable<Uint8Array>
}
