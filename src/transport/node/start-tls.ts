import type { Duplex } from 'node:stream'
import { connect as tlsConnect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { MoorageError, NetError, TimeoutError } from '../../base/errors.js'
import type { TlsStart } from '../stream-driver.js'
import { systemClock } from '../system-clock.js'
import {
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  type StartTlsOptions,
  type TlsClientOptions,
  type TlsInfo,
} from '../tls-options.js'
import { toPem, toPemList } from './pem.js'
import { TlsServerContext } from './tls-server-context.js'

/** Does the handshake on a plain socket, or another stream of bytes, that nobody reads. @throws NetError `ERR_TLS_HANDSHAKE`; TimeoutError. */
export async function secureSocket(socket: Duplex, options: TlsStart): Promise<TLSSocket> {
  const timeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  const stopTimer = systemClock.after(timeoutMs, () => {
    socket.destroy(
      new TimeoutError('ERR_HANDSHAKE_TIMEOUT', `Cannot finish the TLS handshake within ${timeoutMs} ms`, {
        details: { timeoutMs },
      }),
    )
  })
  try {
    if (options.role === 'client') return await handshakeAsClient(socket, options)
    const context = 'context' in options ? options.context : new TlsServerContext(serverOptions(options))
    return await context.handshake(socket)
  } catch (error) {
    socket.destroy()
    if (error instanceof MoorageError) throw error
    throw new NetError('ERR_TLS_HANDSHAKE', `Cannot finish the TLS handshake: ${reasonOf(error)}`, { cause: error })
  } finally {
    stopTimer()
  }
}

function serverOptions(
  options: StartTlsOptions & { readonly role: 'server'; readonly beneath?: true },
): ConstructorParameters<typeof TlsServerContext>[0] {
  const { role: _role, handshakeTimeoutMs: _timeout, beneath: _beneath, ...tls } = options
  return tls
}

function handshakeAsClient(socket: Duplex, options: TlsClientOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { serverName, alpn, ca, verify = true, session, onSession, minVersion, cert, key, pfx, passphrase } = options
    const secured = tlsConnect({
      socket,
      ...(serverName === undefined
        ? {}
        : isNumeric(serverName)
          ? { host: serverName }
          : { servername: serverName, host: serverName }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      ...(ca === undefined ? {} : { ca: toPemList(ca) }),
      ...(session === undefined ? {} : { session: Buffer.from(session) }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(cert === undefined ? {} : { cert: toPem(cert) }),
      ...(key === undefined ? {} : { key: toPem(key) }),
      ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
      ...(passphrase === undefined ? {} : { passphrase }),
      rejectUnauthorized: verify,
    })
    secured.allowHalfOpen = true
    if (onSession !== undefined) secured.on('session', onSession)
    const failed = (error: Error): void => reject(error)
    const gone = (): void => reject(new Error('the peer closed the connection before the handshake was done'))
    secured.once('error', failed)
    secured.once('close', gone)
    secured.once('secureConnect', () => {
      secured.off('error', failed)
      secured.off('close', gone)
      resolve(secured)
    })
  })
}

const isNumeric = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host)

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  // Null when the peer has closed the connection meanwhile, whatever the types say.
  const certificate: PeerCertificate | null = socket.getPeerCertificate()
  const hasCertificate = certificate !== null && 'raw' in certificate && certificate.raw !== undefined
  const serverName = 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : undefined
  return Object.freeze({
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.name ?? '',
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    serverName,
    authorized: socket.authorized,
    authorizationError:
      socket.authorizationError === undefined || socket.authorizationError === null
        ? undefined
        : String(socket.authorizationError),
    resumed: socket.isSessionReused(),
    peerCertificate: hasCertificate
      ? Object.freeze({
          subject: String(certificate.subject.CN ?? ''),
          fingerprint256: certificate.fingerprint256,
          validTo: certificate.valid_to,
          raw: certificate.raw,
        })
      : undefined,
  })
}
