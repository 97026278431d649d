import { ClosedError, LimitError, TimeoutError, UsageError } from '../base/errors.js'
import type { Timed, Timeouts } from '../base/timeouts.js'
import type { Http1ClientSettings } from '../engine/http1/options.js'
import { connect, type ConnectOptions, type ConnectPhase } from '../transport/connect.js'
import { parseEndpoint, type Endpoint } from '../transport/endpoint.js'
import type { ProxyServer } from '../transport/proxy-server.js'
import { StreamConnection } from '../transport/stream-connection.js'
import type { TlsClientOptions } from '../transport/tls-options.js'
import type { Exchange } from './exchange.js'
import type { PoolSettings, TimeoutSettings } from './options.js'
import type { Target } from './target.js'
import { Http2Wire } from './http2-wire.js'
import type { PooledWire, WireOwner } from './pooled-wire.js'
import { Wire } from './wire.js'

/** Servers end a connection that idles when its time is over: no request should meet that. */
const KEEP_ALIVE_MARGIN_MS = 1000

/** How a connection is made. */
export interface Route {
  /** Connections with the same key are the same to a request. */
  readonly key: string
  readonly endpoint: Endpoint
  /** Of the server, or of an `https:` proxy that requests are sent to themselves. */
  readonly tls: TlsClientOptions | undefined
  /** What opens a tunnel. */
  readonly tunnel: ProxyServer | undefined
}

/** A request that waits for its connection. */
export interface PooledExchange extends Exchange {
  /** When it came. */
  readonly since: number
  phase(phase: ConnectPhase): void
  /** The addresses that were tried for it until now: the list goes on. */
  tried(addresses: readonly string[]): void
}

export interface PoolParts {
  readonly settings: PoolSettings
  readonly times: Pick<TimeoutSettings, 'connectTimeoutMs' | 'handshakeTimeoutMs' | 'poolTimeoutMs'>
  readonly engine: Http1ClientSettings
  readonly timeouts: Timeouts
  /** The rest of what connections are made with. */
  readonly connecting: ConnectOptions
}

/** Whether requests of this kind go to the proxy as they are, and not through a tunnel (RFC 9112 §3.2.2). */
export const isForwarded = (target: Target, proxy: ProxyServer | undefined): boolean =>
  proxy !== undefined && !proxy.isSocks && !target.isTls && target.endpoint.scheme === 'tcp'

export function routeOf(
  target: Target,
  proxy: ProxyServer | undefined,
  tls: TlsClientOptions | undefined,
  http2: boolean,
): Route {
  if (proxy !== undefined && isForwarded(target, proxy)) {
    const host = proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host
    return {
      key: `forward ${proxy.scheme}://${host}:${proxy.port}`,
      endpoint: parseEndpoint(`tcp://${host}:${proxy.port}`),
      tls: proxy.scheme === 'https' ? { serverName: proxy.host, ...proxy.tls } : undefined,
      tunnel: undefined,
    }
  }
  const tunnel = target.endpoint.scheme === 'tcp' ? proxy : undefined
  return {
    key: tunnel === undefined ? target.origin : `${target.origin} ${tunnel.toString()} ${authorizationOf(tunnel)}`,
    endpoint: target.endpoint,
    tls: target.isTls ? { alpn: http2 ? ALPN_WITH_HTTP2 : ALPN, serverName: target.hostname, ...tls } : undefined,
    tunnel,
  }
}

/** Of TLS, a few KiB each. */
const MAX_SESSIONS = 256
const ALPN = ['http/1.1']
const ALPN_WITH_HTTP2 = ['h2', ...ALPN]

/** Two users of one proxy share no tunnel. */
const authorizationOf = ({ headers }: ProxyServer): string =>
  headers.find(([name]) => name.toLowerCase() === 'proxy-authorization')?.[1] ?? ''

/** The connections of a session, by origin. */
export class Pool {
  readonly parts: PoolParts
  readonly #origins = new Map<string, OriginPool>()
  readonly #sessions = new Map<string, Uint8Array>()
  /** Those whose requests wait, and for whose connections there is no room. */
  readonly #starved = new Set<OriginPool>()
  /** Those that became idle in this turn: most are used again at once. */
  #resting: PooledWire[] | undefined
  connections = 0
  waiting = 0
  #isClosed = false

  constructor(parts: PoolParts) {
    this.parts = parts
  }

