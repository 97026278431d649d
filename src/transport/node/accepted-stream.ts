import type { Socket } from 'node:net'
import { UsageError } from '../../base/errors.js'
import type { Address } from '../address.js'
import type { ConnectionSettings } from '../connection-options.js'
import type { RawStream } from '../raw-listener.js'
import { StreamConnection } from '../stream-connection.js'
import { fastSocket, socketOn, takeHandle, type SocketHandle } from './fast-receive.js'
import { handleOf } from './handles.js'
import { NativeDriver } from './native-driver.js'
import {
  nativeStreams,
  sourceOfHandle,
  sourceOfStream,
  type NativeSource,
  type NativeStreams,
} from './native-streams.js'
import { FAST_READ, SocketDriver } from './socket-driver.js'

/** An IPv4 peer of a dual-stack listener is an IPv4 peer (RFC 4291 §2.5.5.2). */
const unmapped = (host: string): string => (/^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(host) ? host.slice(7) : host)

const UNNAMED: Address = Object.freeze({ kind: 'unix', path: '' })

export function remoteOf(socket: Socket | undefined): Address {
  const { remoteAddress: host, remotePort: port } = socket ?? {}
  return host === undefined || port === undefined ? UNNAMED : { kind: 'ip', host: unmapped(host), port }
}

function peerOf(handle: SocketHandle): Address {
  const name: { address?: string; port?: number } = {}
  handle.getpeername?.(name)
  const { address: host, port } = name
  return host === undefined || port === undefined ? UNNAMED : { kind: 'ip', host: unmapped(host), port }
}

/** The last local address that was told: nearly all connections of a process have the same, and share it. */
let lastLocal: Address & { readonly kind: 'ip' } = { kind: 'ip', host: '', port: 0 }

/** Asked for when a connection is opened: a socket that is gone no longer tells. */
export function localNameOf(host: string | undefined, port: number | undefined): Address {
  if (host === undefined || port === undefined) return UNNAMED
  if (lastLocal.host !== host || lastLocal.port !== port) lastLocal = { kind: 'ip', host, port }
  return lastLocal
}

function localOf(handle: SocketHandle): Address {
  const name: { address?: string; port?: number } = {}
  handle.getsockname?.(name)
  return localNameOf(name.address, name.port)
}

/** A stream over an accepted handle that nobody has made a socket of yet. */
export class AcceptedHandle implements RawStream {
  readonly remote: Address
  readonly local: undefined
  readonly #highWaterBytes: number
  readonly #streams: NativeStreams | undefined
  #handle: SocketHandle | undefined
  #socket: Socket | undefined

  /** `streams` are what the connection is driven by where its handle tells a descriptor. */
  constructor(handle: SocketHandle, noDelay: boolean, highWaterBytes: number, streams: NativeStreams | undefined) {
    this.#handle = handle
    this.#highWaterBytes = highWaterBytes
    this.#streams = streams
    this.remote = peerOf(handle)
    if (noDelay) handle.setNoDelay?.(true)
  }

  /** An ordinary socket is made when one is asked for: to move it to a thread. */
  get socket(): Socket | undefined {
    if (this.#handle !== undefined) {
      this.#socket = socketOn(this.#handle, this.#highWaterBytes, undefined)
      this.#socket.on('error', ignoreEarlyError)
      this.#handle = undefined
    }
    return this.#socket
  }

  get handle(): object | undefined {
    return this.#handle ?? (this.#socket === undefined ? undefined : handleOf(this.#socket))
  }

  open(settings: ConnectionSettings): StreamConnection {
    const handle = this.#handle
    if (handle === undefined) return openSocket(this.#take(), true, this.remote, settings)
    this.#handle = undefined
    return openHandle(handle, this.#streams, { local: localOf(handle), remote: this.remote }, settings)
  }

  #take(): Socket | undefined {
    const socket = this.#socket
    this.#socket = undefined
    return socket
  }

  destroy(): void {
    this.#handle?.close()
    this.#handle = undefined
    this.#take()?.destroy()
  }
}

/**
 * A stream that another thread of this process accepted: `streams` are this thread's. The descriptor is copied, so that
 * the other thread closes its own as soon as it hears of this.
 */
export class AcceptedDescriptor implements RawStream {
  readonly remote: Address
  readonly local: Address
  readonly socket: undefined
  readonly handle: undefined
  readonly #streams: NativeStreams
  /** Until it is opened or destroyed: afterwards its id in the set is its connection's, or another stream's. */
  #source: NativeSource | undefined

