import { BoundedQueue, type FullPolicy } from '../base/bounded-queue.js'
import { onFirstAbort, throwIfAborted } from '../base/cancellation.js'
import { deferred, markHandled, type Deferred } from '../base/deferred.js'
import { BusyError, ClosedError, LimitError, TimeoutError, UsageError, type MoorageError } from '../base/errors.js'
import { formatAddress, type Address } from './address.js'
import { asBuffer } from './as-buffer.js'
import type { DatagramDriver, DatagramReceiver } from './datagram-driver.js'
import type {
  Datagram,
  DatagramErrorSink,
  DatagramSink,
  DatagramSocket,
  DatagramStatistics,
  ReceiveOptions,
} from './datagram-socket.js'
import { copyBytes } from './fresh-bytes.js'
import { systemClock } from './system-clock.js'

export interface ReceiveQueueSettings {
  readonly receiveQueueCount: number
  readonly receiveQueueBytes: number
  readonly receiveQueuePolicy: Exclude<FullPolicy, 'refuse'>
}

// A peer that does not take what is queued must not hold a close for ever.
const LINGER_MS = 1000
const encoder = new TextEncoder()

/** What came off the queue: a datagram, or an error that the system reported in between. */
type Arrival = Datagram | { readonly error: MoorageError; readonly data?: never }

export function refused(error: unknown): Promise<never> {
  return markHandled(Promise.reject(error))
}

export function sameAddress(left: Address, right: Address): boolean {
  if (left === right) return true
  if (left.kind === 'ip') return right.kind === 'ip' && left.port === right.port && left.host === right.host
  return formatAddress(left) === formatAddress(right) && left.kind === right.kind
}

/** The datagram contract over a driver: reading modes, the bounded receive queue, statistics, closing. */
export class DrivenDatagramSocket implements DatagramSocket, DatagramReceiver {
  readonly #driver: DatagramDriver
  readonly #queue: BoundedQueue<Arrival>
  readonly #maxQueued: number
  readonly #controller = new AbortController()
  readonly #closed: Deferred<void> = deferred()
  #sink: DatagramSink | undefined
  #errorSink: DatagramErrorSink | undefined
  #waiting: Deferred<Datagram | null> | undefined
  #closing: Promise<void> | undefined
  #ended = false
  #reason: { readonly thrown: unknown } | undefined
  #received = 0
  #receivedBytes = 0
  #truncated = 0
  #oversizeDropped = 0
  #receiveErrors = 0

  constructor(driver: DatagramDriver, settings: ReceiveQueueSettings) {
    this.#driver = driver
    this.#maxQueued = settings.receiveQueueBytes
    const { receiveQueueCount: maxCount, receiveQueueBytes: maxBytes, receiveQueuePolicy: policy } = settings
    this.#queue = new BoundedQueue({ maxCount, maxBytes, policy }, (arrival) => arrival.data?.length ?? 0)
    driver.start(this)
  }

  get local(): Address {
    return this.#driver.local
  }

