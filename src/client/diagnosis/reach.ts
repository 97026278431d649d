import { throwIfAborted } from '../../base/cancellation.js'
import { NetError } from '../../base/errors.js'
import { connect } from '../../transport/connect.js'
import { formatEndpoint, type HostEndpoint } from '../../transport/endpoint.js'
import type { ProxyServer } from '../../transport/proxy-server.js'
import { systemClock } from '../../transport/system-clock.js'
import { routeOf } from '../pool.js'
import { ProxyRules } from '../proxies.js'
import { inMemory, type Target } from '../target.js'
import { notConnected, resolveInTime, routeTo, tryAddresses } from './addresses.js'
import type { AddressAttempt, Finding } from './steps.js'
import type { Trail } from './trail.js'

/** RFC 9110 §9.3.6 and §7.6: by which proxy, and how. */
export function chooseProxy(trail: Trail): Finding<'proxy'> {
  const { target, isWebSocket, settings } = trail
  const { proxy: choice, network, tls } = settings
  // A WebSocket goes by a proxy only where it is told to, and then through a tunnel.
  const isAsked = choice !== undefined || (!isWebSocket && network === undefined)
  const proxy = isAsked ? new ProxyRules(process.env).of(choice, target) : undefined
  trail.proxy = proxy
  const reachable = network === undefined ? target : inMemory(target)
  trail.route = isWebSocket ? tunnelled(reachable, proxy, tls) : routeOf(reachable, proxy, tls, false)
  if (proxy === undefined)
    return {
      outcome: 'skipped',
      summary: 'none is in use',
      facts: { proxy: undefined, source: 'none', mode: undefined },
    }
  const mode = trail.route.tunnel === undefined ? 'forward' : 'tunnel'
  const source = choice === undefined ? 'environment' : 'options'
  const from = source === 'environment' ? 'the environment names it' : 'the options name it'
  return {
    summary: `${proxy.toString()}: ${from}; ${mode === 'tunnel' ? 'it opens a tunnel' : 'it is sent the request itself'}`,
    facts: { proxy: proxy.toString(), source, mode },
  }
}

function tunnelled(
  target: Target,
  proxy: ProxyServer | undefined,
  tls: Parameters<typeof routeOf>[2],
): ReturnType<typeof routeOf> {
  return { ...routeOf(target, undefined, tls, false), tunnel: target.endpoint.scheme === 'tcp' ? proxy : undefined }
}

/** Where the first connection goes to: the server, or the proxy before it. */
function firstStop({ route, proxy }: Trail): { readonly host: string; readonly port: number } | undefined {
  if (route.tunnel !== undefined) return { host: route.tunnel.host, port: route.tunnel.port }
  if (proxy !== undefined) return { host: proxy.host, port: proxy.port }
  return isHost(route.endpoint) ? { host: route.endpoint.host, port: route.endpoint.port } : undefined
}

const isHost = (endpoint: Trail['route']['endpoint']): endpoint is HostEndpoint => 'host' in endpoint

const NO_ADDRESS = 'it has no address of a network'

/** RFC 1034: the addresses of the server, or of the proxy; of both, where the proxy wants an address of the server. */
export async function resolve(trail: Trail): Promise<Finding<'resolve'>> {
  const stop = firstStop(trail)
  if (stop === undefined) return { outcome: 'skipped', summary: NO_ADDRESS, facts: {} }
  const { settings, signal, route, target } = trail
  const limits = { lookup: settings.lookup, signal, connectTimeoutMs: settings.connectTimeoutMs }
  const found = await resolveInTime(stop.host, limits)
  if (route.tunnel?.resolvesHere === true) await resolveInTime(target.hostname, limits)
  trail.addresses = found.slice(0, settings.maxAddresses)
  const left = found.length - trail.addresses.length
  const facts = { host: stop.host, addresses: trail.addresses, left }
  const [only] = trail.addresses
  if (only?.address === stop.host) return { outcome: 'skipped', summary: `${stop.host} is an address`, facts }
  const listed = trail.addresses.map(({ address }) => address).join(', ')
  return { summary: `${stop.host} is ${listed}${left === 0 ? '' : `, and ${left} more`}`, facts }
}

