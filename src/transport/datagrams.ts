import { UsageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import { DrivenDatagramSocket } from './datagram-core.js'
import {
  CONNECT_DATAGRAM_OPTIONS,
  DATAGRAM_OPTIONS,
  datagramParameters,
  type ConnectDatagramOptions,
  type DatagramOptions,
} from './datagram-options.js'
import type { DatagramSocket } from './datagram-socket.js'
import {
  formatEndpoint,
  parseEndpoint,
  type Endpoint,
  type HostEndpoint,
  type MemoryEndpoint,
  type PathEndpoint,
} from './endpoint.js'
import { adoptUdp, bindUdp, connectUdp } from './node/udp.js'
import { bindUnixgram, connectUnixgram } from './node/unixgram.js'

const toEndpoint = (endpoint: string | Endpoint): Endpoint =>
  typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint

const carriesDatagrams = (
  endpoint: Endpoint,
): endpoint is (HostEndpoint & { readonly scheme: 'udp' }) | PathEndpoint | MemoryEndpoint =>
  endpoint.scheme === 'udp' || endpoint.scheme === 'unixgram' || endpoint.scheme === 'memory'

function wrongScheme(action: string, endpoint: Endpoint): UsageError {
  const problem = `datagrams go by udp:, unixgram: and memory:, and "${endpoint.scheme}:" is none of them`
  return new UsageError('ERR_ENDPOINT_SCHEME', `Cannot ${action} ${formatEndpoint(endpoint)}: ${problem}`)
}

/**
 * A socket that receives datagrams from anybody, on `udp://0.0.0.0:5353`, `udp://[::]:0` (IPv6 and IPv4),
 * `udp://:9999` (all addresses), `unixgram:/run/app.sock`, `unixgram:@name`. Parameters of the endpoint stand for
 * options (`?reuseport`, `?group=239.1.1.1&iface=eth0`); an option given here wins.
 * @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME`, `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`,
 *   `ERR_NATIVE_MISSING` (unixgram without the addon); NetError `ERR_ADDRESS_IN_USE`, `ERR_ACCESS`,
 *   `ERR_ADDRESS_NOT_AVAILABLE`, `ERR_RESOLVE`, `ERR_UNIX_PATH`; `signal.reason`.
 * @example
 * await using socket = await bindDatagram('udp://127.0.0.1:9999')
 * for await (const { data, remote } of socket) await socket.send(data, remote)
 */
export async function bindDatagram(endpoint: string | Endpoint, options?: DatagramOptions): Promise<DatagramSocket> {
  const target = toEndpoint(endpoint)
  if (!carriesDatagrams(target)) throw wrongScheme('receive datagrams on', target)
  const given = { ...datagramParameters(target), ...options }
  const settings = readOptions('bindDatagram', DATAGRAM_OPTIONS, given)
  if (target.scheme === 'memory') {
    return new DrivenDatagramSocket(settings.network.bindDatagrams(target, settings), settings)
  }
  const driver = target.scheme === 'udp' ? await bindUdp(target, settings) : bindUnixgram(target.path, settings)
  return new DrivenDatagramSocket(driver, settings)
}

/**
 * A socket with one peer: `send` needs no address, only that peer's datagrams arrive, and a refusal by the peer's
 * machine is reported. A Unix socket is bound to a name of its own, so that it can be answered.
 * @throws As `bindDatagram`; NetError `ERR_DATAGRAM_UNREACHABLE` where nobody listens on a Unix path.
 */
export async function connectDatagram(
  endpoint: string | Endpoint,
  options?: ConnectDatagramOptions,
): Promise<DatagramSocket> {
  const target = toEndpoint(endpoint)
  if (!carriesDatagrams(target)) throw wrongScheme('send datagrams to', target)
  const given = { ...datagramParameters(target), ...options }
  const settings = readOptions('connectDatagram', CONNECT_DATAGRAM_OPTIONS, given)
  if (target.scheme === 'memory') {
    return new DrivenDatagramSocket(settings.network.connectDatagrams(target, settings), settings)
  }
  const { localHost: host = '', localPort: port, localPath = '' } = settings
  const driver =
    target.scheme === 'udp'
      ? await connectUdp(target, { host, port }, settings)
      : connectUnixgram(target.path, localPath, settings)
  return new DrivenDatagramSocket(driver, settings)
}

/**
 * A socket over a bound datagram descriptor that was inherited (systemd) or made by the parent of this worker. The
 * socket owns the descriptor from now on and closes it.
 * @throws NetError `ERR_DESCRIPTOR`, `ERR_SOCKET`.
 */
export async function adoptDatagram(descriptor: number, options?: DatagramOptions): Promise<DatagramSocket> {
  const settings = readOptions('adoptDatagram', DATAGRAM_OPTIONS, options)
  return new DrivenDatagramSocket(await adoptUdp(descriptor, settings), settings)
}
