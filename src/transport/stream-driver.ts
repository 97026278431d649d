import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import type { Address } from './address.js'
import type { TlsServerContext } from './node/tls-server-context.js'
import type { StartTlsOptions, TlsInfo } from './tls-options.js'

/** What a handshake is done with: options, or a context that many connections share. */
export type TlsStart =
  | StartTlsOptions
  | { readonly role: 'server'; readonly context: TlsServerContext; readonly handshakeTimeoutMs?: number }
  | TlsBeneath

/** TLS with a proxy, of which the connection to the target knows nothing: it can be secured itself. */
export type TlsBeneath = StartTlsOptions & { readonly beneath: true }

/** What a driver tells its connection. The order is `data* end? close`, with `drain` anywhere before `close`. */
export interface StreamDriverEvents {
  /** `borrowed` bytes are valid only during the call; others are the connection's to keep. */
  driverData(bytes: Uint8Array, borrowed: boolean): void
  driverEnd(): void
  driverDrain(): void
  /** Once, last. */
  driverClose(error: Error | undefined): void
}

/**
 * The part of a stream connection that differs between transports. `StreamConnection` does the rest: reading modes,
 * limits, half-close, graceful close. A driver starts paused.
 */
export interface StreamDriver {
  readonly local: Address
  readonly remote: Address
  readonly tls: TlsInfo | undefined
  /** The time that its waits go by. */
  readonly clock: Clock
  /** Bytes written that the system has not taken. */
  readonly bufferedBytes: number
  attach(events: StreamDriverEvents): void
  resume(): void
  pause(): void
  /** True while the queue is below the high-water mark or was flushed at once; after false, `driverDrain` will follow. */
  write(bytes: Uint8Array): boolean
  /** The same for a text of which each character is a byte. */
  writeLatin1?(text: string): boolean
  /** As `write`, of bytes that are valid only during the call. */
  writeBorrowed?(bytes: Uint8Array): boolean
  /** Both of them together, where the system can do that. */
  writePair?(borrowed: Uint8Array, bytes: Uint8Array): boolean
  /** Whether a piece of an open file can be written by `writeFile` now, without waiting for a disk. */
  holdsFile?(descriptor: number, offset: number, count: number): boolean
  /**
   * As `write`, of a piece of an open file; whoever opened it keeps it open until the drain that follows false. A file
   * that ends before the piece does breaks the connection.
   */
  writeFile?(descriptor: number, offset: number, count: number): boolean
  /**
   * Lets the system write what comes next into an open file, at most `count` bytes of it, while nobody reads; resolves when
   * nothing comes for a moment. @returns how many bytes; 0 where that cannot be done now. @throws what the file system says.
   */
  receiveFile?(descriptor: number, offset: number, count: number): Promise<number>
  /** Of TLS: gives the socket to whoever uses it from now on, with `unread` put back. The connection is of no use then. */
  detach?(unread: Uint8Array): Socket
  /** Calls `shrunk` from now on, soon after bytes that were written have left the buffer. */
  watchBuffer(shrunk: () => void): void
  /** Sends the end after all that is queued; `done` when it was sent (or can never be). */
  endWriting(done: () => void): void
  /** Ends it now; `driverClose` follows. */
  destroy(): void
  /** Calls `expired` after `milliseconds` without a byte in either direction; `Infinity` switches it off. */
  watchIdle(milliseconds: number, expired: () => void): void
  /** Whether waiting for it keeps the process running: it does until `unref`. Without them it never does. */
  ref?(): void
  unref?(): void
  /** Resolves when all that was written is with the system, or never will be. Where `startTls` is there. */
  flush?(): Promise<void>
  /** Replaces this driver by one that speaks TLS, not within a call of its events; `unread` are the bytes that were read too far. */
  startTls?(options: TlsStart, unread: Uint8Array): Promise<StreamDriver>
}
