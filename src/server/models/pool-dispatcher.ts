import { NetError } from '../../base/errors.js'
import { formatAddress } from '../../transport/address.js'
import type { Preparation } from '../../transport/prepare.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import { mergeDrainReports, type CutConnection, type DrainReport, type Outcome } from '../outcome.js'
import { BridgeHub } from './byte-bridge.js'
import type { Dispatcher, DispatcherEvents } from './dispatcher.js'
import type { FromWorker } from './messages.js'
import { WorkerPool, type PoolConfig } from './pool.js'
import type { WorkerSlot } from './worker-slot.js'

/** A connection on its way to a worker, or with one. */
interface Placed {
  readonly id: number
  readonly stream: RawStream
  readonly offeredTo: Set<WorkerSlot>
  slot: WorkerSlot | undefined
  /** Its worker has it: nothing is left here but its number. */
  taken: boolean
  stopOffer: () => void
}

const LOST: Outcome = { bytesRead: 0, bytesWritten: 0, bytesUnsent: 0, failed: true }
/** A worker that has not answered an offer for so long is doing something else: the offer goes to the next one too. */
const OFFER_MS = 4

/** Idle to half busy, busy, and not coming round are told apart; less is noise. */
const LOAD_STEP = 0.45
/** How many times more a connection of a busy worker counts, for each step. */
const BUSY_WEIGHT = 2
/** More than any number of connections. */
const UNANSWERED = 1e9

/**
 * Accepts here, runs elsewhere. Each connection is offered to the least busy worker, and given to the first that
 * answers, so it never waits behind a handler that burns CPU while another worker is free. Until a worker has it, it
 * stays here whole, and goes to another when that one dies.
 */
export class PoolDispatcher implements Dispatcher {
  readonly #config: PoolConfig
  readonly #events: DispatcherEvents
  readonly #pool: WorkerPool
  readonly #placed = new Map<number, Placed>()
  /** Those that no worker was there for. */
  readonly #homeless = new Set<Placed>()
  readonly #bridges: BridgeHub
  #isDraining = false

