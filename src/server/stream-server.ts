import type { Server } from 'node:net'
import type { Clock } from '../base/clock.js'
import { EMPTY_BYTES } from '../base/bytes.js'
import { TimeoutError, UsageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import { formatAddress, type Address } from '../transport/address.js'
import { parseEndpoint, type Endpoint, type Scheme } from '../transport/endpoint.js'
import { applyParameters } from '../transport/endpoint-parameters.js'
import { listenRaw, preparationFor } from '../transport/listen.js'
import { acceptOnServer } from '../transport/node/socket-listener.js'
import type { Preparation } from '../transport/prepare.js'
import type { RawListener, RawListenerEvents, RawStream } from '../transport/raw-listener.js'
import { systemClock } from '../transport/system-clock.js'
import { checkTlsServer, type TlsServerOptions } from '../transport/tls-options.js'
import { Admission } from './admission.js'
import { BaseServer } from './base-server.js'
import { checkScheme } from './doors.js'
import { CHANNELS } from './channels.js'
import { streamAdapter, type HandlerAdapter, type ServerContext } from './handlers.js'
import { addSnapshots, formatPrometheus, Metrics, type MetricsSnapshot, type RefusalReason } from './metrics.js'
import type { Dispatcher, DispatcherEvents } from './models/dispatcher.js'
import { LocalDispatcher } from './models/local-dispatcher.js'
import { isPooled, type ProcessesModel, type ThreadsModel } from './models/model.js'
import { checkMovable } from './models/movable.js'
import { plainConnectionSettings, type PoolConfig } from './models/pool.js'
import { PoolDispatcher } from './models/pool-dispatcher.js'
import { SharedDispatcher } from './models/shared-dispatcher.js'
import type { DrainReport, Outcome, ShutdownReport } from './outcome.js'
import { Refusals } from './refusals.js'
import {
  STREAM_SERVER_OPTIONS,
  type AnyModelOption,
  type CommonServerOptions,
  type LocalModelOption,
  type StreamServerSettings,
} from './server-options.js'
import { WaitingRoom } from './waiting-room.js'

export type StreamServerOptions = CommonServerOptions & LocalModelOption
export type PooledStreamServerOptions = CommonServerOptions & AnyModelOption

/** Where a server stands that is one worker's part of another. */
export interface WorkerPlace {
  readonly worker: number
  /** A server of the system that listens already. */
  readonly adopted: Server | undefined
  readonly onError: (error: unknown, remote: string) => void
}

/** Every limit of the system is met in bursts: a warning each would be a second flood. */
const WARN_EVERY_MS = 10_000

/** What every server of stream connections does; its subclasses say which endpoints they serve. */
export abstract class StreamServer extends BaseServer {
  readonly #settings: StreamServerSettings
  readonly #handler: unknown
  readonly #adapter: HandlerAdapter
  readonly #metrics = new Metrics()
  readonly #place: WorkerPlace | undefined
  readonly #waiting: WaitingRoom
  readonly #verifies: boolean
  readonly #warnedAt = new Map<RefusalReason, number>()
  /** For each connection that `handleRequest` waits for, what to call when it ends. */
  readonly #begun = new Map<
    number,
    { readonly remote: Address; readonly since: number; readonly done: (() => void) | undefined }
  >()
  readonly #refusals: Refusals
  #admission: Admission | undefined
  #preparation: Preparation | undefined
  #dispatcher: Dispatcher | undefined
  #listener: RawListener | undefined
  #lastId = 0
  /** Connections whose `verifyRequest` has not settled. */
  readonly #verifying = new Set<RawStream>()
  #stopRetry: (() => void) | undefined

  /** @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME`, `ERR_OPTION_…`, `ERR_HANDLER`. */
  protected constructor(
    schemes: readonly Scheme[],
    endpoint: string | Endpoint,
    handler: unknown,
    options: PooledStreamServerOptions | undefined,
    place: WorkerPlace | undefined,
    adapter: HandlerAdapter = streamAdapter,
  ) {
    const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
    checkScheme(parsed, schemes)
    const settings = readOptions('the server', STREAM_SERVER_OPTIONS, applyParameters(parsed, options))
    super(parsed, settings)
    checkMovable(handler, settings.data, settings.model)
    if (!(handler instanceof URL)) adapter.adapt(handler, adapter.settings)
    this.#adapter = adapter
    this.#settings = settings
    this.#handler = handler
    this.#place = place
    this.#waiting = new WaitingRoom(settings.maxWaiting)
    // Over TLS nobody could read it before a handshake.
    this.#refusals = new Refusals(settings.tls === undefined ? settings.refusal : '', settings)
    this.#verifies = this.verifyRequest !== BaseServer.prototype.verifyRequest
  }

  protected override get clock(): Clock {
    return this.asked.scheme === 'memory' ? this.#settings.network.clock : systemClock
  }

  /** The address it listens on. @throws UsageError `ERR_STATE` before `listen`. */
  get local(): Address {
    return this.#bound().local
  }

  protected get boundEndpoint(): Endpoint {
    return this.#bound().endpoint
  }

  #bound(): RawListener | SharedDispatcher {
    const bound = this.#listener ?? (this.#dispatcher instanceof SharedDispatcher ? this.#dispatcher : undefined)
    if (bound === undefined)
      throw new UsageError('ERR_STATE', 'Cannot tell the address: the server does not listen yet; await listen() first')
    return bound
  }

  get metrics(): MetricsSnapshot {
    const { workers = 0, restarts = 0 } = this.#dispatcher ?? {}
    const own = this.#metrics.snapshot(this.#waiting.count + this.#verifying.size, workers, restarts)
    return this.#dispatcher instanceof SharedDispatcher ? addSnapshots([own, ...this.#dispatcher.snapshots]) : own
  }

  formatMetrics(): string {
    return formatPrometheus(this.metrics, { endpoint: this.endpoint })
  }

  /**
   * Uses other certificates for handshakes from now on, in all workers; open connections stay as they are.
   * @throws NetError `ERR_TLS_CERTIFICATE`, UsageError `ERR_OPTION_…`, and then the old ones stay in use.
   */
  replaceTls(options: TlsServerOptions): void {
    if (this.#preparation?.tls === undefined)
      throw new UsageError('ERR_STATE', 'Cannot replace certificates: this server does not listen with TLS')
    checkTlsServer(options)
    this.#preparation.tls.replace(options)
    this.#dispatcher?.replaceTls(options)
  }

  protected async open(): Promise<void> {
    const settings = this.#settings
    this.#preparation = preparationFor(this.asked, settings)
    this.#admission = new Admission(settings, this.clock)
    this.#dispatcher = this.#makeDispatcher(this.#preparation)
    try {
      if (this.#dispatcher instanceof SharedDispatcher) {
        await this.#dispatcher.start()
      } else {
        // The address first: workers are not started for one that is taken.
        const accepted: RawStream[] = []
        let ready = false
        this.#listener = await this.#listenRaw({
          accepted: (stream) => (ready ? this.#accepted(stream) : void accepted.push(stream)),
          failed: (error) => this.#acceptFailed(error),
        })
        await this.#dispatcher.start()
        ready = true
        for (const stream of accepted) this.#accepted(stream)
      }
    } catch (error) {
      await this.#listener?.close()
      await this.#dispatcher.drain(0)
      this.#listener = undefined
      throw error
    }
    if (CHANNELS.listening.hasSubscribers) CHANNELS.listening.publish({ endpoint: this.endpoint })
  }

  #listenRaw(events: RawListenerEvents): Promise<RawListener> {
    const settings = { ...this.#settings, highWaterBytes: this.#settings.writeHighWaterBytes }
    const adopted = this.#place?.adopted
    if (adopted !== undefined) return acceptOnServer(adopted, this.asked, settings, events)
    return listenRaw(this.asked, settings, settings.highWaterBytes, events)
  }

  #makeDispatcher(preparation: Preparation): Dispatcher {
    const { model, logger, data } = this.#settings
    const events: DispatcherEvents = {
      roomMade: () => this.pump(),
      ended: (id, outcome) => this.#ended(id, outcome),
      failed: (error, remote) => this.#failed(error, remote),
    }
    if (isPooled(model)) {
      if (!(this.#handler instanceof URL))
        throw new UsageError('ERR_HANDLER', 'Cannot run the handler: it is no module URL')
      const pool = this.#poolConfig(model, this.#handler, preparation)
      return model.settings.accept === 'shared'
        ? new SharedDispatcher(pool, events)
        : new PoolDispatcher(pool, preparation, events)
    }
    const context: ServerContext = { draining: this.draining, logger, data, worker: this.#place?.worker ?? 0 }
    const max = model.kind === 'serial' ? 1 : model.settings.max
    return new LocalDispatcher(
      this.#handler,
      this.#adapter,
      { context, connection: this.#settings, preparation, clock: this.clock },
      max,
      events,
    )
  }

  #poolConfig(model: ThreadsModel | ProcessesModel, handler: URL, preparation: Preparation): PoolConfig {
    const settings = this.#settings
    const { tls, data, handshakeTimeoutMs, proxyProtocol, trustedProxies, logger } = settings
    const { backlog, ipv6Only, noDelay, fastReceive } = settings
    const { maxConnectionsPerAddress, memoryBudgetBytes, allow, deny, onOverload, refusal } = settings
    const share = (whole: number): number =>
      whole === Infinity ? Infinity : Math.max(1, Math.ceil(whole / model.settings.size))
    return {
      model,
      endpoint: this.asked,
      clock: this.clock,
      draining: this.draining,
      logger,
      start: {
        handler: handler.href,
        kind: 'stream',
        adapter:
          this.#adapter === streamAdapter
            ? undefined
            : { module: this.#adapter.module, settings: this.#adapter.settings },
        data: structuredClone(data),
        connection: plainConnectionSettings(settings),
        handshakeTimeoutMs,
        proxyProtocol: preparation.proxyProtocol,
        trustedProxies,
        limits: undefined,
      },
      tls:
        tls === undefined
          ? undefined
          : { ...tls, ticketKeys: Uint8Array.from(preparation.tls?.ticketKeys ?? EMPTY_BYTES) },
      sharedOptions: {
        ...{ backlog, ipv6Only, noDelay, fastReceive, handshakeTimeoutMs, proxyProtocol, trustedProxies },
        ...{ maxConnectionsPerAddress, memoryBudgetBytes, allow, deny, onOverload, refusal },
        maxConnections: share(settings.maxConnections),
        maxWaiting: share(settings.maxWaiting),
        acceptRate: share(settings.acceptRate),
        acceptBurst: share(settings.acceptBurst),
      },
    }
  }

  // ---- accepting

  #accepted(stream: RawStream): void {
    this.#metrics.accepted += 1
    if (this.draining.aborted) {
      this.#refuse(stream, 'closing')
      return
    }
    const held = this.#metrics.active + this.#waiting.count + this.#verifying.size
    const refused = this.#admission?.refusal(stream.remote, held)
    if (refused !== undefined) this.#refuse(stream, refused)
    else if (this.#verifies) this.#verify(stream)
    else this.#admit(stream)
  }

  #verify(stream: RawStream): void {
    this.#verifying.add(stream)
    let stopTimer = (): void => undefined
    const decide = (allowed: boolean): void => {
      stopTimer()
      // A server that shuts down meanwhile has turned it away.
      if (!this.#verifying.delete(stream)) return
      if (allowed) this.#admit(stream)
      else this.#refuse(stream, 'denied')
    }
    const fail = (error: unknown): void => {
      // Nobody waits for it any more.
      if (!this.#verifying.has(stream)) return
      this.#failed(error, formatAddress(stream.remote))
      decide(false)
    }
    let verdict: boolean | Promise<boolean>
    try {
      verdict = this.verifyRequest(stream.remote)
    } catch (error) {
      fail(error)
      return
    }
    if (typeof verdict === 'boolean') {
      decide(verdict)
      return
    }
    const { handshakeTimeoutMs } = this.#settings
    stopTimer = this.clock.after(handshakeTimeoutMs, () => fail(undecided(handshakeTimeoutMs)))
    verdict.then(decide, fail)
  }

  #admit(stream: RawStream): void {
    const obstacle = this.#obstacle(stream.remote)
    if (obstacle === undefined && this.#waiting.count === 0) {
      this.#begin(stream)
      return
    }
    const mustRefuse = obstacle !== undefined && obstacle !== 'room' && this.#settings.onOverload === 'refuse'
    if (mustRefuse) this.#refuse(stream, obstacle)
    else if (!this.#waiting.enter(stream)) this.#refuse(stream, 'maxWaiting')
    else this.pump()
  }

  /** What is in the way of one more: a limit, or `'room'`, which the model makes by itself. */
  #obstacle(remote: Address): RefusalReason | 'room' | undefined {
    if (!this.wantsRequest() || this.#dispatcher?.hasRoom() !== true) return 'room'
    return this.#admission?.obstacle(remote)
  }

  protected pump(): void {
    for (;;) {
      let obstacle: RefusalReason | 'room' | undefined
      const next = this.#waiting.take(({ remote }) => {
        obstacle = this.#obstacle(remote)
        if (obstacle === undefined) return 'begin'
        return obstacle === 'maxConnectionsPerAddress' ? 'pass' : 'stop'
      })
      if (next !== undefined) {
        this.#begin(next)
        continue
      }
      if (obstacle === 'room') this.#dispatcher?.makeRoom()
      else if (obstacle !== undefined) this.#retryLater(obstacle)
      return
    }
  }

  #retryLater(obstacle: RefusalReason): void {
    const delay = this.#admission?.retryInMs(obstacle)
    if (delay === undefined || this.#stopRetry !== undefined) return
    this.#stopRetry = this.clock.after(delay, () => {
      this.#stopRetry = undefined
      this.pump()
    })
  }

  #begin(stream: RawStream): void {
    const { remote } = stream
    this.#admission?.begin(remote)
    this.#metrics.active += 1
    const id = (this.#lastId += 1)
    this.#begun.set(id, { remote, since: this.clock.now(), done: this.takeRequest() })
    if (CHANNELS.begin.hasSubscribers)
      CHANNELS.begin.publish({ endpoint: this.endpoint, remote: formatAddress(remote) })
    this.#dispatcher?.dispatch(id, stream)
  }

  #ended(id: number, outcome: Outcome): void {
    const begun = this.#begun.get(id)
    if (begun === undefined) return
    this.#begun.delete(id)
    this.#admission?.end(begun.remote)
    this.#metrics.end(outcome, (this.clock.now() - begun.since) / 1000)
    if (CHANNELS.end.hasSubscribers) CHANNELS.end.publish({ endpoint: this.endpoint, outcome })
    begun.done?.()
    if (this.#waiting.count > 0) this.pump()
  }

  // ---- refusing

  #refuse(stream: RawStream, reason: RefusalReason): void {
    this.#metrics.refused[reason] += 1
    if (CHANNELS.refused.hasSubscribers) {
      CHANNELS.refused.publish({ endpoint: this.endpoint, remote: formatAddress(stream.remote), reason })
    }
    this.#warnOf(reason)
    this.#refusals.refuse(stream)
  }

  #warnOf(reason: RefusalReason): void {
    if (reason === 'closing') return
    const now = this.clock.now()
    if (now - (this.#warnedAt.get(reason) ?? -Infinity) < WARN_EVERY_MS) return
    this.#warnedAt.set(reason, now)
    this.#settings.logger.warn('connections are refused', {
      reason,
      refused: this.#metrics.refused[reason],
      active: this.#metrics.active,
    })
  }

  #acceptFailed(error: Error): void {
    this.#metrics.acceptErrors += 1
    this.#settings.logger.error('accepting failed', { error })
  }

  #failed(error: unknown, remote: string): void {
    if (CHANNELS.error.hasSubscribers) CHANNELS.error.publish({ endpoint: this.endpoint, remote, error })
    this.#place?.onError(error, remote)
    if (this.#place !== undefined) return
    try {
      this.handleError(error, remote)
    } catch (hookError) {
      this.#settings.logger.error('handleError failed', { error: hookError })
    }
  }

  // ---- ending

  protected async shut(graceMs: number): Promise<Omit<ShutdownReport, 'tookMs'>> {
    this.#stopRetry?.()
    await this.#listener?.close()
    const turnedAway = [...this.#waiting.takeAll(), ...this.#verifying]
    this.#verifying.clear()
    for (const stream of turnedAway) this.#refuse(stream, 'closing')
    const [report] = await Promise.all([
      this.#dispatcher?.drain(graceMs) ?? NOTHING_DRAINED,
      this.#refusals.end(graceMs, this.clock),
    ])
    const closed = { ...report, turnedAway: turnedAway.length + (report.turnedAway ?? 0) }
    if (CHANNELS.closed.hasSubscribers) CHANNELS.closed.publish({ endpoint: this.endpoint, report: closed })
    return closed
  }

  protected cut(why: string): void {
    this.#dispatcher?.cut(why)
    this.#refusals.cut()
  }
}

const NOTHING_DRAINED: DrainReport = { drained: 0, cut: [], cutCount: 0, handlersLeft: 0 }

function undecided(timeoutMs: number): TimeoutError {
  const message = `Refused the connection: verifyRequest did not decide within ${timeoutMs} ms`
  return new TimeoutError('ERR_HANDSHAKE_TIMEOUT', message, { fault: 'local', details: { timeoutMs } })
}
