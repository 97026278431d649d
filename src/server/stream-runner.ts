import type { Clock } from '../base/clock.js'
import { TimeoutError } from '../base/errors.js'
import { formatAddress } from '../transport/address.js'
import type { ConnectionSettings } from '../transport/connection-options.js'
import { needsNothing, prepareConnection, type Preparation } from '../transport/prepare.js'
import type { RawStream } from '../transport/raw-listener.js'
import type { ConnectionActivity, StreamConnection } from '../transport/stream-connection.js'
import { LATER, type HandlerEnd, type RunnableHandler, type ServerContext } from './handlers.js'
import { MAX_CUT_LISTED, type CutConnection, type DrainReport, type Outcome } from './outcome.js'

export interface RunnerSettings {
  readonly handler: RunnableHandler
  readonly context: ServerContext
  readonly connection: ConnectionSettings
  readonly preparation: Preparation
  readonly clock: Clock
  readonly events: RunnerEvents
}

/** What a runner tells; none of it throws. */
export interface RunnerEvents {
  /** A handler has returned or thrown: its place is free. */
  readonly handled: () => void
  /** A handler threw, or a handshake failed. */
  readonly failed: (error: unknown, connection: StreamConnection) => void
  /** The connection is gone. */
  readonly ended: (id: number, outcome: Outcome) => void
}

/** A connection that has begun and is not gone. */
class Live implements HandlerEnd {
  readonly #runner: StreamRunner
  readonly #connection: StreamConnection
  readonly id: number
  state: 'preparing' | 'handling' | 'closing'

  constructor(runner: StreamRunner, connection: StreamConnection, id: number, state: Live['state']) {
    this.#runner = runner
    this.#connection = connection
    this.id = id
    this.state = state
  }

  over(failure?: { readonly error: unknown }): void {
    this.#runner.handled(this.#connection, this, failure)
  }
}

/** The share of the grace after which reads in the middle of a message are ended too. */
const NUDGE_SHARE = 0.75

/**
 * Runs handlers over connections, in whichever thread it stands: opens, prepares (PROXY header, TLS), handles, closes.
 * It knows every live connection, also upgraded ones, so that a drain misses none.
 */
export class StreamRunner {
  readonly #settings: RunnerSettings
  readonly #live = new Map<StreamConnection, Live>()
  /** Connections that were cut and are not gone yet: a moment. */
  readonly #cutting = new Set<StreamConnection>()
  readonly #ready: boolean
  #draining = false
  #drained = 0
  #cut: CutConnection[] = []
  #cutCount = 0
  #allEnded: (() => void) | undefined
  #handlersLeft = 0

  constructor(settings: RunnerSettings) {
    this.#settings = settings
    this.#ready = needsNothing(settings.preparation)
  }

  get live(): number {
    return this.#live.size
  }

  /** Begins at once; `handled` and `ended` follow, each once. */
  run(id: number, stream: RawStream): void {
    const { connection: settings, preparation } = this.#settings
    // The stream is let go of here: it would be held as long as the connection lives.
    const connection = stream.open(settings)
    const live = new Live(this, connection, id, this.#ready ? 'handling' : 'preparing')
    this.#live.set(connection, live)
    if (this.#ready) this.#handle(connection, live)
    else
      prepareConnection(connection, preparation).then(
        () => this.#handle(connection, live),
        (error: unknown) => live.over({ error }),
      )
  }

  /** Without an async function: one that waits holds half a kilobyte, and most connections wait. */
  #handle(connection: StreamConnection, live: Live): void {
    const { handler, context, events } = this.#settings
    live.state = 'handling'
    let handled: ReturnType<RunnableHandler>
    try {
      if (this.#draining) connection.drain()
      handled = handler(connection, context, events.failed, live)
    } catch (error) {
      live.over({ error })
      return
    }
    if (handled === LATER) return
    Promise.resolve(handled).then(
      () => live.over(),
      (error: unknown) => live.over({ error }),
    )
  }

  /** Called once for each connection, when its handler is done with it. */
  handled(connection: StreamConnection, live: Live, failure: { readonly error: unknown } | undefined): void {
    void this.#end(connection, live, failure)
  }

  async #end(
    connection: StreamConnection,
    live: Live,
    failure: { readonly error: unknown } | undefined,
  ): Promise<void> {
    const { events } = this.#settings
    events.handled()
    if (failure !== undefined) events.failed(failure.error, connection)
    live.state = 'closing'
    await connection.close()
    const { bytesRead, bytesWritten, bytesUnsent } = await connection.closed
    this.#ended(connection)
    events.ended(live.id, { bytesRead, bytesWritten, bytesUnsent, failed: failure !== undefined })
  }

  /** Others wait: connections between two messages end, where their handlers know of messages. */
  makeRoom(): void {
    for (const connection of this.#live.keys()) connection.makeRoom()
  }

  #ended(connection: StreamConnection): void {
    const state = this.#live.get(connection)
    if (!this.#live.delete(connection)) return
    if (this.#draining && state !== undefined) this.#drained += 1
    this.#lookForEnd()
  }

  #lookForEnd(): void {
    if (this.#live.size === 0 && this.#cutting.size === 0) this.#allEnded?.()
  }

  /**
   * Ends every connection: those that wait for a message at once, the others when they are between two messages, after
   * three quarters of the grace in the middle of one, and at its end by cutting. Resolves when all are gone, `graceMs`
   * from now at the latest.
   */
  async drain(graceMs: number): Promise<DrainReport> {
    const { clock } = this.#settings
    this.#draining = true
    if (this.#live.size + this.#cutting.size > 0) {
      const ended = new Promise<void>((resolve) => {
        this.#allEnded = resolve
      })
      for (const connection of this.#live.keys()) connection.drain()
      const stopNudge = clock.after(graceMs * NUDGE_SHARE, () => {
        for (const connection of this.#live.keys()) connection.drain(true)
      })
      const stopCut = clock.after(graceMs, () => this.cut(`the deadline of close() passed (${graceMs} ms)`))
      await ended
      stopNudge()
      stopCut()
    }
    return { drained: this.#drained, cut: this.#cut, cutCount: this.#cutCount, handlersLeft: this.#handlersLeft }
  }

  /** Destroys what is left, and notes what it was doing. */
  cut(why: string): void {
    const { events } = this.#settings
    for (const [connection, { id, state }] of this.#live) {
      const activity: ConnectionActivity = state === 'preparing' ? 'handshaking' : connection.activity
      this.#cutCount += 1
      if (state === 'handling') this.#handlersLeft += 1
      const unsent = connection.bufferedBytes
      if (this.#cut.length < MAX_CUT_LISTED) {
        this.#cut.push({ remote: formatAddress(connection.remote), activity, bytesUnsent: unsent })
      }
      this.#cutting.add(connection)
      connection.destroy(new TimeoutError('ERR_CLOSE_TIMEOUT', `Cut the connection: ${why}`))
      // Its handler may never return: the connection is over all the same. Whoever is told twice hears the first.
      void connection.closed.then(({ bytesRead, bytesWritten, bytesUnsent }) => {
        events.ended(id, { bytesRead, bytesWritten, bytesUnsent, failed: true })
        this.#cutting.delete(connection)
        this.#lookForEnd()
      })
    }
    this.#live.clear()
    this.#lookForEnd()
  }
}
