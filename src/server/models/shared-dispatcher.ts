import { UsageError } from '../../base/errors.js'
import type { Address } from '../../transport/address.js'
import { formatEndpoint, parseEndpoint, relocateEndpoint, type Endpoint } from '../../transport/endpoint.js'
import { bindAddress, type BoundAddress } from '../../transport/node/bound-address.js'
import { tryLoadNative } from '../../transport/node/native.js'
import { probeReusePort } from '../../transport/node/udp-dgram-open.js'
import { listenOnSocket } from '../../transport/node/socket-listener.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import { addDatagramSnapshots, type DatagramMetricsSnapshot } from '../datagram-metrics.js'
import { addSnapshots, type MetricsSnapshot } from '../metrics.js'
import { mergeDrainReports, type DrainReport } from '../outcome.js'
import type { Dispatcher, DispatcherEvents } from './dispatcher.js'
import type { FromWorker, SharedStart } from './messages.js'
import { WorkerPool, type PoolConfig } from './pool.js'
import type { WorkerSlot } from './worker-slot.js'

/**
 * Every worker accepts on the one port. Where workers share a handle, this thread keeps the address bound, so that it
 * outlives them all; with SO_REUSEPORT the first worker chooses it. Limits of admission hold for each worker with its
 * share of the whole.
 */
export class SharedDispatcher implements Dispatcher {
  readonly #config: PoolConfig
  readonly #pool: WorkerPool
  readonly #snapshots = new Map<WorkerSlot, MetricsSnapshot>()
  readonly #datagramSnapshots = new Map<WorkerSlot, DatagramMetricsSnapshot>()
  #past: readonly MetricsSnapshot[] = []
  #datagramPast: readonly DatagramMetricsSnapshot[] = []
  #address: { readonly local: Address; readonly endpoint: Endpoint } | undefined
  #bound: BoundAddress | undefined
  #by: SharedStart['by'] = 'reuse-port'

