import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect as netConnect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { errorCodeOf, NetError, UsageError } from '../../base/errors.js'
import type { Address } from '../address.js'
import { formatEndpoint, type Endpoint } from '../endpoint.js'
import type { RawListener, RawListenerEvents } from '../raw-listener.js'
import { fromSystemError } from './errno.js'
import { AcceptedHandle, AcceptedSocket } from './accepted-stream.js'
import { fastReceiveWorks, takeHandles } from './fast-receive.js'
import { nativeStreams } from './native-streams.js'
import { describePortHolder } from './port-holder.js'

export interface SocketListenSettings {
  readonly backlog: number
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  /** Mode bits of a Unix socket file, or `undefined` for what the umask leaves. */
  readonly mode: number | undefined
  readonly noDelay: boolean
  readonly fastReceive: boolean
  readonly highWaterBytes: number
}

/** Paths of Unix sockets hold 108 bytes with their final zero, on Linux (sys/un.h). */
const MAX_UNIX_PATH_BYTES = 107

/** Listens on `tcp`, `tls`, `unix`, `fd` endpoints (`http` ones too: what is spoken is not its concern). */
export async function listenOnSocket(
  endpoint: Endpoint,
  settings: SocketListenSettings,
  events: RawListenerEvents,
): Promise<RawListener> {
  const server = createServer(serverOptions(settings))
  const options = await listenOptions(endpoint, settings)
  try {
    await listening(server, options)
  } catch (error) {
    throw await cannotListen(endpoint, error)
  }
  if (endpoint.scheme === 'unix' && settings.mode !== undefined && !endpoint.path.startsWith('@')) {
    chmodSync(endpoint.path, settings.mode)
  }
  return startAccepting(server, endpoint, settings, events)
}

/** Accepts on a server that listens already: one that came from another thread or process. */
export async function acceptOnServer(
  server: Server,
  endpoint: Endpoint,
  settings: SocketListenSettings,
  events: RawListenerEvents,
): Promise<RawListener> {
  return startAccepting(server, endpoint, settings, events)
}

export function serverOptions({ noDelay, highWaterBytes }: SocketListenSettings): {
  allowHalfOpen: true
  pauseOnConnect: true
  noDelay: boolean
  highWaterMark: number
} {
  return { allowHalfOpen: true, pauseOnConnect: true, noDelay, highWaterMark: highWaterBytes }
}

async function startAccepting(
  server: Server,
  endpoint: Endpoint,
  settings: SocketListenSettings,
  events: RawListenerEvents,
): Promise<RawListener> {
  const { noDelay, highWaterBytes } = settings
  const offer = (socket: Socket, fast: boolean): void => events.accepted(new AcceptedSocket(socket, fast))
  const failed = (cause: unknown): void =>
    events.failed(fromSystemError(`accept on ${formatEndpoint(endpoint)}`, cause))
  server.on('error', failed)
  // Clients can connect from the moment the server listens: those that come during the probe are kept.
  const early: Socket[] = []
  const keep = (socket: Socket): void => void early.push(socket)
  server.on('connection', keep)
  const fast = settings.fastReceive && (await fastReceiveWorks(typeof server.address() === 'string' ? 'unix' : 'tcp'))
  server.off('connection', keep)
  const streams = fast ? nativeStreams() : undefined
  const takes =
    fast &&
    takeHandles(
      server,
      (handle) => events.accepted(new AcceptedHandle(handle, noDelay, highWaterBytes, streams)),
      (status) => failed(Object.assign(new Error(`accept failed with status ${status}`), { errno: status })),
    )
  if (!takes) server.on('connection', (socket) => offer(socket, false))
  for (const socket of early) offer(socket, fast)
  return new SocketListener(server, endpoint)
}

class SocketListener implements RawListener {
  readonly #server: Server
  readonly local: Address
  readonly endpoint: Endpoint

  constructor(server: Server, asked: Endpoint) {
    this.#server = server
    const bound = server.address()
    if (bound === null || typeof bound === 'string' || bound.port === undefined) {
      // A Unix socket that was bound elsewhere does not tell its path.
      const path =
        typeof bound === 'string'
          ? bound.replace(/^\0/, '@')
          : 'path' in asked && asked.scheme === 'unix'
            ? asked.path
            : ''
      this.local = { kind: 'unix', path }
      this.endpoint = asked.scheme === 'fd' ? { scheme: 'unix', path, parameters: {} } : asked
    } else {
      this.local = { kind: 'ip', host: bound.address, port: bound.port }
      this.endpoint = withPort(asked, bound.address, bound.port)
    }
  }

