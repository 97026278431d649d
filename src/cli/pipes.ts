import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { connect, parseEndpoint, type Connection } from '../transport/index.js'

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

/** Joins a connection to one that is made for it, until both directions have ended, each with a half-close of its own. */
export async function relayTo(
  connection: Connection,
  endpoint: string,
  signal: AbortSignal,
  tapIn?: Tap,
  tapOut?: Tap,
): Promise<void> {
  const other = await connect(parseEndpoint(endpoint), { signal })
  const copy = async (from: Connection, to: Connection, tap: Tap | undefined): Promise<void> => {
    for await (const bytes of from) {
      tap?.(bytes)
      await to.write(bytes)
    }
    await to.closeWrite()
  }
  try {
    await Promise.all([copy(connection, other, tapIn), copy(other, connection, tapOut)])
  } finally {
    await other.close()
  }
}
