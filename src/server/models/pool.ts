import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import type { ConnectionSettings } from '../../transport/connection-options.js'
import type { Address } from '../../transport/address.js'
import type { Endpoint } from '../../transport/endpoint.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import type { DrainReport } from '../outcome.js'
import type { WorkerStart } from './messages.js'
import type { ProcessesModel, ThreadsModel } from './model.js'
import type { WorkerSlot } from './worker-slot.js'

/** What every pool of workers is made of. */
export interface PoolConfig {
  readonly model: ThreadsModel | ProcessesModel
  readonly endpoint: Endpoint
  readonly clock: Clock
  readonly logger: Logger
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

/** Tells all workers to drain, collects their reports, and kills those that do not end in time. */
export class PoolDrain {
  readonly #slots: readonly WorkerSlot[]
  readonly #clock: Clock
  readonly #reports: DrainReport[] = []
  #stopKilling: () => void = () => undefined

  constructor(slots: readonly WorkerSlot[], clock: Clock) {
    this.#slots = slots
    this.#clock = clock
  }

  report(report: DrainReport): void {
    this.#reports.push(report)
  }

  async run(graceMs: number): Promise<readonly DrainReport[]> {
    const stopTimer = this.#clock.after(graceMs + MESSAGE_MS, () => {
      for (const slot of this.#slots) slot.kill()
    })
    const gone = this.#slots.map((slot) => {
      const ended = slot.stop()
      if (slot.isReady) slot.send({ type: 'drain', graceMs })
      else slot.kill()
      return ended
    })
    await Promise.all(gone)
    stopTimer()
    this.#stopKilling()
    return this.#reports
  }

  /** A worker that was told to cut and does not come round to it is ended. */
  killSoon(): void {
    this.#stopKilling()
    this.#stopKilling = this.#clock.after(MESSAGE_MS, () => {
      for (const slot of this.#slots) slot.kill()
    })
  }
}
