import type { Datagram } from '../../transport/datagram-socket.js'
import type { DatagramMetricsSnapshot } from '../datagram-metrics.js'
import type { DrainReport } from '../outcome.js'

export interface DatagramDispatcher {
  start(): Promise<void>
  /** Whether one more handler can run now. */
  hasRoom(): boolean
  /** `datagram.data` is the dispatcher's to keep. */
  deliver(datagram: Datagram): void
  drain(graceMs: number): Promise<DrainReport>
  cut(why: string): void
  readonly active: number
  readonly queued: number
  readonly workers: number
  readonly restarts: number
  /** What workers count that receive by themselves. */
  readonly snapshots: readonly DatagramMetricsSnapshot[]
}
