import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../base/clock.js'
import type { Address } from '../address.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from '../stream-driver.js'
import type { TlsInfo } from '../tls-options.js'
import { systemClock } from '../system-clock.js'
import { fromSystemError } from './errno.js'
import { plainAgain } from './fast-receive.js'
import { secureSocket, tlsInfoOf } from './start-tls.js'

const FAST_BUFFER_BYTES = 256 * 1024
/** One receive buffer for all sockets of this thread: a read is handled before the next one is made. */
let sharedBuffer: Buffer | undefined

/** What `net` calls for each read when a socket was made with `onread`. */
export interface OnRead {
  readonly buffer: Buffer
  readonly callback: (count: number, buffer: Uint8Array) => boolean
}

export interface SocketEnds {
  readonly local: Address | undefined
  readonly remote: Address
}

/**
 * Drives a `net.Socket` or `TLSSocket`. With `onRead` given to the socket when it is made, reads arrive in the shared
 * buffer without stream machinery; else by `'data'` events.
 */
export class SocketDriver implements StreamDriver {
  readonly clock: Clock = systemClock
  #socket: Socket | undefined
  #remote: Address | (() => Address)
  #local: Address | undefined
  #handshaking: Socket | undefined
  #tls: TLSSocket | undefined
  #tlsInfo: TlsInfo | undefined
  #events: StreamDriverEvents | undefined
  #error: Error | undefined
  #unsent = -1

  /** `remote` may be a function when it is known only once the socket is connected. */
  constructor(remote: Address | (() => Address), local: Address | undefined) {
    this.#remote = remote
    this.#local = local
  }

  /** To be given to `net` as `onread` when the socket is made; then call `drive(socket, true)`. */
  onRead(): OnRead {
    sharedBuffer ??= Buffer.allocUnsafeSlow(FAST_BUFFER_BYTES)
    return {
      buffer: sharedBuffer,
      callback: (count, buffer) => {
        this.#events?.driverData(buffer.subarray(0, count), true)
        return true
      },
    }
  }

  drive(socket: Socket, fast: boolean): this {
    this.#socket = socket
    if (!fast) socket.on('data', (chunk: Buffer) => this.#events?.driverData(chunk, false))
    if (!fast) socket.pause()
    socket.on('end', () => this.#events?.driverEnd())
    socket.on('drain', () => this.#events?.driverDrain())
    socket.on('error', (error) => {
      this.#error = error
      this.#noteUnsent()
    })
    socket.on('close', () => this.#closed())
    return this
  }

  driveTls(socket: TLSSocket): this {
    this.#tls = socket
    return this.drive(socket, false)
  }

  get socket(): Socket | undefined {
    return this.#socket
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
    if (this.#tls !== undefined) this.#tlsInfo ??= tlsInfoOf(this.#tls)
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
    if (socket === undefined || socket.write(bytes)) return true
    return socket.writableLength === 0
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
      this.#closed()
      throw error
    }
  }

  #noteUnsent(): void {
    if (this.#unsent < 0) this.#unsent = this.#socket?.writableLength ?? 0
  }

  #closed(): void {
    this.#noteUnsent()
    const error = this.#error
    this.#events?.driverClose(error === undefined ? undefined : fromSystemError('use the connection', error))
    this.#events = undefined
  }
}
