import type { RemoteInfo, Socket } from 'node:dgram'
import { DONE, deferred, markHandled, type Deferred } from '../../base/deferred.js'
import { LimitError, type MoorageError } from '../../base/errors.js'
import { formatAddress, type Address, type IpAddress } from '../address.js'
import { refused } from '../datagram-core.js'
import type { DatagramDriver, DatagramReceiver } from '../datagram-driver.js'
import { cannotReach, fromDatagramError, receiveError } from './datagram-errors.js'
import type { BatchSettings } from './datagram-batches.js'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** An IPv4 address that an IPv6 socket shows as `::ffff:a.b.c.d` is plain IPv4 here, as with the addon. */
const plainHost = (host: string): string => (host.startsWith('::ffff:') ? (MAPPED.exec(host)?.[1] ?? host) : host)

const toAddress = (info: { address: string; port: number }): IpAddress => ({
  kind: 'ip',
  host: plainHost(info.address),
  port: info.port,
})

/** UDP over node:dgram, for where the addon is not built. The socket is bound, and connected where it is to be. */
export class DgramDriver implements DatagramDriver {
  readonly local: Address
  readonly remote: Address | undefined
  readonly maxSendBytes: number
  readonly #socket: Socket
  readonly #settings: BatchSettings
  readonly #isIpv6: boolean
  #waiting = new Set<Deferred<void>>()
  #drained: Deferred<void> | undefined
  #pending = 0
  #unwatched = false
  #inSink = false
  #borrowed: Uint8Array | undefined
  #closed = false
  #sent = 0
  #sentBytes = 0
  #sendDropped = 0

  constructor(socket: Socket, maxSendBytes: number, settings: BatchSettings, isConnected: boolean) {
    this.#socket = socket
    this.#settings = settings
    this.maxSendBytes = Math.min(maxSendBytes, settings.sendQueueBytes)
    const local = socket.address()
    this.#isIpv6 = local.family === 'IPv6'
    this.local = toAddress(local)
    this.remote = isConnected ? toAddress(socket.remoteAddress()) : undefined
  }

  get bufferedBytes(): number {
    return this.#closed ? 0 : this.#socket.getSendQueueSize()
  }

  get sent(): number {
    return this.#sent
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  get sendDropped(): number {
    return this.#sendDropped
  }

  start(receiver: DatagramReceiver): void {
    this.#socket.on('message', (data: Buffer, info: RemoteInfo) => this.#onMessage(receiver, data, info))
    this.#socket.on('error', (error) => {
      if (isSendError(error)) {
        this.#sent -= 1
        this.#sendDropped += 1
      }
      if (!this.#closed) receiver.failed(receiveError(this, error))
    })
  }

  send(data: Uint8Array, to: Address | undefined): Promise<void> {
    const { sendQueueBytes, sendQueueCount, sendHighWaterBytes } = this.#settings
    if (to !== undefined && !this.#canReach(to)) {
      this.#sendDropped += 1
      return refused(cannotReach(to, this.local))
    }
    if (this.#pending > 0 || this.#inSink) {
      const held = this.#socket.getSendQueueSize()
      if (held + data.length > sendQueueBytes || this.#socket.getSendQueueCount() >= sendQueueCount) {
        this.#sendDropped += 1
        return refused(queueFull(held))
      }
    }
    // dgram keeps a reference until the system takes the datagram. What it just delivered is nobody else's.
    const kept = data === this.#borrowed ? data : Buffer.from(data)
    if (this.#inSink) {
      // Without a callback dgram spares a turn for each datagram, and tells of what failed by its 'error' event.
      this.#unwatched = true
      this.#sent += 1
      this.#sentBytes += data.length
      this.#transmit(kept, to, undefined)
      return DONE
    }
    this.#pending += 1
    const sending = deferred<void>()
    this.#waiting.add(sending)
    this.#transmit(kept, to, (error, bytes) => {
      this.#waiting.delete(sending)
      if (error === null) sending.resolve()
      else
        sending.reject(
          fromDatagramError(to === undefined ? 'send' : `send to ${formatAddress(to)}`, error, data.length),
        )
      this.#settled(error, bytes)
    })
    const held = this.#socket.getSendQueueSize()
    if (held > 0 && held <= sendHighWaterBytes) sending.resolve()
    return markHandled(sending.promise)
  }

  /** dgram throws for port 0, and says "invalid" for the rest. */
  #canReach(to: Address): boolean {
    return to.kind === 'ip' && to.port > 0 && (this.#isIpv6 || !to.host.includes(':'))
  }

  #transmit(
    data: Uint8Array,
    to: Address | undefined,
    sent: ((error: Error | null, bytes: number) => void) | undefined,
  ): void {
    if (to === undefined || to.kind !== 'ip') return this.#socket.send(data, sent)
    const host = this.#isIpv6 && !to.host.includes(':') ? `::ffff:${to.host}` : to.host
    return this.#socket.send(data, to.port, host, sent)
  }

  drained(): Promise<void> {
    if (this.#closed || (this.#pending === 0 && !this.#unwatched)) return DONE
    this.#drained ??= deferred()
    if (this.#unwatched) setImmediate(() => this.#lookForUnwatched())
    return this.#drained.promise
  }

  /** What was sent without a callback has left when dgram's queue is empty, from the next turn on. */
  #lookForUnwatched(): void {
    if (this.#closed) return
    if (this.#socket.getSendQueueCount() > 0) {
      setImmediate(() => this.#lookForUnwatched())
      return
    }
    this.#unwatched = false
    if (this.#pending > 0) return
    this.#drained?.resolve()
    this.#drained = undefined
  }

  close(reason: MoorageError): void {
    if (this.#closed) return
    this.#closed = true
    const unsent = this.#socket.getSendQueueCount()
    this.#sendDropped += Math.max(this.#pending, unsent)
    this.#sent -= Math.max(0, unsent - this.#pending)
    this.#pending = 0
    for (const sending of this.#waiting) sending.reject(reason)
    this.#waiting.clear()
    this.#drained?.resolve()
    this.#socket.close()
  }

  #onMessage(receiver: DatagramReceiver, message: Buffer, info: RemoteInfo): void {
    const { maxDatagramBytes } = this.#settings
    const truncated = message.length > maxDatagramBytes
    const data = truncated ? message.subarray(0, maxDatagramBytes) : message
    this.#borrowed = data
    this.#inSink = receiver.isSink
    receiver.datagram(data, toAddress(info), truncated, true)
    this.#inSink = false
    this.#borrowed = undefined
  }

  #settled(error: Error | null, bytes: number): void {
    if (this.#closed) return
    this.#pending -= 1
    if (error === null) {
      this.#sent += 1
      this.#sentBytes += bytes
    } else this.#sendDropped += 1
    if (this.#pending === 0 && this.#drained !== undefined) {
      this.#drained.resolve()
      this.#drained = undefined
    }
  }
}

const isSendError = (error: Error): boolean => 'syscall' in error && error.syscall === 'send'

function queueFull(bytes: number): LimitError {
  return new LimitError('ERR_QUEUE_LIMIT', `Cannot send: the send queue is full with ${bytes} bytes`, {
    details: { bytes },
  })
}