  /** @throws LimitError `ERR_POOL_LIMIT`, ClosedError `ERR_CLIENT_CLOSED`, and UsageError for what cannot be sent. */
  send(route: Route, exchange: PooledExchange): void {
    if (this.#isClosed) throw new ClosedError('ERR_CLIENT_CLOSED', 'Cannot send a request: the session is closed')
    let origin = this.#origins.get(route.key)
    if (origin === undefined) this.#origins.set(route.key, (origin = new OriginPool(this, route)))
    origin.send(exchange)
  }

  /** Takes an exchange back that has not begun. */
  withdraw(route: Route, exchange: PooledExchange): void {
    this.#origins.get(route.key)?.withdraw(exchange)
  }

  /** Ends what idles; what is under way is answered first. */
  close(): void {
    this.#isClosed = true
    for (const origin of this.#origins.values()) origin.close()
  }

  destroy(): void {
    this.#isClosed = true
    for (const origin of this.#origins.values()) origin.destroy()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  forget(key: string): void {
    this.#origins.delete(key)
  }

  /** Of TLS: what the next handshake with this origin can resume. */
  sessionOf(key: string): Uint8Array | undefined {
    return this.#sessions.get(key)
  }

  keepSession(key: string, session: Uint8Array): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest)
  }

  /** Makes room for one more connection by ending the one that has idled longest. False when all are in use. */
  makeRoom(): boolean {
    if (this.connections < this.parts.settings.maxConnections) return true
    let oldest: PooledWire | undefined
    for (const origin of this.#origins.values()) {
      const wire = origin.longestIdle
      if (wire !== undefined && (oldest === undefined || wire.idleSince < oldest.idleSince)) oldest = wire
    }
    oldest?.retire()
    return oldest !== undefined
  }

  /** One that would connect, when another origin can do without a connection. */
  starve(origin: OriginPool): void {
    this.#starved.add(origin)
  }

  /** A connection idles, or is gone. */
  feed(): void {
    const [origin] = this.#starved
    if (origin === undefined) return
    this.#starved.delete(origin)
    origin.connectIfNeeded()
  }

  /** A connection that idles does not keep the process running; one that is used again in the same turn need not be told. */
  rest(wire: PooledWire): void {
    if (this.#resting !== undefined) {
      this.#resting.push(wire)
      return
    }
    this.#resting = [wire]
    this.parts.timeouts.clock.soon(() => {
      const resting = this.#resting ?? []
      this.#resting = undefined
      for (const one of resting) one.rest()
      // Those that have idled for too long go when others come to rest: no timer runs for them.
      for (const origin of this.#origins.values()) origin.retireOld()
    })
  }
}

/** The connections to one origin, and the requests that wait for one. */
class OriginPool implements WireOwner, Timed {
  readonly #pool: Pool
  readonly #route: Route
  /** The one that was used last is used next: the others grow old and are ended. */
  readonly #idle: PooledWire[] = []
  readonly #wires = new Set<PooledWire>()
  readonly #waiting = new Set<PooledExchange>()
  #connecting = 0
  /** One connection may be enough for all: until the first has settled another protocol, or cannot be made. */
  #mayShare = true

  constructor(pool: Pool, route: Route) {
    this.#pool = pool
    this.#route = route
  }

  get longestIdle(): PooledWire | undefined {
    return this.#idle[0]
  }

  send(exchange: PooledExchange): void {
    const wire = this.#takeIdle()
    if (wire !== undefined) {
      this.#runOrKeep(wire, exchange)
      return
    }
    const { settings, timeouts } = this.#pool.parts
    if (this.#pool.waiting >= settings.maxWaiting)
      throw new LimitError(
        'ERR_POOL_LIMIT',
        `Cannot send a request: ${this.#pool.waiting} wait for a connection already`,
        { details: { limit: settings.maxWaiting } },
      )
    this.#waiting.add(exchange)
    this.#pool.waiting += 1
    if (this.#waiting.size === 1) timeouts.add(this)
    this.connectIfNeeded()
  }

  /** A request that cannot be sent costs no connection. */
  #runOrKeep(wire: PooledWire, exchange: PooledExchange): void {
    try {
      wire.run(exchange)
    } finally {
      if (wire.isUsable) this.#idle.push(wire)
    }
  }

  withdraw(exchange: PooledExchange): void {
    if (!this.#waiting.delete(exchange)) return
    this.#pool.waiting -= 1
    if (this.#waiting.size === 0) this.#pool.parts.timeouts.delete(this)
  }

  #takeIdle(): PooledWire | undefined {
    for (let wire = this.#idle.pop(); wire !== undefined; wire = this.#idle.pop()) {
      if (!this.#isOld(wire) && wire.isUsable) return wire
      // One that carries many comes back when one of them is over.
      if (!wire.carriesMany || wire.isResting) wire.retire()
    }
    return undefined
  }

  #isOld(wire: PooledWire): boolean {
    if (!wire.isResting) return false
    const { settings, timeouts } = this.#pool.parts
    const limit = Math.min(settings.keepAliveTimeoutMs, wire.keepAliveMs - KEEP_ALIVE_MARGIN_MS)
    return timeouts.clock.now() - wire.idleSince >= limit
  }

  /** The first has idled longest. */
  retireOld(): void {
    for (let [oldest] = this.#idle; oldest !== undefined && this.#isOld(oldest); [oldest] = this.#idle) {
      this.#idle.shift()
      oldest.retire()
    }
  }

  #takeWaiting(): PooledExchange | undefined {
    const [exchange] = this.#waiting
    if (exchange !== undefined) this.withdraw(exchange)
    return exchange
  }

  /** A connection for each request that waits, as far as there may be more. */
  connectIfNeeded(): void {
    const { maxConnectionsPerOrigin } = this.#pool.parts.settings
    const most = this.#mayShare && this.#route.tls?.alpn?.includes('h2') === true ? 1 : Infinity
    while (
      this.#connecting < Math.min(this.#waiting.size, most) &&
      this.#wires.size + this.#connecting < maxConnectionsPerOrigin
    ) {
      if (!this.#pool.makeRoom()) {
        this.#pool.starve(this)
        return
      }
      this.#connecting += 1
      this.#pool.connections += 1
      void this.#connect()
    }
  }

  /** Never rejects: the request that has waited longest hears of what went wrong. */
  async #connect(): Promise<void> {
    const { parts } = this.#pool
    const [first] = this.#waiting
    const tried: string[] = []
    try {
      const connection = await connect(this.#route.endpoint, {
        ...parts.connecting,
        connectTimeoutMs: parts.times.connectTimeoutMs,
        handshakeTimeoutMs: parts.times.handshakeTimeoutMs,
        tls: this.#tls(),
        proxy: this.#route.tunnel,
        onPhase: (phase) => first?.phase(phase),
        onAttempt: (address) => {
          tried.push(address)
          first?.tried(tried)
        },
      })
      this.#connecting -= 1
      if (!(connection instanceof StreamConnection)) throw new UsageError('ERR_ARGUMENT', 'Cannot use this connection')
      this.#begin(connection)
    } catch (error) {
      if (this.#connecting > 0) this.#connecting -= 1
      this.#mayShare = false
      this.#pool.connections -= 1
      const failing = this.#takeWaiting()
      failing?.tried(tried)
      failing?.failed(error, false)
      this.connectIfNeeded()
      this.#forgetIfUnused()
    }
  }

  #tls(): TlsClientOptions | undefined {
    const { tls, key } = this.#route
    if (tls === undefined) return undefined
    const session = this.#pool.sessionOf(key)
    return {
      ...tls,
      ...(session === undefined ? {} : { session }),
      onSession: (made) => {
        this.#pool.keepSession(key, made)
        tls.onSession?.(made)
      },
    }
  }

  #begin(connection: StreamConnection): void {
    const { engine, timeouts } = this.#pool.parts
    const wire = this.#http2(connection) ?? new Wire(connection, engine, timeouts, this)
    this.#mayShare = wire.carriesMany
    this.#wires.add(wire)
    if (this.#pool.isClosed && this.#waiting.size === 0) wire.retire()
    else this.idle(wire)
    this.connectIfNeeded()
  }

  #http2(connection: StreamConnection): Http2Wire | undefined {
    if (connection.tls?.alpn !== 'h2') return undefined
    const { local, remote, tls } = connection
    const socket = connection.detachSocket()
    return socket && new Http2Wire(socket, { local, remote, tls }, this.#pool.parts.timeouts, this)
  }

  // ---- from the wires

  idle(wire: PooledWire): void {
    const { maxRequestsPerConnection } = this.#pool.parts.settings
    if (wire.served >= maxRequestsPerConnection || (this.#pool.isClosed && this.#waiting.size === 0)) {
      wire.retire()
      return
    }
    while (wire.isUsable) {
      const next = this.#takeWaiting()
      if (next === undefined) {
        if (!wire.carriesMany || !this.#idle.includes(wire)) this.#idle.push(wire)
        this.#pool.rest(wire)
        this.#pool.feed()
        return
      }
      try {
        wire.run(next)
      } catch (error) {
        next.failed(error, false)
      }
    }
  }

  retired(wire: PooledWire): void {
    if (!this.#wires.delete(wire)) return
    this.#pool.connections -= 1
    const at = this.#idle.indexOf(wire)
    if (at !== -1) this.#idle.splice(at, 1)
    this.connectIfNeeded()
    this.#pool.feed()
    this.#forgetIfUnused()
  }

  #forgetIfUnused(): void {
    if (this.#wires.size === 0 && this.#connecting === 0 && this.#waiting.size === 0) this.#pool.forget(this.#route.key)
  }

  checkTime(now: number): void {
    const { poolTimeoutMs } = this.#pool.parts.times
    for (const exchange of this.#waiting) {
      if (now >= exchange.deadline) {
        this.withdraw(exchange)
        exchange.failed(exchange.tooLate(), false)
      } else if (this.#connecting === 0 && now - exchange.since >= poolTimeoutMs) {
        this.withdraw(exchange)
        exchange.failed(
          new TimeoutError(
            'ERR_POOL_TIMEOUT',
            `No connection became free in ${poolTimeoutMs} ms: all ${this.#wires.size} are in use`,
            { details: { timeoutMs: poolTimeoutMs } },
          ),
          false,
        )
      }
    }
  }

  close(): void {
    for (const wire of [...this.#idle]) wire.retire()
  }

  destroy(): void {
    for (let next = this.#takeWaiting(); next !== undefined; next = this.#takeWaiting())
      next.failed(new ClosedError('ERR_CLIENT_CLOSED', 'Cannot go on: the session was closed'), false)
    for (const wire of [...this.#wires]) wire.destroy()
  }
}
