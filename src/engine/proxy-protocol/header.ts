/** An end of the connection that the proxy accepted. */
export type ProxyAddress = ProxyIpAddress | ProxyUnixAddress

export interface ProxyIpAddress {
  readonly family: 'ipv4' | 'ipv6'
  /** In its usual text form, IPv6 as RFC 5952 has it. */
  readonly address: string
  /** 0 to 65535. */
  readonly port: number
}

export interface ProxyUnixAddress {
  readonly family: 'unix'
  /** At most 108 bytes of UTF-8; '' when the socket has no name; `@name` for an abstract one. */
  readonly path: string
}

/** What the proxy knows of the TLS connection that its client made. */
export interface ProxyTls {
  /** The client spoke TLS (`PP2_CLIENT_SSL`). */
  readonly used: boolean
  /** The client showed a certificate on this connection, or earlier in the same TLS session. */
  readonly certificate: 'none' | 'connection' | 'session'
  /** The client's certificate was verified: the field `verify` is 0, which means nothing without a certificate. */
  readonly verified: boolean
  /** As OpenSSL writes it: `TLSv1.3`. */
  readonly version?: string
  /** The common name in the client certificate's subject. */
  readonly commonName?: string
  readonly cipher?: string
  readonly signatureAlgorithm?: string
  readonly keyAlgorithm?: string
  /** The group of the key exchange. */
  readonly group?: string
  readonly signatureScheme?: string
  /** The client's certificate, DER. */
  readonly clientCertificate?: Uint8Array
}

/** A type-length-value that has no field of its own: the ranges for applications and experiments, and new types. */
export interface ProxyTlv {
  /** 0 to 255. */
  readonly type: number
  readonly value: Uint8Array
}

/** What the proxy tells about a connection. Without addresses, those of the connection itself are the right ones. */
export interface ProxyHeader {
  readonly version: 1 | 2
  /** `local`: the proxy speaks for itself, for instance to see whether this server is up. Version 1 has none. */
  readonly command: 'local' | 'proxy'
  /** Absent with `local`, and when the proxy does not know the addresses (`UNKNOWN`, `UNSPEC`). */
  readonly route?: ProxyRoute
  /** Version 2 only, all of these. */
  readonly alpn?: Uint8Array
  /** The host name that the client asked for, from SNI for instance. */
  readonly authority?: string
  /** At most 128 bytes. */
  readonly uniqueId?: Uint8Array
  readonly tls?: ProxyTls
  /** The name of the network namespace. */
  readonly namespace?: string
  /** Whether the header carries a CRC-32C; one that is wrong is an error. */
  readonly checksum?: boolean
  readonly tlvs?: readonly ProxyTlv[]
}

export interface ProxyRoute {
  readonly transport: 'stream' | 'datagram'
  /** The client. */
  readonly source: ProxyAddress
  /** What the client connected to; of the same family as `source`. */
  readonly destination: ProxyAddress
}
