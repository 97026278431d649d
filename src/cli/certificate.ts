import { webcrypto, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'

export interface MachineCertificate {
  readonly path: string
  readonly cert: string
  readonly key: string
  /** SHA-256, to compare with what a client shows. */
  readonly fingerprint: string
}

const DAY_MS = 24 * 60 * 60 * 1000
const VALID_DAYS = 365
/** Made anew when less than this is left. */
const RENEW_DAYS = 14

/** Where state of this user is kept (XDG Base Directory Specification). */
const stateFolder = (): string => join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'moorage')

/** The self-signed certificate of this user on this machine: for localhost, its names and loopback addresses; made on first use. */
export async function ensureCertificate(folder: string = stateFolder()): Promise<MachineCertificate> {
  const path = join(folder, 'cert.pem')
  const keyPath = join(folder, 'key.pem')
  if (!existsSync(path) || !existsSync(keyPath) || expiresSoon(readFileSync(path, 'utf8'))) {
    const made = await makeCertificate()
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeWhole(keyPath, made.key, 0o600)
    writeWhole(path, made.cert, 0o644)
  }
  const cert = readFileSync(path, 'utf8')
  return { path, cert, key: readFileSync(keyPath, 'utf8'), fingerprint: new X509Certificate(cert).fingerprint256 }
}

function expiresSoon(cert: string): boolean {
  return Date.parse(new X509Certificate(cert).validTo) - Date.now() < RENEW_DAYS * DAY_MS
}

/** Another process that starts at the same time sees the old file or the new one, never half of it. */
function writeWhole(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}

async function makeCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])
  const names = [...new Set(['localhost', hostname()])]
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${hostname()}, O=Moorage`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + VALID_DAYS * DAY_MS),
    signingAlgorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${(key.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`,
  }
}
