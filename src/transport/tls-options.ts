import { readOptions, value, type OptionSpec, type OptionSpecs } from '../base/options.js'

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

/** Finite by default, as Node's own (120 s) is long: nginx waits 60 s, Go's default is none. */
export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000

/** Which end of the handshake this side is. The time is for what was written before to go out, and then for the handshake. */
export type StartTlsOptions =
  | ({ readonly role: 'client'; readonly handshakeTimeoutMs?: number } & TlsClientOptions)
  | ({ readonly role: 'server'; readonly handshakeTimeoutMs?: number } & TlsServerOptions)

type Given<O> = { readonly [K in keyof O]-?: O[K] | undefined }
type Pem = string | Uint8Array

const isPem = (given: unknown): given is Pem => typeof given === 'string' || given instanceof Uint8Array
const isBytes = (given: unknown): given is Uint8Array => given instanceof Uint8Array
const isText = (given: unknown): given is string => typeof given === 'string'
const isObject = (given: unknown): given is object => typeof given === 'object' && given !== null

const pem = (doc: string): OptionSpec<Pem | undefined> => value('PEM as text or bytes', undefined, 'none', doc, isPem)
const bytes = (kind: string, shown: string, doc: string): OptionSpec<Uint8Array | undefined> =>
  value(kind, undefined, shown, doc, isBytes)

const CREDENTIALS: OptionSpecs<Given<Credentials>> = {
  cert: pem('The certificate, with those that lead to its authority behind it. The text, not the name of a file.'),
  key: pem('The private key that belongs to `cert`.'),
  pfx: bytes('a PKCS#12 bundle as bytes', 'none', 'Certificate and key in one, instead of `cert` and `key`.'),
  passphrase: {
    ...value<string | undefined>('a string', undefined, 'none', 'What `key` or `pfx` is encrypted with.', isText),
    isSecret: true,
  },
}

const BOTH = {
  alpn: value<readonly string[] | undefined>(
    'names of protocols (["h2"])',
    undefined,
    'none',
    'Protocols for ALPN, the preferred first. A server refuses a client that offers others alone.',
    (given): given is readonly string[] => Array.isArray(given) && given.every(isText),
  ),
  minVersion: value<'TLSv1.2' | 'TLSv1.3' | undefined>(
    "'TLSv1.2' | 'TLSv1.3'",
    undefined,
    "'TLSv1.2'",
    'The oldest version that is spoken.',
    (given): given is 'TLSv1.2' | 'TLSv1.3' => given === 'TLSv1.2' || given === 'TLSv1.3',
  ),
}

const ca = (shown: string, doc: string): OptionSpec<Pem | readonly Pem[] | undefined> =>
  value<Pem | readonly Pem[] | undefined>(
    'PEM as text or bytes, or several',
    undefined,
    shown,
    doc,
    (given): given is Pem | readonly Pem[] => isPem(given) || (Array.isArray(given) && given.every(isPem)),
  )

export const TLS_SERVER_OPTIONS: OptionSpecs<Given<TlsServerOptions>> = {
  ...CREDENTIALS,
  ...BOTH,
  clientCertificate: value<'none' | 'request' | 'require' | undefined>(
    "'none' | 'request' | 'require'",
    undefined,
    "'none'",
    "Whether clients show a certificate. 'request' takes any: look at `connection.tls.authorized`. 'require' refuses those that `ca` does not verify.",
    (given): given is 'none' | 'request' | 'require' => given === 'none' || given === 'request' || given === 'require',
  ),
  ca: ca('the system’s authorities', 'The authorities that client certificates are verified against.'),
  serverNames: value<Readonly<Record<string, Credentials>> | undefined>(
    'credentials by name ({ "*.example.org": { cert, key } })',
    undefined,
    'none',
    'Other certificates, by the name the client asks for; `*` stands for one label.',
    (given): given is Readonly<Record<string, Credentials>> => isObject(given) && Object.values(given).every(isObject),
  ),
  ticketKeys: bytes('48 bytes', 'random', 'Share them between servers, so that sessions resume on any.'),
}

export const TLS_CLIENT_OPTIONS: OptionSpecs<Given<TlsClientOptions>> = {
  ...CREDENTIALS,
  ...BOTH,
  serverName: value('a string', undefined, 'the host', 'The name to ask for and to verify.', isText),
  ca: ca('the system’s authorities', 'The authorities to trust instead of the system’s.'),
  verify: value<boolean | undefined>(
    'true or false',
    undefined,
    'true',
    'False takes any certificate: for tests only.',
    (given): given is boolean => typeof given === 'boolean',
  ),
  session: bytes(
    'bytes',
    'none',
    'A session of an earlier connection to the same server (from `onSession`), to resume.',
  ),
  onSession: value<TlsClientOptions['onSession']>(
    'a function',
    undefined,
    'none',
    'Called with each session that can be resumed later.',
    (given): given is (session: Uint8Array) => void => typeof given === 'function',
  ),
}

/** A misspelt rule of TLS is not one that holds. @throws UsageError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`. */
export function checkTlsServer(options: TlsServerOptions): void {
  readOptions('tls', TLS_SERVER_OPTIONS, options)
}

/** The same for either role. */
export function checkStartTls({ role, handshakeTimeoutMs: _timeout, ...options }: StartTlsOptions): void {
  if (role === 'server') readOptions('tls', TLS_SERVER_OPTIONS, options)
  else readOptions('tls', TLS_CLIENT_OPTIONS, options)
}
