import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messageOf, UsageError } from '../base/index.js'
import type { TlsClientOptions, TlsServerOptions } from '../transport/index.js'
import { ensureCertificate } from './certificate.js'
import { refuseOptions } from './options.js'
import type { Output } from './output.js'

export const TLS_SERVER_OPTIONS = {
  tls: {
    type: 'flag',
    help: 'TLS over tcp: and unix: too; who listens makes a certificate on first use, if none is given',
  },
  'tls-cert': { type: 'text', value: '<file>', help: 'the certificate chain, PEM' },
  'tls-key': { type: 'text', value: '<file>', help: 'its private key, PEM' },
  'tls-password-file': { type: 'text', value: '<file>', help: 'the password of a key that is encrypted, in one line' },
  'tls-client-ca': { type: 'text', value: '<file>', help: 'demand client certificates of these authorities, PEM' },
  alpn: { type: 'text', value: '<names>', help: 'protocols for ALPN, with commas between' },
} as const

export const TLS_CLIENT_OPTIONS = {
  tls: {
    type: 'flag',
    help: 'TLS over tcp: and unix: too; who listens makes a certificate on first use, if none is given',
  },
  'server-name': { type: 'text', value: '<name>', help: 'the name to ask for and to verify' },
  ca: { type: 'text', value: '<file>', help: 'trust these authorities instead of the system’s, PEM' },
  cert: { type: 'text', value: '<file>', help: 'a client certificate chain, PEM' },
  key: { type: 'text', value: '<file>', help: 'its private key, PEM' },
  alpn: { type: 'text', value: '<names>', help: 'protocols for ALPN, with commas between' },
  insecure: { type: 'flag', help: 'take any certificate: for tests only' },
} as const

/** For a command that may listen and may connect. */
export const TLS_OPTIONS: typeof TLS_SERVER_OPTIONS & typeof TLS_CLIENT_OPTIONS = {
  ...TLS_SERVER_OPTIONS,
  ...TLS_CLIENT_OPTIONS,
}

const SERVER_NAMES: readonly string[] = ['tls-cert', 'tls-key', 'tls-password-file', 'tls-client-ca']
const CLIENT_NAMES: readonly string[] = ['server-name', 'ca', 'cert', 'key', 'insecure']

export interface TlsServerFiles {
  readonly tls: boolean | undefined
  readonly 'tls-cert': string | undefined
  readonly 'tls-key': string | undefined
  readonly 'tls-password-file': string | undefined
  readonly 'tls-client-ca': string | undefined
  readonly alpn: string | undefined
}

/** @throws UsageError `ERR_OPTION_VALUE` for an option of a side that is not taken. */
export function refuseTlsOptions(
  options: Readonly<Record<string, unknown>>,
  side: 'server' | 'client' | 'either',
  why: string,
): void {
  if (side !== 'client') refuseOptions(options, SERVER_NAMES, why)
  if (side !== 'server') refuseOptions(options, CLIENT_NAMES, why)
  if (side === 'either') refuseOptions(options, ['tls', 'alpn'], why)
}

/**
 * The certificate that the options name, or that of this machine when `--tls`, a `tls:` endpoint or another option of
 * TLS asks for one: what was to be TLS is never plain.
 * @throws UsageError `ERR_OPTION_VALUE` when a file cannot be read or one of the pair is missing.
 */
export async function serverTls(
  files: TlsServerFiles,
  wanted: boolean,
  output: Output,
): Promise<TlsServerOptions | undefined> {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-client-ca': ca, alpn } = files
  const more: TlsServerOptions = {
    ...(ca === undefined ? {} : { ca: readPem('tls-client-ca', ca), clientCertificate: 'require' }),
    ...(alpn === undefined ? {} : { alpn: alpn.split(',') }),
  }
  const { 'tls-password-file': passwordFile } = files
  if (cert !== undefined && key !== undefined)
    return { cert: readPem('tls-cert', cert), ...readKey(key, passwordFile), ...more }
  if (cert !== undefined || key !== undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --tls-${given} alone: give --tls-${missing} too`)
  }
  if (passwordFile !== undefined)
    throw new UsageError('ERR_OPTION_VALUE', 'Cannot use --tls-password-file alone: give --tls-cert and --tls-key too')
  if (files.tls !== true && !wanted && ca === undefined && alpn === undefined) return undefined
  const made = await ensureCertificate()
  output.note(`using the certificate ${made.path} (SHA-256 ${made.fingerprint})`)
  return { cert: made.cert, key: made.key, ...more }
}

/** RFC 7468 §11, and what OpenSSL wrote before. */
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m

function readKey(
  key: string,
  passwordFile: string | undefined,
): { readonly key: string; readonly passphrase?: string } {
  const pem = readPem('tls-key', key)
  const isEncrypted = ENCRYPTED.test(pem)
  if (passwordFile === undefined) {
    if (!isEncrypted) return { key: pem }
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --tls-key ${key}: it is encrypted; give --tls-password-file too`,
    )
  }
  if (!isEncrypted)
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --tls-password-file: the key ${key} is not encrypted`)
  const passphrase = readPem('tls-password-file', passwordFile).replace(/\r?\n$/, '')
  if (passphrase === '' || /[\r\n]/.test(passphrase))
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --tls-password-file ${passwordFile}: expected one line, which is the password`,
    )
  try {
    createPrivateKey({ key: pem, passphrase })
  } catch (cause) {
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --tls-key ${key}: --tls-password-file ${passwordFile} does not open it`,
      { cause },
    )
  }
  return { key: pem, passphrase }
}

export interface TlsClientFiles {
  readonly tls: boolean | undefined
  readonly 'server-name': string | undefined
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly alpn: string | undefined
  readonly insecure: boolean | undefined
}

/**
 * What `connect` is given as `tls`; `undefined` leaves it to the endpoint.
 * @throws UsageError `ERR_OPTION_VALUE` when a file cannot be read or one of a pair is missing.
 */
export function clientTls(files: TlsClientFiles): TlsClientOptions | undefined {
  const { 'server-name': serverName, ca, cert, key, alpn, insecure, tls } = files
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --${given} alone: give --${missing} too`)
  }
  const options: TlsClientOptions = {
    ...(serverName === undefined ? {} : { serverName }),
    ...(ca === undefined ? {} : { ca: readPem('ca', ca) }),
    ...(cert === undefined ? {} : { cert: readPem('cert', cert) }),
    ...(key === undefined ? {} : { key: readPem('key', key) }),
    ...(alpn === undefined ? {} : { alpn: alpn.split(',') }),
    ...(insecure === true ? { verify: false } : {}),
  }
  return tls === true || Object.keys(options).length > 0 ? options : undefined
}

function readPem(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --${option} ${path}: ${messageOf(cause)}`, { cause })
  }
}
