import { NetError, type MoorageError } from '../../base/errors.js'
import { connect, type ConnectPhase } from '../../transport/connect.js'
import { systemClock } from '../../transport/system-clock.js'
import type { TlsClientOptions, TlsInfo } from '../../transport/tls-options.js'
import { inTheirWords } from '../option-words.js'
import { speaksNoTls } from '../suggestions.js'
import { readCertificate, type CertificateProblem } from './certificate.js'
import { speaksPlain } from './other-protocol.js'
import type { Finding, TlsFacts } from './steps.js'
import type { Trail } from './trail.js'

/** A certificate that ends sooner is told of: whoever renews it does so a month before. */
const SOON_DAYS = 14

/** RFC 8446, RFC 5280: the handshake as a session does it; where that fails, what is wrong with the certificate. */
export async function secure(trail: Trail): Promise<Finding<'tls'>> {
  const { tls } = trail.route
  if (tls === undefined) return { outcome: 'skipped', summary: 'the URL asks for none', facts: {} }
  trail.reached = 'tls'
  try {
    const { info, elapsedMs } = await handshake(trail, tls)
    return accepted(tls, info, elapsedMs)
  } catch (error) {
    if (!(error instanceof NetError) || error.code !== 'ERR_TLS_HANDSHAKE') throw error
    // Where there is a proxy of HTTP over TLS, this is about the proxy.
    if (speaksNoTls(error) && !trail.isForwarded) return { ...(await speaksPlain(trail)), facts: {}, error }
    return refused(error, await look(trail, tls))
  }
}

async function handshake(
  trail: Trail,
  tls: TlsClientOptions,
): Promise<{ readonly info: TlsInfo | undefined; readonly elapsedMs: number }> {
  let from = systemClock.now()
  const onPhase = (phase: ConnectPhase): void => {
    if (phase !== 'secured') from = systemClock.now()
  }
  const connection = await connect(trail.route.endpoint, { ...trail.connecting, tls, onPhase })
  const { tls: info } = connection
  const elapsedMs = systemClock.now() - from
  connection.destroy()
  return { info, elapsedMs }
}

/** A second connection, which takes any certificate and is sent nothing. */
async function look(trail: Trail, tls: TlsClientOptions): Promise<Partial<TlsFacts>> {
  try {
    const { info } = await handshake(trail, { ...tls, verify: false })
    return info === undefined ? {} : factsOf(tls, info)
  } catch {
    // It is not the certificate: the first error says what it is.
    return {}
  }
}

function factsOf({ serverName = '' }: TlsClientOptions, info: TlsInfo): Partial<TlsFacts> {
  const { version, cipher, alpn, authorized } = info
  return { serverName, version, cipher, alpn, authorized, ...readCertificate(info, serverName, Date.now()) }
}

function accepted(tls: TlsClientOptions, info: TlsInfo | undefined, elapsedMs: number): Finding<'tls'> {
  if (info === undefined) return { outcome: 'warning', summary: 'the server went behind the handshake', facts: {} }
  const facts = factsOf(tls, info)
  const { certificate, problems = [], version = '', cipher = '', alpn } = facts
  const until = certificate === undefined ? '' : `; the certificate is good until ${certificate.validTo.slice(0, 10)}`
  const spoken = `${version}, ${cipher}${alpn === undefined ? '' : `, ${alpn}`} in ${elapsedMs.toFixed(1)} ms`
  if (tls.verify === false && problems.length > 0) {
    return {
      outcome: 'warning',
      summary: `${spoken}; the certificate is not verified: ${words(problems)}`,
      facts,
      suggestion: inTheirWords('{unverified}'),
    }
  }
  if (certificate !== undefined && certificate.daysLeft < SOON_DAYS) {
    return {
      outcome: 'warning',
      summary: `${spoken}${until}: ${certificate.daysLeft === 1 ? '1 day' : `${certificate.daysLeft} days`}`,
      facts,
      suggestion: 'have the certificate of the server renewed',
    }
  }
  return { summary: `${spoken}${until}`, facts }
}

function refused(error: MoorageError, facts: Partial<TlsFacts>): Finding<'tls'> {
  const { problems = [], certificate } = facts
  const isWrongName = problems.some(({ kind }) => kind === 'wrong name') && problems.length === 1
  const [name] = certificate?.names ?? []
  return {
    summary: problems.length === 0 ? error.message : `the certificate is refused: ${words(problems)}`,
    facts,
    error,
    suggestion:
      isWrongName && name !== undefined ? `use a name that the certificate of the server has: ${name}` : undefined,
  }
}

const words = (problems: readonly CertificateProblem[]): string => problems.map((problem) => problem.words).join('; ')
