import { DONE } from '../../base/deferred.js'
import { NetError, type MoorageError } from '../../base/errors.js'
import { formatAddress, type Address, type MemoryAddress } from '../address.js'
import { refused } from '../datagram-core.js'
import type { DatagramDriver, DatagramReceiver } from '../datagram-driver.js'
import type { MemoryNetwork } from './network.js'

/** As UDP over IPv4, so that what fits here fits there. */
const MAX_DATAGRAM_BYTES = 65_507

export interface MemoryDatagramSettings {
  readonly maxDatagramBytes: number
  readonly sendQueueBytes: number
}

/** A datagram socket in memory. Nothing blocks here: what is sent is on its way, or lost, at once. */
export class MemoryDatagrams implements DatagramDriver {
  readonly local: MemoryAddress
  readonly remote: MemoryAddress | undefined
  readonly maxSendBytes: number
  readonly bufferedBytes: number = 0
  readonly #network: MemoryNetwork
  readonly #maxDatagramBytes: number
  readonly #forget: () => void
  #receiver: DatagramReceiver | undefined
  #closed = false
  /** When the last datagram arrives that is not to be overtaken. */
  #lastAt = 0
  sent: number = 0
  sentBytes: number = 0
  sendDropped: number = 0

  constructor(
    network: MemoryNetwork,
    local: MemoryAddress,
    remote: MemoryAddress | undefined,
    { maxDatagramBytes, sendQueueBytes }: MemoryDatagramSettings,
    forget: () => void,
  ) {
    this.#network = network
    this.local = local
    this.remote = remote
    this.#maxDatagramBytes = maxDatagramBytes
    this.#forget = forget
    this.maxSendBytes = Math.min(MAX_DATAGRAM_BYTES, sendQueueBytes)
  }

  start(receiver: DatagramReceiver): void {
    this.#receiver = receiver
  }

  send(data: Uint8Array, to: Address | undefined): Promise<void> {
    const target = to ?? this.remote
    if (target === undefined || target.kind !== 'memory') {
      this.sendDropped += 1
      return refused(
        new NetError(
          'ERR_SOCKET',
          `Cannot send to ${target === undefined ? 'nobody' : formatAddress(target)}: a memory: address is needed`,
        ),
      )
    }
    this.sent += 1
    this.sentBytes += data.length
    const { settings, random, clock } = this.#network
    if (settings.lossRate > 0 && random() < settings.lossRate) return DONE
    const copy = new Uint8Array(data)
    const delay = settings.latencyMs + (settings.jitterMs === 0 ? 0 : random() * settings.jitterMs)
    const overtaken = settings.reorderRate > 0 && random() < settings.reorderRate
    const at = overtaken
      ? clock.now() + delay + settings.latencyMs + settings.jitterMs + 1
      : Math.max(clock.now() + delay, this.#lastAt)
    if (!overtaken) this.#lastAt = at
    const arrive = (): void => this.#arrive(copy, target)
    if (at <= clock.now()) clock.soon(arrive)
    else clock.after(at - clock.now(), arrive)
    return DONE
  }

  #arrive(data: Uint8Array, to: MemoryAddress): void {
    const peer = this.#network.datagramsAt(to.name)
    const takes = peer !== undefined && (peer.remote === undefined || peer.remote.name === this.local.name)
    if (takes) peer.#deliver(data, this.local)
    else if (this.remote !== undefined && !this.#closed) {
      this.#receiver?.failed(
        new NetError('ERR_DATAGRAM_UNREACHABLE', `Cannot send to memory:${to.name}: nobody receives there`),
      )
    }
  }

  #deliver(data: Uint8Array, remote: MemoryAddress): void {
    const truncated = data.length > this.#maxDatagramBytes
    this.#receiver?.datagram(truncated ? data.slice(0, this.#maxDatagramBytes) : data, remote, truncated, true)
  }

  drained(): Promise<void> {
    return DONE
  }

  close(_reason: MoorageError): void {
    this.#closed = true
    this.#receiver = undefined
    this.#forget()
  }
}
