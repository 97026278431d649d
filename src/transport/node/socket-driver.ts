import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { EMPTY_BYTES } from '../../base/bytes.js'
import type { Clock } from '../../base/clock.js'
import { DONE } from '../../base/deferred.js'
import type { Address } from '../address.js'
import { copyBytes } from '../fresh-bytes.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from '../stream-driver.js'
import type { TlsInfo } from '../tls-options.js'
import { systemClock } from '../system-clock.js'
import { fromSystemError, systemError } from './errno.js'
import { plainAgain, type OnRead } from './fast-receive.js'
import { queuedBytes, writeDirect, writesDirectly, type WriteTold } from './fast-write.js'
import { secureSocket, tlsInfoOf } from './start-tls.js'

const FAST_BUFFER_BYTES = 256 * 1024
/** Where a socket has its driver: listeners are shared by all sockets and find it by `this`. */
const DRIVER: unique symbol = Symbol('moorage.driver')

interface DrivenSocket extends Socket {
  [DRIVER]?: SocketDriver
}

/** One receive buffer for all sockets of this thread: a read is handled before the next one is made. */
export const FAST_READ: OnRead = {
  buffer: Buffer.allocUnsafeSlow(FAST_BUFFER_BYTES),
  callback(this: DrivenSocket, count, buffer) {
    this[DRIVER]?.heard(buffer.subarray(0, count), true)
    return true
  },
}

function onData(this: DrivenSocket, chunk: Buffer): void {
  this[DRIVER]?.heard(chunk, false)
}

function onEnd(this: DrivenSocket): void {
  this[DRIVER]?.heardEnd()
}

function onDrain(this: DrivenSocket): void {
  this[DRIVER]?.drained()
}

function onError(this: DrivenSocket, error: Error): void {
  this[DRIVER]?.failed(error)
}

function onClose(this: DrivenSocket): void {
  this[DRIVER]?.closed()
}

/**
 * Drives a `net.Socket` or `TLSSocket`. A socket that was made with `FAST_READ` is
 * `fast`: reads arrive in the shared buffer without stream machinery; else by `'data'` events.
 */
export class SocketDriver implements StreamDriver, WriteTold {
  readonly clock: Clock = systemClock
  #socket: DrivenSocket | undefined
  #remote: Address | (() => Address)
  #local: Address | undefined
  #handshaking: Socket | undefined
  #tlsInfo: TlsInfo | undefined
  #events: StreamDriverEvents | undefined
  #error: Error | undefined
  #unsent = -1
  /** One function for all writes: Node then calls it once for many that went together. */
  #written: ((error?: Error | null) => void) | undefined
  #shrunk: (() => void) | undefined
  /** Writes go past the stream machinery; not where it is asked to tell of each. */
  #isDirect = false
  /** Bytes of such a write that the system did not take at once, while some of them wait. */
  #queued = 0
  /** Bytes of the ordinary write that is queued behind it. */
  #behind = 0
  #owesDrain = false

  /** `remote` may be a function when it is known only once the socket is connected. */
  constructor(remote: Address | (() => Address), local: Address | undefined) {
    this.#remote = remote
    this.#local = local
  }

  drive(socket: DrivenSocket, fast: boolean): this {
    this.#socket = socket
    socket[DRIVER] = this
    this.#isDirect = fast && writesDirectly()
    if (!fast) socket.on('data', onData)
    if (!fast) socket.pause()
    socket.on('end', onEnd)
    socket.on('drain', onDrain)
    socket.on('error', onError)
    socket.on('close', onClose)
    return this
  }

  driveTls(socket: TLSSocket, options: TlsStart): this {
    // At once: a socket that is closed no longer tells.
    if (!('beneath' in options)) this.#tlsInfo = tlsInfoOf(socket)
    return this.drive(socket, false)
  }

  get socket(): Socket | undefined {
    return this.#socket
  }

  /** Asks the system for both addresses now: a socket that is gone no longer tells. */
  knowAddresses(): this {
    this.#local = this.local
    this.#remote = this.remote
    return this
  }

  get local(): Address {
    const { localAddress: host, localPort: port } = this.#socket ?? {}
    this.#local ??= host === undefined || port === undefined ? { kind: 'unix', path: '' } : { kind: 'ip', host, port }
    return this.#local
  }

