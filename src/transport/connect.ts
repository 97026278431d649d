import { linkSignals, onAbort, throwIfAborted, type AbortSignalLike } from '../base/cancellation.js'
import { BrokenError, errorCodeOf, NetError, TimeoutError, UsageError } from '../base/errors.js'
import { count, flag, group, milliseconds, readOptions, text, value, type OptionSpecs } from '../base/options.js'
import type { Connection } from './connection.js'
import { CONNECTION_OPTIONS, type ConnectionOptions, type ConnectionSettings } from './connection-options.js'
import { formatEndpoint, parseEndpoint, type Endpoint } from './endpoint.js'
import { defaultNetwork, MemoryNetwork } from './memory/network.js'
import { checkParameters } from './endpoint-parameters.js'
import { fromSystemError } from './node/errno.js'
import { fastReceiveWorks } from './node/fast-receive.js'
import { connectHappily } from './node/happy-eyeballs.js'
import { localNameOf, openNatively, remoteOf } from './node/accepted-stream.js'
import { toSystemPath } from './node/socket-listener.js'
import { FAST_READ, SocketDriver } from './node/socket-driver.js'
import type { Lookup } from './node/resolve-all.js'
import { connectThrough } from './node/tunnel.js'
import { connect as netConnect, type NetConnectOpts } from 'node:net'
import { proxyOption, type ProxyOptions, type ProxyServer } from './proxy-server.js'
import { StreamConnection } from './stream-connection.js'
import { systemClock } from './system-clock.js'
import { TLS_CLIENT_OPTIONS, type TlsClientOptions } from './tls-options.js'

/** How far the way to an endpoint has come: its name is resolved, the system has connected, a proxy has opened its tunnel. */
export type ConnectPhase = 'resolved' | 'connected' | 'tunneled' | 'secured'

export interface ConnectOptions {
  readonly onPhase?: ((phase: ConnectPhase) => void) | undefined
  readonly onAttempt?: ((address: string) => void) | undefined
  readonly lookup?: Lookup | undefined
  readonly signal?: AbortSignalLike | undefined
  readonly connectTimeoutMs?: number
  readonly attemptDelayMs?: number
  readonly handshakeTimeoutMs?: number
  readonly localAddress?: string | undefined
  readonly localPort?: number
  readonly fastReceive?: boolean
  readonly tls?: TlsClientOptions | undefined
  readonly proxy?: string | ProxyOptions | ProxyServer | undefined
  readonly network?: MemoryNetwork
}

export type ConnectSettings = Readonly<Required<Omit<ConnectOptions, 'proxy'>>> & {
  readonly proxy: ProxyServer | undefined
}

export const CONNECT_OPTIONS: OptionSpecs<ConnectSettings> = {
  signal: value(
    'an AbortSignal',
    undefined,
    'none',
    'Ends the attempt; it rejects with the reason of the signal. It has no effect on a connection that was made.',
    (given): given is AbortSignalLike => typeof given === 'object' && given !== null && 'aborted' in given,
  ),
  onPhase: value(
    'a function',
    undefined,
    'none',
    'Called with `resolved`, `connected`, `tunneled` (by a proxy) and `secured` as each is done, for measuring.',
    (given): given is (phase: ConnectPhase) => void => typeof given === 'function',
  ),
  onAttempt: value(
    'a function',
    undefined,
    'none',
    'Called with each address that is tried, as in `127.0.0.1:80`; with a proxy they are those of the proxy.',
    (given): given is (address: string) => void => typeof given === 'function',
  ),
  lookup: value(
    'a function of the host',
    undefined,
    'the system’s',
    'Finds the addresses of a name, in place of the system: resolves to a list of `{ address, family }`.',
    (given): given is Lookup => typeof given === 'function',
  ),
  connectTimeoutMs: milliseconds(
    10_000,
    'Milliseconds for resolving and connecting, over all addresses, and for all that a proxy has to do. Go has no default, curl waits 300 s; people give up sooner.',
  ),
  attemptDelayMs: milliseconds(
    250,
    'Milliseconds before the next address is tried beside the one that is waiting (RFC 8305 §5).',
  ),
  handshakeTimeoutMs: milliseconds(10_000, 'Milliseconds for the TLS handshake. Go’s HTTP client gives 10 s too.'),
  localAddress: text(undefined, 'The address to connect from.'),
  localPort: count(0, 'The port to connect from; 0 means any.', { min: 0, max: 65_535 }),
  fastReceive: flag(true, 'Receives in one shared buffer where the runtime can; false takes the portable path.'),
  tls: group<TlsClientOptions>(
    'tls',
    TLS_CLIENT_OPTIONS,
    'the system’s authorities',
    'The rules of a tls: endpoint: see “TLS of clients”.',
  ),
  proxy: proxyOption(
    'The proxy that opens a tunnel to a `tcp:` or `tls:` endpoint: `http:`, `https:`, `socks4:`, `socks4a:`, `socks5:`, `socks5h:`. See “Proxies”.',
  ),
  network: value(
    'a MemoryNetwork',
    defaultNetwork,
    'one for the thread',
    'The network of memory: endpoints.',
    (given): given is MemoryNetwork => given instanceof MemoryNetwork,
  ),
}

