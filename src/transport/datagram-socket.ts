import type { AbortSignalLike } from '../base/cancellation.js'
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
}

export interface ReceiveOptions {
  readonly signal?: AbortSignalLike
  /** Milliseconds; rejects with `ERR_READ_TIMEOUT`. Default: `Infinity`. */
  readonly timeoutMs?: number
}

/** Called synchronously for each datagram. `data` is borrowed: valid only during the call; copy it to keep, send or queue it. */
export type DatagramSink = (data: Uint8Array, remote: Address, truncated: boolean) => void

/**
 * A socket that sends and receives datagrams: UDP, Unix datagram or memory. Datagrams may be lost; none is ever joined,
 * split or (silently) cut. At most one reading mode: `receive` and iteration, or a sink.
 */
export interface DatagramSocket extends AsyncIterable<Datagram>, AsyncDisposable {
  readonly local: Address
  /** The one peer of a connected socket. */
  readonly remote: Address | undefined
  readonly signal: AbortSignal
  readonly statistics: DatagramStatistics
  /** Bytes queued to be sent. */
  readonly bufferedBytes: number
  /** The next datagram; `null` once the socket is closed. @throws BusyError, TimeoutError, NetError. */
  receive(options?: ReceiveOptions): Promise<Datagram | null>
  /**
   * Sends one datagram, to `to` (or to the peer of a connected socket). Resolves at once while the send queue is below
   * its high-water mark, else when it has drained. The bytes belong to the socket until they are sent: do not change
   * them. A rejection that nobody awaits never becomes an unhandled one.
   * @throws LimitError `ERR_DATAGRAM_SIZE`; NetError `ERR_DATAGRAM_UNREACHABLE` (connected mode), `ERR_SOCKET`; ClosedError.
   */
  send(data: Uint8Array | string, to?: Address): Promise<void>
  /** Reads by a synchronous sink from now on. @throws BusyError when another mode is in use. */
  sinkTo(sink: DatagramSink): void
  /** Sends what is queued, then closes. Idempotent. */
  close(): Promise<void>
  /** Closes now; what is queued is dropped. Never throws. */
  destroy(reason?: unknown): void
  readonly closed: Promise<void>
}
