import { count, flag, group, milliseconds, oneOf, value, type OptionSpecs } from '../base/options.js'
import { defaultNetwork, MemoryNetwork } from './memory/network.js'
import { TLS_SERVER_OPTIONS, type TlsServerOptions } from './tls-options.js'

/** How an address is listened on, and what comes before the first byte of a connection. */
export interface ListenOptions {
  readonly backlog?: number
  readonly reusePort?: boolean
  readonly ipv6Only?: boolean
  readonly mode?: number | undefined
  readonly noDelay?: boolean
  readonly fastReceive?: boolean
  readonly tls?: TlsServerOptions | undefined
  readonly handshakeTimeoutMs?: number
  readonly proxyProtocol?: 'off' | 'require'
  readonly trustedProxies?: readonly string[]
  readonly network?: MemoryNetwork
}

export type ListenSettings = Readonly<Required<ListenOptions>>

const isStrings = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((entry) => typeof entry === 'string')

export const LISTEN_OPTIONS: OptionSpecs<ListenSettings> = {
  backlog: count(
    4096,
    'Connections that the system holds before they are accepted. Linux allows at most net.core.somaxconn (4096); Node asks for 511, Python for 5, and a sudden mass of clients overflows those.',
    { max: 65_535 },
  ),
  reusePort: flag(
    false,
    'Lets several listeners share the port (SO_REUSEPORT); the system spreads connections over them.',
  ),
  ipv6Only: flag(false, 'Makes [::] listen on IPv6 alone; without it IPv4 clients are served too.'),
  mode: value(
    'mode bits (0o600)',
    undefined,
    'what the umask leaves',
    'Mode bits of a Unix socket file.',
    (given): given is number | undefined =>
      typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= 0o777,
  ),
  noDelay: flag(true, 'Sends small writes at once (TCP_NODELAY), as Go does.'),
  fastReceive: flag(true, 'Receives in one shared buffer where the runtime can; false takes the portable path.'),
  tls: group<TlsServerOptions>(
    'tls',
    TLS_SERVER_OPTIONS,
    'none',
    'The certificate and rules of a tls: endpoint: see “TLS of servers”.',
  ),
  handshakeTimeoutMs: milliseconds(
    10_000,
    'Milliseconds for a TLS handshake or a PROXY header. nginx gives 60 s, HAProxy as long as its client timeout.',
  ),
  proxyProtocol: oneOf(
    ['off', 'require'],
    'off',
    'Whether each connection begins with a PROXY header (v1 or v2), from which its remote address is taken.',
  ),
  trustedProxies: value<readonly string[]>(
    'addresses or networks (["10.0.0.0/8"])',
    [],
    'any',
    'Who may send a PROXY header; others are refused. Empty means any, which is right only when nobody else can reach the port.',
    isStrings,
  ),
  network: value(
    'a MemoryNetwork',
    defaultNetwork,
    'one for the thread',
    'The network of memory: endpoints.',
    (given): given is MemoryNetwork => given instanceof MemoryNetwork,
  ),
}
