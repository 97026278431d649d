import { byteCount, count, milliseconds, type OptionSpecs } from '../base/options.js'

/** The limits and times of one connection. */
export interface ConnectionOptions {
  readonly readHighWaterBytes?: number
  readonly writeHighWaterBytes?: number
  readonly maxWriteBufferBytes?: number
  readonly maxQueuedWrites?: number
  readonly idleTimeoutMs?: number
  readonly lingerMs?: number
}

export type ConnectionSettings = Readonly<Required<ConnectionOptions>>

const KIB = 1024
const MIB = 1024 * KIB

export const CONNECTION_OPTIONS: OptionSpecs<ConnectionSettings> = {
  readHighWaterBytes: byteCount(
    64 * KIB,
    'Bytes held for a reader that is not reading before the peer is made to wait. asyncio holds 128 KiB, Go 4 KiB.',
  ),
  writeHighWaterBytes: byteCount(
    64 * KIB,
    'Bytes queued for the peer above which write() waits. asyncio waits above 64 KiB, Node streams above 64 KiB (16 KiB before Node 22).',
  ),
  maxWriteBufferBytes: byteCount(
    16 * MIB,
    'Bytes queued for the peer above which one more write that nobody awaited destroys the connection. uWebSockets drops above 64 KiB, nginx never queues more than its buffers (64 KiB).',
  ),
  maxQueuedWrites: count(
    65_536,
    'Writes queued for the peer above which one more destroys the connection: small writes cost more than their bytes.',
  ),
  idleTimeoutMs: milliseconds(
    Infinity,
    'Milliseconds without a byte in either direction after which the connection is destroyed. Off for sockets, as in Python and Go; protocols set their own.',
  ),
  lingerMs: milliseconds(
    1000,
    'Milliseconds that close() reads on after it half-closed, so that the peer sees the end and not a reset. nginx lingers 5 s, Apache 2 s.',
    { min: 0 },
  ),
}