  constructor(config: PoolConfig, preparation: Preparation, events: DispatcherEvents) {
    this.#config = config
    this.#events = events
    this.#bridges = new BridgeHub(config.start.connection, preparation, (error, remote) => events.failed(error, remote))
    this.#pool = new WorkerPool(config, () => ({}), {
      ready: () => this.#placeHomeless(),
      message: (slot, message) => this.#message(slot, message),
      lost: (slot, why) => this.#lost(slot, why),
      failed: (error, remote) => events.failed(error, remote),
    })
  }

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

  makeRoom(): void {}

  dispatch(id: number, stream: RawStream): void {
    const placed: Placed = {
      id,
      stream,
      offeredTo: new Set(),
      slot: undefined,
      taken: false,
      stopOffer: () => undefined,
    }
    this.#placed.set(id, placed)
    this.#offer(placed)
  }

  #offer(placed: Placed): void {
    const slot = this.#leastBusy(placed.offeredTo)
    if (slot === undefined) {
      if (placed.offeredTo.size === 0) this.#homeless.add(placed)
      return
    }
    placed.stopOffer()
    placed.offeredTo.add(slot)
    slot.connections += 1
    slot.offeredAt = Math.min(slot.offeredAt, this.#config.clock.now())
    slot.send({ type: 'offer', id: placed.id })
    placed.stopOffer = this.#config.clock.after(OFFER_MS, () => this.#offer(placed))
  }

  /**
   * The worker with the fewest connections, where those of a busy one count for more: a moment of work must not send
   * every client of a burst to the other worker. One that leaves an offer unanswered gets nothing while another answers.
   */
  #leastBusy(but: ReadonlySet<WorkerSlot>): WorkerSlot | undefined {
    const now = this.#config.clock.now()
    let best: WorkerSlot | undefined
    let least = Infinity
    for (const slot of this.#pool.slots) {
      if (!slot.isReady || but.has(slot) || slot.peer === undefined) continue
      const waits = now - slot.offeredAt
      const busy = 1 + BUSY_WEIGHT * Math.floor(slot.peer.load() / LOAD_STEP)
      const score = waits > OFFER_MS ? UNANSWERED + waits : (slot.connections + 1) * busy
      if (score >= least) continue
      best = slot
      least = score
    }
    return best
  }

  #message(slot: WorkerSlot, message: FromWorker): void {
    switch (message.type) {
      case 'want':
        slot.offeredAt = Infinity
        this.#give(slot, this.#placed.get(message.id))
        return
      case 'taken': {
        const placed = this.#placed.get(message.id)
        if (placed === undefined) return
        placed.taken = true
        // The worker has its own copy of the handle now.
        if (slot.peer?.transferOf(placed.stream) === 'kept') placed.stream.destroy()
        return
      }
      case 'ended':
        this.#end(message.id, message.outcome)
        return
      case 'bytes':
      case 'credit':
      case 'end':
      case 'gone':
        this.#bridges.receive(message)
        return
      default:
    }
  }

  #give(slot: WorkerSlot, placed: Placed | undefined): void {
    if (placed === undefined || placed.slot !== undefined) {
      slot.connections -= 1
      return
    }
    placed.slot = slot
    placed.stopOffer()
    const { id, stream } = placed
    const how = slot.peer?.transferOf(stream)
    if (how === 'bridged') {
      placed.taken = true
      this.#bridges.open(
        id,
        stream,
        (message) => slot.send(message),
        () => this.#end(id, LOST),
      )
      return
    }
    if (how === 'moved') placed.taken = true
    try {
      slot.peer?.sendStream(id, stream)
    } catch (error) {
      // The socket ended between being accepted and being moved.
      stream.destroy()
      this.#events.failed(error, formatAddress(stream.remote))
      this.#end(id, LOST)
    }
  }

  #end(id: number, outcome: Outcome): void {
    const placed = this.#placed.get(id)
    if (placed === undefined) return
    this.#placed.delete(id)
    this.#homeless.delete(placed)
    placed.stopOffer()
    if (placed.slot !== undefined) placed.slot.connections -= 1
    this.#events.ended(id, outcome)
    this.#events.roomMade()
  }

  #lost(slot: WorkerSlot, why: string): void {
    const gone = new NetError('ERR_WORKER', `The worker of this connection is gone: ${why}`)
    if (this.#isDraining) {
      this.#cutWith(slot, gone)
      return
    }
    for (const placed of this.#placed.values()) {
      placed.offeredTo.delete(slot)
      if (placed.slot === slot) {
        placed.slot = undefined
        if (placed.taken) {
          this.#bridges.lost(placed.id, gone)
          this.#end(placed.id, LOST)
          continue
        }
      }
      if (placed.slot === undefined && placed.offeredTo.size === 0) this.#offer(placed)
    }
  }

  /** The worker did not end in time and was killed, or crashed: no other takes over what it had. */
  #cutWith(slot: WorkerSlot, gone: NetError): void {
    const isReported = this.#pool.hasReported(slot)
    const cut: CutConnection[] = []
    for (const placed of [...this.#placed.values()]) {
      if (placed.slot !== slot) continue
      if (!isReported) cut.push({ remote: formatAddress(placed.stream.remote), activity: 'handling', bytesUnsent: 0 })
      this.#bridges.lost(placed.id, gone)
      if (!placed.taken) placed.stream.destroy()
      this.#end(placed.id, LOST)
    }
    if (cut.length > 0) this.#pool.report({ drained: 0, cut, cutCount: cut.length, handlersLeft: cut.length })
  }

  #placeHomeless(): void {
    const homeless = [...this.#homeless]
    this.#homeless.clear()
    for (const placed of homeless) this.#offer(placed)
    // Those that were offered to busy workers alone can come to the new one.
    for (const placed of this.#placed.values()) {
      if (placed.slot === undefined && placed.offeredTo.size > 0) this.#offer(placed)
    }
  }

  async drain(graceMs: number): Promise<DrainReport> {
    this.#isDraining = true
    const offered = [...this.#placed.values()].filter(({ slot }) => slot === undefined)
    for (const { id, stream } of offered) {
      stream.destroy()
      this.#end(id, LOST)
    }
    return { ...mergeDrainReports(await this.#pool.drain(graceMs)), turnedAway: offered.length }
  }

  cut(why: string): void {
    this.#pool.cut(why)
  }

  replaceTls(options: TlsServerOptions): void {
    this.#pool.replaceTls(options)
  }
}
