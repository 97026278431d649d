import type { MoorageError } from '../base/errors.js'
import type { Address } from './address.js'

/** What a driver tells the socket above it, always synchronously from the event loop, never from within a call. */
export interface DatagramReceiver {
  /** `owned` says that nobody else uses `data`; otherwise it is borrowed for the length of the call. */
  datagram(data: Uint8Array, remote: Address, truncated: boolean, owned: boolean): void
  /** Between the datagrams of one system call: the driver looks at this to know whether replies may be batched. */
  readonly isSink: boolean
  /** The system reported an error; the socket goes on. */
  failed(error: MoorageError): void
  /** The socket cannot go on. */
  broken(error: MoorageError): void
}

/**
 * What differs between kinds of datagram sockets: UDP over the addon, UDP over node:dgram, Unix, memory. Modes, queues
 * for reading, statistics and closing stand above it, once, in `datagram-core.ts`.
 */
export interface DatagramDriver {
  readonly local: Address
  readonly remote: Address | undefined
  /** The longest datagram that can be sent at all. */
  readonly maxSendBytes: number
  readonly bufferedBytes: number
  readonly sent: number
  readonly sentBytes: number
  readonly sendDropped: number
  /** Called once, before anything else. */
  start(receiver: DatagramReceiver): void
  /** As `DatagramSocket.send`; the data is copied before this returns, and `to` fits the driver's kind of address. */
  send(data: Uint8Array, to: Address | undefined): Promise<void>
  /** Resolves when nothing is queued to be sent; never rejects. */
  drained(): Promise<void>
  /** Frees the descriptor now; queued datagrams are dropped and their sends rejected with `reason`. */
  close(reason: MoorageError): void
}