  constructor(config: PoolConfig, events: Pick<DispatcherEvents, 'failed'>) {
    this.#config = config
    this.#pool = new WorkerPool(config, () => ({ shared: this.#sharedStart() }), {
      started: (slot) => this.#started(slot),
      ready: (_slot, { endpoint, local }) => {
        if (endpoint !== undefined && local !== undefined)
          this.#address ??= { endpoint: parseEndpoint(endpoint), local }
      },
      message: (slot, message) => this.#message(slot, message),
      lost: (slot) => this.#retire(slot),
      failed: (error, remote) => events.failed(error, remote),
    })
  }

  get local(): Address {
    return this.#known().local
  }

  get endpoint(): Endpoint {
    return relocateEndpoint(this.#config.endpoint, this.#known().endpoint)
  }

  #known(): { readonly local: Address; readonly endpoint: Endpoint } {
    if (this.#address === undefined)
      throw new UsageError('ERR_STATE', 'Cannot tell the address: the server does not listen yet')
    return this.#address
  }

  /** The metrics of each worker, a quarter of a second old at most, and those of workers that are gone. */
  get snapshots(): readonly MetricsSnapshot[] {
    return [...this.#snapshots.values(), ...this.#past]
  }

  get datagramSnapshots(): readonly DatagramMetricsSnapshot[] {
    return [...this.#datagramSnapshots.values(), ...this.#datagramPast]
  }

  /** What a worker had when it ended is over; its sums stay. */
  #retire(slot: WorkerSlot): void {
    const lastDatagrams = this.#datagramSnapshots.get(slot)
    if (lastDatagrams !== undefined) {
      this.#datagramSnapshots.delete(slot)
      this.#datagramPast = [addDatagramSnapshots([{ ...lastDatagrams, active: 0, queued: 0 }, ...this.#datagramPast])]
    }
    const last = this.#snapshots.get(slot)
    if (last === undefined) return
    this.#snapshots.delete(slot)
    const over: MetricsSnapshot = {
      ...last,
      active: 0,
      waiting: 0,
      ended: last.ended + last.active,
      failed: last.failed + last.active,
    }
    this.#past = [addSnapshots([over, ...this.#past])]
  }

  get workers(): number {
    return this.#pool.ready
  }

  get restarts(): number {
    return this.#pool.restarts
  }

  async start(): Promise<void> {
    const [first, ...others] = this.#pool.slots
    this.#by = await howToShare(this.#config)
    if (this.#by !== 'reuse-port') {
      this.#bound = await bindAddress(this.#config.endpoint)
      this.#address = this.#bound
    }
    await first?.start()
    await Promise.all(others.map((slot) => slot.start()))
  }

  #sharedStart(): SharedStart {
    const { endpoint, sharedOptions } = this.#config
    return {
      endpoint: formatEndpoint(relocateEndpoint(endpoint, this.#address?.endpoint)),
      by: this.#by,
      descriptor: this.#by === 'descriptor' ? this.#duplicate() : -1,
      options: sharedOptions,
    }
  }

  /** A descriptor of the worker's own: it is closed with the worker, and the address lives on. */
  #duplicate(): number {
    return tryLoadNative()?.dup(this.#bound?.descriptor ?? -1) ?? -1
  }

  #started(slot: WorkerSlot): void {
    if (this.#by === 'handle' && this.#bound !== undefined) slot.peer?.sendHandle(this.#bound.handle)
  }

  #message(slot: WorkerSlot, message: FromWorker): void {
    if (message.type === 'metrics') this.#snapshots.set(slot, message.snapshot)
    else if (message.type === 'datagram-metrics') this.#datagramSnapshots.set(slot, message.snapshot)
  }

  /** Workers accept by themselves: nothing is dispatched here. */
  hasRoom(): boolean {
    return false
  }

  makeRoom(): void {}

  dispatch(_id: number, stream: RawStream): void {
    stream.destroy()
  }

  async drain(graceMs: number): Promise<DrainReport> {
    const reports = await this.#pool.drain(graceMs)
    this.#bound?.close()
    return mergeDrainReports(reports)
  }

  cut(why: string): void {
    this.#pool.cut(why)
  }

  replaceTls(options: TlsServerOptions): void {
    this.#pool.replaceTls(options)
  }
}

/** @throws UsageError `ERR_MODEL_UNSUPPORTED`. */
async function howToShare({ model, endpoint, start }: PoolConfig): Promise<SharedStart['by']> {
  if (start.kind === 'datagram') return howToShareDatagrams(model, endpoint)
  if ('port' in endpoint && (await canReusePort())) return 'reuse-port'
  if (model.kind === 'processes') return 'handle'
  if (tryLoadNative() !== undefined) return 'descriptor'
  throw new UsageError(
    'ERR_MODEL_UNSUPPORTED',
    `Cannot run threads({ accept: 'shared' }) on ${formatEndpoint(endpoint)}: threads cannot share this address here; use accept: 'parent', or Node.js 22.12 or newer with a tcp: endpoint, or build the native addon`,
  )
}

/** Two listeners on one port, tried: an option that a runtime does not know is one that it ignores. */
async function canReusePort(): Promise<boolean> {
  const settings = {
    backlog: 1,
    reusePort: true,
    ipv6Only: false,
    mode: undefined,
    noDelay: true,
    fastReceive: false,
    highWaterBytes: 65_536,
  }
  const events = { accepted: (stream: RawStream): void => stream.destroy(), failed: (): void => undefined }
  const first = await listenOnSocket(parseEndpoint('tcp://127.0.0.1:0'), settings, events)
  try {
    const second = await listenOnSocket(first.endpoint, settings, events)
    await second.close()
    return true
  } catch {
    // Refused, as by every runtime that does not know the option.
    return false
  } finally {
    await first.close()
  }
}

/** Without SO_REUSEPORT the datagrams of one peer would reach any worker, in any order. */
async function howToShareDatagrams({ kind }: PoolConfig['model'], endpoint: Endpoint): Promise<'reuse-port'> {
  if (endpoint.scheme === 'udp' && (tryLoadNative() !== undefined || (await probeReusePort()))) return 'reuse-port'
  throw new UsageError(
    'ERR_MODEL_UNSUPPORTED',
    `Cannot run ${kind}({ accept: 'shared' }) on ${formatEndpoint(endpoint)}: datagrams are shared only over udp:, on Node.js 22.12 or newer or with the native addon; use accept: 'parent'`,
  )
}
