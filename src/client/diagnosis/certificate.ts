import { X509Certificate } from 'node:crypto'
import { tryParseIpv4, tryParseIpv6 } from '../../engine/ip-address.js'
import type { TlsInfo } from '../../transport/tls-options.js'

export interface CertificateFacts {
  readonly subject: string
  readonly names: readonly string[]
  readonly issuer: string
  /** ISO 8601. */
  readonly validFrom: string
  readonly validTo: string
  /** Whole days until then; negative when it is over. */
  readonly daysLeft: number
  readonly fingerprint256: string
}

/** What is wrong with a certificate; there may be several things at once. */
export interface CertificateProblem {
  readonly kind: 'expired' | 'not yet valid' | 'wrong name' | 'self-signed' | 'unknown authority'
  /** A clause for people. */
  readonly words: string
}

const DAY_MS = 24 * 60 * 60 * 1000

/** What there is to know of the certificate of a connection whose peer was not, or need not be, verified. */
export function readCertificate(
  { peerCertificate, authorizationError }: TlsInfo,
  serverName: string,
  nowMs: number,
): { readonly certificate: CertificateFacts; readonly problems: readonly CertificateProblem[] } | undefined {
  if (peerCertificate === undefined) return undefined
  const parsed = new X509Certificate(peerCertificate.raw)
  const [fromMs, toMs] = [Date.parse(parsed.validFrom), Date.parse(parsed.validTo)]
  const certificate: CertificateFacts = {
    subject: oneLine(parsed.subject),
    names: namesOf(parsed),
    issuer: oneLine(parsed.issuer),
    validFrom: new Date(fromMs).toISOString(),
    validTo: new Date(toMs).toISOString(),
    daysLeft: Math.floor((toMs - nowMs) / DAY_MS),
    fingerprint256: parsed.fingerprint256,
  }
  const problems: CertificateProblem[] = []
  const add = (kind: CertificateProblem['kind'], words: string): void => void problems.push({ kind, words })
  if (toMs < nowMs) add('expired', `it expired on ${day(toMs)}, ${ago(nowMs - toMs)}`)
  if (fromMs > nowMs) add('not yet valid', `it is valid from ${day(fromMs)} on`)
  if (!covers(parsed, serverName)) add('wrong name', `it is for ${list(certificate.names)}, and not for ${serverName}`)
  if (isOfTrust(authorizationError)) {
    if (parsed.checkIssued(parsed)) add('self-signed', 'it is signed by itself')
    else add('unknown authority', `its authority is not known here: ${certificate.issuer}`)
  }
  return { certificate, problems }
}

/** What Node says where the chain leads to nobody who is trusted; everything else is looked for here. */
const isOfTrust = (code: string | undefined): boolean =>
  code !== undefined && /SELF_SIGNED|UNABLE_TO|ISSUER|CERT_UNTRUSTED|PATH_LENGTH|INVALID_CA/.test(code)

function covers(certificate: X509Certificate, name: string): boolean {
  const isAddress = tryParseIpv4(name) !== undefined || tryParseIpv6(name) !== undefined
  return (isAddress ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
}

/** In days that are over. */
function ago(ms: number): string {
  const days = Math.floor(ms / DAY_MS)
  return days === 0 ? 'less than a day ago' : days === 1 ? '1 day ago' : `${days} days ago`
}

const MAX_NAMES = 16

/** RFC 5280 §4.2.1.6, as Node writes it: `DNS:a.example, IP Address:127.0.0.1`. */
function namesOf({ subjectAltName, subject }: X509Certificate): readonly string[] {
  const names = (subjectAltName ?? '').split(', ').flatMap((name) => {
    const [, found] = /^(?:DNS|IP Address):"?([^"]*)"?$/.exec(name) ?? []
    return found === undefined ? [] : [printable(found)]
  })
  if (names.length > 0) return names.slice(0, MAX_NAMES)
  const [, common] = /(?:^|\n)CN=(.*)/.exec(subject) ?? []
  return common === undefined ? [] : [printable(common)]
}

const oneLine = (name: string): string => printable(name.split('\n').reverse().join(', '))

/** A certificate is the peer's: its texts go to terminals. */
const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, 200)

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const list = (names: readonly string[]): string => (names.length === 0 ? 'no name' : names.join(', '))
