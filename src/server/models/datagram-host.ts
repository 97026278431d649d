import type { Address } from '../../transport/address.js'
import { formatAddress } from '../../transport/address.js'
import { systemClock } from '../../transport/system-clock.js'
import { DatagramRunner } from '../datagram-runner.js'
import { toDatagramFunction, type DatagramHandlerSource, type ServerContext } from '../handlers.js'
import type { DrainReport } from '../outcome.js'
import { exactCopy } from './exact-copy.js'
import { toPlainError, type FromWorker, type MovedDatagram, type WorkerStart } from './messages.js'

const UNKNOWN: Address = { kind: 'unix', path: '' }

/** Runs datagram handlers in a worker; what it has to say goes to the parent in one message a turn. */
export class DatagramHost {
  readonly #send: (message: FromWorker) => void
  readonly #runner: DatagramRunner
  #replies: MovedDatagram[] = []
  #handled = 0
  #failed = 0
  #dropped = 0
  #flushing = false

  constructor(
    source: DatagramHandlerSource,
    start: WorkerStart,
    context: ServerContext,
    send: (message: FromWorker) => void,
  ) {
    this.#send = send
    const { maxHandlers = 1, maxQueued = 1, maxQueuedBytes = 1 } = start.limits ?? {}
    this.#runner = new DatagramRunner({
      handler: toDatagramFunction(source),
      context,
      local: () => start.local ?? UNKNOWN,
      reply: (data, remote) => {
        this.#replies.push({
          data: exactCopy(typeof data === 'string' ? Buffer.from(data) : data),
          remote,
          truncated: false,
        })
        this.#soonFlush()
        return Promise.resolve()
      },
      max: maxHandlers,
      maxQueued,
      maxQueuedBytes,
      clock: systemClock,
      failed: (error, remote) => send({ type: 'error', remote: formatAddress(remote), error: toPlainError(error) }),
      handled: (failed) => {
        this.#handled += 1
        if (failed) this.#failed += 1
        this.#soonFlush()
      },
      dropped: () => {
        this.#dropped += 1
        this.#soonFlush()
      },
    })
  }

  receive(list: readonly MovedDatagram[]): void {
    for (const datagram of list) this.#runner.deliver(datagram)
  }

  #soonFlush(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    if (this.#replies.length > 0) this.#send({ type: 'replies', list: this.#replies })
    if (this.#handled > 0 || this.#dropped > 0) {
      this.#send({ type: 'handled', count: this.#handled, failed: this.#failed, dropped: this.#dropped })
    }
    this.#replies = []
    this.#handled = 0
    this.#failed = 0
    this.#dropped = 0
  }

  async drain(graceMs: number): Promise<DrainReport> {
    const report = await this.#runner.drain(graceMs)
    this.#flush()
    return report
  }

  cut(): void {
    this.#runner.cut()
  }
}