/**
 * Connects to `tcp:`, `tls:`, `unix:` or `memory:` endpoints. A host with several addresses is connected to by
 * happy eyeballs (RFC 8305). With `proxy` the connection is a tunnel: `remote` is the proxy, all else is the target's.
 * @throws NetError `ERR_RESOLVE`; `ERR_CONNECT`, with every address tried and why it failed in `details.attempts`;
 *   `ERR_TLS_HANDSHAKE`; `ERR_TUNNEL_REFUSED`, `ERR_PROXY_AUTH` and `ERR_TUNNEL` of a proxy, which `details.proxy` names;
 *   TimeoutError `ERR_CONNECT_TIMEOUT`; UsageError; the signal's reason, untouched.
 */
export async function connect(
  endpoint: string | Endpoint,
  options?: ConnectOptions & ConnectionOptions,
): Promise<Connection> {
  const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint
  checkParameters(parsed)
  const settings = readOptions('connect', { ...CONNECT_OPTIONS, ...CONNECTION_OPTIONS }, options)
  throwIfAborted(settings.signal)
  const way = new Way(settings)
  const connection = await withinTime(parsed, settings, way, (signal) =>
    connectStream(parsed, { ...settings, ...way.hooks }, signal),
  )
  if (parsed.scheme === 'tls' || settings.tls !== undefined) {
    await secure(connection, parsed, settings)
    settings.onPhase?.('secured')
  }
  return connection
}

/** How far it has come, for whoever measures and for the error of one that took too long. */
class Way {
  readonly tried: string[] = []
  readonly hooks: Pick<ConnectSettings, 'onPhase' | 'onAttempt'>
  stage: 'resolve' | 'connect' | 'tunnel' = 'resolve'

  constructor({ onPhase, onAttempt }: ConnectSettings) {
    this.hooks = {
      onPhase: (phase) => {
        if (phase === 'connected') this.stage = 'tunnel'
        onPhase?.(phase)
      },
      onAttempt: (address) => {
        this.stage = 'connect'
        this.tried.push(address)
        onAttempt?.(address)
      },
    }
  }

  get words(): string {
    if (this.stage === 'resolve') return 'its name was not resolved'
    return this.stage === 'tunnel' ? 'it took the connection, and did not answer' : `tried ${this.tried.join(', ')}`
  }
}

async function connectStream(
  endpoint: Endpoint,
  settings: ConnectSettings & ConnectionSettings,
  signal: AbortSignalLike,
): Promise<StreamConnection> {
  if (settings.proxy !== undefined) return connectTunnel(settings.proxy, endpoint, settings, signal)
  switch (endpoint.scheme) {
    case 'tcp':
    case 'tls':
      return connectTcp(endpoint.host, endpoint.port, settings, signal)
    case 'unix':
      return connectUnix(endpoint.path, settings, signal)
    case 'memory':
      return settings.network.connect(endpoint, settings)
    default:
      throw new UsageError(
        'ERR_ENDPOINT_SCHEME',
        `Cannot connect a stream to ${formatEndpoint(endpoint)}: use tcp:, tls:, unix: or memory: (datagrams: connectDatagram)`,
      )
  }
}

async function connectTunnel(
  proxy: ProxyServer,
  endpoint: Endpoint,
  settings: ConnectSettings & ConnectionSettings,
  signal: AbortSignalLike,
): Promise<StreamConnection> {
  if ((endpoint.scheme !== 'tcp' && endpoint.scheme !== 'tls') || endpoint.host === '')
    throw new UsageError(
      'ERR_ENDPOINT_SCHEME',
      `Cannot connect to ${formatEndpoint(endpoint)} through a proxy: use a tcp: or tls: endpoint with a host`,
    )
  const { handshakeTimeoutMs, lookup } = settings
  const connection = await connectThrough(proxy, endpoint, { signal, handshakeTimeoutMs, lookup }, (host, port) =>
    connectTcp(host, port, settings, signal),
  )
  settings.onPhase?.('tunneled')
  return connection
}

