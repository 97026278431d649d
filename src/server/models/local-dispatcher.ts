import { formatAddress } from '../../transport/address.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import type { HandlerAdapter, RunnableHandler } from '../handlers.js'
import { loadHandler } from '../load-handler.js'
import type { DrainReport } from '../outcome.js'
import { StreamRunner, type RunnerSettings } from '../stream-runner.js'
import type { Dispatcher, DispatcherEvents } from './dispatcher.js'

/** Runs handlers in this thread, at most `max` at once: `concurrent`, and `serial` with 1. */
export class LocalDispatcher implements Dispatcher {
  readonly workers = 0
  readonly restarts = 0
  readonly #source: unknown
  readonly #adapter: HandlerAdapter
  readonly #runner: StreamRunner
  readonly #max: number
  #handler: RunnableHandler = () => undefined
  #running = 0

  constructor(
    source: unknown,
    adapter: HandlerAdapter,
    settings: Omit<RunnerSettings, 'handler' | 'events'>,
    max: number,
    events: DispatcherEvents,
  ) {
    this.#source = source
    this.#adapter = adapter
    this.#max = max
    this.#runner = new StreamRunner({
      ...settings,
      handler: (connection, context, report, end) => this.#handler(connection, context, report, end),
      events: {
        handled: () => {
          this.#running -= 1
          events.roomMade()
        },
        failed: (error, connection) => events.failed(error, formatAddress(connection.remote)),
        ended: events.ended,
      },
    })
  }

  async start(): Promise<void> {
    const source = this.#source instanceof URL ? await loadHandler(this.#source) : this.#source
    this.#handler = this.#adapter.adapt(source, this.#adapter.settings)
  }

  hasRoom(): boolean {
    return this.#running < this.#max
  }

  /** Only of one at a time it is clear who stands in the way. */
  makeRoom(): void {
    if (this.#max === 1) this.#runner.makeRoom()
  }

  dispatch(id: number, stream: RawStream): void {
    this.#running += 1
    this.#runner.run(id, stream)
  }

  drain(graceMs: number): Promise<DrainReport> {
    return this.#runner.drain(graceMs)
  }

  cut(why: string): void {
    this.#runner.cut(why)
  }

  /** The server has replaced them in the context that this thread uses. */
  replaceTls(_options: TlsServerOptions): void {}
}
