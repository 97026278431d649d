import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { connect, type Connection, type ConnectOptions, type Endpoint } from '../transport/index.js'

/** Called with all bytes that pass: a hex dump, a count. */
export type Tap = (bytes: Uint8Array) => void

export interface Taps {
  /** Of what this side sends. */
  readonly tapOut?: Tap | undefined
  readonly tapIn?: Tap | undefined
}

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

/** How long an input may stand still once the peer has finished, before it is given up: as long as socat waits. */
const QUIET_MS = 500

/**
 * Sends the input and prints what comes. The end of the input is a half-close; so is the peer's: what the input still
 * has is sent. Resolves when both have ended, or when the peer has and the input stands still, as a person's would.
 */
export async function converse(
  connection: Connection,
  input: Readable,
  output: Writable,
  { tapOut, tapIn }: Taps = {},
): Promise<void> {
  let movedAt = 0
  const sending = pumpIn(input, connection, (bytes) => {
    movedAt = performance.now()
    tapOut?.(bytes)
  }).then(() => connection.closeWrite())
  // A peer that is gone takes nothing: what it said before is what the conversation comes to.
  const sent = sending.catch(() => undefined)
  await pumpOut(connection, output, tapIn)
  const peerEndedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  const quiet = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      const still = performance.now() - Math.max(movedAt, peerEndedAt)
      if (still >= QUIET_MS && connection.bufferedBytes === 0) resolve()
    }, QUIET_MS / 10)
  })
  await Promise.race([sent, quiet, connection.closed])
  clearInterval(timer)
}

/**
 * Joins a connection to one that is made for it, until both directions have ended, each with a half-close of its own.
 * What breaks one of them breaks the other: half a stream must not look like a whole one.
 */
export async function relayTo(
  connection: Connection,
  endpoint: Endpoint,
  options: ConnectOptions,
  { tapIn, tapOut }: Taps = {},
): Promise<void> {
  const other = await connect(endpoint, options)
  const failures: unknown[] = []
  const copy = async (from: Connection, to: Connection, tap: Tap | undefined): Promise<void> => {
    try {
      for await (const bytes of from) {
        tap?.(bytes)
        await to.write(bytes)
      }
      await to.closeWrite()
    } catch (error) {
      failures.push(error)
      connection.destroy(error)
      other.destroy(error)
    }
  }
  await Promise.all([copy(connection, other, tapIn), copy(other, connection, tapOut)])
  await other.close()
  if (failures.length > 0) throw failures[0]
}
