import type { ProxyHeader } from './header.js'
import { encodeV1 } from './v1.js'
import { encodeV2 } from './v2.js'

/**
 * The header as bytes: write them first on a connection to a server that expects them.
 *
 * @throws UsageError `ERR_ARGUMENT` for what the version has no form for; version 1 knows TCP over IPv4 and IPv6 only.
 * @example
 * const header = encodeProxyHeader({
 *   version: 1,
 *   command: 'proxy',
 *   route: {
 *     transport: 'stream',
 *     source: { family: 'ipv4', address: '192.0.2.1', port: 56324 },
 *     destination: { family: 'ipv4', address: '192.0.2.2', port: 443 },
 *   },
 * })
 */
export function encodeProxyHeader(header: ProxyHeader): Uint8Array {
  return header.version === 1 ? encodeV1(header) : encodeV2(header)
}
