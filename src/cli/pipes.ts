import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { Connection } from '../transport/index.js'

/** Called with all bytes that pass: a hex dump, a count. */
export type Tap = (bytes: Uint8Array) => void

/** Copies a stream to a connection, at the connection's pace; resolves at the end of the stream. */
export async function pumpIn(from: Readable, to: Connection, tap?: Tap): Promise<void> {
  for await (const chunk of from) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    tap?.(bytes)
    await to.write(bytes)
  }
}

/** Copies what a connection receives to a stream, at the stream's pace; resolves when the peer has finished. */
export async function pumpOut(from: Connection, to: Writable, tap?: Tap): Promise<void> {
  for await (const bytes of from) {
    tap?.(bytes)
    if (!to.write(bytes)) await once(to, 'drain')
  }
}

/** Joins two connections until both directions have ended, each with a half-close of its own. */
export async function relay(one: Connection, other: Connection, tapOut?: Tap, tapBack?: Tap): Promise<void> {
  const copy = async (from: Connection, to: Connection, tap: Tap | undefined): Promise<void> => {
    for await (const bytes of from) {
      tap?.(bytes)
      await to.write(bytes)
    }
    await to.closeWrite()
  }
  await Promise.all([copy(one, other, tapOut), copy(other, one, tapBack)])
}
