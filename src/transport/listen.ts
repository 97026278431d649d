import { deferred, type Deferred } from '../base/deferred.js'
import { UsageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import type { Address } from './address.js'
import type { Connection } from './connection.js'
import { CONNECTION_OPTIONS, type ConnectionOptions, type ConnectionSettings } from './connection-options.js'
import { formatEndpoint, parseEndpoint, type Endpoint, type Scheme } from './endpoint.js'
import { applyParameters } from './endpoint-parameters.js'
import { LISTEN_OPTIONS, type ListenOptions, type ListenSettings } from './listen-options.js'
import type { Listener } from './listener.js'
import { AddressList } from './node/address-list.js'
import { listenOnSocket } from './node/socket-listener.js'
import { TlsServerContext } from './node/tls-server-context.js'
import { needsNothing, prepareConnection, type Preparation } from './prepare.js'
import type { RawListener, RawListenerEvents, RawStream } from './raw-listener.js'
import type { StreamConnection } from './stream-connection.js'

/** Connections that are ready and that nobody has taken with `accept`; more are refused. */
const MAX_READY = 1024

/** Listens for streams and hands each over unread. Servers stand on this; programs on `listen`. */
export function listenRaw(
  endpoint: Endpoint,
  settings: ListenSettings,
  highWaterBytes: number,
  events: RawListenerEvents,
): Promise<RawListener> {
  if (endpoint.scheme === 'memory') return Promise.resolve(settings.network.listen(endpoint, events))
  return listenOnSocket(endpoint, { ...settings, highWaterBytes }, events)
}

const STREAM_SCHEMES: readonly Scheme[] = ['tcp', 'tls', 'unix', 'fd', 'memory']

/** @throws NetError `ERR_TLS_CERTIFICATE`; UsageError `ERR_OPTION_VALUE` when a `tls:` endpoint has no certificate. */
export function preparationFor(endpoint: Endpoint, settings: ListenSettings): Preparation {
  const { tls, handshakeTimeoutMs, proxyProtocol, trustedProxies } = settings
  if ((endpoint.scheme === 'tls' || endpoint.scheme === 'https') && tls === undefined) {
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot listen on ${formatEndpoint(endpoint)}: give the option tls: { cert, key }, each as PEM text`,
    )
  }
  return {
    tls: tls === undefined ? undefined : new TlsServerContext(tls),
    handshakeTimeoutMs,
    proxyProtocol: proxyProtocol === 'require',
    trustedProxies: new AddressList(trustedProxies),
  }
}

/**
 * Listens for stream connections: `for await (const connection of await listen('tcp://127.0.0.1:0')) …`. It accepts as
 * fast as clients come and holds at most 1,024 that nobody took; use `serve` for limits, models and shutdown.
 * @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME`, `ERR_OPTION_…`; NetError `ERR_ADDRESS_IN_USE`, `ERR_ACCESS`,
 *   `ERR_ADDRESS_NOT_AVAILABLE`, `ERR_UNIX_PATH`, `ERR_DESCRIPTOR`, `ERR_TLS_CERTIFICATE`.
 */
export async function listen(
  endpoint: string | Endpoint,
  options?: ListenOptions & ConnectionOptions,
): Promise<Listener> {
  const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
  if (!STREAM_SCHEMES.includes(parsed.scheme)) {
    throw new UsageError(
      'ERR_ENDPOINT_SCHEME',
      `Cannot listen for streams on ${formatEndpoint(parsed)}: use tcp:, tls:, unix:, fd: or memory: (datagrams: bindDatagram)`,
      { details: { scheme: parsed.scheme } },
    )
  }
  const given = applyParameters(parsed, options)
  const settings = readOptions('listen', { ...LISTEN_OPTIONS, ...CONNECTION_OPTIONS }, given)
  const ready = new ReadyListener(preparationFor(parsed, settings), settings)
  ready.raw = await listenRaw(parsed, settings, settings.writeHighWaterBytes, ready)
  return ready
}

class ReadyListener implements Listener, RawListenerEvents {
  readonly #preparation: Preparation
  readonly #settings: ConnectionSettings
  readonly #ready: StreamConnection[] = []
  readonly #waiting: Deferred<Connection | null>[] = []
  readonly #preparing = new Set<StreamConnection>()
  #closed = false
  raw!: RawListener

  constructor(preparation: Preparation, settings: ConnectionSettings) {
    this.#preparation = preparation
    this.#settings = settings
  }

  get local(): Address {
    return this.raw.local
  }

  get endpoint(): string {
    return formatEndpoint(this.raw.endpoint)
  }

  accepted(stream: RawStream): void {
    if (this.#closed || this.#ready.length + this.#preparing.size >= MAX_READY) {
      stream.destroy()
      return
    }
    const connection = stream.open(this.#settings)
    if (needsNothing(this.#preparation)) {
      this.#hand(connection)
      return
    }
    this.#preparing.add(connection)
    prepareConnection(connection, this.#preparation).then(
      () => {
        this.#preparing.delete(connection)
        this.#hand(connection)
      },
      // One bad client is its own concern: the connection is destroyed with the error as its reason.
      () => this.#preparing.delete(connection),
    )
  }

  /** Accepting failed for one connection; the listener goes on. */
  failed(): void {}

  #hand(connection: StreamConnection): void {
    if (this.#closed) {
      connection.destroy()
      return
    }
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#ready.push(connection)
    else waiting.resolve(connection)
  }

  accept(): Promise<Connection | null> {
    const connection = this.#ready.shift()
    if (connection !== undefined) return Promise.resolve(connection)
    if (this.#closed) return Promise.resolve(null)
    const waiting = deferred<Connection | null>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Connection> {
    for (let next = await this.accept(); next !== null; next = await this.accept()) yield next
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.raw.close()
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(null)
    for (const connection of this.#ready.splice(0)) connection.destroy()
    for (const connection of this.#preparing) connection.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
