import type { Server } from 'node:net'
import type { Logger } from '../../base/logger.js'
import { createServer } from 'node:net'
import { NetError } from '../../base/errors.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import type { StreamHandlerSource } from '../handlers.js'
import type { DrainReport } from '../outcome.js'
import { AnyStreamServer } from '../stream-servers.js'
import { toPlainError, type FromWorker, type SharedStart, type WorkerStart } from './messages.js'

/** How often a worker that accepts by itself tells its parent its metrics. */
const METRICS_MS = 250

/** A worker that accepts on the shared port: a whole server of the event-loop model, told what to do by its parent. */
export class SharedHost {
  readonly #source: StreamHandlerSource
  readonly #start: WorkerStart
  readonly #shared: SharedStart
  readonly #logger: Logger
  readonly #send: (message: FromWorker) => void
  #server: AnyStreamServer | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    source: StreamHandlerSource,
    start: WorkerStart,
    shared: SharedStart,
    logger: Logger,
    send: (message: FromWorker) => void,
  ) {
    this.#source = source
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
    const { endpoint, descriptor, by, options } = this.#shared
    const { tls, connection, data, worker } = this.#start
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
      {
        worker,
        adopted: by === 'handle' ? await listenOnHandle(handle) : undefined,
        onError: (error, remote) => this.#send({ type: 'error', remote, error: toPlainError(error) }),
      },
    )
    await server.listen()
    this.#server = server
    this.#timer = setInterval(() => this.#tell(), METRICS_MS)
    this.#send({ type: 'ready', endpoint: server.endpoint, local: server.local })
  }

  #tell(): void {
    if (this.#server !== undefined) this.#send({ type: 'metrics', snapshot: this.#server.metrics })
  }

  replaceTls(options: TlsServerOptions): void {
    this.#server?.replaceTls(options)
  }

  cut(): void {
    void this.#server?.close({ graceMs: 0 })
  }

  async drain(graceMs: number): Promise<DrainReport> {
    clearInterval(this.#timer)
    const report = await this.#server?.close({ graceMs })
    this.#tell()
    return report ?? { drained: 0, cut: [], cutCount: 0, handlersLeft: 0 }
  }
}

/** The listening handle of the parent, adopted: accepting begins with the server that takes it. */
function listenOnHandle(handle: unknown): Promise<Server> {
  // Its connections are taken once the server above has attached itself: none is accepted before the next turn.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new NetError('ERR_LISTEN', `Cannot listen on the handle of the parent: ${cause.message}`, { cause })),
    )
    server.listen(handle, () => resolve(server))
  })
}
