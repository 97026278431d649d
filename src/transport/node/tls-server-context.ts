import type { Duplex } from 'node:stream'
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { deferred, type Deferred } from '../../base/deferred.js'
import { messageOf, NetError, UsageError } from '../../base/errors.js'
import type { Credentials, TlsServerOptions } from '../tls-options.js'
import { toPem, toPemList } from './pem.js'

/** Node tells what is below a secured socket only here: a socket, or else a wrapper around the stream that was given. */
interface SecuredInternals {
  readonly _parent?: Duplex | null
  readonly ssl?: { readonly _parentWrap?: { readonly stream?: Duplex } } | null
}

/**
 * The certificates and rules of a TLS server, apart from any listener, so that a worker or an open connection
 * (STARTTLS) can use them. `replace` changes the certificates for handshakes from then on; open connections stay.
 */
export class TlsServerContext {
  readonly #server: Server
  readonly #handshakes = new Map<Duplex, Deferred<TLSSocket>>()
  #names = new Map<string, SecureContext>()

  /** @throws NetError `ERR_TLS_CERTIFICATE`; UsageError `ERR_OPTION_VALUE`. */
  constructor(options: TlsServerOptions) {
    const { alpn, clientCertificate = 'none' } = options
    if (options.ticketKeys !== undefined && options.ticketKeys.length !== 48) {
      throw new UsageError(
        'ERR_OPTION_VALUE',
        `Cannot use option "ticketKeys" of tls: expected 48 bytes, got ${options.ticketKeys.length}`,
      )
    }
    const context = secureContextOptions(options, options)
    this.#names = contextsByName(options)
    try {
      this.#server = createServer({
        ...context,
        allowHalfOpen: true,
        pauseOnConnect: true,
        ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
        requestCert: clientCertificate !== 'none',
        rejectUnauthorized: clientCertificate === 'require',
        SNICallback: (name, callback) => callback(null, this.#contextFor(name)),
        ...(options.ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(options.ticketKeys) }),
      })
    } catch (error) {
      throw wrongCertificate(error)
    }
    this.#server.on('secureConnection', (secured) => {
      secured.allowHalfOpen = true
      this.#take(secured)?.resolve(secured)
    })
    this.#server.on('tlsClientError', (error, secured) => {
      this.#take(secured)?.reject(error)
      secured.destroy()
    })
  }

  /** The keys that encrypt session tickets: share them with other workers. */
  get ticketKeys(): Uint8Array {
    return this.#server.getTicketKeys()
  }

  /** @throws NetError `ERR_TLS_CERTIFICATE`; then the old certificates stay in use. */
  replace(options: TlsServerOptions): void {
    const context = secureContextOptions(options, options)
    const names = contextsByName(options)
    try {
      createSecureContext(context)
      const withKeys: SecureContextOptions & { readonly ticketKeys: Buffer } = {
        ...context,
        ticketKeys: this.#server.getTicketKeys(),
      }
      this.#server.setSecureContext(withKeys)
    } catch (error) {
      throw wrongCertificate(error)
    }
    this.#names = names
  }

  /** Resolves when the client's handshake is done. Rejects with OpenSSL's error. */
  handshake(socket: Duplex): Promise<TLSSocket> {
    const waiting = deferred<TLSSocket>()
    this.#handshakes.set(socket, waiting)
    const gone = (error: Error | undefined): void => {
      this.#handshakes.delete(socket)
      waiting.reject(error ?? new Error('the peer closed the connection before the handshake was done'))
    }
    socket.once('close', () => gone(undefined))
    socket.once('error', gone)
    // Until it is done there is no half: a client that ends within the handshake is gone, now and not at the timeout.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
    return waiting.promise
  }

  #take(secured: TLSSocket): Deferred<TLSSocket> | undefined {
    const { _parent: socket, ssl } = secured as unknown as SecuredInternals
    const below = socket ?? ssl?._parentWrap?.stream
    if (below === undefined) return undefined
    const waiting = this.#handshakes.get(below)
    this.#handshakes.delete(below)
    return waiting
  }

  #contextFor(name: string): SecureContext | undefined {
    const asked = name.toLowerCase()
    return this.#names.get(asked) ?? this.#names.get(`*${asked.slice(Math.max(0, asked.indexOf('.')))}`)
  }
}

function contextsByName(options: TlsServerOptions): Map<string, SecureContext> {
  const contexts = new Map<string, SecureContext>()
  for (const [name, credentials] of Object.entries(options.serverNames ?? {})) {
    try {
      contexts.set(name.toLowerCase(), createSecureContext(secureContextOptions(credentials, options)))
    } catch (error) {
      throw wrongCertificate(error, name)
    }
  }
  return contexts
}

function secureContextOptions(credentials: Credentials, options: TlsServerOptions): SecureContextOptions {
  const { cert, key, pfx, passphrase } = credentials
  if (pfx === undefined && (cert === undefined || key === undefined)) {
    throw new NetError(
      'ERR_TLS_CERTIFICATE',
      `Cannot use TLS: a ${cert === undefined ? 'certificate' : 'private key'} is missing; give cert and key as PEM text, or pfx`,
    )
  }
  return {
    ...(cert === undefined ? {} : { cert: toPem(cert) }),
    ...(key === undefined ? {} : { key: toPem(key) }),
    ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(options.ca === undefined ? {} : { ca: toPemList(options.ca) }),
    minVersion: options.minVersion ?? 'TLSv1.2',
    // RFC 5077 and RFC 8446 need an id that says which server a session belongs to when clients are verified.
    sessionIdContext: 'moorage',
  }
}

function wrongCertificate(cause: unknown, name?: string): NetError {
  const where = name === undefined ? '' : ` for "${name}"`
  return new NetError(
    'ERR_TLS_CERTIFICATE',
    `Cannot use the certificate or key${where}: ${messageOf(cause)}; a PEM certificate begins with "-----BEGIN CERTIFICATE-----", and the key must belong to it`,
    { cause },
  )
}
