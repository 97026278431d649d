import type { AbortSignalLike } from '../../base/cancellation.js'
import type { ConnectOptions } from '../../transport/connect.js'
import type { HostAddress } from '../../transport/node/resolve-all.js'
import type { ProxyServer } from '../../transport/proxy-server.js'
import { systemClock } from '../../transport/system-clock.js'
import type { RequestFacts } from '../errors.js'
import type { Route } from '../pool.js'
import type { ClientResponse } from '../response.js'
import { parseTarget, type Target } from '../target.js'
import type { DiagnoseSettings } from './options.js'

/** What is asked for: a URL of HTTP, or that of a WebSocket. */
export interface Wanted {
  readonly target: Target
  readonly isWebSocket: boolean
}

/** @throws UsageError `ERR_URL`. */
export function parseWanted(url: string): Wanted {
  const [, scheme] = /^(wss?):/i.exec(url) ?? []
  if (scheme === undefined) return { target: parseTarget(url), isWebSocket: false }
  const target = parseTarget(url.replace(/^ws/i, 'http'))
  return { target: { ...target, href: target.href.replace(/^http/, 'ws') }, isWebSocket: true }
}

/** What the steps of a diagnosis hand on. */
export class Trail {
  readonly settings: DiagnoseSettings
  readonly signal: AbortSignalLike
  readonly since: number = systemClock.now()
  #wanted: Wanted | undefined
  #route: Route | undefined
  proxy: ProxyServer | undefined
  /** Of the server, or of the proxy before it. */
  addresses: readonly HostAddress[] = []
  tried: readonly string[] = []
  response: ClientResponse | undefined
  /** How far it has come, for the words of an error. */
  reached: RequestFacts['reached'] = 'connect'

  constructor(settings: DiagnoseSettings, signal: AbortSignalLike) {
    this.settings = settings
    this.signal = signal
  }

  /** `undefined` until the URL was read. */
  get wanted(): Wanted | undefined {
    return this.#wanted
  }

  set wanted(wanted: Wanted | undefined) {
    this.#wanted = wanted
  }

  get route(): Route {
    if (this.#route === undefined) throw new TypeError('no route was chosen')
    return this.#route
  }

  set route(route: Route) {
    this.#route = route
  }

  get target(): Target {
    if (this.#wanted === undefined) throw new TypeError('the URL was not read')
    return this.#wanted.target
  }

  /** The request goes to the proxy as it is: a WebSocket never does. */
  get isForwarded(): boolean {
    return this.proxy !== undefined && this.#route?.tunnel === undefined
  }

  get isWebSocket(): boolean {
    return this.#wanted?.isWebSocket === true
  }

  /** What connections are made with, as a session makes them; `tls` is added by whoever wants it. */
  get connecting(): ConnectOptions {
    const { connectTimeoutMs, handshakeTimeoutMs, lookup, network } = this.settings
    return {
      connectTimeoutMs,
      handshakeTimeoutMs,
      lookup,
      signal: this.signal,
      proxy: this.route.tunnel,
      ...(network === undefined ? {} : { network }),
    }
  }

  /** Milliseconds that are left for all that comes. */
  get leftMs(): number {
    const { timeoutMs } = this.settings
    return timeoutMs === Infinity ? Infinity : Math.max(1, timeoutMs - (systemClock.now() - this.since))
  }

  /** What an error says of it; `isOfProxy` where the step is about the way to the proxy. */
  facts(isOfProxy: boolean): RequestFacts {
    return {
      method: this.isWebSocket ? 'GET' : (this.settings.method ?? 'GET'),
      url: this.target.href,
      proxy: this.proxy?.toString(),
      isForwarded: isOfProxy || this.isForwarded,
      addresses: this.tried,
      elapsedMs: systemClock.now() - this.since,
      reached: this.reached,
    }
  }
}