  get descriptor(): number | undefined {
    const { _handle: handle } = this.#server as unknown as { readonly _handle: { readonly fd?: number } | null }
    return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined
  }

  get server(): Server {
    return this.#server
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#server.listening) {
        resolve()
        return
      }
      // `close` of a server calls back when its connections are gone too; the address is free as soon as its handle is.
      this.#server.close()
      setImmediate(resolve)
    })
  }

  ref(): void {
    this.#server.ref()
  }

  unref(): void {
    this.#server.unref()
  }
}

/** The server below a listener, for handing it to a worker. */
export function serverOf(listener: RawListener): Server | undefined {
  return listener instanceof SocketListener ? listener.server : undefined
}

function withPort(asked: Endpoint, host: string, port: number): Endpoint {
  if ('port' in asked) return { ...asked, host: asked.host === '' ? host : asked.host, port }
  return asked.scheme === 'fd' ? { scheme: 'tcp', host, port, path: '', parameters: {} } : asked
}

async function listenOptions(endpoint: Endpoint, settings: SocketListenSettings): Promise<ListenOptions> {
  const { backlog, reusePort, ipv6Only } = settings
  switch (endpoint.scheme) {
    case 'tcp':
    case 'tls':
    case 'http':
    case 'https': {
      const host = endpoint.host === '' ? {} : { host: endpoint.host }
      const options: ListenOptions & { readonly reusePort?: boolean } = {
        ...host,
        port: endpoint.port,
        backlog,
        ipv6Only,
        exclusive: true,
        ...(reusePort ? { reusePort } : {}),
      }
      return options
    }
    case 'unix':
    case 'http+unix':
      await claimUnixPath(endpoint.path)
      return { path: toSystemPath(endpoint.path), backlog, exclusive: true }
    case 'fd':
      return { fd: endpoint.descriptor, backlog } as ListenOptions
    default:
      throw new UsageError(
        'ERR_ENDPOINT_SCHEME',
        `Cannot listen for streams on ${formatEndpoint(endpoint)}: use tcp:, tls:, unix:, fd: or memory: (datagrams: bindDatagram)`,
      )
  }
}

/** `@name` is how an abstract name is written; the system wants a zero byte in front. */
export function toSystemPath(path: string): string {
  const system = path.startsWith('@') ? `\0${path.slice(1)}` : path
  const bytes = Buffer.byteLength(system)
  if (bytes > MAX_UNIX_PATH_BYTES) {
    throw new NetError(
      'ERR_UNIX_PATH',
      `Cannot use the Unix socket path ${JSON.stringify(path)}: it has ${bytes} bytes, at most ${MAX_UNIX_PATH_BYTES} fit`,
      {
        details: { bytes, limit: MAX_UNIX_PATH_BYTES },
      },
    )
  }
  return system
}

/** Removes a socket file that nobody listens on. @throws NetError `ERR_ADDRESS_IN_USE`, `ERR_UNIX_PATH`. */
export async function claimUnixPath(path: string): Promise<void> {
  const system = toSystemPath(path)
  if (path.startsWith('@')) return
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    // Said here: the runtime reports a folder that is missing as one that may not be written to.
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (folder === '' || lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return
    throw new NetError('ERR_UNIX_PATH', `Cannot listen on ${path}: there is no folder ${folder}`)
  }
  if (!found.isSocket()) {
    throw new NetError(
      'ERR_UNIX_PATH',
      `Cannot listen on ${path}: something that is not a socket stands there; it was left alone`,
    )
  }
  if (await someoneListens(system)) {
    throw new NetError('ERR_ADDRESS_IN_USE', `Cannot listen on ${path}: another program listens there`)
  }
  unlinkSync(path)
}

function someoneListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = netConnect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // Anything but a refusal (no permission, a full backlog) means that somebody may be there.
    probe.once('error', (error) => resolve(errorCodeOf(error) !== 'ECONNREFUSED'))
  })
}

function listening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function cannotListen(endpoint: Endpoint, cause: unknown): Promise<Error> {
  const shown = formatEndpoint(endpoint)
  const error = fromSystemError(`listen on ${shown}`, cause)
  if (endpoint.scheme === 'fd') {
    return new NetError(
      'ERR_DESCRIPTOR',
      `Cannot listen on ${shown}: descriptor ${endpoint.descriptor} is not a socket that was handed over`,
      { cause },
    )
  }
  if (error.code !== 'ERR_ADDRESS_IN_USE' || !('port' in endpoint)) return error
  const holder = await describePortHolder('tcp', endpoint.port)
  return new NetError(
    'ERR_ADDRESS_IN_USE',
    `Cannot listen on ${shown}: the address is in use${holder === undefined ? '' : `; ${holder}`}`,
    { cause },
  )
}
