import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../base/clock.js'
import type { Address } from '../address.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from '../stream-driver.js'
import type { TlsInfo } from '../tls-options.js'
import { systemClock } from '../system-clock.js'
import { fromSystemError } from './errno.js'
import { plainAgain, type OnRead } from './fast-receive.js'
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
export class SocketDriver implements StreamDriver {
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

  /** `remote` may be a function when it is known only once the socket is connected. */
  constructor(remote: Address | (() => Address), local: Address | undefined) {
    this.#remote = remote
    this.#local = local
  }

  drive(socket: DrivenSocket, fast: boolean): this {
    this.#socket = socket
    socket[DRIVER] = this
    if (!fast) socket.on('data', onData)
    if (!fast) socket.pause()
    socket.on('end', onEnd)
    socket.on('drain', onDrain)
    socket.on('error', onError)
    socket.on('close', onClose)
    return this
  }

  driveTls(socket: TLSSocket): this {
    // At once: a socket that is closed no longer tells.
    this.#tlsInfo = tlsInfoOf(socket)
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

  get bufferedBytes(): number {
    return this.#unsent >= 0 ? this.#unsent : (this.#socket?.writableLength ?? 0)
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
    if (socket === undefined || socket.write(bytes, this.#written)) return true
    return socket.writableLength === 0
  }

  writePair(first: Uint8Array, second: Uint8Array): boolean {
    const socket = this.#socket
    if (socket === undefined) return true
    socket.cork()
    socket.write(first, this.#written)
    const isBelow = socket.write(second, this.#written)
    socket.uncork()
    return isBelow || socket.writableLength === 0
  }

  watchBuffer(shrunk: () => void): void {
    this.#written = (error) => {
      // What was dropped has not been sent.
      if (error === undefined || error === null) shrunk()
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
    this.#socket?.setTimeout(milliseconds === Infinity ? 0 : milliseconds, expired)
  }

  /** Gives up the socket, with unread bytes put back, for whoever drives it from now on. */
  detach(unread: Uint8Array): Socket {
    const socket = this.#socket
    if (socket === undefined) throw new Error('Cannot detach: there is no socket')
    this.#socket = undefined
    const plain = plainAgain(socket)
    delete socket[DRIVER]
    if (unread.length > 0) plain.unshift(unread)
    return plain
  }

  async startTls(options: TlsStart, unread: Uint8Array): Promise<StreamDriver> {
    // Asked now: the addresses are those of the socket that is about to be given up.
    const { remote, local } = this
    const plain = this.detach(unread)
    // Until the handshake is done this driver answers for the socket: destroying it ends the handshake.
    this.#handshaking = plain
    try {
      return new SocketDriver(remote, local).driveTls(await secureSocket(plain, options))
    } catch (error) {
      this.#error = error instanceof Error ? error : undefined
      this.closed()
      throw error
    }
  }

  #noteUnsent(): void {
    if (this.#unsent < 0) this.#unsent = this.#socket?.writableLength ?? 0
  }

  heard(bytes: Uint8Array, borrowed: boolean): void {
    this.#events?.driverData(bytes, borrowed)
  }

  heardEnd(): void {
    this.#events?.driverEnd()
  }

  drained(): void {
    this.#events?.driverDrain()
  }

  failed(error: Error): void {
    this.#error = error
    this.#noteUnsent()
  }

  closed(): void {
    this.#noteUnsent()
    const error = this.#error
    this.#events?.driverClose(error === undefined ? undefined : fromSystemError('use the connection', error))
    this.#events = undefined
  }
}
