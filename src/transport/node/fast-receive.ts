import { once } from 'node:events'
import { connect as netConnect, createServer, Socket, type Server, type SocketConstructorOpts } from 'node:net'
import { markHandled } from '../../base/deferred.js'
import type { OnRead } from './socket-driver.js'

/** The handle of the system below a socket. */
export interface SocketHandle {
  reading?: boolean
  readStop?(): number
  close?(): void
}

/** The parts of a `net.Socket` that Node does not document and that the probe below checks before they are used. */
interface SocketInternals {
  _handle: SocketHandle | null
  _server: Server | null
  server: Server | null
}

interface InternalOptions extends SocketConstructorOpts {
  readonly handle: object
  readonly manualStart: boolean
  readonly highWaterMark: number
  readonly noDelay?: boolean
  readonly onread?: OnRead
}

/**
 * Makes a new socket on the handle of an accepted one, and leaves the old one inert. The new one takes over the
 * listener's bookkeeping: without it `server.close` never calls back and the count of connections never falls.
 */
function remake(old: Socket, highWaterMark: number, onread: OnRead | undefined): Socket | undefined {
  const from = old as unknown as SocketInternals
  const handle = from._handle
  if (handle === null || typeof handle !== 'object') return undefined
  from._handle = null
  if (handle.reading === true) {
    handle.reading = false
    handle.readStop?.()
  }
  const options: InternalOptions = {
    handle,
    allowHalfOpen: true,
    manualStart: true,
    highWaterMark,
    ...(onread === undefined ? {} : { onread }),
  }
  const socket = new Socket(options)
  const to = socket as unknown as SocketInternals
  to.server = from.server
  to._server = from._server
  from.server = null
  from._server = null
  return socket
}

/** The accepted socket, re-made so that reads arrive in a shared buffer. Call it before anything is read. */
export function fastSocket(accepted: Socket, highWaterMark: number, onread: OnRead): Socket {
  return remake(accepted, highWaterMark, onread) ?? accepted
}

/** The socket as an ordinary stream again, paused, for code that expects one: TLS, `node:http2`. */
export function plainAgain(socket: Socket): Socket {
  socket.removeAllListeners('data')
  socket.removeAllListeners('end')
  socket.pause()
  return remake(socket, socket.writableHighWaterMark, undefined) ?? socket
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

const PROBE_TIMEOUT_MS = 1000

/** Echo, half-close, close and the listener's count, on a real pair of sockets. False on any difference. */
async function probeFastReceive(kind: SocketKind): Promise<boolean> {
  if (kind === 'unix' && process.platform !== 'linux') return false
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS)
  try {
    const heard: Buffer[] = []
    const accepted = new Promise<Socket>((resolve) => {
      server.once('connection', (raw) => {
        const buffer = Buffer.allocUnsafeSlow(16)
        const socket = fastSocket(raw, 65_536, {
          buffer,
          callback: (count) => {
            heard.push(Buffer.from(buffer.subarray(0, count)))
            socket.write(Buffer.from(buffer.subarray(0, count)))
            return true
          },
        })
        socket.on('error', () => undefined)
        socket.on('end', () => socket.end())
        socket.resume()
        resolve(socket)
      })
    })
    server.listen(
      kind === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: `\0moorage-probe-${process.pid}-${Math.random()}` },
    )
    await once(server, 'listening', { signal: timeout })
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
    await Promise.all([once(client, 'close', { signal: timeout }), once(socket, 'close', { signal: timeout })])
    const closed = once(server, 'close', { signal: timeout })
    void markHandled(closed)
    server.close()
    await closed
    return answer === 'probe' && Buffer.concat(heard).toString() === 'probe'
  } catch (error) {
    // A runtime on which this fails is one on which the fallback is used; there is nothing to report.
    void error
    return false
  } finally {
    server.close()
  }
}
