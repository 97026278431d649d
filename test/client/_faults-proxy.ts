import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { text } from '#src/http/index.js'
import { freePort } from '../fixtures/free-port.js'
import { TestProxy } from '../fixtures/proxy.js'
import { certificate } from './_certificates.js'
import { SECRET, type Fault, type Scene } from './_faults.js'
import { answering, doing, sending } from './_faulty-servers.js'
import { serving } from './_servers.js'

const PROXY = { name: 'ProxyError', phase: 'proxy', exit: 13 } as const
const AUTH = { ...PROXY, code: 'ERR_PROXY_AUTH', step: 'tunnel', says: /right user and password/ } as const
const REFUSED = { ...PROXY, code: 'ERR_TUNNEL_REFUSED', step: 'tunnel' } as const
const TUNNEL = {
  ...PROXY,
  code: 'ERR_TUNNEL',
  step: 'tunnel',
  says: /scheme of its URL is what the proxy speaks/,
} as const

/** Through a proxy at that `http:` URL, which is spoken to in another scheme, and given a password. */
const by = (scheme: string, url: string, target = 'https://127.0.0.1:1/'): Scene => ({
  url: target,
  options: { proxy: url.replace('http://', `${scheme}://me:${SECRET}-of-proxy@`) },
})

const tunneling = (t: TestContext, scheme: string, answer: string | Uint8Array): Promise<Scene> =>
  sending(t, answer).then((url) => by(scheme, url))

async function testProxy(t: TestContext): Promise<string> {
  const proxy = await TestProxy.start({ credentials: { user: 'me', password: 'another one' } })
  t.after(() => proxy[Symbol.asyncDispose]())
  return `http://127.0.0.1:${proxy.port}`
}

/** A SOCKS5 proxy that takes the credentials, and answers the request so. */
const replying = (t: TestContext, reply: number): Promise<Scene> =>
  doing(t, (socket) =>
    talk(socket, [
      [5, 2],
      [1, 0],
      [5, reply, 0, 1, 0, 0, 0, 0, 0, 0],
    ]),
  ).then((url) => by('socks5h', url))

function talk(socket: Socket, answers: readonly (readonly number[])[]): void {
  const left = [...answers]
  socket.on('data', () => {
    const next = left.shift()
    if (next !== undefined) socket.write(Uint8Array.from(next))
    if (left.length === 0) socket.end()
  })
}

