import { drainController, drainReason } from './draining.js'
import { deferred, type Deferred } from '../base/deferred.js'
import { UsageError } from '../base/errors.js'
import type { AbortSignalLike } from '../base/cancellation.js'
import { onAbort } from '../base/cancellation.js'
import type { Clock } from '../base/clock.js'
import type { Address } from '../transport/address.js'
import { formatEndpoint, parseEndpoint, type Endpoint } from '../transport/endpoint.js'
import { systemClock } from '../transport/system-clock.js'
import type { MetricsSnapshot } from './metrics.js'
import type { DatagramMetricsSnapshot } from './datagram-metrics.js'
import type { ShutdownReport } from './outcome.js'
import type { LifecycleSettings } from './server-options.js'
import { closeOnSignals } from './signals.js'

/** `idle` → `listening` → `draining` → `closed`; a server never goes back. */
export type ServerState = 'idle' | 'listening' | 'draining' | 'closed'

export interface ServeForeverOptions {
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignalLike
  /** Whether SIGINT and SIGTERM close the server, the first gracefully, a second one at once. Default: true. */
  readonly signals?: boolean
}

export interface HandleRequestOptions {
  /** Milliseconds to wait for a connection or datagram; then `handleTimeout` is called. Default: `Infinity`. */
  readonly timeoutMs?: number
}

export interface ServerCloseOptions {
  /** Milliseconds before what is left is cut. Default: the option `graceMs` of the server (10,000). */
  readonly graceMs?: number
  /** Whether the server comes again soon, as clients are told that can be told: WebSockets close with 1012 in place of 1001. Default: false. */
  readonly restart?: boolean
}

/** A server asked to handle one request, and whoever waits for that. */
export interface OneRequest {
  readonly done: Deferred<boolean>
  taken: boolean
}

/**
 * What all servers have: the states, the verbs and the hooks. Its constructor does nothing but check; `listen` takes
 * the address. Override hooks in a subclass: `verifyRequest`, `handleError`, `handleTimeout`, `serviceActions`.
 */
export abstract class BaseServer implements AsyncDisposable {
  readonly #asked: Endpoint
  readonly #lifecycle: LifecycleSettings
  readonly #draining = drainController()
  readonly #stopped = deferred<ShutdownReport>()
  #state: ServerState = 'idle'
  #opening: Promise<void> | undefined
  #closing: Promise<ShutdownReport> | undefined
  #stopService: () => void = () => undefined
  #manual = false
  readonly #requests: OneRequest[] = []

  protected constructor(endpoint: string | Endpoint, lifecycle: LifecycleSettings) {
    this.#asked = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
    this.#lifecycle = lifecycle
  }

  /** Takes the address and gets ready to handle. */
  protected abstract open(): Promise<void>
  /** Frees the address and ends what runs, within `graceMs`. */
  protected abstract shut(graceMs: number): Promise<Omit<ShutdownReport, 'tookMs'>>
  /** Cuts what still runs. */
  protected abstract cut(why: string): void
  /** There may be something to do for what waits: called when requests are wanted. */
  protected abstract pump(): void

  abstract readonly local: Address
  protected abstract readonly boundEndpoint: Endpoint
  /** What it counts; always on. */
  abstract readonly metrics: MetricsSnapshot | DatagramMetricsSnapshot
  /** The metrics in the Prometheus text format. */
  abstract formatMetrics(): string

  protected get asked(): Endpoint {
    return this.#asked
  }

  protected get clock(): Clock {
    return systemClock
  }

  get state(): ServerState {
    return this.#state
  }

  /** The endpoint it listens on, with the real port: `tcp://127.0.0.1:43210`. @throws UsageError `ERR_STATE` before `listen`. */
  get endpoint(): string {
    return formatEndpoint(this.boundEndpoint)
  }

  /** Aborts when shutting down begins. */
  get draining(): AbortSignal {
    return this.#draining.signal
  }

  // ---- hooks

  /**
   * Whether to handle a request of this peer: called before anything is read. A connection that it has not decided on
   * within `handshakeTimeoutMs` is refused; datagrams that it has not decided on count in `maxQueued`. Default: true.
   */
  verifyRequest(_remote: Address): boolean | Promise<boolean> {
    return true
  }

  /** A handler threw, or a handshake failed: the server goes on. Default: logs it, as a warning when this side is at fault. */
  handleError(error: unknown, remote: string): void {
    const { logger } = this.#lifecycle
    const isRemote = typeof error === 'object' && error !== null && 'fault' in error && error.fault === 'remote'
    if (isRemote) logger.debug('a connection ended with an error of its peer', { remote, error })
    else logger.warn('a handler failed', { remote, error })
  }

  /** `handleRequest` waited for longer than its `timeoutMs`. */
  handleTimeout(): void {}

  /** Called every `serviceIntervalMs` while listening, where it is overridden. */
  serviceActions(): void | Promise<void> {}

