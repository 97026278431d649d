import { messageOf } from '../../base/errors.js'
import { closedError } from '../closed-error.js'
import { waitingClock } from '../broker-clock.js'
import type { BrokerSettings } from '../options.js'
import { brokerAway, isAway } from './broker-errors.js'
import { Outbox } from './outbox.js'
import { Pause } from './pause.js'

/** A request that waits for a value, or for leave, is better off without than late. */
export const BRIEFLY_MS = 1000

export interface LifelineConnection {
  /** What was asked is answered first. Never rejects. */
  close(): Promise<void>
  /** It is of no use any more: what has no answer is rejected, and its end is told. */
  destroy(): void
}

export interface LifelineSteps<Connection> {
  /** `ended` is called once when it breaks, however it does. */
  open(ended: () => void): Promise<Connection>
  /** Before anything that waits is asked: what is followed is followed again, and we say that we live. */
  ready(connection: Connection): Promise<void>
  /** It was away, and is there again. */
  again(): void
  /** Says that we live. Rejects when the connection is of no use. */
  beat(connection: Connection): Promise<void>
}

/** A connection to a broker that is made anew when it breaks, with what is asked over it. */
export class Lifeline<Connection extends LifelineConnection> {
  readonly #shown: string
  readonly #settings: BrokerSettings
  readonly #steps: LifelineSteps<Connection>
  readonly #pause: Pause
  readonly outbox: Outbox
  #connection: Connection | undefined
  #isClosed = false
  #why = 'it was not there yet'
  #stopBeat = (): void => undefined

  /** `shown` is its URL without secrets. */
  constructor(shown: string, settings: BrokerSettings, steps: LifelineSteps<Connection>) {
    this.#shown = shown
    this.#settings = settings
    this.#steps = steps
    this.#pause = new Pause(settings.clock)
    this.outbox = new Outbox(
      settings,
      (error) => !this.#isClosed && isAway(error),
      (again) => this.#away(again ? '; what was asked may have been done' : ''),
    )
  }

  /** The one that there is now. */
  get connection(): Connection | undefined {
    return this.#connection
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** @throws BrokenError `ERR_BROKER_AWAY` while there is none. */
  need(): Connection {
    if (this.#connection === undefined) throw this.#away()
    return this.#connection
  }

  /** The first connection. @throws UsageError, BrokenError, LimitError. */
  async open(): Promise<void> {
    await this.#connect()
  }

  /** What was asked, and `last`, are done first, as far as that takes no longer than `maxAwayMs`. Never rejects. */
  async close(last: () => Promise<unknown>): Promise<void> {
    const clock = waitingClock(this.#settings.clock)
    let stopWaiting = (): void => undefined
    const late = new Promise<void>((resolve) => {
      stopWaiting = clock.after(this.#settings.maxAwayMs, resolve)
    })
    const done = this.outbox.ask(0, last).then(
      () => this.outbox.drained(),
      () => undefined,
    )
    await Promise.race([done, late])
    stopWaiting()
    this.#isClosed = true
    this.#stopBeat()
    this.#pause.end()
    this.outbox.fail(closedError())
    await this.#connection?.close()
    this.#connection = undefined
  }

  async #connect(): Promise<void> {
    let broke = false
    const opened: { connection?: Connection } = {}
    const connection = await this.#steps.open(() => {
      broke = true
      if (opened.connection !== undefined) this.#broken(opened.connection)
    })
    if (this.#isClosed) {
      await connection.close()
      return
    }
    opened.connection = connection
    this.#connection = connection
    try {
      await this.#steps.ready(connection)
      // It can break while it is made ready.
      if (broke) throw this.#away()
    } catch (error) {
      this.#connection = undefined
      connection.destroy()
      throw error
    }
    this.outbox.online()
    this.#beatLater()
  }

  #broken(connection: Connection): void {
    if (this.#connection !== connection || this.#isClosed) return
    this.#connection = undefined
    this.#stopBeat()
    this.outbox.offline()
    this.#why = 'the connection broke'
    void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    const { logger } = this.#settings
    logger.warn('the connection to the broker broke', { broker: this.#shown })
    for (;;) {
      await this.#pause.wait()
      if (this.#isClosed) return
      try {
        await this.#connect()
        if (this.#isClosed) return
        this.#pause.reset()
        logger.info('the broker is there again', { broker: this.#shown })
        this.#steps.again()
        return
      } catch (error) {
        this.#why = messageOf(error)
      }
    }
  }

  /** Three in a lease; one that has no answer at the end of it tells that the connection is dead. */
  #beatLater(): void {
    const { clock, leaseMs } = this.#settings
    this.#stopBeat()
    this.#stopBeat = clock.after(leaseMs / 3, () => {
      const connection = this.#connection
      if (connection === undefined) return
      const stopWaiting = clock.after(leaseMs, () => connection.destroy())
      this.#steps.beat(connection).then(
        () => {
          stopWaiting()
          if (this.#connection === connection && !this.#isClosed) this.#beatLater()
        },
        () => {
          stopWaiting()
          connection.destroy()
        },
      )
    })
  }

  #away(more: string = ''): Error {
    return brokerAway(this.#shown, `${this.#why}${more}`)
  }
}
