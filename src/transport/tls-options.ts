/** What a TLS handshake settled. */
export interface TlsInfo {
  /** `TLSv1.3`, `TLSv1.2`. */
  readonly version: string
  readonly cipher: string
  /** The protocol that ALPN chose. */
  readonly alpn: string | undefined
  /** The name the client asked for (SNI). */
  readonly serverName: string | undefined
  /** True when the peer's certificate was verified against the trusted authorities. */
  readonly authorized: boolean
  /** Why it was not, where a certificate was there. */
  readonly authorizationError: string | undefined
  /** The handshake resumed an earlier session. */
  readonly resumed: boolean
  /** The peer's certificate: its subject's common name, SHA-256 fingerprint and last day; `undefined` when it sent none. */
  readonly peerCertificate: PeerCertificate | undefined
}

export interface PeerCertificate {
  readonly subject: string
  readonly fingerprint256: string
  readonly validTo: string
  /** DER. */
  readonly raw: Uint8Array
}

/** A certificate chain with its key, each as PEM text (or a PKCS#12 bundle). */
export interface Credentials {
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  readonly pfx?: Uint8Array
  readonly passphrase?: string
}

export interface TlsServerOptions extends Credentials {
  /** Other certificates, by the name the client asks for; `*.example.org` matches one label. */
  readonly serverNames?: Readonly<Record<string, Credentials>>
  /** Protocols offered to ALPN, in the server's order of preference. A client that shares none is refused. */
  readonly alpn?: readonly string[]
  /** `'none'` (default) asks for no client certificate; `'request'` takes any; `'require'` refuses unverified ones. */
  readonly clientCertificate?: 'none' | 'request' | 'require'
  /** PEM of the authorities that client certificates are verified against. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** `TLSv1.2` (default) or `TLSv1.3`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** 48 bytes; share them between servers so that sessions resume on any. Default: random. */
  readonly ticketKeys?: Uint8Array
}

export interface TlsClientOptions extends Credentials {
  /** The name to ask for and to verify. Default: the host that is connected to. */
  readonly serverName?: string
  readonly alpn?: readonly string[]
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** False takes any certificate: for tests only. Default: true. */
  readonly verify?: boolean
  /** A session of an earlier connection to the same server, to resume (from `onSession`). */
  readonly session?: Uint8Array
  /** Called with each session ticket that can be resumed later. */
  readonly onSession?: (session: Uint8Array) => void
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** Which end of the handshake this side is. */
export type StartTlsOptions =
  | ({ readonly role: 'client'; readonly handshakeTimeoutMs?: number } & TlsClientOptions)
  | ({ readonly role: 'server'; readonly handshakeTimeoutMs?: number } & TlsServerOptions)
