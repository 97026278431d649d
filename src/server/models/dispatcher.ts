import type { TlsServerOptions } from '../../transport/tls-options.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { DrainReport, Outcome } from '../outcome.js'

/** What a model tells the server about the connections that it was given. */
export interface DispatcherEvents {
  /** A handler has returned: there may be room for another. */
  readonly roomMade: () => void
  readonly ended: (id: number, outcome: Outcome) => void
  readonly failed: (error: unknown, remote: string) => void
}

/** Where connections run: in this thread, or in workers. */
export interface Dispatcher {
  /** Resolves when handlers can run. @throws UsageError `ERR_HANDLER_MODULE`, `ERR_HANDLER`, `ERR_MODEL_UNSUPPORTED`. */
  start(): Promise<void>
  /** Whether one more connection can run now. */
  hasRoom(): boolean
  /** One waits that there is no room for. */
  makeRoom(): void
  /** Gives a connection away; exactly one `ended` with its id follows. */
  dispatch(id: number, stream: RawStream): void
  /** Ends all connections within `graceMs`, and then the workers. */
  drain(graceMs: number): Promise<DrainReport>
  /** Cuts what is left, now. */
  cut(why: string): void
  replaceTls(options: TlsServerOptions): void
  /** How many workers are up, for metrics. */
  readonly workers: number
  /** Workers that crashed and were replaced. */
  readonly restarts: number
}
