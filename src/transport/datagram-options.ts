import type { FullPolicy } from '../base/bounded-queue.js'
import type { AbortSignalLike } from '../base/cancellation.js'
import { UsageError } from '../base/errors.js'
import {
  byteCount,
  count,
  flag,
  nearestName,
  oneOf,
  text,
  value,
  type OptionSpec,
  type OptionSpecs,
} from '../base/options.js'
import { defaultNetwork, MemoryNetwork } from './memory/network.js'
import { formatEndpoint, type Endpoint } from './endpoint.js'

/** A multicast group to take part in. */
export interface MulticastGroup {
  /** The group's numeric address: `239.1.1.1`, `ff02::1234`. */
  readonly group: string
  /** Where to join: the name of an interface, or a numeric address of this machine. Default: the system's choice. */
  readonly interface?: string
}

export type NativeUse = 'auto' | 'never' | 'always'

/** Everything that `bindDatagram` and `connectDatagram` can be told; docs/OPTIONS.md is made from the specs below. */
export interface DatagramSettings {
  readonly maxDatagramBytes: number
  readonly receiveQueueCount: number
  readonly receiveQueueBytes: number
  readonly receiveQueuePolicy: Exclude<FullPolicy, 'refuse'>
  readonly sendQueueCount: number
  readonly sendQueueBytes: number
  readonly sendHighWaterBytes: number
  readonly receiveBufferBytes: number | undefined
  readonly sendBufferBytes: number | undefined
  readonly reuseAddress: boolean
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  readonly broadcast: boolean
  readonly groups: readonly MulticastGroup[]
  readonly multicastInterface: string | undefined
  readonly multicastTtl: number | undefined
  readonly multicastLoopback: boolean
  readonly mode: number | undefined
  readonly native: NativeUse
  readonly network: MemoryNetwork
  readonly signal: AbortSignalLike | undefined
}

export interface ConnectDatagramSettings extends DatagramSettings {
  readonly localHost: string | undefined
  readonly localPort: number
  readonly localPath: string | undefined
}

export type DatagramOptions = Partial<DatagramSettings>
export type ConnectDatagramOptions = Partial<ConnectDatagramSettings>

const isSignal = (given: unknown): given is AbortSignalLike | undefined =>
  typeof given === 'object' && given !== null && 'aborted' in given && 'addEventListener' in given

const isGroup = (given: unknown): given is MulticastGroup =>
  typeof given === 'object' &&
  given !== null &&
  'group' in given &&
  typeof given.group === 'string' &&
  (!('interface' in given) || given.interface === undefined || typeof given.interface === 'string')

const isGroups = (given: unknown): given is readonly MulticastGroup[] => Array.isArray(given) && given.every(isGroup)

function optional(spec: OptionSpec<number>, shown: string): OptionSpec<number | undefined> {
  return { ...spec, fallback: undefined, shown }
}

const MIB = 1024 * 1024

export const DATAGRAM_OPTIONS: OptionSpecs<DatagramSettings> = {
  network: value(
    'a MemoryNetwork',
    defaultNetwork,
    'one for the thread',
    'The network of memory: endpoints.',
    (given): given is MemoryNetwork => given instanceof MemoryNetwork,
  ),
  maxDatagramBytes: byteCount(
    65_535,
    'The longest datagram that is received whole; a longer one is cut and marked `truncated`. The default is the longest that UDP can carry.',
    { max: 65_535 },
  ),
  receiveQueueCount: count(
    1024,
    'How many datagrams wait for `receive` before the policy applies. A sink does not use the queue.',
  ),
  receiveQueueBytes: byteCount(
    MIB,
    'How many bytes wait for `receive` before the policy applies; a single larger datagram is dropped and counted.',
  ),
  receiveQueuePolicy: oneOf(
    ['drop-oldest', 'drop-newest'],
    'drop-newest',
    'What a full receive queue loses. The default is what the system does when its own buffer is full; `drop-oldest` suits values of which only the latest matters.',
  ),
  sendQueueCount: count(
    1024,
    'How many datagrams wait to be sent while the system takes none; one more is refused with ERR_QUEUE_LIMIT.',
    { max: 65_536 },
  ),
  sendQueueBytes: byteCount(
    512 * 1024,
    'How many bytes wait to be sent while the system takes none; at the same time the longest datagram that can be sent. The addon reserves the memory, which costs nothing until it is used.',
    { max: 64 * MIB },
  ),
  sendHighWaterBytes: byteCount(
    128 * 1024,
    'Up to so many queued bytes `send` resolves at once; above, when the queue has drained.',
  ),
  receiveBufferBytes: optional(
    byteCount(1, "The system's receive buffer (SO_RCVBUF): what a burst needs while this program is busy.", {
      max: 0x7fffffff,
    }),
    "the system's, 208 KiB on most Linux machines",
  ),
  sendBufferBytes: optional(
    byteCount(1, "The system's send buffer (SO_SNDBUF).", { max: 0x7fffffff }),
    "the system's, 208 KiB on most Linux machines",
  ),
  reuseAddress: flag(
    false,
    'SO_REUSEADDR: several sockets of this machine may bind one address, as multicast listeners do; unicast goes to the last one.',
  ),
  reusePort: flag(
    false,
    'SO_REUSEPORT: several sockets of one user share the port and the system spreads peers over them. Needs the addon, or a Node.js whose dgram has it.',
  ),
  ipv6Only: flag(false, 'A socket on an IPv6 address takes no IPv4. By default `[::]` takes both.'),
  broadcast: flag(false, 'SO_BROADCAST: sending to a broadcast address is allowed.'),
  groups: value<readonly MulticastGroup[]>(
    'an array of { group, interface? }',
    Object.freeze([]),
    '[]',
    'Multicast groups to join.',
    isGroups,
  ),
  multicastInterface: text(undefined, 'The interface (name or address) that multicast is sent by.'),
  multicastTtl: optional(
    count(1, 'How many routers a multicast datagram may pass.', { min: 0, max: 255 }),
    "the system's, 1",
  ),
  multicastLoopback: flag(true, 'Whether multicast that is sent here is received on this machine too.'),
  mode: optional(
    count(0o600, 'Mode bits of the file of a Unix datagram socket, for instance 0o660.', { min: 0, max: 0o777 }),
    'from the umask',
  ),
  native: oneOf(
    ['auto', 'never', 'always'],
    'auto',
    'Whether UDP uses the native addon: where it is there, never (node:dgram), or always (its absence is an error).',
  ),
  signal: value<AbortSignalLike | undefined>(
    'an AbortSignal',
    undefined,
    'none',
    'Cancels the opening; the open socket does not look at it.',
    isSignal,
  ),
}

