import type { Socket } from 'node:net'
import type { Address } from './address.js'
import type { ConnectionSettings } from './connection-options.js'
import type { Endpoint } from './endpoint.js'
import type { StreamConnection } from './stream-connection.js'

/** A stream that was accepted and not read: before its PROXY header, its handshake and its handler. */
export interface RawStream {
  readonly remote: Address
  readonly local: Address | undefined
  /** The socket of the system, for moving it to another thread or process; memory streams have none. */
  readonly socket: Socket | undefined
  /** The native handle, for handing it to another process while this one keeps its own. */
  readonly handle: object | undefined
  /** Makes the connection; call it once, or `destroy`. */
  open(settings: ConnectionSettings): StreamConnection
  destroy(): void
}

/** The lowest listener: it hands over every stream at once and keeps none. */
export interface RawListener {
  readonly local: Address
  /** What was asked for, with the real port. */
  readonly endpoint: Endpoint
  /** The descriptor that it listens on, where there is one. */
  readonly descriptor: number | undefined
  /** Stops listening; resolves when the address is free again. */
  close(): Promise<void>
  ref(): void
  unref(): void
}

export interface RawListenerEvents {
  accepted(stream: RawStream): void
  /** Accepting failed (no descriptors left, say); the listener goes on. */
  failed(error: Error): void
}
