import type { FilePiece } from '../transport/file-piece.js'
import { HttpResponse, type ResponseBody } from './response.js'

/** Whether a body is asked for piece by piece. */
export const isStreamed = (body: ResponseBody): body is AsyncIterable<Uint8Array | string> =>
  typeof body === 'object' && body !== null && !(body instanceof Uint8Array)

/** Tells whoever makes the pieces that no more are wanted. */
export function letGo(parts: AsyncIterator<unknown>): void {
  try {
    Promise.resolve(parts.return?.()).catch(() => undefined)
  } catch {
    // It is not wanted any more, nor is what it says of that.
  }
}

/** A body that nobody will read lets go of what it holds: a file, say. */
export function discard(answer: unknown): void {
  if (!(answer instanceof HttpResponse)) return
  const { body } = answer
  if (!isStreamed(body)) return
  try {
    letGo(body[Symbol.asyncIterator]())
  } catch {
    // Somebody else has it, and lets go of it.
  }
}

export type { FilePiece }

/** A body of files: what comes next can be sent by the system itself, and is then not asked for by `next`. */
export interface FilePieces extends AsyncIterator<Uint8Array | string> {
  /** `undefined` when no bytes of a file come next. */
  nextPiece(): FilePiece | undefined
  /** The piece was sent. */
  skipPiece(): void
}

export const isFilePieces = (parts: AsyncIterator<Uint8Array | string>): parts is FilePieces =>
  'nextPiece' in parts && 'skipPiece' in parts