async function connectTcp(
  host: string,
  port: number,
  settings: ConnectSettings & ConnectionSettings,
  signal: AbortSignalLike,
): Promise<StreamConnection> {
  const fast = settings.fastReceive && (await fastReceiveWorks('tcp'))
  const { localAddress, localPort, attemptDelayMs, writeHighWaterBytes: highWaterBytes } = settings
  const { socket, result } = await connectHappily(
    {
      host,
      port,
      localAddress,
      localPort: localPort === 0 ? undefined : localPort,
      attemptDelayMs,
      highWaterBytes,
      signal,
      lookup: settings.lookup,
      resolved: () => settings.onPhase?.('resolved'),
      tried: settings.onAttempt,
    },
    () => {
      const slot: { driver: SocketDriver | undefined } = { driver: undefined }
      const driver = new SocketDriver(() => remoteOf(slot.driver?.socket), undefined)
      slot.driver = driver
      return { onread: fast ? FAST_READ : undefined, result: driver }
    },
  )
  settings.onPhase?.('connected')
  const names = { local: localNameOf(socket.localAddress, socket.localPort), remote: remoteOf(socket) }
  return (
    openNatively(socket, fast, names, settings) ??
    new StreamConnection(result.drive(socket, fast).knowAddresses(), settings)
  )
}

async function connectUnix(
  path: string,
  settings: ConnectSettings & ConnectionSettings,
  signal: AbortSignalLike,
): Promise<StreamConnection> {
  const systemPath = toSystemPath(path)
  const fast = settings.fastReceive && (await fastReceiveWorks('unix'))
  const driver = new SocketDriver(() => ({ kind: 'unix', path }), { kind: 'unix', path: '' })
  const onread = fast ? { onread: FAST_READ } : {}
  const options: NetConnectOpts & { readonly highWaterMark: number } = {
    path: systemPath,
    allowHalfOpen: true,
    highWaterMark: settings.writeHighWaterBytes,
    ...onread,
  }
  settings.onAttempt?.(path)
  return new Promise((resolve, reject) => {
    const socket = netConnect(options)
    // With onread, Node would begin to read once connected: a driver starts paused.
    socket.pause()
    const unlink = onAbort(signal, (reason) => {
      socket.destroy()
      reject(reason)
    })
    const failed = (cause: Error): void => {
      unlink()
      const { message } = fromSystemError(`connect to ${path}`, cause)
      reject(
        new NetError('ERR_CONNECT', message, {
          cause,
          details: { attempts: [{ address: path, reason: cause.message, systemCode: errorCodeOf(cause) }] },
        }),
      )
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      unlink()
      socket.off('error', failed)
      settings.onPhase?.('connected')
      resolve(
        openNatively(socket, fast, driver, settings) ?? new StreamConnection(driver.drive(socket, fast), settings),
      )
    })
  })
}

async function withinTime<T>(
  endpoint: Endpoint,
  { connectTimeoutMs, signal, proxy }: ConnectSettings,
  way: Way,
  work: (signal: AbortSignalLike) => Promise<T>,
): Promise<T> {
  const tooLate = (): TimeoutError => {
    const through = proxy === undefined ? '' : ` through the proxy ${proxy.toString()}`
    const message = `Cannot connect to ${formatEndpoint(endpoint)}${through} within ${connectTimeoutMs} ms: ${way.words}`
    const details = {
      timeoutMs: connectTimeoutMs,
      stage: way.stage,
      addresses: way.tried,
      ...(proxy === undefined ? {} : { proxy: proxy.toString() }),
    }
    return new TimeoutError('ERR_CONNECT_TIMEOUT', message, { details })
  }
  const linked = linkSignals([signal], { clock: systemClock, timeoutMs: connectTimeoutMs, reason: tooLate })
  try {
    return await work(linked)
  } finally {
    linked.unlink()
  }
}

async function secure(connection: StreamConnection, endpoint: Endpoint, settings: ConnectSettings): Promise<void> {
  const { signal, handshakeTimeoutMs, tls } = settings
  const alpn = endpoint.parameters['alpn']
  const host = 'host' in endpoint ? endpoint.host : undefined
  const unlink = onAbort(signal, (reason) => connection.destroy(reason))
  try {
    await connection.startTls({
      role: 'client',
      handshakeTimeoutMs,
      ...(host === undefined ? {} : { serverName: host }),
      ...(alpn === undefined ? {} : { alpn: alpn.split(',') }),
      ...tls,
    })
  } catch (error) {
    connection.destroy(error)
    throwIfAborted(signal)
    // The peer may be gone before the handshake has begun: it is not there for it all the same.
    if (!(error instanceof BrokenError)) throw error
    throw new NetError('ERR_TLS_HANDSHAKE', `Cannot finish the TLS handshake: ${lowerFirst(error.message)}`, {
      cause: error,
    })
  } finally {
    unlink()
  }
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)
