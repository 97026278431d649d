import { SECRET, type Fault, type Scene } from './_faults.js'
import { json, text } from '#src/http/index.js'
import { certificate } from './_certificates.js'
import { likeNginx, securing, sending } from './_faulty-servers.js'
import { serving } from './_servers.js'

const HANDSHAKE = {
  name: 'ResponseError',
  code: 'ERR_WEBSOCKET_HANDSHAKE',
  phase: 'response',
  step: 'websocket',
  exit: 15,
  isTried: false,
} as const

const ws = async (url: Promise<string>): Promise<Scene> => ({ url: `${(await url).replace('http', 'ws')}/` })

export const WEBSOCKET_FAULTS: readonly Fault[] = [
  {
    ...HANDSHAKE,
    title: 'a server that does not switch',
    make: (t) => ws(serving(t, () => json({}))),
    says: /passes WebSockets on/,
    finds: /answered 200/,
  },
  {
    ...HANDSHAKE,
    title: 'a server that refuses the WebSocket',
    make: (t) => ws(serving(t, () => text('no', { status: 403 }))),
    says: /what these credentials may do/,
    finds: /answered 403/,
  },
  {
    ...HANDSHAKE,
    title: 'an answer that belongs to another key',
    make: (t) =>
      ws(
        sending(
          t,
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: c3RhbGU=\r\n\r\n',
        ),
      ),
    says: /passes WebSockets on/,
    finds: /does not belong to the key/,
  },
  {
    ...HANDSHAKE,
    title: 'a server that ends without an answer',
    make: (t) => ws(sending(t, '')),
    code: 'ERR_UNEXPECTED_END',
    says: /server’s log/,
  },
  {
    title: 'a proxy that does not let a WebSocket through',
    make: async (t) => {
      const proxy = await sending(t, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return { url: 'ws://127.0.0.1:1/', options: { proxy: proxy.replace('//', `//me:${SECRET}@`) } }
    },
    name: 'ProxyError',
    code: 'ERR_TUNNEL_REFUSED',
    phase: 'proxy',
    step: 'tunnel',
    says: /have the proxy allow/,
    exit: 13,
  },
  {
    title: 'a certificate that nobody trusts, before a WebSocket',
    make: async (t) => {
      const { cert, key } = await certificate()
      return { url: (await securing(t, { cert, key })).replace('https', 'wss') }
    },
    name: 'TlsError',
    code: 'ERR_TLS_HANDSHAKE',
    phase: 'tls',
    step: 'tls',
    says: /signed by itself/,
    exit: 12,
  },
  {
    ...HANDSHAKE,
    title: 'a WebSocket without TLS to a port that speaks it',
    make: async (t) => {
      const { cert, key } = await certificate()
      return ws(securing(t, { cert, key }).then((url) => url.replace('https', 'http')))
    },
    name: 'ResponseError',
    code: ['ERR_UNEXPECTED_END', 'ERR_HTTP_START_LINE'],
    says: /TLS \(https:\)/,
    advises: /^this port speaks TLS: use wss:\/\/$/,
    finds: /asked without TLS/,
  },
  {
    ...HANDSHAKE,
    title: 'a WebSocket without TLS to a port that speaks it and says so, as nginx does',
    make: (t) => ws(likeNginx(t)),
    says: /look at the body/,
    advises: /^this port speaks TLS: use wss:\/\/$/,
    finds: /asked without TLS/,
  },
  {
    title: 'a WebSocket over TLS to a port that does not speak it',
    make: async (t) => ({ url: (await serving(t, () => text('plain'))).replace('http', 'wss') }),
    name: 'TlsError',
    code: 'ERR_TLS_HANDSHAKE',
    phase: 'tls',
    step: 'tls',
    says: /use ws:\/\//,
    exit: 12,
  },
]
