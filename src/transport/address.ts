/** Where one end of a connection or socket is. */
export type Address = IpAddress | UnixAddress | MemoryAddress

export interface IpAddress {
  readonly kind: 'ip'
  /** The numeric address, IPv6 without brackets: `127.0.0.1`, `::1`. */
  readonly host: string
  readonly port: number
}

export interface UnixAddress {
  readonly kind: 'unix'
  /** The path, `@name` for an abstract name (Linux), or '' for a peer that is bound to none. */
  readonly path: string
}

export interface MemoryAddress {
  readonly kind: 'memory'
  readonly name: string
}

/** `127.0.0.1:80`, `[::1]:80`, the path, or the name. */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'ip':
      return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
    case 'unix':
      return address.path === '' ? '(unnamed unix socket)' : address.path
    case 'memory':
      return address.name
  }
}