  get remote(): Address {
    if (typeof this.#remote === 'function') this.#remote = this.#remote()
    return this.#remote
  }

  get tls(): TlsInfo | undefined {
    return this.#tlsInfo
  }

  ref(): void {
    this.#socket?.ref()
  }

  unref(): void {
    this.#socket?.unref()
  }

  get bufferedBytes(): number {
    if (this.#unsent >= 0 || this.#socket === undefined) return Math.max(this.#unsent, 0)
    const { writableLength } = this.#socket
    if (this.#queued === 0) return writableLength
    // Of a handle that is gone nothing more was taken.
    const queued = queuedBytes(this.#socket)
    if (queued !== undefined) this.#queued = Math.max(queued - this.#behind, 1)
    return writableLength + this.#queued
  }

  attach(events: StreamDriverEvents): void {
    this.#events = events
  }

  resume(): void {
    this.#socket?.resume()
  }

  pause(): void {
    this.#socket?.pause()
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (socket === undefined) return true
    const below = this.#writeDirect(socket, bytes)
    if (below !== undefined) return below
    if (this.#queued > 0 || this.#owesDrain) return this.#writeBehind(socket, bytes)
    return socket.write(bytes, this.#written) || socket.writableLength === 0
  }

  writeLatin1(text: string): boolean {
    const socket = this.#socket
    if (socket === undefined) return true
    return this.#writeDirect(socket, text) ?? this.write(Buffer.from(text, 'latin1'))
  }

  /** Past the stream machinery; `undefined` where that is not possible now. */
  #writeDirect(socket: Socket, data: Uint8Array | string): boolean | undefined {
    if (!this.#isDirect || this.#queued > 0) return undefined
    const result = writeDirect(socket, data, this)
    if (result === 0) return true
    if (result === undefined) return undefined
    if (result < 0) {
      socket.destroy(systemError('write', result))
      return true
    }
    this.#queued = result
    this.#owesDrain = result >= socket.writableHighWaterMark
    return !this.#owesDrain
  }

  /** The socket does not count what is queued before it. */
  #writeBehind(socket: Socket, bytes: Uint8Array): boolean {
    this.#written ??= () => this.#settle()
    if (socket.writableLength === 0) this.#behind = bytes.length
    if (!socket.write(bytes, this.#written)) return this.bufferedBytes === 0
    this.#owesDrain ||= this.bufferedBytes >= socket.writableHighWaterMark
    return !this.#owesDrain
  }

  directWritten(status: number): void {
    const socket = this.#socket
    if (status < 0) {
      this.#noteUnsent()
      socket?.destroy(systemError('write', status))
      return
    }
    this.#queued = 0
    this.#behind = 0
    if (socket === undefined || socket.destroyed) return
    this.#shrunk?.()
    this.#settle()
  }

  /** The drain that was promised for what the socket does not count. */
  #settle(): void {
    if (this.#owesDrain && this.bufferedBytes === 0) this.drained()
  }

  writePair(borrowed: Uint8Array, second: Uint8Array): boolean {
    const socket = this.#socket
    if (socket === undefined) return true
    const first = copyBytes(borrowed)
    if (this.#queued > 0 || this.#owesDrain) {
      this.write(first)
      return this.write(second)
    }
    socket.cork()
    socket.write(first, this.#written)
    const isBelow = socket.write(second, this.#written)
    socket.uncork()
    return isBelow || socket.writableLength === 0
  }

  watchBuffer(shrunk: () => void): void {
    this.#isDirect = false
    this.#shrunk = shrunk
    this.#written = (error) => {
      // What was dropped has not been sent.
      if (error === undefined || error === null) shrunk()
      this.#settle()
    }
  }

  endWriting(done: () => void): void {
    if (this.#socket === undefined) done()
    else this.#socket.end(done)
  }

  destroy(): void {
    this.#noteUnsent()
    this.#socket?.destroy()
    this.#handshaking?.destroy()
  }

  watchIdle(milliseconds: number, expired: () => void): void {
    this.#isDirect = false
    this.#socket?.setTimeout(milliseconds === Infinity ? 0 : milliseconds, expired)
  }

  /** Gives up the socket, with unread bytes put back, for whoever drives it from now on. */
  detach(unread: Uint8Array): Socket {
    const socket = this.#socket
    if (socket === undefined) throw new Error('Cannot detach: there is no socket')
    this.#socket = undefined
    const plain = socket instanceof TLSSocket ? this.#unheard(socket) : plainAgain(socket)
    delete socket[DRIVER]
    if (unread.length > 0) plain.unshift(unread)
    return plain
  }

  /** What lies below TLS in TLS stays the socket that it is: whoever is on it hears of its errors too. */
  #unheard(socket: TLSSocket): TLSSocket {
    socket.off('data', onData).off('end', onEnd).off('drain', onDrain).off('error', onError).off('close', onClose)
    return socket.on('error', () => undefined).pause()
  }

  flush(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || this.bufferedBytes === 0) return DONE
    // Behind all others.
    return new Promise((resolve) => void socket.write(EMPTY_BYTES, () => resolve()))
  }

  async startTls(options: TlsStart, unread: Uint8Array): Promise<StreamDriver> {
    // Asked now: the addresses are those of the socket that is about to be given up.
    const { remote, local } = this
    const plain = this.detach(unread)
    // Until the handshake is done this driver answers for the socket: destroying it ends the handshake.
    this.#handshaking = plain
    try {
      return new SocketDriver(remote, local).driveTls(await secureSocket(plain, options), options)
    } catch (error) {
      this.#error = error instanceof Error ? error : undefined
      this.closed()
      throw error
    }
  }

  #noteUnsent(): void {
    if (this.#unsent < 0) this.#unsent = this.bufferedBytes
  }

  heard(bytes: Uint8Array, borrowed: boolean): void {
    this.#events?.driverData(bytes, borrowed)
  }

  heardEnd(): void {
    // An alert of TLS is an error and an end as well: that it was refused is what the close tells.
    if (this.#error === undefined) this.#events?.driverEnd()
  }

  drained(): void {
    this.#owesDrain = false
    this.#events?.driverDrain()
  }

  failed(error: Error): void {
    this.#error = error
    this.#noteUnsent()
    // Nothing comes behind an error; a TLS socket that was sent an alert stays open nevertheless.
    this.#socket?.destroy()
  }

  closed(): void {
    this.#noteUnsent()
    const error = this.#error
    this.#events?.driverClose(error === undefined ? undefined : fromSystemError('use the connection', error))
    this.#events = undefined
  }
}
