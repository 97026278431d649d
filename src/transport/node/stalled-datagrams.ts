import { formatAddress, type Address } from '../address.js'

export interface StallLimits {
  readonly sendQueueCount: number
  readonly sendQueueBytes: number
}

export interface StallHooks {
  /** Sends one now; false when its peer still takes none. */
  readonly tryNow: (data: Uint8Array, to: Address) => boolean
  /** So many were given up. */
  readonly dropped: (count: number) => void
  /** Nothing is stalled any more. */
  readonly emptied: () => void
}

interface StalledPeer {
  readonly to: Address
  readonly waiting: Uint8Array[]
  bytes: number
  sinceMs: number
}

const FIRST_RETRY_MS = 1
const LAST_RETRY_MS = 32
// A peer that takes nothing for this long is treated as gone: its datagrams are dropped and counted.
const GIVE_UP_MS = 1000
// One peer may use this part of the queue, so that it cannot take the room of all others.
const PART_OF_ONE_PEER = 4

/**
 * Datagrams for Unix peers whose receive queues are full. The system says when a queue has room only for a connected
 * socket; so an unconnected one tries again, in order for each peer, while other peers go on undisturbed.
 */
export class StalledDatagrams {
  readonly #limits: StallLimits
  readonly #hooks: StallHooks
  readonly #peers = new Map<string, StalledPeer>()
  #count = 0
  #bytes = 0
  #delayMs = FIRST_RETRY_MS
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(limits: StallLimits, hooks: StallHooks) {
    this.#limits = limits
    this.#hooks = hooks
  }

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  has(to: Address): boolean {
    return this.#count > 0 && this.#peers.has(formatAddress(to))
  }

  /** False when the queue, or the peer's part of it, is full. */
  put(data: Uint8Array, to: Address): boolean {
    const { sendQueueCount, sendQueueBytes } = this.#limits
    const key = formatAddress(to)
    const peer = this.#peers.get(key) ?? { to, waiting: [], bytes: 0, sinceMs: performance.now() }
    const isFirst = peer.waiting.length === 0
    const fits =
      this.#count < sendQueueCount &&
      this.#bytes + data.length <= sendQueueBytes &&
      (isFirst ||
        (peer.waiting.length < sendQueueCount / PART_OF_ONE_PEER &&
          peer.bytes + data.length <= sendQueueBytes / PART_OF_ONE_PEER))
    if (!fits) return false
    this.#peers.set(key, peer)
    peer.waiting.push(data)
    this.#change(peer, 1, data.length)
    this.#timer ??= setTimeout(this.#retry, this.#delayMs)
    return true
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#count > 0) this.#hooks.dropped(this.#count)
    this.#peers.clear()
    this.#count = this.#bytes = 0
  }

  readonly #retry = (): void => {
    this.#timer = undefined
    let progress = false
    for (const [key, peer] of this.#peers) {
      if (this.#sendTo(peer)) progress = true
      else if (performance.now() - peer.sinceMs > GIVE_UP_MS) {
        this.#hooks.dropped(peer.waiting.length)
        this.#change(peer, -peer.waiting.length, -peer.bytes)
        peer.waiting.length = 0
      }
      if (peer.waiting.length === 0) this.#peers.delete(key)
    }
    this.#delayMs = progress ? FIRST_RETRY_MS : Math.min(this.#delayMs * 2, LAST_RETRY_MS)
    if (this.#count > 0) this.#timer = setTimeout(this.#retry, this.#delayMs)
    else {
      this.#delayMs = FIRST_RETRY_MS
      this.#hooks.emptied()
    }
  }

  #sendTo(peer: StalledPeer): boolean {
    let taken = 0
    let bytes = 0
    for (const data of peer.waiting) {
      if (!this.#hooks.tryNow(data, peer.to)) break
      taken += 1
      bytes += data.length
    }
    if (taken === 0) return false
    peer.waiting.splice(0, taken)
    peer.sinceMs = performance.now()
    this.#change(peer, -taken, -bytes)
    return true
  }

  #change(peer: StalledPeer, count: number, bytes: number): void {
    this.#count += count
    this.#bytes += bytes
    peer.bytes += bytes
  }
}
