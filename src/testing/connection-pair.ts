import assert from 'node:assert/strict'
import { concatBytes } from '../base/bytes.js'
import type { Connection } from '../transport/connection.js'
import type { ConnectionOptions } from '../transport/connection-options.js'
import { within, type ContractRow, type Skipped } from './contract-row.js'

/** Two ends of one connection. */
export interface ConnectionPair {
  readonly client: Connection
  readonly server: Connection
}

/** Makes the connections that the contract is tried on. */
export interface ConnectionFactory {
  /** A client that has connected and the connection that its listener accepted, both with these options. */
  pair(options?: ConnectionOptions): Promise<ConnectionPair>
  /** A certificate for `localhost` and its key, where an open connection can be turned into a TLS one. */
  readonly credentials: { readonly cert: string; readonly key: string } | undefined
  /** What the peer sees when an end with unread bytes is destroyed. Default: true. */
  readonly resets?: boolean
}

export type ConnectionContractRow = ContractRow<ConnectionFactory>

/** The two ends as a trial sees them: each trial is made with either end as the near one. */
export interface Ends {
  readonly near: Connection
  readonly far: Connection
}

/** A trial on a fresh pair, twice: the client is the near end, then the server is. */
export function bothWays(
  name: string,
  body: (ends: Ends, factory: ConnectionFactory) => Promise<void | Skipped>,
  options?: ConnectionOptions,
): ConnectionContractRow {
  return {
    name,
    async run(factory) {
      const skipped = await withPair(factory, options, ({ client, server }) =>
        body({ near: client, far: server }, factory),
      )
      if (skipped !== undefined) return skipped
      return withPair(factory, options, ({ client, server }) => body({ near: server, far: client }, factory))
    },
  }
}

/** Runs a body with a fresh pair, and expects both ends to be gone soon after they were destroyed. */
export async function withPair<T>(
  factory: ConnectionFactory,
  options: ConnectionOptions | undefined,
  body: (pair: ConnectionPair) => Promise<T>,
): Promise<T> {
  const pair = await factory.pair(options)
  try {
    return await body(pair)
  } finally {
    pair.client.destroy()
    pair.server.destroy()
    await within('both ends to be gone', Promise.all([pair.client.closed, pair.server.closed]))
  }
}

const decoder = new TextDecoder()

/** What comes until so many bytes are there. */
export async function readBytes(connection: Connection, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let total = 0
  while (total < count) {
    const bytes = await within(`${count} bytes, of which ${total} came`, connection.read({ maxBytes: count - total }))
    if (bytes === null) throw new Error(`The peer ended after ${total} bytes; ${count} were expected`)
    parts.push(bytes)
    total += bytes.length
  }
  return concatBytes(parts)
}

export const readText = async (connection: Connection, count: number): Promise<string> =>
  decoder.decode(await readBytes(connection, count))

/** All that comes, to the end. */
export async function readAll(connection: Connection): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (;;) {
    const bytes = await within('more bytes, or the end', connection.read())
    if (bytes === null) return concatBytes(parts)
    parts.push(bytes)
  }
}

export const readAllText = async (connection: Connection): Promise<string> => decoder.decode(await readAll(connection))

/** Without printing a megabyte when it fails. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return
  let at = 0
  while (at < actual.length && actual[at] === expected[at]) at += 1
  assert.fail(`${actual.length} bytes of ${expected.length}; the first difference stands at ${at}`)
}

/**
 * Writes to a peer that does not read until some of it stays here, also a while later: the system makes its buffers
 * larger as they fill. @returns how many bytes were written.
 */
export async function saturate(connection: Connection): Promise<number> {
  const chunk = new Uint8Array(1024 * 1024)
  let written = 0
  for (let before = -1; connection.bufferedBytes === 0 || connection.bufferedBytes !== before;) {
    before = connection.bufferedBytes
    if (before === 0) {
      void connection.write(chunk)
      written += chunk.length
    }
    await new Promise<void>((resolve) => {
      setTimeout(resolve, before === 0 ? 5 : 30)
    })
    if (written > 256 * chunk.length) throw new Error('A peer that does not read took 256 MiB')
  }
  return written
}

/** The state of a promise that may be waiting: settled after so many turns of the loop, or not. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol('waiting')
  const later = new Promise<typeof waiting>((resolve) => {
    setTimeout(() => resolve(waiting), 5)
  })
  return (await Promise.race([promise.catch(() => undefined), later])) === waiting
}
