import type { Clock } from '../../base/clock.js'
import type { Logger } from '../../base/logger.js'
import { TimeoutError, UsageError } from '../../base/errors.js'
import { isUsageCode } from '../../base/codes.js'
import { deferred, markHandled, type Deferred } from '../../base/deferred.js'
import type { FromWorker, ToWorker, WorkerStart } from './messages.js'
import type { PoolSettings, ProcessesModel, ThreadsModel } from './model.js'
import { startProcess, startThread, type WorkerPeer } from './worker-peer.js'

export interface SlotEvents {
  /** A worker was started, and has been sent what it starts with. */
  started?(slot: WorkerSlot): void
  /** The worker can handle; also after each restart. */
  ready(slot: WorkerSlot, message: FromWorker & { readonly type: 'ready' }): void
  message(slot: WorkerSlot, message: FromWorker): void
  /** The worker is gone; what it had is lost, and a new one is on its way unless the slot was stopped. */
  lost(slot: WorkerSlot, why: string): void
}

/** A worker that lived this long did not die of its start: the delay of its replacement begins anew. */
const SETTLED_MS = 10_000

/** One place in a pool: it has a worker, starts another when that one crashes, later and later while crashes go on. */
export class WorkerSlot {
  readonly index: number
  readonly #model: ThreadsModel | ProcessesModel
  readonly #makeStart: () => WorkerStart
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #events: SlotEvents
  readonly #first: Deferred<void> = deferred()
  readonly #gone: Deferred<void> = deferred()
  #peer: WorkerPeer | undefined
  #isReady = false
  #stopped = false
  #crashes = 0
  #startedAt = 0
  #stopTimer: () => void = () => undefined
  /** Connections it has, or is being given. */
  connections: number = 0
  /** When the oldest offer that it has not answered was made; `Infinity` when it has answered all. */
  offeredAt: number = Infinity
  restarts: number = 0

  constructor(
    index: number,
    model: ThreadsModel | ProcessesModel,
    makeStart: () => WorkerStart,
    clock: Clock,
    logger: Logger,
    events: SlotEvents,
  ) {
    this.index = index
    this.#model = model
    this.#makeStart = makeStart
    this.#clock = clock
    this.#logger = logger
    this.#events = events
    void markHandled(this.#first.promise)
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get peer(): WorkerPeer | undefined {
    return this.#peer
  }

  /** Resolves when the first worker of this slot is ready. */
  start(): Promise<void> {
    this.#startWorker()
    return this.#first.promise
  }

  #startWorker(): void {
    const { settings } = this.#model
    this.#startedAt = this.#clock.now()
    let isOver = false
    const events = {
      message: (message: FromWorker): void => {
        // A process can be gone before the last that it sent is read: its rooms are left, and are not opened again.
        if (!isOver || message.type !== 'pubsub') this.#message(message)
      },
      exit: (why: string): void => {
        isOver = true
        this.#exited(why)
      },
    }
    const start = this.#makeStart()
    this.#peer =
      this.#model.kind === 'threads'
        ? startThread(start, this.#model.settings.maxHeapBytes, events)
        : startProcess(start, events)
    this.#events.started?.(this)
    this.#stopTimer = this.#clock.after(settings.startTimeoutMs, () => {
      this.#first.reject(
        new TimeoutError(
          'ERR_REQUEST_TIMEOUT',
          `Cannot start worker ${this.index}: it did not load its handler within ${settings.startTimeoutMs} ms`,
        ),
      )
      this.#peer?.kill()
    })
  }

  #message(message: FromWorker): void {
    if (message.type === 'ready') {
      this.#stopTimer()
      this.#isReady = true
      this.#first.resolve()
      this.#events.ready(this, message)
    } else if (message.type === 'unfit') {
      this.#first.reject(
        new UsageError(isUsageCode(message.code) ? message.code : 'ERR_HANDLER_MODULE', message.message),
      )
    } else {
      this.#events.message(this, message)
    }
  }

  #exited(why: string): void {
    const wasReady = this.#isReady
    this.#stopTimer()
    this.#isReady = false
    this.#peer = undefined
    this.offeredAt = Infinity
    this.#first.reject(new UsageError('ERR_HANDLER_MODULE', `Cannot start worker ${this.index}: ${why}`))
    this.#events.lost(this, why)
    this.connections = 0
    if (this.#stopped || (!wasReady && this.restarts === 0)) {
      this.#gone.resolve()
      return
    }
    const { restartDelayMs, maxRestartDelayMs } = this.#settings
    this.#crashes = this.#clock.now() - this.#startedAt >= SETTLED_MS ? 1 : this.#crashes + 1
    const delay = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** (this.#crashes - 1))
    this.restarts += 1
    this.#logger.error('a worker crashed and is replaced', {
      worker: this.index,
      why,
      delayMs: delay,
      restarts: this.restarts,
    })
    this.#stopTimer = this.#clock.after(delay, () => this.#startWorker())
  }

  get #settings(): PoolSettings {
    return this.#model.settings
  }

  send(message: ToWorker): void {
    this.#peer?.send(message)
  }

  /** No worker is started any more. Resolves when the one there is has ended. */
  stop(): Promise<void> {
    this.#stopped = true
    this.#stopTimer()
    if (this.#peer === undefined) this.#gone.resolve()
    return this.#gone.promise
  }

  kill(): void {
    this.#peer?.kill()
  }
}