export const PROXY_FAULTS: readonly Fault[] = [
  {
    title: 'the URL of a proxy that is none',
    make: () => ({
      url: 'http://127.0.0.1:1/',
      options: { proxy: `gopher://me:${SECRET}@127.0.0.1:1` },
    }),
    name: 'UsageError',
    code: 'ERR_PROXY_URL',
    step: 'proxy',
    says: /correct/,
    finds: /gopher/,
    exit: 2,
  },
  {
    ...PROXY,
    title: 'a proxy for a tunnel that nobody runs',
    make: async () => by('http', `http://127.0.0.1:${await freePort()}`),
    code: 'ERR_CONNECT',
    step: 'connect',
    says: /check that the proxy runs/,
  },
  {
    ...AUTH,
    title: 'a wrong password for a proxy that is sent the request itself',
    make: async (t) => by('http', await testProxy(t), await serving(t, () => text('of the server'))),
    step: 'http',
    finds: /the proxy refused it: it answered 407/,
  },
  {
    title: 'a 407 that a server without a proxy answers',
    make: async (t) => ({ url: await serving(t, () => text('', { status: 407 })) }),
    name: 'StatusError',
    code: 'ERR_STATUS',
    phase: 'response',
    step: 'http',
    says: /URL of the proxy/,
    finds: /the server answered 407/,
    exit: 24,
  },
  {
    ...PROXY,
    title: 'a proxy for requests that nobody runs',
    make: async () => by('http', `http://127.0.0.1:${await freePort()}`, 'http://127.0.0.1:1/'),
    code: 'ERR_CONNECT',
    step: 'connect',
    says: /check that the proxy runs/,
  },
  {
    ...PROXY,
    title: 'a proxy whose name is not known',
    make: () => by('http', 'http://no-such-proxy.invalid:3128'),
    code: 'ERR_RESOLVE',
    step: 'resolve',
    says: /spelling of the proxy|name server/,
    isTried: false,
  },
  {
    title: 'a proxy that wants an address of a server whose name is not known',
    make: async (t) => by('socks5', await answering(t, () => undefined), 'https://no-such-host.invalid/'),
    name: 'ResolveError',
    code: 'ERR_RESOLVE',
    phase: 'resolve',
    step: 'resolve',
    says: /spelling of the host|name server/,
    exit: 10,
    isTried: false,
  },
  {
    ...AUTH,
    title: 'a wrong password for an HTTP proxy',
    make: async (t) => by('http', await testProxy(t)),
    finds: /407/,
  },
  {
    ...AUTH,
    title: 'a wrong password for a SOCKS5 proxy',
    make: async (t) => by('socks5', await testProxy(t)),
    finds: /does not take these credentials/,
  },
  {
    ...AUTH,
    title: 'a SOCKS5 proxy that wants credentials, and is given none',
    make: async (t) => ({
      url: 'https://127.0.0.1:1/',
      options: { proxy: (await testProxy(t)).replace('http:', 'socks5:') },
    }),
    finds: /nobody without authentication/,
  },
  {
    ...REFUSED,
    title: 'a proxy that does not allow the server (403)',
    make: (t) => tunneling(t, 'http', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
    says: /have the proxy allow this server/,
    finds: /403/,
  },
  {
    ...REFUSED,
    title: 'a proxy that does not reach the server (502)',
    make: (t) => tunneling(t, 'http', 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'),
    says: /that the proxy can reach it/,
    finds: /502/,
  },
  {
    ...REFUSED,
    title: 'a SOCKS5 proxy whose rules do not allow it',
    make: (t) => replying(t, 2),
    says: /have the proxy allow this server/,
  },
  {
    ...REFUSED,
    title: 'a SOCKS5 proxy that does not find the server',
    make: (t) => replying(t, 4),
    says: /name of the server/,
  },
  {
    ...REFUSED,
    title: 'a SOCKS5 proxy that the server refused',
    make: (t) => replying(t, 5),
    says: /the proxy was refused/,
  },
  {
    ...REFUSED,
    title: 'a SOCKS4 proxy that refuses',
    make: async (t) => {
      const url = await answering(t, (socket) => void socket.end(Uint8Array.from([0, 91, 0, 0, 0, 0, 0, 0])))
      return { url: 'https://127.0.0.1:1/', options: { proxy: url.replace('http://', `socks4a://${SECRET}@`) } }
    },
    says: /rules of the proxy/,
  },
  {
    ...TUNNEL,
    title: 'a proxy that speaks no SOCKS',
    make: (t) => tunneling(t, 'socks5h', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  },
  {
    ...TUNNEL,
    title: 'a proxy that speaks no HTTP',
    make: (t) => tunneling(t, 'http', Uint8Array.from([5, 255])),
  },
  {
    ...TUNNEL,
    title: 'a proxy that ends without an answer',
    make: (t) => tunneling(t, 'http', ''),
  },
  {
    ...TUNNEL,
    title: 'a proxy that resets',
    make: async (t) => by('http', await answering(t, (socket) => void socket.resetAndDestroy())),
  },
  {
    ...PROXY,
    title: 'a proxy that speaks no TLS, in a URL of https:',
    make: async (t) => by('https', await serving(t, () => text('plain'))),
    code: 'ERR_TLS_HANDSHAKE',
    step: 'tunnel',
    says: /its URL begins with http:/,
  },
  {
    ...PROXY,
    title: 'a proxy whose certificate is signed by itself',
    make: async (t) => {
      const { cert, key } = await certificate()
      const proxy = await TestProxy.start({ tls: { cert, key } })
      t.after(() => proxy[Symbol.asyncDispose]())
      return by('https', `http://127.0.0.1:${proxy.port}`)
    },
    code: 'ERR_TLS_HANDSHAKE',
    step: 'tunnel',
    says: /signed by itself/,
  },
  {
    title: 'a proxy that takes the connection and does not answer',
    make: async (t) => {
      const { url, options } = by('http', await doing(t, (socket) => void socket.resume()))
      return { url, options: { ...options, connectTimeoutMs: 1000 } }
    },
    name: 'TimeoutError',
    code: 'ERR_CONNECT_TIMEOUT',
    phase: 'proxy',
    step: 'tunnel',
    says: /the proxy works/,
    finds: /did not answer/,
    exit: 14,
  },
]
