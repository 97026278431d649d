import type { AbortSignalLike } from '../base/cancellation.js'
import type { MoorageError } from '../base/errors.js'
import type { Address } from './address.js'

/** One datagram as it arrived. `data` is yours: it is copied out of the receive buffer. */
export interface Datagram {
  readonly data: Uint8Array
  readonly remote: Address
  /** True when the datagram was longer than `maxDatagramBytes`: `data` holds its beginning. Never hidden. */
  readonly truncated: boolean
}

export interface DatagramStatistics {
  readonly received: number
  readonly receivedBytes: number
  readonly sent: number
  readonly sentBytes: number
  /** Datagrams that arrived and were cut to `maxDatagramBytes`. */
  readonly truncated: number
  /** Datagrams dropped on this side because the receive queue was full. */
  readonly receiveDropped: number
  /** Datagrams dropped on this side because the send queue was full, or refused by the system. */
  readonly sendDropped: number
  /** Errors that the system reported while receiving, such as a peer that is gone. */
  readonly receiveErrors: number
}

export interface ReceiveOptions {
  readonly signal?: AbortSignalLike
  /** Milliseconds; rejects with `ERR_READ_TIMEOUT`. Default: `Infinity`. */
  readonly timeoutMs?: number
}

/**
 * Called synchronously for each datagram. `data` is borrowed: valid only during the call; copy it to keep or queue it
 * (`send` copies it itself), unless `owned` says that it is yours. A sink that throws ends the socket with what it threw.
 */
export type DatagramSink = (data: Uint8Array, remote: Address, truncated: boolean, owned: boolean) => void

/** Called synchronously for an error that does not end the socket: a peer that refuses, in connected mode. */
export type DatagramErrorSink = (error: MoorageError) => void

/**
 * A socket that sends and receives datagrams: UDP, Unix datagram or memory. Datagrams may be lost; none is ever joined,
 * split or (silently) cut. At most one reading mode: `receive` and iteration, or a sink.
 */
export interface DatagramSocket extends AsyncIterable<Datagram>, AsyncDisposable {
  readonly local: Address
  /** The one peer of a connected socket. */
  readonly remote: Address | undefined
  /** Aborts when the socket is closed or destroyed; `reason` says why. */
  readonly signal: AbortSignal
  readonly statistics: DatagramStatistics
  /** Bytes queued to be sent. */
  readonly bufferedBytes: number
  /**
   * The next datagram; `null` once the socket is closed. In connected mode a refusal by the peer's machine is thrown
   * here, once for each, and the socket goes on. Cancelling takes nothing: the next call gets the datagram.
   * @throws BusyError `ERR_BUSY_READ`, `ERR_BUSY_SINK`; TimeoutError `ERR_READ_TIMEOUT`; NetError
   *   `ERR_DATAGRAM_UNREACHABLE`, `ERR_SOCKET`; `signal.reason`.
   */
  receive(options?: ReceiveOptions): Promise<Datagram | null>
  /**
   * Sends one datagram, to `to` (or to the peer of a connected socket). The bytes are copied: they are yours again when
   * this returns. Resolves when the system has taken the datagram, or at once when it takes none at the moment and the
   * queue is below its high-water mark, else when it has drained. A rejection that nobody awaits never becomes an
   * unhandled one. Sent from within a sink, the datagrams of one batch leave together when the batch ends; the promise
   * is resolved already then, and a refusal only shows in `statistics.sendDropped`.
   * @throws LimitError `ERR_DATAGRAM_SIZE`, `ERR_QUEUE_LIMIT`; NetError `ERR_DATAGRAM_UNREACHABLE` (the peer refused
   *   this or an earlier datagram), `ERR_SOCKET`, `ERR_ACCESS` (broadcast without the option); ClosedError `ERR_CLOSED`.
   */
  send(data: Uint8Array | string, to?: Address): Promise<void>
  /**
   * Reads by a synchronous sink from now on. What waited in the queue is given to it first.
   * @throws BusyError `ERR_BUSY_SINK` when another mode is in use.
   */
  sinkTo(sink: DatagramSink, onError?: DatagramErrorSink): void
  /** Sends what is queued (for at most a second), then closes. Idempotent. What was received and not taken is dropped. */
  close(): Promise<void>
  /** Closes now; what is queued is dropped. A waiting `receive` rejects with `reason`, without one it gets `null`. Never throws. */
  destroy(reason?: unknown): void
  readonly closed: Promise<void>
}