export const CONNECT_DATAGRAM_OPTIONS: OptionSpecs<ConnectDatagramSettings> = {
  ...DATAGRAM_OPTIONS,
  localHost: text(
    undefined,
    'The numeric address of this machine to send from. Default: what the route to the peer takes.',
  ),
  localPort: count(0, 'The port to send from; 0 means any.', { min: 0, max: 65_535 }),
  localPath: text(
    undefined,
    'The path or `@name` that a Unix datagram client is bound to, so that it can be answered. Default: a name that the system picks.',
  ),
}

export type Parameter = readonly [option: keyof DatagramSettings | 'group' | 'iface', read: (text: string) => unknown]

const readFlag = (given: string): unknown =>
  given === '' || given === '1' || given === 'true' ? true : given === '0' || given === 'false' ? false : undefined
const readNumber = (given: string): unknown => (/^\d{1,10}$/.test(given) ? Number(given) : undefined)
const readMode = (given: string): unknown => (/^0?[0-7]{3}$/.test(given) ? parseInt(given, 8) : undefined)
const readText = (given: string): unknown => (given === '' ? undefined : given)

const SHARED: Readonly<Record<string, Parameter>> = {
  maxbytes: ['maxDatagramBytes', readNumber],
  rcvbuf: ['receiveBufferBytes', readNumber],
  sndbuf: ['sendBufferBytes', readNumber],
}

/** The parameters of a `udp:` endpoint, and the options they stand for (`group` and `iface` make one entry of `groups`). */
export const UDP_PARAMETERS: Readonly<Record<string, Parameter>> = {
  ...SHARED,
  reuseaddr: ['reuseAddress', readFlag],
  reuseport: ['reusePort', readFlag],
  ipv6only: ['ipv6Only', readFlag],
  broadcast: ['broadcast', readFlag],
  group: ['group', readText],
  iface: ['iface', readText],
  ttl: ['multicastTtl', readNumber],
  loopback: ['multicastLoopback', readFlag],
}

/** The parameters of a `unixgram:` endpoint. */
export const UNIXGRAM_PARAMETERS: Readonly<Record<string, Parameter>> = { ...SHARED, mode: ['mode', readMode] }

/**
 * The options that an endpoint's parameters stand for: `?reuseport`, `?group=239.1.1.1&iface=eth0`, `?mode=660`.
 * @throws UsageError `ERR_ENDPOINT` for one that is unknown here, or has a value that cannot be read.
 */
export function datagramParameters(endpoint: Endpoint): Record<string, unknown> {
  const known = endpoint.scheme === 'udp' ? UDP_PARAMETERS : endpoint.scheme === 'memory' ? {} : UNIXGRAM_PARAMETERS
  const options: Record<string, unknown> = {}
  let group: unknown
  let iface: unknown
  for (const [name, given] of Object.entries(endpoint.parameters)) {
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined
    if (parameter === undefined) throw unknownParameter(endpoint, name, Object.keys(known))
    const read = parameter[1](given)
    if (read === undefined) throw badParameter(endpoint, `the parameter "${name}" cannot be ${JSON.stringify(given)}`)
    if (parameter[0] === 'group') group = read
    else if (parameter[0] === 'iface') iface = read
    else options[parameter[0]] = read
  }
  if (group !== undefined) options['groups'] = [{ group, ...(iface === undefined ? {} : { interface: iface }) }]
  if (iface !== undefined) options['multicastInterface'] = iface
  return options
}

function unknownParameter(endpoint: Endpoint, name: string, known: readonly string[]): UsageError {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`
  return badParameter(endpoint, `the parameter "${name}" is unknown for ${endpoint.scheme}; ${hint}`)
}

function badParameter(endpoint: Endpoint, problem: string): UsageError {
  return new UsageError('ERR_ENDPOINT', `Cannot use endpoint ${formatEndpoint(endpoint)}: ${problem}`)
}
