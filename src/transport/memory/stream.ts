import { ByteQueue } from '../../base/byte-queue.js'
import type { Clock } from '../../base/clock.js'
import { BrokenError } from '../../base/errors.js'
import type { Address } from '../address.js'
import type { StreamDriver, StreamDriverEvents } from '../stream-driver.js'
import type { NetworkSettings } from './network-options.js'
import type { Random } from './random.js'

export interface MemoryLink {
  readonly clock: Clock
  readonly random: Random
  readonly settings: NetworkSettings
  /** Bytes queued for the peer above which `write` asks to wait. */
  readonly highWaterBytes: number
}

/** What a borrowed slice holds once its call is over: whoever kept it reads nonsense, and a test sees it. */
const POISON = 0xdb

/** One end of a stream in memory. What it is given as borrowed is overwritten after each call, as a real buffer would be. */
export class MemoryStream implements StreamDriver {
  readonly local: Address
  readonly remote: Address
  readonly tls: undefined
  readonly clock: Clock
  readonly #link: MemoryLink
  #peer: MemoryStream | undefined
  #events: StreamDriverEvents | undefined
  /** Written here, not yet taken by the network. */
  readonly #out = new ByteQueue()
  /** Arrived here, not yet read. */
  readonly #in = new ByteQueue()
  #flowing = false
  #delivering = false
  #scheduled = false
  #stalledUntil = 0
  #pressed = false
  #shrunk: () => void = () => undefined
  #onEnded: (() => void) | undefined
  #wroteEnd = false
  #heardEnd = false
  #toldEnd = false
  #closed = false
  #cancelIdle: () => void = () => undefined
  #idle: (() => void) | undefined

  constructor(local: Address, remote: Address, link: MemoryLink) {
    this.local = local
    this.remote = remote
    this.clock = link.clock
    this.#link = link
  }

  static pair(client: Address, server: Address, link: MemoryLink): [client: MemoryStream, server: MemoryStream] {
    const one = new MemoryStream(client, server, link)
    const other = new MemoryStream(server, client, link)
    one.#peer = other
    other.#peer = one
    return [one, other]
  }

  get bufferedBytes(): number {
    return this.#out.bytes
  }

  attach(events: StreamDriverEvents): void {
    this.#events = events
  }

  resume(): void {
    this.#flowing = true
    this.#soonDeliver()
  }

  pause(): void {
    this.#flowing = false
  }

  write(bytes: Uint8Array): boolean {
    this.#out.push(bytes)
    this.#idle?.()
    this.#schedule()
    if (this.#out.bytes < this.#link.highWaterBytes) return true
    this.#pressed = true
    return false
  }

  watchBuffer(shrunk: () => void): void {
    this.#shrunk = shrunk
  }

  endWriting(done: () => void): void {
    this.#onEnded = done
    this.#schedule()
  }

  destroy(): void {
    if (this.#closed) return
    const peer = this.#peer
    // As TCP does: what was not read when an end goes away is answered by a reset, else the peer sees the end.
    const unread = this.#in.bytes > 0
    this.#closeWith(undefined)
    if (unread) peer?.reset()
    else peer?.hearEnd()
  }

  /** The peer, or a script, breaks the connection. What had arrived is read before the error, as on Linux; the rest is lost. */
  reset(): void {
    if (this.#closed) return
    this.#deliver()
    this.#in.clear()
    this.#closeWith(new BrokenError('ERR_PEER_RESET', 'Cannot use the connection: the peer reset it'))
  }

  hearEnd(): void {
    this.#heardEnd = true
    this.#soonDeliver()
  }

  watchIdle(milliseconds: number, expired: () => void): void {
    this.#cancelIdle()
    this.#idle = undefined
    if (milliseconds === Infinity) return
    this.#idle = () => {
      this.#cancelIdle()
      this.#cancelIdle = this.clock.after(milliseconds, expired)
    }
    this.#idle()
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    const { latencyMs, jitterMs, stallRate, stallMs } = this.#link.settings
    const { random, clock } = this.#link
    let delay = latencyMs + (jitterMs === 0 ? 0 : random() * jitterMs)
    if (stallRate > 0 && random() < stallRate) delay += stallMs
    // Bytes never overtake each other: a later chunk waits for an earlier one that was delayed longer.
    const at = Math.max(clock.now() + delay, this.#stalledUntil)
    this.#stalledUntil = at
    const run = (): void => {
      this.#scheduled = false
      this.#transmit()
    }
    if (at <= clock.now()) clock.soon(run)
    else clock.after(at - clock.now(), run)
  }

  #transmit(): void {
    const peer = this.#peer
    if (peer === undefined || this.#closed) return
    const { bufferBytes, maxChunkBytes, resetRate } = this.#link.settings
    if (resetRate > 0 && this.#link.random() < resetRate) {
      this.reset()
      peer.reset()
      return
    }
    const bytesBefore = this.#out.bytes
    while (this.#out.bytes > 0 && peer.#in.bytes < bufferBytes && !peer.#closed) {
      const chunk = this.#out.shift(this.#chunkBytes(maxChunkBytes))
      if (chunk !== undefined) peer.#in.push(new Uint8Array(chunk))
    }
    // As TCP does: what is sent to an end that is gone is answered by a reset; else it would wait for ever.
    if (this.#out.bytes > 0 && peer.#closed) {
      this.reset()
      return
    }
    if (this.#out.bytes < bytesBefore) this.#shrunk()
    if (this.#out.bytes === 0) {
      if (this.#pressed) {
        this.#pressed = false
        this.#events?.driverDrain()
      }
      this.#finishWriting()
    }
    peer.#soonDeliver()
  }

  #chunkBytes(maxChunkBytes: number): number {
    if (maxChunkBytes === Infinity) return Infinity
    return 1 + Math.floor(this.#link.random() * maxChunkBytes)
  }

  #finishWriting(): void {
    const done = this.#onEnded
    if (done === undefined) return
    this.#onEnded = undefined
    this.#wroteEnd = true
    this.#peer?.hearEnd()
    done()
    this.#closeWhenDone()
  }

  #soonDeliver(): void {
    if (this.#delivering || this.#closed) return
    this.#delivering = true
    this.#link.clock.soon(() => {
      this.#delivering = false
      this.#deliver()
    })
  }

  #deliver(): void {
    while (this.#flowing && !this.#closed) {
      const chunk = this.#in.shift()
      if (chunk === undefined) break
      this.#idle?.()
      this.#events?.driverData(chunk, true)
      chunk.fill(POISON)
      const peer = this.#peer
      if (peer !== undefined) peer.#roomMade()
    }
    if (this.#flowing && this.#heardEnd && !this.#toldEnd && this.#in.bytes === 0 && !this.#closed) {
      this.#toldEnd = true
      this.#events?.driverEnd()
      this.#closeWhenDone()
    }
  }

  #roomMade(): void {
    if (this.#out.bytes > 0) this.#schedule()
  }

  #closeWhenDone(): void {
    if (this.#wroteEnd && this.#toldEnd) this.#closeWith(undefined)
  }

  #closeWith(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#flowing = false
    this.#cancelIdle()
    this.#idle = undefined
    const done = this.#onEnded
    this.#onEnded = undefined
    this.#link.clock.soon(() => {
      done?.()
      this.#events?.driverClose(error)
    })
  }
}
