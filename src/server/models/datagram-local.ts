import type { Datagram } from '../../transport/datagram-socket.js'
import type { DatagramMetricsSnapshot } from '../datagram-metrics.js'
import { DatagramRunner, type DatagramRunnerSettings } from '../datagram-runner.js'
import {
  checkDatagramHandler,
  toDatagramFunction,
  type DatagramFunction,
  type DatagramHandlerSource,
} from '../handlers.js'
import { loadHandler } from '../load-handler.js'
import type { DrainReport } from '../outcome.js'
import type { DatagramDispatcher } from './datagram-dispatcher.js'

/** Runs datagram handlers in this thread: `concurrent`, and `serial` with `max` 1. */
export class LocalDatagrams implements DatagramDispatcher {
  readonly workers: number = 0
  readonly restarts: number = 0
  readonly snapshots: readonly DatagramMetricsSnapshot[] = []
  readonly #source: DatagramHandlerSource | URL
  readonly #runner: DatagramRunner
  readonly #max: number
  #handler: DatagramFunction = () => undefined

  constructor(source: DatagramHandlerSource | URL, settings: Omit<DatagramRunnerSettings, 'handler'>) {
    this.#source = source
    this.#max = settings.max
    this.#runner = new DatagramRunner({ ...settings, handler: (datagram, context) => this.#handler(datagram, context) })
  }

  async start(): Promise<void> {
    const source = this.#source instanceof URL ? await loadHandler(this.#source) : this.#source
    this.#handler = toDatagramFunction(checkDatagramHandler(source))
  }

  get active(): number {
    return this.#runner.active
  }

  get queued(): number {
    return this.#runner.queued
  }

  hasRoom(): boolean {
    return this.#runner.active < this.#max
  }

  deliver(datagram: Datagram): void {
    this.#runner.deliver(datagram)
  }

  drain(graceMs: number): Promise<DrainReport> {
    return this.#runner.drain(graceMs)
  }

  cut(): void {
    this.#runner.cut()
  }
}