  get remote(): Address | undefined {
    return this.#driver.remote
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get bufferedBytes(): number {
    return this.#driver.bufferedBytes
  }

  get isSink(): boolean {
    return this.#sink !== undefined
  }

  get statistics(): DatagramStatistics {
    return {
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      sent: this.#driver.sent,
      sentBytes: this.#driver.sentBytes,
      truncated: this.#truncated,
      receiveDropped: this.#queue.dropped + this.#oversizeDropped,
      sendDropped: this.#driver.sendDropped,
      receiveErrors: this.#receiveErrors,
    }
  }

  // Reading

  async receive({ signal, timeoutMs = Infinity }: ReceiveOptions = {}): Promise<Datagram | null> {
    throwIfAborted(signal)
    if (this.#sink !== undefined) throw new BusyError('ERR_BUSY_SINK', 'Cannot receive: a sink reads this socket')
    if (this.#waiting !== undefined) {
      throw new BusyError('ERR_BUSY_READ', 'Cannot receive: another receive is waiting on this socket')
    }
    if (this.#ended) return this.#afterEnd()
    const arrival = this.#queue.take()
    if (arrival !== undefined) {
      if (arrival.data === undefined) throw arrival.error
      return arrival
    }
    const waiting = deferred<Datagram | null>()
    this.#waiting = waiting
    const deadline = { clock: systemClock, timeoutMs, reason: () => receiveTimeout(timeoutMs) }
    const unlink = onFirstAbort([signal], deadline, waiting.reject)
    try {
      return await waiting.promise
    } finally {
      if (this.#waiting === waiting) this.#waiting = undefined
      unlink()
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Datagram> {
    return {
      next: async () => {
        const value = await this.receive()
        return value === null ? { done: true, value: undefined } : { done: false, value }
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    }
  }

  sinkTo(sink: DatagramSink, onError?: DatagramErrorSink): void {
    if (this.#sink !== undefined || this.#waiting !== undefined) {
      throw new BusyError('ERR_BUSY_SINK', 'Cannot set a sink: the socket is being read already')
    }
    if (this.#ended) throw this.#closedError()
    this.#sink = sink
    this.#errorSink = onError
    for (let held = this.#queue.take(); held !== undefined; held = this.#queue.take()) {
      if (held.data === undefined) onError?.(held.error)
      else sink(held.data, held.remote, held.truncated, true)
    }
  }

  // From the driver

  datagram(data: Uint8Array, remote: Address, truncated: boolean, owned: boolean): void {
    if (this.#ended) return
    this.#received += 1
    this.#receivedBytes += data.length
    if (truncated) this.#truncated += 1
    if (this.#sink !== undefined) {
      try {
        this.#sink(data, remote, truncated, owned)
      } catch (error) {
        this.destroy(error)
      }
      return
    }
    if (this.#waiting === undefined && data.length > this.#maxQueued) {
      this.#oversizeDropped += 1
      return
    }
    this.#arrived({ data: owned ? asBuffer(data) : copyBytes(data), remote, truncated })
  }

  failed(error: MoorageError): void {
    if (this.#ended) return
    this.#receiveErrors += 1
    if (this.#sink === undefined) {
      this.#arrived({ error })
      return
    }
    try {
      this.#errorSink?.(error)
    } catch (thrown) {
      this.destroy(thrown)
    }
  }

  broken(error: MoorageError): void {
    this.destroy(error)
  }

  #arrived(arrival: Arrival): void {
    const waiting = this.#waiting
    if (waiting === undefined) {
      this.#queue.put(arrival)
      return
    }
    this.#waiting = undefined
    if (arrival.data === undefined) waiting.reject(arrival.error)
    else waiting.resolve(arrival)
  }

  // Sending

  send(data: Uint8Array | string, to?: Address): Promise<void> {
    if (this.#ended || this.#closing !== undefined) return refused(this.#closedError())
    const bytes = typeof data === 'string' ? encoder.encode(data) : data
    const driver = this.#driver
    if (bytes.length > driver.maxSendBytes) return refused(oversize(bytes.length, driver.maxSendBytes))
    const peer = driver.remote
    if (peer === undefined) {
      if (to === undefined || to.kind !== driver.local.kind) return refused(wrongPeer(to, driver.local))
      return driver.send(bytes, to)
    }
    if (to !== undefined && !sameAddress(to, peer)) return refused(notThePeer(to, peer))
    return driver.send(bytes, undefined)
  }

  // Closing

  close(): Promise<void> {
    if (this.#ended) return this.#closed.promise
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#giveUpReading()
    let timer: ReturnType<typeof setTimeout> | undefined
    const lingered = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LINGER_MS)
    })
    await Promise.race([this.#driver.drained(), lingered])
    clearTimeout(timer)
    this.#end(undefined)
  }

  destroy(reason?: unknown): void {
    if (this.#ended) return
    if (reason !== undefined) this.#reason = { thrown: reason }
    this.#end(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #end(reason: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const closed = this.#closedError()
    this.#driver.close(closed)
    this.#giveUpReading()
    this.#controller.abort(reason ?? closed)
    this.#closed.resolve()
  }

  #giveUpReading(): void {
    while (this.#queue.take() !== undefined);
    const waiting = this.#waiting
    this.#waiting = undefined
    if (this.#reason === undefined) waiting?.resolve(null)
    else waiting?.reject(this.#reason.thrown)
  }

  #afterEnd(): null {
    if (this.#reason !== undefined) throw this.#reason.thrown
    return null
  }

  #closedError(): ClosedError {
    const extras = this.#reason === undefined ? {} : { cause: this.#reason.thrown }
    return new ClosedError('ERR_CLOSED', 'Cannot use the socket: it is closed', extras)
  }
}

function receiveTimeout(timeoutMs: number): TimeoutError {
  return new TimeoutError('ERR_READ_TIMEOUT', `Cannot receive: no datagram came within ${timeoutMs} ms`, {
    details: { timeoutMs },
  })
}

/** `maxBytes` is undefined where only the system knows it. */
export function oversize(bytes: number, maxBytes: number | undefined, cause?: unknown): LimitError {
  const bound = maxBytes === undefined ? 'it is longer than the system carries' : `at most ${maxBytes} fit`
  return new LimitError('ERR_DATAGRAM_SIZE', `Cannot send a datagram of ${bytes} bytes: ${bound}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { bytes, ...(maxBytes === undefined ? {} : { limit: maxBytes }) },
  })
}

function wrongPeer(to: Address | undefined, local: Address): UsageError {
  const problem =
    to === undefined
      ? 'the socket is not connected, and no address was given'
      : `${formatAddress(to)} is of kind "${to.kind}", and the socket of kind "${local.kind}"`
  return new UsageError('ERR_ARGUMENT', `Cannot send: ${problem}`)
}

function notThePeer(to: Address, peer: Address): UsageError {
  const problem = `the socket is connected to ${formatAddress(peer)}`
  return new UsageError('ERR_ARGUMENT', `Cannot send to ${formatAddress(to)}: ${problem}`)
}
