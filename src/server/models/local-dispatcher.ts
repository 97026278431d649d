import { formatAddress } from '../../transport/address.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { TlsServerOptions } from '../../transport/tls-options.js'
import { checkStreamHandler, toStreamFunction, type StreamFunction, type StreamHandlerSource } from '../handlers.js'
import { loadHandler } from '../load-handler.js'
import type { DrainReport } from '../outcome.js'
import { StreamRunner, type RunnerSettings } from '../stream-runner.js'
import type { Dispatcher, DispatcherEvents } from './dispatcher.js'

/** Runs handlers in this thread, at most `max` at once: `concurrent`, and `serial` with 1. */
export class LocalDispatcher implements Dispatcher {
  readonly workers = 0
  readonly restarts = 0
  readonly #source: StreamHandlerSource | URL
  readonly #runner: StreamRunner
  readonly #max: number
  #handler: StreamFunction = () => undefined
  #running = 0

  constructor(
    source: StreamHandlerSource | URL,
    settings: Omit<RunnerSettings, 'handler' | 'events'>,
    max: number,
    events: DispatcherEvents,
  ) {
    this.#source = source
    this.#max = max
    this.#runner = new StreamRunner({
      ...settings,
      handler: (connection, context) => this.#handler(connection, context),
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
    if (this.#source instanceof URL) {
      const source = await loadHandler(this.#source)
      this.#handler = toStreamFunction(checkStreamHandler(source))
    } else {
      this.#handler = toStreamFunction(this.#source)
    }
  }

  hasRoom(): boolean {
    return this.#running < this.#max
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
