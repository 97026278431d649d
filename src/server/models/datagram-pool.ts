import type { Address } from '../../transport/address.js'
import type { Datagram } from '../../transport/datagram-socket.js'
import type { DatagramMetricsSnapshot } from '../datagram-metrics.js'
import { mergeDrainReports, type DrainReport } from '../outcome.js'
import type { DatagramDispatcher } from './datagram-dispatcher.js'
import { exactCopy } from './exact-copy.js'
import { fromPlainError, type FromWorker, type MovedDatagram, type WorkerStart } from './messages.js'
import { PoolDrain, type PoolConfig } from './pool.js'
import { WorkerSlot } from './worker-slot.js'

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
  readonly #config: PoolConfig
  readonly #events: DatagramPoolEvents
  readonly #maxOutstanding: number
  readonly #lanes: Lane[]
  readonly #drain: PoolDrain
  #flushing = false

  constructor(config: PoolConfig, maxQueued: number, events: DatagramPoolEvents) {
    this.#config = config
    this.#events = events
    this.#maxOutstanding = Math.ceil(maxQueued / config.model.settings.size)
    const { model, clock, logger } = config
    this.#lanes = Array.from({ length: model.settings.size }, (_, i) => {
      const index = i + 1
      const makeStart = (): WorkerStart => ({
        ...config.start,
        worker: index,
        local: config.local?.(),
        tls: undefined,
        shared: undefined,
      })
      const slot = new WorkerSlot(index, model, makeStart, clock, logger, {
        ready: () => undefined,
        message: (_slot, message) => this.#message(i, message),
        lost: () => this.#lost(i),
      })
      return { slot, batch: [], outstanding: 0 }
    })
    this.#drain = new PoolDrain(
      this.#lanes.map(({ slot }) => slot),
      clock,
    )
  }

  get active(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.outstanding, 0)
  }

  readonly queued: number = 0

  get workers(): number {
    return this.#lanes.filter(({ slot }) => slot.isReady).length
  }

  get restarts(): number {
    return this.#lanes.reduce((sum, { slot }) => sum + slot.restarts, 0)
  }

  async start(): Promise<void> {
    await Promise.all(this.#lanes.map(({ slot }) => slot.start()))
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

  #message(index: number, message: FromWorker): void {
    const lane = this.#lanes[index]
    switch (message.type) {
      case 'replies':
        for (const { data, remote } of message.list) this.#events.reply(data, remote)
        return
      case 'handled':
        if (lane !== undefined) lane.outstanding -= message.count + message.dropped
        this.#events.handled(message.count, message.failed)
        if (message.dropped > 0) this.#events.dropped(message.dropped)
        return
      case 'error':
        this.#events.failed(fromPlainError(message.error), message.remote)
        return
      case 'log':
        this.#config.logger[message.level](message.message, message.fields)
        return
      case 'drained':
        this.#drain.report(message.report)
        return
      default:
    }
  }

  #lost(index: number): void {
    const lane = this.#lanes[index]
    if (lane === undefined) return
    this.#events.handled(lane.outstanding, lane.outstanding)
    lane.outstanding = 0
    lane.batch = []
  }

  async drain(graceMs: number): Promise<DrainReport> {
    this.#flush()
    return mergeDrainReports(await this.#drain.run(graceMs))
  }

  cut(why: string): void {
    for (const { slot } of this.#lanes) slot.send({ type: 'cut', why })
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
