import type { DatagramMetricsSnapshot } from '../datagram-metrics.js'
import type { DrainReport } from '../outcome.js'
import type { DatagramDispatcher } from './datagram-dispatcher.js'
import type { SharedDispatcher } from './shared-dispatcher.js'

/** Workers that receive by themselves on the one port: the system sends each peer's datagrams to one of them. */
export class SharedDatagrams implements DatagramDispatcher {
  readonly active: number = 0
  readonly queued: number = 0
  readonly shared: SharedDispatcher

  constructor(shared: SharedDispatcher) {
    this.shared = shared
  }

  get snapshots(): readonly DatagramMetricsSnapshot[] {
    return this.shared.datagramSnapshots
  }

  get workers(): number {
    return this.shared.workers
  }

  get restarts(): number {
    return this.shared.restarts
  }

  start(): Promise<void> {
    return this.shared.start()
  }

  hasRoom(): boolean {
    return false
  }

  /** Nothing is received here. */
  deliver(): void {}

  drain(graceMs: number): Promise<DrainReport> {
    return this.shared.drain(graceMs)
  }

  cut(why: string): void {
    this.shared.cut(why)
  }
}
