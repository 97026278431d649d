import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { messageOf, UsageError } from '../../base/index.js'
import { Session, type SessionOptions } from '../../client/index.js'
import type { HostAddress, TlsClientOptions } from '../../transport/index.js'
import type { CurlLine } from './curl-line.js'
import { wrongValue } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import { CurlFailure } from './exit-codes.js'

/** Where a URL is connected to. */
export interface Place {
  /** For the session: with the host and port that are connected to. */
  readonly url: string
  readonly session: Session
}

const MOMENT_MS = 300_000

/** The connections of one command line. */
export class Network {
  readonly #line: CurlLine
  readonly #sessions = new Map<string, Session>()
  /** What is wrong with a file of it is told where TLS is spoken. */
  readonly #tls: TlsClientOptions | CurlFailure
  /** Of the URL that is asked for now: addresses of --resolve are for one port. */
  #port = 0

  constructor(line: CurlLine) {
    this.#line = line
    this.#tls = tryTlsOf(line)
  }

  placeOf(url: CurlUrl): Place {
    this.#port = url.port
    if (url.isTls && this.#tls instanceof CurlFailure) throw this.#tls
    const socket = this.#line.text('unix-socket')
    if (socket !== undefined) {
      if (url.isTls)
        throw new UsageError(
          'ERR_OPTION_VALUE',
          'Cannot use --unix-socket with https: what is spoken there is HTTP alone',
        )
      return { url: `http+unix:${socket}:/`, session: this.#session(undefined) }
    }
    const other = this.#elsewhere(url)
    if (other === undefined) return { url: url.href, session: this.#session(undefined) }
    const place = new URL(url.href)
    if (other.host !== '') place.hostname = other.host
    if (other.port !== '') place.port = other.port
    this.#port = Number(other.port === '' ? url.port : other.port)
    return { url: place.href, session: this.#session(url.isTls ? url.hostname : undefined) }
  }

  /** --connect-to: empty parts stand for any, and for what the URL has. */
  #elsewhere({ hostname, port }: CurlUrl): { readonly host: string; readonly port: string } | undefined {
    for (const text of this.#line.texts('connect-to')) {
      const [, from, fromPort, host = '', toPort = ''] =
        /^(\[[^\]]*\]|[^:]*):(\d*):(\[[^\]]*\]|[^:]*):(\d*)$/.exec(text) ?? []
      if (from === undefined || fromPort === undefined)
        throw wrongValue('connect-to', text, 'host:port:host:port, of which each may be empty')
      const isHost = from === '' || bare(from).toLowerCase() === hostname.toLowerCase()
      if (isHost && (fromPort === '' || Number(fromPort) === port)) return { host, port: toPort }
    }
    return undefined
  }

  /** One for each name that TLS is to ask for. */
  #session(serverName: string | undefined): Session {
    const key = serverName ?? ''
    let session = this.#sessions.get(key)
    if (session === undefined) this.#sessions.set(key, (session = new Session(this.#options(serverName))))
    return session
  }

  #options(serverName: string | undefined): SessionOptions {
    const own = this.#tls instanceof CurlFailure ? {} : this.#tls
    const tls = serverName === undefined ? own : { ...own, serverName }
    return {
      cookies: false,
      hsts: false,
      proxy: false,
      retries: 0,
      followRedirects: false,
      decompress: this.#line.has('compressed'),
      http2: !this.#line.has('http1.1'),
      connectTimeoutMs: this.#line.seconds('connect-timeout') ?? MOMENT_MS,
      handshakeTimeoutMs: this.#line.seconds('connect-timeout') ?? MOMENT_MS,
      responseTimeoutMs: Infinity,
      bodyTimeoutMs: Infinity,
      timeoutMs: Infinity,
      ...(Object.keys(tls).length === 0 ? {} : { tls }),
      ...(this.#findsAddresses ? { lookup: (host) => this.#lookup(host) } : {}),
    }
  }

  get #findsAddresses(): boolean {
    return this.#line.has('resolve') || this.#line.has('ipv4') || this.#line.has('ipv6')
  }

  async #lookup(host: string): Promise<readonly HostAddress[]> {
    const wanted = this.#line.has('ipv4') ? 4 : this.#line.has('ipv6') ? 6 : 0
    for (const text of this.#line.texts('resolve').toReversed()) {
      const [, name, port, addresses = ''] = /^\+?(\[[^\]]*\]|[^:]*):(\d+):(.+)$/.exec(text) ?? []
      if (name === undefined || port === undefined) {
        if (text.startsWith('-')) continue
        throw wrongValue('resolve', text, 'host:port:address')
      }
      if ((name !== '*' && bare(name).toLowerCase() !== host.toLowerCase()) || Number(port) !== this.#port) continue
      return addresses.split(',').map((each) => {
        const address = bare(each)
        return { address, family: address.includes(':') ? 6 : 4 }
      })
    }
    return lookup(host, { all: true, family: wanted })
  }

  destroy(): void {
    for (const session of this.#sessions.values()) session.destroy()
  }
}

const bare = (host: string): string => host.replace(/^\[(.*)\]$/s, '$1')

function tryTlsOf(line: CurlLine): TlsClientOptions | CurlFailure {
  try {
    return tlsOf(line)
  } catch (error) {
    if (error instanceof CurlFailure) return error
    throw error
  }
}

/** @throws CurlFailure 58, 77. */
function tlsOf(line: CurlLine): TlsClientOptions {
  const [cacert, capath, cert, pass] = [line.text('cacert'), line.text('capath'), line.text('cert'), line.text('pass')]
  // A password stands behind the last colon; one that belongs to the name is written \:.
  const [, file = cert ?? '', password] = /^((?:[^:\\]|\\.)+):(.*)$/s.exec(cert ?? '') ?? []
  const key = line.text('key') ?? file.replaceAll('\\:', ':')
  const passphrase = pass ?? password
  const ca =
    cacert === undefined || line.has('insecure')
      ? capath && readFolder(capath)
      : readPem('cacert', cacert, 'authorities', /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : clientPair(file.replaceAll('\\:', ':'), key, passphrase)),
    ...(line.has('insecure') ? { verify: false } : {}),
    ...(line.has('tlsv1.3') ? { minVersion: 'TLSv1.3' } : {}),
  }
}

function clientPair(certFile: string, keyFile: string, passphrase: string | undefined): TlsClientOptions {
  const pair = {
    cert: readPem('cert', certFile, 'clientCertificate', /-----BEGIN/),
    key: readPem('key', keyFile, 'clientCertificate', /-----BEGIN/),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  try {
    createSecureContext(pair)
    return pair
  } catch (cause) {
    throw new CurlFailure(
      'clientCertificate',
      `Cannot use --cert ${certFile} with --key ${keyFile}: ${messageOf(cause)}`,
    )
  }
}

function readPem(flag: string, path: string, exit: 'authorities' | 'clientCertificate', expected: RegExp): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (expected.test(text)) return text
  } catch (cause) {
    throw new CurlFailure(exit, `Cannot use --${flag} ${path}: ${messageOf(cause)}`, cause)
  }
  throw new CurlFailure(exit, `Cannot use --${flag} ${path}: it is no PEM`)
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path)
      .filter((name) => /\.(?:pem|crt|\d+)$/.test(name))
      .map((name) => readFileSync(join(path, name), 'utf8'))
  } catch (cause) {
    throw new CurlFailure('authorities', `Cannot use --capath ${path}: ${messageOf(cause)}`, cause)
  }
}
