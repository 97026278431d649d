import type { Logger } from '../../base/logger.js'
import { serverOnHandle } from '../../transport/node/handles.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import { checkDatagramHandler, type HandlerAdapter } from '../handlers.js'
import type { DrainReport } from '../outcome.js'
import { AnyDatagramServer } from '../datagram-server.js'
import type { WorkerPlace } from '../stream-server.js'
import { AnyStreamServer } from '../stream-servers.js'
import { toPlainError, type FromWorker, type SharedStart, type WorkerStart } from './messages.js'

/** How often a worker that accepts by itself tells its parent its metrics. */
const METRICS_MS = 250

/** A worker that accepts on the shared port: a whole server of the event-loop model, told what to do by its parent. */
export class SharedHost {
  readonly #source: unknown
  readonly #adapter: HandlerAdapter
  readonly #start: WorkerStart
  readonly #shared: SharedStart
  readonly #logger: Logger
  readonly #send: (message: FromWorker) => void
  #server: AnyStreamServer | AnyDatagramServer | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    source: unknown,
    adapter: HandlerAdapter,
    start: WorkerStart,
    shared: SharedStart,
    logger: Logger,
    send: (message: FromWorker) => void,
  ) {
    this.#source = source
    this.#adapter = adapter
    this.#start = start
    this.#shared = shared
    this.#logger = logger
    this.#send = send
  }

  /** With a handle that is still to come, only its message completes the start. */
  async start(): Promise<void> {
    if (this.#shared.by !== 'handle') await this.#listen(undefined)
  }

  listenOn(handle: unknown): void {
    this.#listen(handle).catch((error: unknown) => {
      const { message, code = 'ERR_LISTEN' } = toPlainError(error)
      this.#send({ type: 'unfit', code, message })
    })
  }

  async #listen(handle: unknown): Promise<void> {
    const { worker, kind } = this.#start
    const place = {
      worker,
      onError: (error: unknown, remote: string): void =>
        this.#send({ type: 'error', remote, error: toPlainError(error) }),
    }
    if (kind === 'datagram') await this.#listenForDatagrams({ ...place, adopted: undefined })
    else
      await this.#listenForStreams({
        ...place,
        adopted: this.#shared.by === 'handle' ? await serverOnHandle(handle) : undefined,
      })
    this.#timer = setInterval(() => this.#tell(), METRICS_MS)
    this.#send({ type: 'ready', endpoint: this.#server?.endpoint, local: this.#server?.local })
  }

  async #listenForStreams(place: WorkerPlace): Promise<void> {
    const { endpoint, descriptor, by, options } = this.#shared
    const { tls, connection, data } = this.#start
    const server = new AnyStreamServer(
      by === 'descriptor' ? `fd:${descriptor}` : endpoint,
      this.#source,
      {
        ...options,
        ...connection,
        ...(tls === undefined ? {} : { tls }),
        ...(by === 'reuse-port' ? { reusePort: true } : {}),
        data,
        logger: this.#logger,
      },
      place,
      this.#adapter,
    )
    await server.listen()
    this.#server = server
  }

  async #listenForDatagrams(place: WorkerPlace): Promise<void> {
    const { endpoint, options } = this.#shared
    const { data } = this.#start
    const server = new AnyDatagramServer(
      endpoint,
      checkDatagramHandler(this.#source),
      { ...options, data, logger: this.#logger },
      place,
    )
    await server.listen()
    this.#server = server
  }

  #tell(): void {
    if (this.#server instanceof AnyStreamServer) this.#send({ type: 'metrics', snapshot: this.#server.metrics })
    else if (this.#server !== undefined) this.#send({ type: 'datagram-metrics', snapshot: this.#server.metrics })
  }

  replaceTls(options: TlsServerOptions): void {
    if (this.#server instanceof AnyStreamServer) this.#server.replaceTls(options)
  }

  cut(): void {
    void this.#server?.close({ graceMs: 0 })
  }

  async drain(graceMs: number, restart: boolean): Promise<DrainReport> {
    clearInterval(this.#timer)
    const report = await this.#server?.close({ graceMs, restart })
    this.#tell()
    return report ?? { drained: 0, cut: [], cutCount: 0, handlersLeft: 0 }
  }
}
