import { once } from 'node:events'
import { connect as netConnect, createServer, Socket, type Server, type SocketConstructorOpts } from 'node:net'
import { markHandled } from '../../base/deferred.js'
import { forgetDirectWrites, learnDirectWrites, writeDirect } from './fast-write.js'

/** The handle of the system below a socket or server. None of it is documented; the probe below checks what is used. */
export interface SocketHandle {
  reading?: boolean
  readStop?(): number
  close(): void
  setNoDelay?(on: boolean): number
  getpeername?(into: { address?: string; port?: number }): number
  getsockname?(into: { address?: string; port?: number }): number
  onconnection?: (this: unknown, status: number, client: SocketHandle | undefined) => void
}

/** What `net` calls for each read when a socket was made with `onread`; `this` is the socket. */
export interface OnRead {
  readonly buffer: Buffer
  readonly callback: (this: Socket, count: number, buffer: Uint8Array) => boolean
}

interface Internals {
  _handle: SocketHandle | null
  _server: Server | null
  server: Server | null
}

interface InternalOptions extends SocketConstructorOpts {
  readonly handle: SocketHandle
  readonly manualStart: boolean
  readonly highWaterMark: number
  readonly onread?: OnRead
}

const internalsOf = (owner: Socket | Server): Internals => owner as unknown as Internals

/** A socket on a native handle, unread; with `onread` its reads arrive in a shared buffer. */
export function socketOn(handle: SocketHandle, highWaterMark: number, onread: OnRead | undefined): Socket {
  const options: InternalOptions = {
    handle,
    allowHalfOpen: true,
    manualStart: true,
    highWaterMark,
    ...(onread === undefined ? {} : { onread }),
  }
  return new Socket(options)
}

/**
 * Takes the handles that a listening server accepts, before `net` makes sockets of them: each gets the one socket that
 * suits it. The server counts none of them; closing it concerns its address alone.
 */
export function takeHandles(
  server: Server,
  accepted: (handle: SocketHandle) => void,
  failed: (status: number) => void,
): boolean {
  const handle = internalsOf(server)._handle
  if (handle === null || typeof handle.onconnection !== 'function') return false
  handle.onconnection = (status, client) => {
    if (client === undefined) failed(status)
    else accepted(client)
  }
  return true
}

/**
 * Makes a new socket on the handle of an accepted one, and leaves the old one inert. The new one takes over the
 * listener's bookkeeping: without it `server.close` never calls back and the count of connections never falls.
 */
function remake(old: Socket, highWaterMark: number, onread: OnRead | undefined): Socket {
  const from = internalsOf(old)
  const handle = from._handle
  if (handle === null || typeof handle !== 'object') return old
  from._handle = null
  stopReading(handle)
  const socket = socketOn(handle, highWaterMark, onread)
  const to = internalsOf(socket)
  to.server = from.server
  to._server = from._server
  from.server = null
  from._server = null
  return socket
}

/** The handle of a socket that was never read and that no server counts; the socket is left inert. */
export function takeHandle(socket: Socket): SocketHandle | undefined {
  const internals = internalsOf(socket)
  const { _handle: handle, server } = internals
  if (handle === null || typeof handle !== 'object' || (server !== null && server !== undefined)) return undefined
  if (socket.readableLength > 0 || socket.writableLength > 0 || socket.connecting) return undefined
  internals._handle = null
  stopReading(handle)
  return handle
}

function stopReading(handle: SocketHandle): void {
  if (handle.reading !== true) return
  handle.reading = false
  handle.readStop?.()
}

/** A socket that came whole (from another thread), re-made so that its reads arrive in the shared buffer. */
export function fastSocket(socket: Socket, highWaterMark: number, onread: OnRead): Socket {
  return remake(socket, highWaterMark, onread)
}

/** The socket as an ordinary stream again, paused, for code that expects one: TLS, `node:http2`. */
export function plainAgain(socket: Socket): Socket {
  socket.removeAllListeners('data')
  socket.removeAllListeners('end')
  socket.pause()
  return remake(socket, socket.writableHighWaterMark, undefined)
}

/** Which kind of handle: the two are probed apart. */
export type SocketKind = 'tcp' | 'unix'

const probes = new Map<SocketKind, Promise<boolean>>()

/** `MOORAGE_FAST_RECEIVE=off` in the environment chooses the fallback, for tests and for comparing. */
export function fastReceiveWorks(kind: SocketKind): Promise<boolean> {
  if (process.env['MOORAGE_FAST_RECEIVE'] === 'off') return Promise.resolve(false)
  let probe = probes.get(kind)
  if (probe === undefined) {
    probe = probeFastReceive(kind)
    probes.set(kind, probe)
  }
  return probe
}

const PROBE_TIMEOUT_MS = 2000

/** Accept, echo, half-close, re-making and close, on a real pair of sockets. False on any difference. */
async function probeFastReceive(kind: SocketKind): Promise<boolean> {
  if (kind === 'unix' && process.platform !== 'linux') return false
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS)
  try {
    server.listen(
      kind === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: `\0moorage-probe-${process.pid}-${Math.random()}` },
    )
    await once(server, 'listening', { signal: timeout })
    const accepted = new Promise<Socket | undefined>((resolve) => {
      const took = takeHandles(
        server,
        (handle) => resolve(echoOnce(handle)),
        () => resolve(undefined),
      )
      if (!took) resolve(undefined)
    })
    const address = server.address()
    if (address === null) return false
    const client = netConnect(
      typeof address === 'string' ? { path: address } : { port: address.port, host: address.address },
    )
    client.on('error', () => undefined)
    client.setEncoding('latin1')
    let answer = ''
    client.on('data', (text: string) => (answer += text))
    client.end('probe')
    const socket = await accepted
    if (socket === undefined) return false
    await Promise.all([once(client, 'close', { signal: timeout }), once(socket, 'close', { signal: timeout })])
    const closed = markHandled(once(server, 'close', { signal: timeout }))
    server.close()
    await closed
    return answer === 'probe'
  } catch {
    // A runtime on which this fails is one on which the fallback is used; there is nothing to report.
    return false
  } finally {
    server.close()
  }
}

/** Echoes through a fast socket that was re-made twice, as a connection is that becomes a TLS one. */
function echoOnce(handle: SocketHandle): Socket {
  const buffer = Buffer.allocUnsafeSlow(16)
  const onread: OnRead = {
    buffer,
    callback(count) {
      const bytes = Buffer.from(buffer.subarray(0, count))
      learnDirectWrites(this, () => this.write(bytes.subarray(0, 1)))
      const told = { directWritten: (): void => undefined }
      for (const data of [bytes.subarray(1, 2), bytes.toString('latin1', 2)]) {
        if (writeDirect(this, data, told) === 0) continue
        forgetDirectWrites()
        this.write(data)
      }
      return true
    },
  }
  const socket = fastSocket(plainAgain(socketOn(handle, 65_536, onread)), 65_536, onread)
  socket.on('error', () => undefined)
  socket.on('end', () => socket.end())
  socket.resume()
  return socket
}