/** Which way this machine would send to each of them. @throws NetError `ERR_CONNECT` where it has none to any of them. */
export async function route(trail: Trail): Promise<Finding<'route'>> {
  const stop = firstStop(trail)
  if (stop === undefined) return { outcome: 'skipped', summary: NO_ADDRESS, facts: {} }
  const routes = await Promise.all(trail.addresses.map((address) => routeTo(address, stop.port)))
  throwIfAborted(trail.signal)
  const missing = routes.filter(({ reason }) => reason !== undefined)
  const facts = { routes }
  if (missing.length === routes.length) {
    trail.tried = routes.map(({ address }) => address)
    const attempts = routes.map(({ address, reason }) => ({ address, reason, systemCode: reason }))
    const words = `Cannot send to ${stop.host}: this machine has no route to ${list(missing)}`
    return { summary: words, facts, error: new NetError('ERR_CONNECT', words, { details: { attempts } }) }
  }
  const ways = routes.flatMap(({ local, interface: name }) =>
    local === undefined ? [] : [`from ${local}${name === undefined ? '' : ` by ${name}`}`],
  )
  const summary = [...new Set(ways)].join(', ')
  if (missing.length === 0) return { summary, facts }
  return {
    outcome: 'warning',
    summary: `${summary}; no route to ${list(missing)}`,
    facts,
    suggestion: 'nothing needs to be done where another address answers',
  }
}

const list = (routes: readonly { readonly address: string; readonly reason: string | undefined }[]): string =>
  routes.map(({ address, reason = '' }) => `${address} (${reason})`).join(', ')

/** RFC 8305, the other way round: every address is tried, so that one that fails shows behind one that works. */
export async function connectEach(trail: Trail): Promise<Finding<'connect'>> {
  const stop = firstStop(trail)
  if (stop === undefined) return connectOnce(trail)
  const { signal, settings, addresses } = trail
  const { connectTimeoutMs } = settings
  const attempts = await tryAddresses(addresses, stop.port, { signal, connectTimeoutMs })
  throwIfAborted(signal)
  trail.tried = attempts.map(({ address }) => address)
  const connected = attempts.find(({ reason }) => reason === undefined)
  const facts = { attempts, connected: connected?.address }
  const failed = attempts.filter(({ reason }) => reason !== undefined)
  if (connected === undefined) {
    const error = notConnected(stop.host, stop.port, attempts, connectTimeoutMs)
    return { summary: error.message, facts, error }
  }
  const summary = `${connected.address} took the connection in ${connected.elapsedMs.toFixed(1)} ms`
  if (failed.length === 0) return { summary, facts }
  const family = failingFamily(attempts)
  const reasons = failed.map(({ address, reason = '' }) => `${address} (${reason})`).join(', ')
  return {
    outcome: 'warning',
    summary: `${family === undefined ? 'some addresses fail' : `${family} fails, the other family works`}: ${reasons}; ${summary}`,
    facts,
    suggestion: `have the server listen on ${family ?? 'all of its addresses'}, or take what does not answer out of its name`,
  }
}

/** The family of which no address answers, while the other one does. */
function failingFamily(attempts: readonly AddressAttempt[]): 'IPv4' | 'IPv6' | undefined {
  for (const family of [4, 6]) {
    const own = attempts.filter((attempt) => attempt.family === family)
    if (own.length > 0 && own.every(({ reason }) => reason !== undefined)) return family === 4 ? 'IPv4' : 'IPv6'
  }
  return undefined
}

/** A Unix socket, or a network in memory. */
async function connectOnce(trail: Trail): Promise<Finding<'connect'>> {
  const { endpoint } = trail.route
  const address = formatEndpoint(endpoint)
  trail.tried = [address]
  const since = systemClock.now()
  const connection = await connect(endpoint, trail.connecting)
  connection.destroy()
  const elapsedMs = systemClock.now() - since
  return {
    summary: `${address} took the connection in ${elapsedMs.toFixed(1)} ms`,
    facts: { attempts: [], connected: address },
  }
}

/** What a proxy says to the request for a tunnel. */
export async function openTunnel(trail: Trail): Promise<Finding<'tunnel'>> {
  const { route: way, target } = trail
  const asked = `${target.hostname}:${target.port}`
  if (way.tunnel === undefined) {
    return {
      outcome: 'skipped',
      summary: trail.isForwarded ? 'the proxy is sent the request itself' : 'there is no proxy',
      facts: {},
    }
  }
  const facts = { proxy: way.tunnel.toString(), target: asked }
  const connection = await connect(way.endpoint, trail.connecting)
  connection.destroy()
  return { summary: `${facts.proxy} reaches ${asked}`, facts }
}
