import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import { LinkHost } from '../../pubsub/link/link-host.js'
import type { ConnectionSettings } from '../../transport/connection-options.js'
import type { Address } from '../../transport/address.js'
import type { Endpoint } from '../../transport/endpoint.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import { isRestart } from '../draining.js'
import type { DrainReport } from '../outcome.js'
import { fromPlainError, type FromWorker, type WorkerStart } from './messages.js'
import type { ProcessesModel, ThreadsModel } from './model.js'
import { WorkerSlot, type SlotEvents } from './worker-slot.js'

/** What every pool of workers is made of. */
export interface PoolConfig {
  readonly model: ThreadsModel | ProcessesModel
  readonly endpoint: Endpoint
  readonly clock: Clock
  readonly logger: Logger
  /** Of the server: its reason goes on to the workers. */
  readonly draining: AbortSignal
  /** What a worker is started with, apart from its number, its certificates and its port. */
  readonly start: Omit<WorkerStart, 'worker' | 'tls' | 'shared' | 'local'>
  /** Where the parent receives datagrams. */
  readonly local?: () => Address
  /** The certificates at first, with the ticket keys of this server, so that sessions resume in whichever worker. */
  readonly tls: TlsServerOptions | undefined
  /** Plain options of the servers in workers that accept by themselves. */
  readonly sharedOptions: Readonly<Record<string, unknown>>
}

/** Added to a deadline for the messages that tell of it. */
const MESSAGE_MS = 500

/** The connection settings alone, as plain data. */
export function plainConnectionSettings(settings: ConnectionSettings): ConnectionSettings {
  const { readHighWaterBytes, writeHighWaterBytes, maxWriteBufferBytes, maxQueuedWrites, idleTimeoutMs, lingerMs } =
    settings
  return { readHighWaterBytes, writeHighWaterBytes, maxWriteBufferBytes, maxQueuedWrites, idleTimeoutMs, lingerMs }
}

export interface PoolEvents extends Omit<SlotEvents, 'message'> {
  /** What is the dispatcher's own; errors, log entries and reports are taken care of here. */
  message(slot: WorkerSlot, message: FromWorker): void
  /** A handler failed in a worker. */
  failed(error: unknown, remote: string): void
}

/** The workers of a dispatcher, and what every dispatcher does with them in the same way. */
export class WorkerPool {
  readonly slots: readonly WorkerSlot[]
  readonly #config: PoolConfig
  readonly #events: PoolEvents
  readonly #reports: DrainReport[] = []
  /** Workers that have told what they drained and cut. */
  readonly #reported = new Set<WorkerSlot>()
  /** Workers that have opened the rooms of this process. */
  readonly #linked = new Map<WorkerSlot, LinkHost>()
  #tls: TlsServerOptions | undefined
  #stopKilling: () => void = () => undefined

  /** `ownStart` is asked before each start of a worker, also of one that replaces another. */
  constructor(config: PoolConfig, ownStart: () => Partial<Pick<WorkerStart, 'local' | 'shared'>>, events: PoolEvents) {
    this.#config = config
    this.#events = events
    this.#tls = config.tls
    const { model, clock, logger } = config
    const slotEvents: SlotEvents = {
      ...events,
      message: (slot, message) => this.#message(slot, message),
      lost: (slot, why) => {
        this.#linked.get(slot)?.close()
        this.#linked.delete(slot)
        events.lost(slot, why)
      },
    }
    this.slots = Array.from({ length: model.settings.size }, (_, i) => {
      const worker = i + 1
      const makeStart = (): WorkerStart => ({
        ...config.start,
        worker,
        tls: this.#tls,
        local: undefined,
        shared: undefined,
        ...ownStart(),
      })
      return new WorkerSlot(worker, model, makeStart, clock, logger, slotEvents)
    })
  }

  /** How many workers are up. */
  get ready(): number {
    return this.slots.filter((slot) => slot.isReady).length
  }

  get restarts(): number {
    return this.slots.reduce((sum, slot) => sum + slot.restarts, 0)
  }

  async start(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.start()))
  }

  #message(slot: WorkerSlot, message: FromWorker): void {
    switch (message.type) {
      case 'error':
        this.#events.failed(fromPlainError(message.error), message.remote)
        return
      case 'log':
        this.#config.logger[message.level](message.message, message.fields)
        return
      case 'pubsub':
        this.#linkOf(slot).receive(message.batch)
        return
      case 'drained':
        this.#reported.add(slot)
        this.#reports.push(message.report)
        return
      default:
        this.#events.message(slot, message)
    }
  }

  #linkOf(slot: WorkerSlot): LinkHost {
    const known = this.#linked.get(slot)
    if (known !== undefined) return known
    const host = new LinkHost((batch) => slot.send({ type: 'pubsub', batch }), this.#config.logger)
    this.#linked.set(slot, host)
    return host
  }

  hasReported(slot: WorkerSlot): boolean {
    return this.#reported.has(slot)
  }

  /** Adds what this side has cut itself. */
  report(report: DrainReport): void {
    this.#reports.push(report)
  }

  /** Tells all workers to drain, collects their reports, and kills those that do not end in time. */
  async drain(graceMs: number): Promise<readonly DrainReport[]> {
    const stopTimer = this.#config.clock.after(graceMs + MESSAGE_MS, () => this.#kill())
    const gone = this.slots.map((slot) => {
      const ended = slot.stop()
      if (slot.isReady) slot.send({ type: 'drain', graceMs, restart: isRestart(this.#config.draining.reason) })
      else slot.kill()
      return ended
    })
    await Promise.all(gone)
    stopTimer()
    this.#stopKilling()
    return this.#reports
  }

  /** Tells all workers to cut what they have; one that does not come round to it is ended. */
  cut(why: string): void {
    for (const slot of this.slots) slot.send({ type: 'cut', why })
    this.#stopKilling()
    this.#stopKilling = this.#config.clock.after(MESSAGE_MS, () => this.#kill())
  }

  #kill(): void {
    for (const slot of this.slots) slot.kill()
  }

  /** Workers that are there get the new certificates now, later ones at their start; the ticket keys stay. */
  replaceTls(options: TlsServerOptions): void {
    const { ticketKeys } = this.#tls ?? {}
    const tls = { ...options, ...(ticketKeys === undefined ? {} : { ticketKeys }) }
    this.#tls = tls
    for (const slot of this.slots) slot.send({ type: 'tls', options: tls })
  }
}
