import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { serveHttp } from '#src/http/server.js'
import { text } from '#src/http/index.js'
import { Program } from '../fixtures/program.js'
import { certificate, type Made, type Wishes } from './_certificates.js'
import type { Fault, Scene } from './_faults.js'
import { doing, response, rightCertificate, securing } from './_faulty-servers.js'

/** A server with such a certificate, and who trusts the authority that signed it. */
async function signed(t: TestContext, wishes: Wishes): Promise<Scene> {
  const authority = await certificate({ name: 'A test authority', names: [] })
  const { cert, key } = await certificate({ ...wishes, by: authority })
  return { url: await securing(t, { cert, key }), options: { tls: { ca: authority.cert } } }
}

/** A server that is trusted, with rules of its own. */
async function ruled(
  t: TestContext,
  rules: (made: Made) => Parameters<typeof securing>[1],
  options: Scene['options'] = {},
): Promise<Scene> {
  const made = await rightCertificate()
  const url = await securing(t, { cert: made.cert, key: made.key, ...rules(made) })
  return { url, options: { ...options, tls: { ca: made.cert, ...options.tls } } }
}

/** A server that nobody here wrote, which takes no client without a certificate. */
async function ofOpenssl(t: TestContext): Promise<string> {
  const { cert, key } = await rightCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'faults-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'both.pem')
  await writeFile(file, cert + key)
  const rules = ['-cert', file, '-Verify', '1', '-verify_return_error', '-tls1_3', '-www']
  const program = new Program(t, 'openssl', ['s_server', '-accept', '127.0.0.1:0', ...rules])
  return `https://127.0.0.1:${await program.printed(/^ACCEPT \S*:(\d+)/m)}`
}

const TLS = { name: 'TlsError', code: 'ERR_TLS_HANDSHAKE', phase: 'tls', step: 'tls', exit: 12 } as const
const https = async (url: Promise<string>): Promise<Scene> => ({ url: (await url).replace('http:', 'https:') })

