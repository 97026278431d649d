import { onAbort, throwIfAborted, type AbortSignalLike } from '../../base/cancellation.js'
import { MoorageError, NetError, TimeoutError, UsageError } from '../../base/errors.js'
import type { ProxyServer } from '../proxy-server.js'
import type { StreamConnection } from '../stream-connection.js'
import { askHttpProxy } from './http-tunnel.js'
import { resolveAll, type Lookup } from './resolve-all.js'
import { askSocksProxy } from './socks-tunnel.js'
import { formatTarget, type TunnelRefusal, type TunnelTarget } from './tunnel-target.js'

export interface TunnelSettings {
  /** Ends the attempt, in whichever phase: the deadline of all of them is among its reasons. */
  readonly signal: AbortSignalLike
  /** Of TLS to an `https:` proxy. */
  readonly handshakeTimeoutMs: number
  /** Of the target, where this side resolves it; the system's where none is given. */
  readonly lookup?: Lookup | undefined
}

/**
 * A connection to the target through a proxy, to which `reach` connects. What the target sends at once stands ready to be
 * read; `startTls` speaks to the target, and `tls` says nothing of TLS to the proxy. On any failure all is closed.
 * @throws NetError `ERR_TUNNEL_REFUSED`, `ERR_PROXY_AUTH`, `ERR_TUNNEL`; `ERR_CONNECT`, `ERR_RESOLVE`,
 *   `ERR_TLS_HANDSHAKE` and TimeoutError `ERR_HANDSHAKE_TIMEOUT` of the way to the proxy; the signal's reason. All of the
 *   errors have `details.proxy`, without user and password, and `details.target`.
 */
export async function connectThrough(
  proxy: ProxyServer,
  target: TunnelTarget,
  settings: TunnelSettings,
  reach: (host: string, port: number) => Promise<StreamConnection>,
): Promise<StreamConnection> {
  const { signal } = settings
  let connection: StreamConnection | undefined
  let unlink = (): void => undefined
  try {
    const asked = proxy.resolvesHere ? await resolve(proxy, target, settings) : target
    const made = await reach(proxy.host, proxy.port)
    connection = made
    unlink = onAbort(signal, (reason) => made.destroy(reason))
    if (proxy.scheme === 'https') await secureToProxy(made, proxy, settings)
    const refusal = proxy.isSocks ? await askSocksProxy(made, proxy, asked) : await askHttpProxy(made, proxy, asked)
    throwIfAborted(signal)
    if (refusal !== undefined) throw refused(proxy, target, refusal)
    return made
  } catch (error) {
    connection?.destroy()
    throwIfAborted(signal)
    throw translated(proxy, target, error)
  } finally {
    unlink()
  }
}

/** SOCKS4 has no other addresses than those of IPv4, and many a proxy knows no others. */
async function resolve(
  proxy: ProxyServer,
  { host, port }: TunnelTarget,
  { signal, lookup }: TunnelSettings,
): Promise<TunnelTarget> {
  const addresses = await resolveAll(host, lookup, signal)
  const [first] = addresses
  // An address that was given is asked for as it is: what the proxy cannot be asked for is refused there.
  const isUsable = proxy.scheme !== 'socks4' || first?.address === host
  const chosen = addresses.find(({ family }) => family === 4) ?? (isUsable ? first : undefined)
  if (chosen !== undefined) return { host: chosen.address, port }
  throw new NetError('ERR_RESOLVE', `Cannot resolve ${JSON.stringify(host)}: it has no address of IPv4`, {
    details: { host },
  })
}

async function secureToProxy(
  connection: StreamConnection,
  proxy: ProxyServer,
  { handshakeTimeoutMs }: TunnelSettings,
): Promise<void> {
  await connection.startTls({ role: 'client', beneath: true, handshakeTimeoutMs, serverName: proxy.host, ...proxy.tls })
}

function refused(proxy: ProxyServer, target: TunnelTarget, { code, reason, details }: TunnelRefusal): NetError {
  return new NetError(code, `${cannotReach(proxy, target)}: ${reason}`, {
    details: { ...details, ...ends(proxy, target) },
  })
}

const cannotReach = (proxy: ProxyServer, target: TunnelTarget): string =>
  `Cannot open a tunnel to ${formatTarget(target)} through the proxy ${proxy.toString()}`

const ends = (proxy: ProxyServer, target: TunnelTarget): Readonly<Record<string, unknown>> => ({
  proxy: proxy.toString(),
  target: formatTarget(target),
})

/** The same error of the way to the proxy, with both ends named; whatever else went wrong there is its answer. */
function translated(proxy: ProxyServer, target: TunnelTarget, error: unknown): unknown {
  if (!(error instanceof MoorageError) || error instanceof UsageError || 'proxy' in error.details) return error
  const message = `${cannotReach(proxy, target)}: ${error.message}`
  const extras = { cause: error, details: { ...error.details, ...ends(proxy, target) } }
  if (error instanceof TimeoutError) return new TimeoutError(error.code, message, extras)
  return new NetError(
    error instanceof NetError && error.code !== 'ERR_SOCKET' ? error.code : 'ERR_TUNNEL',
    message,
    extras,
  )
}
