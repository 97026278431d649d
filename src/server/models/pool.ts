import type { Clock } from '../../base/clock.js'
import { EMPTY_BYTES } from '../../base/bytes.js'
import type { Endpoint } from '../../transport/endpoint.js'
import type { ConnectionSettings } from '../../transport/connection-options.js'
import type { Preparation } from '../../transport/prepare.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import type { StreamServerSettings } from '../server-options.js'
import type { DrainReport } from '../outcome.js'
import type { SharedStart, WorkerStart } from './messages.js'
import type { ProcessesModel, ThreadsModel } from './model.js'
import type { WorkerSlot } from './worker-slot.js'

/** What both pools of stream workers are made of. */
export interface PoolConfig {
  readonly model: ThreadsModel | ProcessesModel
  readonly handler: URL
  readonly endpoint: Endpoint
  readonly settings: StreamServerSettings
  readonly preparation: Preparation
  readonly clock: Clock
}

/** Added to a deadline for the messages that tell of it. */
const MESSAGE_MS = 500

/** The plain data of one more worker; `tls` are the certificates as they are now. */
export function workerStart(
  config: PoolConfig,
  worker: number,
  tls: TlsServerOptions | undefined,
  shared?: SharedStart,
): WorkerStart {
  const { handler, settings, preparation } = config
  return {
    handler: handler.href,
    kind: 'stream',
    worker,
    data: settings.data,
    connection: connectionSettings(settings),
    tls,
    handshakeTimeoutMs: preparation.handshakeTimeoutMs,
    proxyProtocol: preparation.proxyProtocol,
    trustedProxies: settings.trustedProxies,
    shared,
  }
}

/** The certificates, with the ticket keys of this server, so that sessions resume in whichever worker. */
export function withTicketKeys({ settings: { tls }, preparation }: PoolConfig): TlsServerOptions | undefined {
  if (tls === undefined) return undefined
  return { ...tls, ticketKeys: Uint8Array.from(preparation.tls?.ticketKeys ?? EMPTY_BYTES) }
}

function connectionSettings(settings: StreamServerSettings): ConnectionSettings {
  const { readHighWaterBytes, writeHighWaterBytes, maxWriteBufferBytes, maxQueuedWrites, idleTimeoutMs, lingerMs } =
    settings
  return { readHighWaterBytes, writeHighWaterBytes, maxWriteBufferBytes, maxQueuedWrites, idleTimeoutMs, lingerMs }
}

/** Tells all workers to drain, collects their reports, and kills those that do not end in time. */
export class PoolDrain {
  readonly #slots: readonly WorkerSlot[]
  readonly #clock: Clock
  readonly #reports: DrainReport[] = []

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
    return this.#reports
  }
}
