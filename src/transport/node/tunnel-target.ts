/** What is to be at the other end of a tunnel. */
export interface TunnelTarget {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** Why a proxy does not open a tunnel: its answer, as a person and as a program reads it. */
export interface TunnelRefusal {
  readonly code: 'ERR_TUNNEL_REFUSED' | 'ERR_PROXY_AUTH'
  readonly reason: string
  readonly details: Readonly<Record<string, unknown>>
}

export const formatTarget = ({ host, port }: TunnelTarget): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
