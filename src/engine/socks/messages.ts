/** An end of a connection as SOCKS names it. */
export interface SocksAddress {
  /** An IPv4 address, an IPv6 address without brackets, or a name, which is the proxy's to resolve. */
  readonly host: string
  /** 0 to 65535. */
  readonly port: number
}

/** RFC 1929: who, and the proof. Each has at most 255 bytes of UTF-8, the user at least one. */
export interface SocksCredentials {
  readonly user: string
  readonly password: string
}

/** `connect` is what tunnels are made with; the others have no client here. */
export type SocksCommand = 'connect' | 'bind' | 'udp-associate'

/** What a client is to ask a proxy for. */
export type SocksRequest =
  | {
      readonly version: 5
      readonly target: SocksAddress
      /** Offered beside "no authentication". Default: none. */
      readonly credentials?: SocksCredentials | undefined
    }
  | {
      /** 4 knows IPv4 addresses only; 4a also names, and asks a proxy that knows 4 alone for IPv4 addresses in its way. */
      readonly version: 4 | '4a'
      readonly target: SocksAddress
      /** Who asks, which is a claim and no proof. Default: ''. */
      readonly user?: string | undefined
    }

/** Send these to the other end. */
export interface SocksSend {
  readonly type: 'send'
  readonly bytes: Uint8Array
}

/** The tunnel is open: what comes now is the target's, and `takeRest` has its first bytes. */
export interface SocksConnected {
  readonly type: 'connected'
  /** The proxy's end of its connection to the target, where it tells that: many say 0.0.0.0:0. */
  readonly bound: SocksAddress
}

/** The proxy does not open the tunnel, and says why: close the connection. */
export interface SocksRefused {
  readonly type: 'refused'
  /** What it answered: the offer of methods, the credentials, or the request itself. */
  readonly at: 'methods' | 'credentials' | 'request'
  /** The byte that says so: X'05' of RFC 1928 is 5, 0x5b of SOCKS4 is 91. */
  readonly reply: number
  /** The same in words. */
  readonly reason: string
}

export type SocksClientEvent = SocksSend | SocksConnected | SocksRefused

/** RFC 1929: answer with `authenticate`. */
export interface SocksCredentialsEvent extends SocksCredentials {
  readonly type: 'credentials'
}

/** Answer with `reply`. */
export interface SocksRequestEvent {
  readonly type: 'request'
  readonly version: 4 | 5
  readonly command: SocksCommand
  readonly target: SocksAddress
  /** What a client of SOCKS4 says of itself; '' with SOCKS5. */
  readonly user: string
}

export type SocksServerEvent = SocksSend | SocksCredentialsEvent | SocksRequestEvent