export const TLS_FAULTS: readonly Fault[] = [
  {
    ...TLS,
    title: 'a certificate that has expired',
    make: (t) => signed(t, { from: -40, to: -9.5 }),
    says: /renewed, or check the clock/,
    finds: /expired on \d{4}-\d\d-\d\d, 9 days ago/,
  },
  {
    ...TLS,
    title: 'a certificate that has expired 25 hours ago',
    make: (t) => signed(t, { from: -40, to: -25 / 24 }),
    says: /renewed, or check the clock/,
    finds: /, 1 day ago$/,
  },
  {
    ...TLS,
    title: 'a certificate that is not valid yet',
    make: (t) => signed(t, { from: 2, to: 30 }),
    says: /clocks of both machines/,
    finds: /valid from \d{4}-\d\d-\d\d on/,
  },
  {
    ...TLS,
    title: 'a certificate of another name',
    make: (t) => signed(t, { name: 'other.example', names: ['other.example', 'www.other.example'] }),
    says: /use a name that the certificate of the server has/,
    finds: /is for other\.example, www\.other\.example, and not for 127\.0\.0\.1/,
  },
  {
    ...TLS,
    title: 'a certificate that is signed by itself',
    make: async (t) => {
      const { cert, key } = await certificate()
      return { url: await securing(t, { cert, key }) }
    },
    says: /give the certificate of its authority (?:as tls\.ca|with --ca)/,
    finds: /signed by itself/,
  },
  {
    ...TLS,
    title: 'an authority that is not known here',
    make: async (t) => {
      const authority = await certificate({ name: 'Nobody knows it', names: [] })
      const { cert, key } = await certificate({ by: authority })
      return { url: await securing(t, { cert: cert + authority.cert, key }) }
    },
    says: /authority is not known here: give the certificate of its authority (?:as tls\.ca|with --ca)/,
    finds: /not known here: CN=Nobody knows it/,
  },
  {
    ...TLS,
    title: 'a certificate in between that the server does not send',
    make: async (t) => {
      const authority = await certificate({ name: 'The root', names: [] })
      const between = await certificate({ name: 'In between', names: [], by: authority, isAuthority: true })
      const { cert, key } = await certificate({ by: between })
      return { url: await securing(t, { cert, key }), options: { tls: { ca: authority.cert } } }
    },
    says: /certificates between/,
    finds: /not known here: CN=In between/,
  },
  {
    ...TLS,
    title: 'several things at once: expired, and of another name',
    make: (t) => signed(t, { name: 'other.example', names: ['other.example'], from: -40, to: -2 }),
    says: /renewed|use a name/,
    finds: /expired.*; it is for other\.example, and not for 127\.0\.0\.1/,
  },
  {
    ...TLS,
    title: 'TLS to a port that speaks plain HTTP',
    make: async (t) => {
      const server = await serveHttp('http://127.0.0.1:0', () => text('plain'))
      t.after(() => server.close({ graceMs: 0 }))
      return { url: server.endpoint.replace('http:', 'https:') }
    },
    says: /^that port does not speak TLS: use http:\/\/ where it speaks HTTP$/,
    finds: /^the port does not speak TLS$/,
  },
  {
    ...TLS,
    title: 'TLS to a port that speaks another protocol, and speaks first',
    make: (t) => https(doing(t, (socket) => void socket.write('220 mail.example ESMTP ready\r\n'))),
    says: /^that port does not speak TLS/,
    advises: /check host and port: it speaks SMTP there/,
    finds: /^the port does not speak TLS, it says first "220 mail\.example ESMTP ready"$/,
  },
  {
    title: 'a reset before the handshake',
    make: (t) => https(doing(t, (socket) => void socket.resetAndDestroy())),
    // It may come before the system has told of the connection.
    name: ['TlsError', 'ConnectError'],
    code: ['ERR_TLS_HANDSHAKE', 'ERR_CONNECT'],
    step: ['tls', 'connect'],
    exit: [12, 11],
    says: /speaks TLS|broken off at once/,
  },
  {
    ...TLS,
    title: 'a reset within the handshake',
    make: (t) => https(doing(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))),
    says: /speaks TLS/,
  },
  {
    ...TLS,
    title: 'an end within the handshake',
    make: (t) => https(doing(t, (socket) => void socket.once('data', () => socket.end()))),
    says: /speaks TLS/,
  },
  {
    ...TLS,
    title: 'no version of TLS in common',
    make: (t) => ruled(t, () => ({ maxVersion: 'TLSv1.2' }), { tls: { minVersion: 'TLSv1.3' } }),
    says: /no version of TLS in common/,
    notByCommand: 'it has no option for the version',
  },
  {
    ...TLS,
    title: 'a server that speaks no HTTP/1.1 over TLS',
    make: (t) => ruled(t, () => ({ ALPNProtocols: ['spdy/3'] })),
    says: /no HTTP\/1\.1|no version|speaks TLS/,
  },
  {
    ...TLS,
    title: 'a server of TLS 1.2 that wants a certificate of the client',
    make: (t) => ruled(t, ({ cert: ca }) => ({ ca, requestCert: true, maxVersion: 'TLSv1.2' })),
    says: /client certificate|speaks TLS/,
  },
  {
    title: 'a server of TLS 1.3 that wants a certificate of the client, which shows behind the handshake',
    make: (t) => ruled(t, ({ cert: ca }) => ({ ca, requestCert: true, minVersion: 'TLSv1.3' })),
    name: 'TlsError',
    code: 'ERR_TLS_HANDSHAKE',
    phase: 'tls',
    step: 'http',
    says: /client certificate: (?:tls\.cert and|--cert and)/,
    exit: 12,
  },
  {
    title: 'the same of a server that nobody here wrote',
    make: async (t) => {
      const { cert } = await rightCertificate()
      return { url: await ofOpenssl(t), options: { tls: { ca: cert } } }
    },
    name: 'TlsError',
    code: 'ERR_TLS_HANDSHAKE',
    phase: 'tls',
    step: 'http',
    says: /client certificate: (?:tls\.cert and|--cert and)/,
    exit: 12,
    needs: ['openssl'],
  },
  {
    title: 'a handshake that is not answered in time',
    make: async (t) => ({
      ...(await https(doing(t, (socket) => void socket.resume()))),
      options: { handshakeTimeoutMs: 300 },
    }),
    name: 'TimeoutError',
    code: 'ERR_HANDSHAKE_TIMEOUT',
    phase: 'tls',
    step: 'tls',
    says: /speaks TLS/,
    exit: 14,
  },
  {
    title: 'a reset behind the handshake, before the response',
    make: async (t) => {
      const { cert, key } = await rightCertificate()
      const url = await securing(t, { cert, key }, (socket) => void socket.once('data', () => socket.destroy()))
      return { url, options: { tls: { ca: cert } } }
    },
    name: 'ResponseError',
    code: 'ERR_UNEXPECTED_END',
    phase: 'response',
    step: 'http',
    says: /server’s log/,
    exit: 15,
  },
  {
    title: 'a body over TLS that is cut',
    make: async (t) => {
      const { cert, key } = await rightCertificate()
      const half = response(['Content-Length: 10'], 'half')
      const url = await securing(t, { cert, key }, (socket) => void socket.once('data', () => socket.end(half)))
      return { url, options: { tls: { ca: cert } } }
    },
    name: 'BodyError',
    code: 'ERR_UNEXPECTED_END',
    phase: 'body',
    step: 'body',
    says: /request it again/,
    exit: 16,
  },
]
