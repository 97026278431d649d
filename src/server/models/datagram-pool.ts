import type { Address } from '../../transport/address.js'
import type { Datagram } from '../../transport/datagram-socket.js'
import type { DatagramMetricsSnapshot } from '../datagram-metrics.js'
import { mergeDrainReports, type DrainReport } from '../outcome.js'
import type { DatagramDispatcher } from './datagram-dispatcher.js'
import { exactCopy } from './exact-copy.js'
import type { FromWorker, MovedDatagram } from './messages.js'
import { WorkerPool, type PoolConfig } from './pool.js'
import type { WorkerSlot } from './worker-slot.js'

export interface DatagramPoolEvents {
  readonly reply: (data: Uint8Array, to: Address) => void
  readonly handled: (count: number, failed: number) => void
  readonly failed: (error: unknown, remote: string) => void
  readonly dropped: (count: number) => void
}

/** The datagrams that wait for the end of this turn, to go to one worker in one message, and those that it has. */
interface Lane {
  readonly slot: WorkerSlot
  batch: MovedDatagram[]
  outstanding: number
}

/**
 * Receives here, handles elsewhere. A peer's datagrams all go to the same worker, chosen by its address, so that their
 * order is kept; replies come back here and leave by the one socket.
 */
export class DatagramPool implements DatagramDispatcher {
  readonly snapshots: readonly DatagramMetricsSnapshot[] = []
  readonly #events: DatagramPoolEvents
  readonly #maxOutstanding: number
  readonly #lanes: Lane[]
  readonly #pool: WorkerPool
  #flushing = false

  constructor(config: PoolConfig, maxQueued: number, events: DatagramPoolEvents) {
    this.#events = events
    this.#maxOutstanding = Math.ceil(maxQueued / config.model.settings.size)
    this.#pool = new WorkerPool(config, () => ({ local: config.local?.() }), {
      ready: () => undefined,
      message: (slot, message) => this.#message(slot, message),
      lost: (slot) => this.#lost(slot),
      failed: (error, remote) => events.failed(error, remote),
    })
    this.#lanes = this.#pool.slots.map((slot) => ({ slot, batch: [], outstanding: 0 }))
  }

  get active(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.outstanding, 0)
  }

  readonly queued: number = 0

  get workers(): number {
    return this.#pool.ready
  }

  get restarts(): number {
    return this.#pool.restarts
  }

  start(): Promise<void> {
    return this.#pool.start()
  }

  hasRoom(): boolean {
    return true
  }

  deliver({ data, remote, truncated }: Datagram): void {
    const lane = this.#laneOf(remote)
    if (lane === undefined || lane.outstanding >= this.#maxOutstanding) {
      this.#events.dropped(1)
      return
    }
    lane.outstanding += 1
    lane.batch.push({ data: exactCopy(data), remote, truncated })
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  /** The place of a peer never changes while its worker lives. One whose worker is being replaced goes to the next. */
  #laneOf(remote: Address): Lane | undefined {
    const first = hashOf(remote) % this.#lanes.length
    for (let i = 0; i < this.#lanes.length; i += 1) {
      const lane = this.#lanes[(first + i) % this.#lanes.length]
      if (lane?.slot.isReady === true) return lane
    }
    return undefined
  }

  #flush(): void {
    this.#flushing = false
    for (const lane of this.#lanes) {
      if (lane.batch.length === 0) continue
      lane.slot.send({ type: 'datagrams', list: lane.batch })
      lane.batch = []
    }
  }

  /** Slots are numbered from 1. */
  #laneAt({ index }: WorkerSlot): Lane | undefined {
    return this.#lanes[index - 1]
  }

  #message(slot: WorkerSlot, message: FromWorker): void {
    const lane = this.#laneAt(slot)
    switch (message.type) {
      case 'replies':
        for (const { data, remote } of message.list) this.#events.reply(data, remote)
        return
      case 'handled':
        if (lane !== undefined) lane.outstanding -= message.count + message.dropped
        this.#events.handled(message.count, message.failed)
        if (message.dropped > 0) this.#events.dropped(message.dropped)
        return
      default:
    }
  }

  #lost(slot: WorkerSlot): void {
    const lane = this.#laneAt(slot)
    if (lane === undefined) return
    this.#events.handled(lane.outstanding, lane.outstanding)
    lane.outstanding = 0
    lane.batch = []
  }

  async drain(graceMs: number): Promise<DrainReport> {
    this.#flush()
    return mergeDrainReports(await this.#pool.drain(graceMs))
  }

  cut(why: string): void {
    this.#pool.cut(why)
  }
}

/** FNV-1a over the address: the same peer, the same number. */
function hashOf(remote: Address): number {
  const text =
    remote.kind === 'ip' ? `${remote.host} ${remote.port}` : remote.kind === 'unix' ? remote.path : remote.name
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
