import type { Clock } from '../base/clock.js'
import type { ServerConnection } from '../engine/http1/server-connection.js'
import type { Output } from './output.js'
import { isFilePieces } from './response-body.js'

/** What one client is sent before the others have their turn: the system may take megabytes at once. */
const BYTES_A_TURN = 64 * 1024

/**
 * What is written in one piece. Where the system tells only that all of a piece was taken (TLS, for one), a slow client
 * would seem to take nothing meanwhile, so pieces are cut to what it takes in a second or so.
 */
const FIRST_PIECE_BYTES = 128 * 1024
const LEAST_PIECE_BYTES = 16 * 1024
/** As much as a file is read by: cutting those of fast clients would cost more calls. */
const MOST_PIECE_BYTES = 512 * 1024
const SLOW_MS = 1000

/** A body that is in memory is sent in pieces when it is longer than this. */
export const MAX_WHOLE_BYTES: number = MOST_PIECE_BYTES

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

/** What is there, as a body that is sent piece by piece. */
export async function* onePart(body: Uint8Array | string): AsyncGenerator<Uint8Array | string, void, undefined> {
  yield body
}

/** Sends a body bit by bit: each part is asked for when the client has taken those before. Ends early when `isOver`. */
export async function sendParts(
  parts: AsyncIterator<Uint8Array | string>,
  engine: ServerConnection,
  out: Output,
  { clock, isOver }: { readonly clock: Clock; readonly isOver: () => boolean },
): Promise<void> {
  if (!engine.sendsBody) await parts.return?.()
  let pieceBytes = FIRST_PIECE_BYTES
  let sent = 0
  while (engine.sendsBody) {
    const fromFile = sendFromFile(parts, engine, out)
    if (fromFile > 0) {
      sent += fromFile
      if (out.isPressed) await out.drained()
      else if (sent >= BYTES_A_TURN) await nextTurn()
      else continue
      if (isOver()) return
      sent = 0
      continue
    }
    const { done, value } = await parts.next()
    if (done === true || isOver()) return
    const bytes = toBytes(value)
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.length - at <= pieceBytes ? bytes.subarray(at) : bytes.subarray(at, at + pieceBytes)
      sendPiece(piece, engine, out)
      at += piece.length
      sent += piece.length
      if (out.isPressed) {
        const began = clock.now()
        await out.drained()
        pieceBytes = clock.now() - began > SLOW_MS ? Math.max(pieceBytes / 4, LEAST_PIECE_BYTES) : larger(pieceBytes)
      } else {
        pieceBytes = larger(pieceBytes)
        if (sent < BYTES_A_TURN) continue
        await nextTurn()
      }
      if (isOver()) return
      sent = 0
    }
  }
}

/** What the system can send by itself now: how many bytes; 0 where it cannot, and the part is asked for. */
function sendFromFile(parts: AsyncIterator<Uint8Array | string>, engine: ServerConnection, out: Output): number {
  if (!isFilePieces(parts)) return 0
  const piece = parts.nextPiece()
  if (piece === undefined || !out.takesFile(piece)) return 0
  const before = engine.data(piece.length) ?? ''
  if (before !== '') out.head(before)
  out.file(piece)
  if (before !== '') out.head(engine.dataEnd)
  parts.skipPiece()
  return piece.length
}

/** Also for programs that are not checked by types: what is no bytes would be left out without a word. */
function toBytes(part: unknown): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part)
  if (part instanceof Uint8Array) return part
  throw new TypeError(`A part of a body is of type ${typeof part}: expected a string or bytes`)
}

const larger = (pieceBytes: number): number => Math.min(2 * pieceBytes, MOST_PIECE_BYTES)

function sendPiece(bytes: Uint8Array, engine: ServerConnection, out: Output): void {
  const before = engine.data(bytes.length) ?? ''
  out.begin()
  if (before !== '') out.head(before)
  out.bytes(bytes)
  if (before !== '') out.head(engine.dataEnd)
  out.flush()
}
