import { ProtocolError, TimeoutError } from '../base/errors.js'
import { ProxyHeaderDecoder } from '../engine/proxy-protocol/decoder.js'
import type { ProxyAddress } from '../engine/proxy-protocol/header.js'
import { formatAddress, type Address } from './address.js'
import type { AddressList } from './node/address-list.js'
import type { TlsServerContext } from './node/tls-server-context.js'
import type { StreamConnection } from './stream-connection.js'

/** What comes before the first byte that a handler sees. */
export interface Preparation {
  readonly tls: TlsServerContext | undefined
  readonly handshakeTimeoutMs: number
  readonly proxyProtocol: boolean
  readonly trustedProxies: AddressList
}

/** True when a connection can be handed to its handler at once. */
export const needsNothing = ({ tls, proxyProtocol }: Preparation): boolean => tls === undefined && !proxyProtocol

/**
 * Reads the PROXY header and does the TLS handshake, in this order. On any failure the connection is destroyed.
 * @throws ProtocolError `ERR_PROXY_HEADER`; NetError `ERR_TLS_HANDSHAKE`; TimeoutError `ERR_HANDSHAKE_TIMEOUT`.
 */
export async function prepareConnection(connection: StreamConnection, preparation: Preparation): Promise<void> {
  const { tls, handshakeTimeoutMs, proxyProtocol, trustedProxies } = preparation
  try {
    if (proxyProtocol) await readProxyHeader(connection, trustedProxies, handshakeTimeoutMs)
    if (tls !== undefined) await connection.startTls({ role: 'server', context: tls, handshakeTimeoutMs })
  } catch (error) {
    connection.destroy(error)
    throw error
  }
}

async function readProxyHeader(connection: StreamConnection, trusted: AddressList, timeoutMs: number): Promise<void> {
  const proxy = connection.remote
  if (trusted.size > 0 && !trusted.has(proxy)) {
    throw new ProtocolError('ERR_PROXY_HEADER', `Refused ${formatAddress(proxy)}: it is not in trustedProxies`)
  }
  const deadline = Date.now() + timeoutMs
  const decoder = new ProxyHeaderDecoder()
  for (;;) {
    const event = decoder.nextEvent()
    if (event.type === 'header') {
      connection.unread(decoder.takeRest())
      connection.proxied(
        event.header,
        toAddress(event.header.route?.source),
        toAddress(event.header.route?.destination),
      )
      return
    }
    if (event.type === 'end')
      throw new ProtocolError('ERR_PROXY_HEADER', 'Cannot read PROXY header: the peer ended within it')
    const left = deadline - Date.now()
    if (left <= 0) throw handshakeTimeout(timeoutMs)
    const bytes = await connection.read({ timeoutMs: left }).catch((error: unknown) => {
      throw error instanceof TimeoutError ? handshakeTimeout(timeoutMs) : error
    })
    if (bytes === null) decoder.receiveEof()
    else decoder.receive(bytes)
  }
}

function toAddress(address: ProxyAddress | undefined): Address | undefined {
  if (address === undefined) return undefined
  return address.family === 'unix'
    ? { kind: 'unix', path: address.path }
    : { kind: 'ip', host: address.address, port: address.port }
}

function handshakeTimeout(timeoutMs: number): TimeoutError {
  return new TimeoutError('ERR_HANDSHAKE_TIMEOUT', `Cannot read the PROXY header within ${timeoutMs} ms`, {
    details: { timeoutMs },
  })
}