  constructor(streams: NativeStreams, descriptor: number, remote: Address) {
    const name = streams.addon.localName(descriptor)
    this.local = typeof name === 'string' ? UNNAMED : localNameOf(...name)
    this.remote = remote
    this.#streams = streams
    this.#source = sourceOfStream(streams, streams.add(descriptor))
  }

  open(settings: ConnectionSettings): StreamConnection {
    const source = this.#source
    if (source === undefined) throw openedBefore()
    this.#source = undefined
    return new StreamConnection(new NativeDriver(this.#streams, source, this, settings.writeHighWaterBytes), settings)
  }

  destroy(): void {
    this.#source?.close()
    this.#source = undefined
  }
}

const openedBefore = (): UsageError =>
  new UsageError('ERR_STATE', 'Cannot open the stream: it was opened or destroyed before')

/** An error before anybody has taken the socket is one of a peer that left: its end will tell. */
const ignoreEarlyError = (): void => undefined

/** A stream over an accepted socket that was never read. */
export class AcceptedSocket implements RawStream {
  readonly remote: Address
  readonly local: undefined
  readonly #fast: boolean
  #socket: Socket | undefined

  constructor(socket: Socket, fast: boolean, remote: Address = remoteOf(socket)) {
    this.#socket = socket
    this.#fast = fast
    this.remote = remote
    socket.on('error', ignoreEarlyError)
  }

  get socket(): Socket | undefined {
    return this.#socket
  }

  get handle(): object | undefined {
    return this.#socket === undefined ? undefined : handleOf(this.#socket)
  }

  open(settings: ConnectionSettings): StreamConnection {
    // What holds this stream as long as the connection lives shall not hold a socket that was re-made.
    const socket = this.#socket
    this.#socket = undefined
    return openSocket(socket, this.#fast, this.remote, settings)
  }

  destroy(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}

function openSocket(
  socket: Socket | undefined,
  fast: boolean,
  remote: Address,
  settings: ConnectionSettings,
): StreamConnection {
  if (socket === undefined) throw openedBefore()
  socket.off('error', ignoreEarlyError)
  const names = { local: localNameOf(socket.localAddress, socket.localPort), remote }
  const opened = openNatively(socket, fast, names, settings)
  if (opened !== undefined) return opened
  const driver = new SocketDriver(names.remote, names.local)
  driver.drive(fast ? fastSocket(socket, settings.writeHighWaterBytes, FAST_READ) : socket, fast)
  return new StreamConnection(driver, settings)
}

/** A connection on a connected socket that was never read, driven by the addon; `undefined` where that is not possible. */
export function openNatively(
  socket: Socket,
  fast: boolean,
  names: Names,
  settings: ConnectionSettings,
): StreamConnection | undefined {
  const streams = fast ? nativeStreams() : undefined
  const handle = streams === undefined ? undefined : takeHandle(socket)
  return handle === undefined ? undefined : openHandle(handle, streams, names, settings)
}

interface Names {
  readonly local: Address
  readonly remote: Address
}

/** A connection on a handle that nobody has made a socket of, which receives in a shared buffer in one way or the other. */
function openHandle(
  handle: SocketHandle,
  streams: NativeStreams | undefined,
  names: Names,
  settings: ConnectionSettings,
): StreamConnection {
  const source = streams === undefined ? undefined : sourceOfHandle(streams, handle)
  if (streams !== undefined && source !== undefined)
    return new StreamConnection(new NativeDriver(streams, source, names, settings.writeHighWaterBytes), settings)
  const driver = new SocketDriver(names.remote, names.local)
  driver.drive(socketOn(handle, settings.writeHighWaterBytes, FAST_READ), true)
  return new StreamConnection(driver, settings)
}
