import { webcrypto } from 'node:crypto'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 24 * 60 * 60 * 1000

/** A certificate with its key, and who signs by it. */
export interface Made {
  readonly cert: string
  readonly key: string
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
}

export interface Wishes {
  readonly name?: string
  readonly names?: readonly string[]
  /** Days from now. */
  readonly from?: number
  readonly to?: number
  /** Without one it is signed by itself. */
  readonly by?: Made
  readonly isAuthority?: boolean
}

let serial = 1

/** A certificate of this run: for 127.0.0.1 and localhost, good for a month, unless it is wished otherwise. */
export async function certificate({
  name = 'localhost',
  names = ['localhost', '127.0.0.1'],
  from = -30,
  to = 30,
  by,
  isAuthority = by === undefined,
}: Wishes = {}): Promise<Made> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const subject = `CN=${name}`
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: (serial += 1).toString(16).padStart(4, '0'),
    subject,
    issuer: by === undefined ? subject : `CN=${by.name}`,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
    ],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    cert: `${made.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${(key.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`,
    name,
    keys,
  }
}
