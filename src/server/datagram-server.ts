import { DONE } from '../base/deferred.js'
import { readOptions } from '../base/options.js'
import { UsageError } from '../base/errors.js'
import { formatAddress, type Address } from '../transport/address.js'
import { datagramParameters } from '../transport/datagram-options.js'
import { adoptDatagram, bindDatagram } from '../transport/datagrams.js'
import type { Datagram, DatagramSocket } from '../transport/datagram-socket.js'
import { formatEndpoint, parseEndpoint, type Endpoint, type Scheme } from '../transport/endpoint.js'
import { copyBytes } from '../transport/fresh-bytes.js'
import { AddressList } from '../transport/node/address-list.js'
import { BaseServer } from './base-server.js'
import { CHANNELS } from './channels.js'
import { addDatagramSnapshots, formatDatagramPrometheus, type DatagramMetricsSnapshot } from './datagram-metrics.js'
import { DATAGRAM_SERVER_OPTIONS, type CommonDatagramOptions, type DatagramServerSettings } from './datagram-options.js'
import { checkDatagramHandler, type DatagramHandlerSource, type ServerContext } from './handlers.js'
import type { DatagramDispatcher } from './models/datagram-dispatcher.js'
import { LocalDatagrams } from './models/datagram-local.js'
import { DatagramPool } from './models/datagram-pool.js'
import { SharedDatagrams } from './models/datagram-shared.js'
import { isPooled, type ProcessesModel, type ThreadsModel } from './models/model.js'
import { checkMovable } from './models/movable.js'
import type { PoolConfig } from './models/pool.js'
import { plainConnectionSettings } from './models/pool.js'
import { SharedDispatcher } from './models/shared-dispatcher.js'
import type { ShutdownReport } from './outcome.js'
import { checkScheme } from './doors.js'
import type { AnyModelOption, LocalModelOption } from './server-options.js'
import { CONNECTION_OPTIONS } from '../transport/connection-options.js'
import type { WorkerPlace } from './stream-server.js'

export type DatagramServerOptions = CommonDatagramOptions & LocalModelOption
export type PooledDatagramServerOptions = CommonDatagramOptions & AnyModelOption

/** What every server of datagrams does; its subclasses say which endpoints they serve. */
export abstract class DatagramServer extends BaseServer {
  readonly #settings: DatagramServerSettings
  readonly #handler: DatagramHandlerSource | URL
  readonly #place: WorkerPlace | undefined
  readonly #allow: AddressList
  readonly #deny: AddressList
  readonly #verifies: boolean
  readonly #held: Datagram[] = []
  #heldBytes = 0
  #verifying = 0
  #handled = 0
  #failed = 0
  #refused = 0
  #dropped = 0
  #socket: DatagramSocket | undefined
  #dispatcher: DatagramDispatcher | undefined
  #requestDone: (() => void) | undefined

  /** @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME`, `ERR_OPTION_…`, `ERR_HANDLER`. */
  protected constructor(
    schemes: readonly Scheme[],
    endpoint: string | Endpoint,
    handler: DatagramHandlerSource | URL,
    options: PooledDatagramServerOptions | undefined,
    place: WorkerPlace | undefined,
  ) {
    const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
    checkScheme(parsed, schemes)
    const settings = readOptions('the server', DATAGRAM_SERVER_OPTIONS, { ...datagramParameters(parsed), ...options })
    super(parsed, settings)
    checkMovable(handler, settings.data, settings.model)
    if (!(handler instanceof URL)) checkDatagramHandler(handler)
    this.#settings = settings
    this.#handler = handler
    this.#place = place
    this.#allow = new AddressList(settings.allow)
    this.#deny = new AddressList(settings.deny)
    this.#verifies =
      this.verifyRequest !== BaseServer.prototype.verifyRequest || this.#allow.size > 0 || this.#deny.size > 0
  }

  get local(): Address {
    const { shared } = this.#dispatcher instanceof SharedDatagrams ? this.#dispatcher : {}
    const local = this.#socket?.local ?? shared?.local
    if (local === undefined)
      throw new UsageError('ERR_STATE', 'Cannot tell the address: the server does not listen yet; await listen() first')
    return local
  }

  protected get boundEndpoint(): Endpoint {
    const { local, asked } = this
    if (local.kind === 'ip') {
      const host = 'host' in asked && asked.host !== '' ? asked.host : local.host
      return { scheme: 'udp', host, port: local.port, path: '', parameters: asked.parameters }
    }
    return asked.scheme === 'fd' ? { scheme: 'unixgram', path: formatAddress(local), parameters: {} } : asked
  }

