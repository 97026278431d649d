import { entry, table, type Table } from './code-table.js'

export type TunnelUsageCode = 'ERR_PROXY_URL'

export const TUNNEL_USAGE_CODES: Table<TunnelUsageCode> = table({
  ERR_PROXY_URL: entry(
    'local',
    'The URL of a proxy, or what stands beside it, is malformed.',
    'Give one such as http://user:password@proxy.example:3128 or socks5h://127.0.0.1:1080.',
  ),
})

export type TunnelNetCode = 'ERR_TUNNEL' | 'ERR_TUNNEL_REFUSED' | 'ERR_PROXY_AUTH'

export const TUNNEL_NET_CODES: Table<TunnelNetCode> = table({
  ERR_TUNNEL: entry(
    'remote',
    'A proxy broke off, or answered something that cannot be understood, before a tunnel was open.',
    'See the cause; check that the scheme of its URL is what the proxy speaks.',
  ),
  ERR_TUNNEL_REFUSED: entry(
    'remote',
    'A proxy did not open a tunnel to the target; the message and `details` have its answer.',
    'Check that the target can be reached from the proxy, and that its rules allow it.',
  ),
  ERR_PROXY_AUTH: entry(
    'remote',
    'A proxy wants credentials, or does not take those that it was given.',
    'Put a user and a password in its URL, with %-escapes where they have characters such as @ or :.',
  ),
})

export type TunnelProtocolCode = 'ERR_SOCKS'

export const TUNNEL_PROTOCOL_CODES: Table<TunnelProtocolCode> = table({
  ERR_SOCKS: entry(
    'remote',
    'What a SOCKS proxy or its client sent is no message of SOCKS.',
    'Check that both speak the same version, and that this is the port of a SOCKS proxy.',
  ),
})
