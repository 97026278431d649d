import type { Hash } from 'node:crypto'
import type { FileWriter } from './file-writer.js'
import type { Taker } from './incoming-body.js'

/** Where the bytes come from: a response. */
export interface SavedBody {
  drainTo(take: Taker): Promise<void>
  /** `undefined` where what comes is not what is saved: it is decoded. */
  receiveFile: ((descriptor: number, position: number) => Promise<number>) | undefined
}

/** So much at once says that more is there already. */
const BACKLOG_BYTES = 64 * 1024

/**
 * Writes a body into a file. Where much comes as it is, and nobody has to see it, the system writes it, in another thread.
 */
export function saveBody(
  body: SavedBody,
  writer: FileWriter,
  { hash, wrote }: { readonly hash?: Hash | undefined; readonly wrote?: (() => void) | undefined } = {},
): Promise<void> {
  const { receiveFile } = body
  const bySystem = async (
    taken: Promise<void> | undefined,
    receive: (descriptor: number, position: number) => Promise<number>,
  ): Promise<void> => {
    await taken
    while ((await writer.receive(receive)) > 0) wrote?.()
  }
  return body.drainTo((bytes) => {
    hash?.update(bytes)
    const taken = writer.take(bytes)
    wrote?.()
    return receiveFile === undefined || hash !== undefined || bytes.length < BACKLOG_BYTES
      ? taken
      : bySystem(taken, receiveFile)
  })
}