  get metrics(): DatagramMetricsSnapshot {
    const {
      received = 0,
      receivedBytes = 0,
      truncated = 0,
      sent = 0,
      sentBytes = 0,
      sendDropped = 0,
      receiveDropped = 0,
    } = this.#socket?.statistics ?? {}
    const { active = 0, queued = 0, workers = 0, restarts = 0, snapshots = [] } = this.#dispatcher ?? {}
    const own: DatagramMetricsSnapshot = {
      ...{ received, receivedBytes, truncated, sent, sentBytes, sendDropped },
      active,
      queued: queued + this.#held.length + this.#verifying,
      handled: this.#handled,
      failed: this.#failed,
      refused: this.#refused,
      dropped: this.#dropped + receiveDropped,
      workers,
      workerRestarts: restarts,
    }
    return addDatagramSnapshots([own, ...snapshots])
  }

  formatMetrics(): string {
    return formatDatagramPrometheus(this.metrics, this.endpoint)
  }

  protected async open(): Promise<void> {
    this.#dispatcher = this.#makeDispatcher()
    if (this.#dispatcher instanceof SharedDatagrams) {
      await this.#dispatcher.start()
    } else {
      const { asked } = this
      const options = this.#socketOptions()
      this.#socket = await (asked.scheme === 'fd'
        ? adoptDatagram(asked.descriptor, options)
        : bindDatagram({ ...asked, parameters: {} }, options))
      try {
        await this.#dispatcher.start()
      } catch (error) {
        this.#socket.destroy()
        await this.#dispatcher.drain(0)
        throw error
      }
      this.#socket.sinkTo((data, remote, truncated, owned) => {
        this.#received({ data: owned ? data : copyBytes(data), remote, truncated })
      })
    }
    if (CHANNELS.listening.hasSubscribers) CHANNELS.listening.publish({ endpoint: this.endpoint })
  }

  #socketOptions(): CommonDatagramOptions {
    const {
      model: _model,
      graceMs: _grace,
      serviceIntervalMs: _service,
      logger: _logger,
      data: _data,
      ...rest
    } = this.#settings
    const { maxQueued: _count, maxQueuedBytes: _bytes, allow: _allow, deny: _deny, ...socket } = rest
    return Object.fromEntries(Object.entries(socket).filter(([, value]) => value !== undefined))
  }

  #makeDispatcher(): DatagramDispatcher {
    const { model, logger, data, maxQueued, maxQueuedBytes } = this.#settings
    if (isPooled(model)) {
      const config = this.#poolConfig(model)
      if (model.settings.accept === 'shared') {
        const failed = (error: unknown, remote: string): void => this.#report(error, remote)
        return new SharedDatagrams(new SharedDispatcher(config, { failed }))
      }
      return new DatagramPool(config, maxQueued, {
        reply: (bytes, to) => void this.#socket?.send(bytes, to),
        handled: (count, failed) => this.#count(count, failed),
        failed: (error, remote) => this.#report(error, remote),
        dropped: (count) => {
          this.#dropped += count
        },
      })
    }
    const context: ServerContext = { draining: this.draining, logger, data, worker: this.#place?.worker ?? 0 }
    return new LocalDatagrams(this.#handler, {
      context,
      local: () => this.local,
      reply: (bytes, to) => this.#socket?.send(bytes, to) ?? DONE,
      max: model.kind === 'serial' ? 1 : model.settings.max,
      maxQueued,
      maxQueuedBytes,
      clock: this.clock,
      failed: (error, remote) => this.#report(error, formatAddress(remote)),
      handled: (failed) => this.#count(1, failed ? 1 : 0),
      dropped: () => {
        this.#dropped += 1
      },
    })
  }

  #poolConfig(model: ThreadsModel | ProcessesModel): PoolConfig {
    const { logger, data, maxQueued, maxQueuedBytes, allow, deny } = this.#settings
    const share = (whole: number): number => Math.max(1, Math.ceil(whole / model.settings.size))
    return {
      model,
      endpoint: { ...this.asked, parameters: {} },
      clock: this.clock,
      draining: this.draining,
      logger,
      start: {
        handler: this.#handler instanceof URL ? this.#handler.href : '',
        kind: 'datagram',
        adapter: undefined,
        data: structuredClone(data),
        connection: plainConnectionSettings(readOptions('the server', CONNECTION_OPTIONS, {})),
        handshakeTimeoutMs: 0,
        proxyProtocol: false,
        trustedProxies: [],
        limits: { maxHandlers: maxQueued, maxQueued, maxQueuedBytes },
      },
      local: () => this.local,
      tls: undefined,
      sharedOptions: {
        ...plainOptions(this.#socketOptions()),
        ...{ allow, deny, reusePort: true },
        maxQueued: share(maxQueued),
        maxQueuedBytes: share(maxQueuedBytes),
      },
    }
  }

  #received(datagram: Datagram): void {
    if (this.#verifies) this.#verify(datagram)
    else this.#admit(datagram)
  }

  #verify(datagram: Datagram): void {
    const { remote } = datagram
    const listed = this.#deny.has(remote) || (this.#allow.size > 0 && remote.kind === 'ip' && !this.#allow.has(remote))
    const decide = (allowed: boolean): void => {
      if (allowed) this.#admit(datagram)
      else this.#refused += 1
    }
    if (listed) {
      decide(false)
      return
    }
    // Those that a slow verdict holds are bounded like those that wait for a handler.
    if (this.#verifying >= this.#settings.maxQueued) {
      this.#dropped += 1
      return
    }
    try {
      const verdict = this.verifyRequest(remote)
      if (typeof verdict === 'boolean') {
        decide(verdict)
        return
      }
      this.#verifying += 1
      verdict.then(
        (allowed) => {
          this.#verifying -= 1
          decide(allowed)
        },
        (error: unknown) => {
          this.#verifying -= 1
          this.#report(error, formatAddress(remote))
          decide(false)
        },
      )
    } catch (error) {
      this.#report(error, formatAddress(remote))
      decide(false)
    }
  }

  #admit(datagram: Datagram): void {
    if (this.wantsRequest() && this.#held.length === 0) {
      this.#begin(datagram)
    } else if (
      this.#held.length < this.#settings.maxQueued &&
      this.#heldBytes + datagram.data.length <= this.#settings.maxQueuedBytes
    ) {
      this.#held.push(datagram)
      this.#heldBytes += datagram.data.length
      this.pump()
    } else {
      this.#dropped += 1
    }
  }

  protected pump(): void {
    while (this.#held.length > 0 && this.wantsRequest()) {
      const next = this.#held.shift()
      if (next === undefined) return
      this.#heldBytes -= next.data.length
      this.#begin(next)
    }
  }

  #begin(datagram: Datagram): void {
    this.#requestDone = this.takeRequest() ?? this.#requestDone
    this.#dispatcher?.deliver(datagram)
  }

  #count(handled: number, failed: number): void {
    this.#handled += handled
    this.#failed += failed
    const done = this.#requestDone
    this.#requestDone = undefined
    done?.()
  }

  #report(error: unknown, remote: string): void {
    if (CHANNELS.error.hasSubscribers) CHANNELS.error.publish({ endpoint: this.endpoint, remote, error })
    if (this.#place !== undefined) {
      this.#place.onError(error, remote)
      return
    }
    try {
      this.handleError(error, remote)
    } catch (hookError) {
      this.#settings.logger.error('handleError failed', { error: hookError })
    }
  }

  protected async shut(graceMs: number): Promise<Omit<ShutdownReport, 'tookMs'>> {
    const turnedAway = this.#held.splice(0).length
    this.#refused += turnedAway
    // The socket stays open for replies until the handlers are done; what comes now is left unread by them.
    const report = await (this.#dispatcher?.drain(graceMs) ?? { drained: 0, cut: [], cutCount: 0, handlersLeft: 0 })
    await this.#socket?.close()
    const closed = { ...report, turnedAway }
    if (CHANNELS.closed.hasSubscribers)
      CHANNELS.closed.publish({ endpoint: formatEndpoint(this.asked), report: closed })
    return closed
  }

  protected cut(why: string): void {
    this.#dispatcher?.cut(why)
  }
}