  // ---- verbs

  /**
   * Takes the address and begins to handle. Resolves when clients can connect.
   * @throws UsageError `ERR_STATE` when it was called before; ClosedError `ERR_SERVER_CLOSED`; the errors of `listen`.
   */
  async listen(): Promise<this> {
    if (this.#state === 'draining' || this.#state === 'closed') throw drainReason(false)
    if (this.#opening !== undefined) throw new UsageError('ERR_STATE', 'Cannot listen: this server listens already')
    this.#opening = this.open()
    try {
      await this.#opening
    } catch (error) {
      this.#opening = undefined
      throw error
    }
    if (this.#closing === undefined) this.#state = 'listening'
    this.#startService()
    return this
  }

  /**
   * Listens, if it does not yet, and resolves with the report once the server has shut down: by a signal, by
   * `close()`, or by the given `signal`.
   */
  async serveForever(options: ServeForeverOptions = {}): Promise<ShutdownReport> {
    if (this.#opening === undefined) await this.listen()
    this.#manual = false
    this.pump()
    const unlinkSignals = options.signals === false ? undefined : closeOnSignals(this)
    const unlink = onAbort(options.signal, () => {
      void this.close()
    })
    try {
      return await this.#stopped.promise
    } finally {
      unlink()
      unlinkSignals?.()
    }
  }

  /**
   * Handles exactly one connection or datagram from beginning to end, and no other: those that come meanwhile wait.
   * True when one was handled, false when none came within `timeoutMs`. Call it instead of `listen`, or right after it, again and again.
   */
  async handleRequest(options: HandleRequestOptions = {}): Promise<boolean> {
    this.#manual = true
    if (this.#opening === undefined) await this.listen()
    else await this.#opening
    if (this.#state === 'draining' || this.#state === 'closed') throw drainReason(false)
    const request: OneRequest = { done: deferred(), taken: false }
    this.#requests.push(request)
    const stopTimer = this.clock.after(options.timeoutMs ?? Infinity, () => {
      if (request.taken) return
      this.#requests.splice(this.#requests.indexOf(request), 1)
      try {
        this.handleTimeout()
        request.done.resolve(false)
      } catch (error) {
        request.done.reject(error)
      }
    })
    this.pump()
    try {
      return await request.done.promise
    } finally {
      stopTimer()
    }
  }

  /** Whether one more request may begin: always, but for a server that is told to handle them one by one. */
  protected wantsRequest(): boolean {
    return !this.#manual || this.#requests.length > 0
  }

  /** Takes the one that `handleRequest` waits for; call what it returns when the request was handled. */
  protected takeRequest(): (() => void) | undefined {
    const request = this.#manual ? this.#requests.shift() : undefined
    if (request === undefined) return undefined
    request.taken = true
    return () => request.done.resolve(true)
  }

  /**
   * Stops accepting, lets what runs come to its end, and cuts the rest after `graceMs`. Always resolves, with a report.
   * Called again it gives the same report, sooner if the new `graceMs` ends sooner.
   */
  close(options: ServerCloseOptions = {}): Promise<ShutdownReport> {
    const graceMs = options.graceMs ?? this.#lifecycle.graceMs
    if (this.#closing === undefined) this.#closing = this.#close(graceMs, options.restart ?? false)
    else if (options.graceMs !== undefined) this.#cutAfter(graceMs)
    return this.#closing
  }

  async #close(graceMs: number, restart: boolean): Promise<ShutdownReport> {
    const began = this.clock.now()
    if (this.#opening !== undefined) await this.#opening.catch(() => undefined)
    const wasOpen = this.#state === 'listening' || this.#opening !== undefined
    this.#state = 'draining'
    this.#stopService()
    this.#draining.abort(drainReason(restart))
    for (const request of this.#requests.splice(0)) request.done.resolve(false)
    const ended = wasOpen
      ? await this.shut(graceMs)
      : { drained: 0, turnedAway: 0, cut: [], cutCount: 0, handlersLeft: 0 }
    this.#state = 'closed'
    const report: ShutdownReport = Object.freeze({ tookMs: this.clock.now() - began, ...ended })
    this.#stopped.resolve(report)
    return report
  }

  #cutAfter(graceMs: number): void {
    const stop = this.clock.after(graceMs, () => this.cut('close() was called again with a shorter deadline'))
    void this.#stopped.promise.then(stop)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }

  #startService(): void {
    if (this.serviceActions === BaseServer.prototype.serviceActions) return
    const next = (): void => {
      this.#stopService = this.clock.after(this.#lifecycle.serviceIntervalMs, () => {
        void this.#service().then(() => {
          if (this.#state === 'listening') next()
        })
      })
    }
    next()
  }

  async #service(): Promise<void> {
    try {
      await this.serviceActions()
    } catch (error) {
      this.#lifecycle.logger.warn('serviceActions failed', { error })
    }
  }
}
