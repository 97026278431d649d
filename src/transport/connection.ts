import type { AbortSignalLike } from '../base/cancellation.js'
import type { ProxyHeader } from '../engine/proxy-protocol/header.js'
import type { Address } from './address.js'
import type { FrameOptions, LengthPrefix, LineOptions } from './framed.js'
import type { StartTlsOptions, TlsInfo } from './tls-options.js'

export interface ReadOptions {
  /** The most bytes to return; what is left stays for the next read. Default: what is there. */
  readonly maxBytes?: number
  /** Ends the wait; the read rejects with `signal.reason`, untouched, and no byte is lost. */
  readonly signal?: AbortSignalLike
  /** Milliseconds to wait; then the read rejects with `ERR_READ_TIMEOUT` and no byte is lost. Default: `Infinity`. */
  readonly timeoutMs?: number
}

export interface CloseOptions {
  /** Milliseconds for sending what is queued and for the peer to finish. Default 5,000; then the rest is cut. */
  readonly graceMs?: number
}

/** How a connection ended. */
export type CloseReason =
  /** Both sides finished. */
  | 'ended'
  /** `close()` finished: everything written was handed to the system and this side ended first. */
  | 'closed'
  /** `destroy()` was called, or the deadline of `close()` passed. */
  | 'destroyed'
  /** The network or the peer broke it, or a limit did; `error` says why. */
  | 'failed'

export interface CloseReport {
  readonly reason: CloseReason
  readonly error: Error | undefined
  readonly bytesRead: number
  /** Bytes given to `write`. */
  readonly bytesWritten: number
  /** Bytes given to `write` that the system never took. */
  readonly bytesUnsent: number
}

/** What an engine's loop gets from a connection, synchronously. */
export interface ConnectionSink {
  /** `bytes` are borrowed: valid only during this call. Copy them to write, queue or keep them. */
  data(bytes: Uint8Array): void
  /** The peer has finished sending. */
  end(): void
  /** Everything written so far was taken by the system; called after `writeNow` returned false. */
  drain?(): void
  /** The server shuts down: end when no message is under way, with `force` also in the middle of one. */
  finish?(force: boolean): void
  /** Others wait for their turn: end behind the message that is under way, or now when one has been answered. */
  makeRoom?(): void
  /** The last call: the connection is gone. */
  close(report: CloseReport): void
}

/**
 * One stream of bytes each way between two ends: TCP, TLS, Unix stream, memory, or a bridge to another thread. All of
 * them pass one contract suite (`moorage/testing`, `connectionContract`).
 *
 * Who owns bytes: what `read` and iteration return is yours. What `write` takes belongs to the connection until it is
 * flushed, which can be after `write` has resolved: do not change it.
 */
export interface Connection extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly local: Address
  readonly remote: Address
  /** What TLS negotiated; `undefined` on a connection without TLS. */
  readonly tls: TlsInfo | undefined
  /** What a proxy in front told in its PROXY header; `local` and `remote` are taken from it. */
  readonly proxy: ProxyHeader | undefined
  /** Bytes given to `write` that the system has not taken yet. */
  readonly bufferedBytes: number
  /** Aborts when the connection is gone, for whatever reason; `reason` is the error. */
  readonly signal: AbortSignal
  /** Resolves, and never rejects, when the connection is gone. */
  readonly closed: Promise<CloseReport>

  /**
   * The next bytes, at least one; `null` once the peer has finished sending.
   * @throws BusyError `ERR_BUSY_READ` while another read waits; TimeoutError; BrokenError; ClosedError; the signal's reason.
   */
  read(options?: ReadOptions): Promise<Uint8Array | null>
  /**
   * Queues bytes (a string as UTF-8). Resolves at once below the high-water mark, else when the queue has drained.
   * A rejection that nobody awaits never becomes an unhandled one.
   * @throws LimitError `ERR_WRITE_BUFFER_LIMIT` when writes were not awaited past the hard cap: the connection is
   *   destroyed; ClosedError; BrokenError.
   */
  write(data: Uint8Array | string): Promise<void>
  /** Half-close: sends what is queued, then the end. The peer can still send. Idempotent. */
  closeWrite(): Promise<void>
  /**
   * Sends what is queued, half-closes, reads and drops what still comes until the peer ends (at most `lingerMs`), then
   * closes. Idempotent; never rejects: `closed` tells how it went. Cancelling is `destroy()`.
   */
  close(options?: CloseOptions): Promise<void>
  /** Ends it now: what is queued is dropped and counted in the report. Idempotent; never throws. */
  destroy(reason?: unknown): void
  /** Gives back bytes that were read too far; the next read returns them first. The bytes are kept, not copied. */
  unread(bytes: Uint8Array): void
  /** Turns the open connection into a TLS one (STARTTLS). Call it when no read waits and all writes were awaited. */
  startTls(options: StartTlsOptions): Promise<void>

  /** Lines, one by one. `ERR_LINE_LIMIT` ends the iteration; leaving it early loses no byte. */
  lines(options?: LineOptions): AsyncIterableIterator<string>
  /** The next line; `null` at the end. What follows the line stays for the next read. */
  readLine(options?: LineOptions): Promise<string | null>
  /** Exactly `count` bytes. @throws ProtocolError `ERR_UNEXPECTED_END` when the peer ends before. */
  readExactly(count: number): Promise<Uint8Array>
  /** The bytes up to and with `delimiter`. @throws LimitError `ERR_FRAME_LIMIT` past `maxFrameBytes`; ProtocolError. */
  readUntil(delimiter: Uint8Array | string, options?: FrameOptions): Promise<Uint8Array>
  /** Frames with a length prefix, one by one, without their prefix. */
  frames(prefix: LengthPrefix, options?: FrameOptions): AsyncIterableIterator<Uint8Array>
}