/** Options that can be cloned: a signal cannot. */
const plainOptions = ({
  signal: _signal,
  network: _network,
  ...plain
}: CommonDatagramOptions): Readonly<Record<string, unknown>> => ({
  ...plain,
})

/** Serves `udp:` endpoints, and inherited descriptors (`fd:`). */
export class UdpServer extends DatagramServer {
  constructor(endpoint: string | Endpoint, handler: DatagramHandlerSource, options?: DatagramServerOptions)
  constructor(endpoint: string | Endpoint, handler: URL, options?: PooledDatagramServerOptions)
  constructor(
    endpoint: string | Endpoint,
    handler: DatagramHandlerSource | URL,
    options?: PooledDatagramServerOptions,
  ) {
    super(['udp', 'fd'], endpoint, handler, options, undefined)
  }
}

/** Serves `unixgram:` endpoints; it needs the native addon. */
export class UnixDatagramServer extends DatagramServer {
  constructor(endpoint: string | Endpoint, handler: DatagramHandlerSource, options?: DatagramServerOptions)
  constructor(endpoint: string | Endpoint, handler: URL, options?: PooledDatagramServerOptions)
  constructor(
    endpoint: string | Endpoint,
    handler: DatagramHandlerSource | URL,
    options?: PooledDatagramServerOptions,
  ) {
    super(['unixgram', 'fd'], endpoint, handler, options, undefined)
  }
}

/** What stands in each worker of a pool that shares its port. */
export class AnyDatagramServer extends DatagramServer {
  constructor(
    endpoint: string | Endpoint,
    handler: DatagramHandlerSource | URL,
    options?: PooledDatagramServerOptions,
    place?: WorkerPlace,
  ) {
    super(['udp', 'unixgram', 'fd'], endpoint, handler, options, place)
  }
}
