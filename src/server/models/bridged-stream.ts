import { ByteQueue } from '../../base/byte-queue.js'
import type { Clock } from '../../base/clock.js'
import type { Address } from '../../transport/address.js'
import { asBuffer } from '../../transport/as-buffer.js'
import { secureDriver } from '../../transport/node/secure-driver.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from '../../transport/stream-driver.js'
import { systemClock } from '../../transport/system-clock.js'
import type { TlsInfo } from '../../transport/tls-options.js'
import { BRIDGE_WINDOW_BYTES } from './byte-bridge.js'
import { exactCopy } from './exact-copy.js'
import { fromPlainError, type BridgeMessage, type FromWorker } from './messages.js'

/** The worker's end of a bridged connection: a driver whose bytes come and go as messages. */
export class BridgedStream implements StreamDriver {
  readonly clock: Clock = systemClock
  readonly local: Address
  readonly remote: Address
  readonly tls: TlsInfo | undefined
  readonly #id: number
  readonly #send: (message: FromWorker) => void
  readonly #forget: () => void
  #events: StreamDriverEvents | undefined
  /** Written, and waiting for the window. */
  readonly #out = new ByteQueue()
  readonly #in = new ByteQueue()
  #underWay = 0
  #flowing = false
  #heardEnd = false
  #toldEnd = false
  #shrunk: () => void = () => undefined
  #onEnded: (() => void) | undefined
  #endSent = false
  #pressed = false
  #closed = false
  #idleMs = Infinity
  #onIdle: () => void = () => undefined
  #stopIdle: () => void = () => undefined

  constructor(opened: BridgeOpened, send: (message: FromWorker) => void, forget: () => void) {
    this.#id = opened.id
    this.local = opened.local
    this.remote = opened.remote
    this.tls = opened.tls
    this.#send = send
    this.#forget = forget
  }

  get bufferedBytes(): number {
    return this.#out.bytes + this.#underWay
  }

  attach(events: StreamDriverEvents): void {
    this.#events = events
  }

  receive(message: BridgeMessage | { readonly type: 'ended-writing' }): void {
    this.#touch()
    switch (message.type) {
      case 'bytes':
        this.#in.push(asBuffer(message.bytes))
        this.#deliver()
        return
      case 'credit':
        this.#underWay -= message.bytes
        this.#transmit()
        if (!this.#closed) this.#shrunk()
        return
      case 'end':
        this.#heardEnd = true
        this.#deliver()
        return
      case 'ended-writing':
        this.#finishEnding()
        return
      case 'gone':
        this.#close(message.error === undefined ? undefined : fromPlainError(message.error))
    }
  }

  resume(): void {
    this.#flowing = true
    // A resume comes from within a read: its reader must be in place before bytes arrive.
    if (this.#in.bytes > 0 || this.#heardEnd) queueMicrotask(() => this.#deliver())
  }

  pause(): void {
    this.#flowing = false
  }

  write(bytes: Uint8Array): boolean {
    this.#out.push(bytes)
    this.#transmit()
    if (this.bufferedBytes < BRIDGE_WINDOW_BYTES) return true
    this.#pressed = true
    return false
  }

  watchBuffer(shrunk: () => void): void {
    this.#shrunk = shrunk
  }

  endWriting(done: () => void): void {
    this.#onEnded = done
    this.#transmit()
  }

  destroy(): void {
    if (this.#closed) return
    this.#send({ type: 'gone', id: this.#id, error: undefined })
    this.#close(undefined)
  }

  watchIdle(milliseconds: number, expired: () => void): void {
    this.#idleMs = milliseconds
    this.#onIdle = expired
    this.#touch()
  }

  /** The records are made and read in this thread: the parent passes them on without looking. */
  startTls(options: TlsStart, unread: Uint8Array): Promise<StreamDriver> {
    this.watchIdle(Infinity, () => undefined)
    return secureDriver(this, this.#events, options, unread)
  }

  #touch(): void {
    this.#stopIdle()
    if (this.#idleMs !== Infinity) this.#stopIdle = this.clock.after(this.#idleMs, this.#onIdle)
  }

  #transmit(): void {
    if (this.#closed) return
    while (this.#underWay < BRIDGE_WINDOW_BYTES) {
      const bytes = this.#out.shift(BRIDGE_WINDOW_BYTES)
      if (bytes === undefined) break
      this.#underWay += bytes.length
      this.#send({ type: 'bytes', id: this.#id, bytes: exactCopy(bytes) })
    }
    if (this.bufferedBytes === 0 && this.#pressed) {
      this.#pressed = false
      this.#events?.driverDrain()
    }
    if (this.#onEnded !== undefined && !this.#endSent && this.#out.bytes === 0) {
      this.#endSent = true
      this.#send({ type: 'end', id: this.#id })
    }
  }

  #finishEnding(): void {
    const done = this.#onEnded
    this.#onEnded = undefined
    done?.()
    if (this.#toldEnd) this.destroy()
  }

  #deliver(): void {
    while (this.#flowing && !this.#closed) {
      const bytes = this.#in.shift()
      if (bytes === undefined) break
      this.#send({ type: 'credit', id: this.#id, bytes: bytes.length })
      this.#events?.driverData(bytes, false)
    }
    if (this.#flowing && this.#heardEnd && !this.#toldEnd && this.#in.bytes === 0 && !this.#closed) {
      this.#toldEnd = true
      this.#events?.driverEnd()
      if (this.#endSent && this.#onEnded === undefined) this.destroy()
    }
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopIdle()
    this.#forget()
    const done = this.#onEnded
    this.#onEnded = undefined
    queueMicrotask(() => {
      done?.()
      this.#events?.driverClose(error)
    })
  }
}

export interface BridgeOpened {
  readonly id: number
  readonly remote: Address
  readonly local: Address
  readonly tls: TlsInfo | undefined
}
