import { redirect, text } from '#src/http/index.js'
import type { Fault } from './_faults.js'
import {
  answering,
  doing,
  likeNginx,
  nobody,
  response,
  rightCertificate,
  securing,
  sendAndReset,
  sending,
} from './_faulty-servers.js'
import { serving } from './_servers.js'

const RESPONSE = { name: 'ResponseError', phase: 'response', step: 'http', exit: 15 } as const
const ENDED = { ...RESPONSE, code: 'ERR_UNEXPECTED_END', says: /server’s log; a port of TLS/ } as const
const REDIRECT = { name: 'RedirectError', code: 'ERR_REDIRECT', phase: 'redirect', step: 'http', exit: 17 } as const

const status = (code: number, says: RegExp): Fault => ({
  title: `the status ${code}`,
  make: async (t) => ({ url: await serving(t, () => text('no', { status: code })), options: { retries: 0 } }),
  name: 'StatusError',
  code: 'ERR_STATUS',
  phase: 'response',
  step: 'http',
  says,
  finds: new RegExp(`answered ${code}`),
  exit: code < 500 ? 24 : 25,
})

export const RESPONSE_FAULTS: readonly Fault[] = [
  {
    ...ENDED,
    title: 'plain HTTP to a port that speaks TLS',
    make: async (t) => {
      const { cert, key } = await rightCertificate()
      return { url: (await securing(t, { cert, key })).replace('https:', 'http:') }
    },
    // Some end, some send an alert of TLS.
    code: ['ERR_UNEXPECTED_END', 'ERR_HTTP_START_LINE'],
    says: /TLS \(https:\)/,
    advises: /^this port speaks TLS: use https:\/\/$/,
    finds: /asked without TLS/,
  },
  {
    ...status(400, /look at the body/),
    title: 'plain HTTP to a port that speaks TLS and says so, as nginx does',
    make: async (t) => ({ url: await likeNginx(t) }),
    advises: /^this port speaks TLS: use https:\/\/$/,
    finds: /asked without TLS/,
  },
  {
    ...RESPONSE,
    title: 'a port that speaks another protocol',
    make: async (t) => ({ url: await doing(t, (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n')) }),
    code: ['ERR_HTTP_START_LINE', 'ERR_HTTP_UNSOLICITED'],
    says: /speaks HTTP\/1/,
  },
  {
    ...RESPONSE,
    title: 'a port that answers in another protocol',
    make: async (t) => ({ url: await sending(t, '220 mail.example ESMTP\r\n\r\n') }),
    code: 'ERR_HTTP_START_LINE',
    says: /speaks HTTP\/1/,
  },
  {
    ...RESPONSE,
    title: 'an answer of another version of HTTP',
    make: async (t) => ({ url: await sending(t, 'HTTP/3.0 200 OK\r\n\r\n') }),
    code: ['ERR_HTTP_VERSION', 'ERR_HTTP_START_LINE'],
    says: /HTTP/,
  },
  {
    ...ENDED,
    title: 'a reset before the response',
    make: async (t) => ({ url: await answering(t, (socket) => void socket.resetAndDestroy()) }),
  },
  {
    ...ENDED,
    title: 'an end without an answer',
    make: async (t) => ({ url: await sending(t, '') }),
  },
  {
    ...ENDED,
    title: 'a reset within the head',
    make: async (t) => ({ url: await answering(t, (socket) => sendAndReset(socket, 'HTTP/1.1 200 OK\r\nContent-Le')) }),
  },
  {
    ...ENDED,
    title: 'an end within the head',
    make: async (t) => ({ url: await sending(t, 'HTTP/1.1 200 OK\r\nContent-Le') }),
  },
  {
    title: 'a head that is too long',
    make: async (t) => ({
      url: await sending(t, response([`Set-Cookie: ${'x'.repeat(300_000)}`, 'Content-Length: 0'])),
    }),
    name: 'LimitError',
    code: ['ERR_HTTP_FIELD_LIMIT', 'ERR_HTTP_LINE_LIMIT'],
    phase: 'response',
    step: 'http',
    says: /fewer or shorter fields/,
    exit: 15,
  },
  {
    ...RESPONSE,
    title: 'two lengths',
    make: async (t) => ({ url: await sending(t, response(['Content-Length: 2', 'Content-Length: 3'], 'abc')) }),
    code: 'ERR_HTTP_BODY_LENGTH',
    says: /one Content-Length/,
  },
  {
    ...RESPONSE,
    title: 'a length that is no number',
    make: async (t) => ({ url: await sending(t, response(['Content-Length: 0x10'], 'abc')) }),
    code: 'ERR_HTTP_BODY_LENGTH',
    says: /one Content-Length, a number/,
  },
  {
    ...RESPONSE,
    title: 'a transfer coding that is not known',
    make: async (t) => ({ url: await sending(t, response(['Transfer-Encoding: shrink, chunked'], '0\r\n\r\n')) }),
    code: 'ERR_HTTP_TRANSFER_CODING',
    says: /breaks HTTP/,
  },
  {
    ...RESPONSE,
    title: 'a field line without a colon',
    make: async (t) => ({ url: await sending(t, response(['no colon in here', 'Content-Length: 0'])) }),
    code: 'ERR_HTTP_FIELD',
    says: /breaks HTTP/,
  },
  {
    title: 'interim responses without an end',
    make: async (t) => ({ url: await sending(t, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)) }),
    name: 'LimitError',
    code: 'ERR_HTTP_INTERIM_LIMIT',
    phase: 'response',
    step: 'http',
    says: /breaks HTTP/,
    exit: 15,
  },
  {
    title: 'no response in time',
    make: async (t) => ({
      url: await doing(t, (socket) => void socket.resume()),
      options: { responseTimeoutMs: 200 },
    }),
    name: 'TimeoutError',
    code: 'ERR_RESPONSE_TIMEOUT',
    phase: 'response',
    step: 'http',
    says: /(?:responseTimeoutMs|--response-timeout)/,
    exit: 14,
  },
  {
    title: 'all of it takes too long',
    make: async (t) => ({
      url: await doing(t, (socket) => void socket.resume()),
      options: { timeoutMs: 1500 },
    }),
    name: 'TimeoutError',
    code: 'ERR_TOTAL_TIMEOUT',
    phase: 'response',
    step: 'http',
    says: /(?:timeoutMs|--timeout)/,
    exit: 14,
  },
  status(401, /give credentials/),
  status(403, /what these credentials may do/),
  status(404, /check the path/),
  status(405, /a method that the field Allow names/),
  status(418, /body of the response/),
  status(429, /ask less often/),
  status(500, /server’s log/),
  status(502, /behind the gateway/),
  status(503, /request it later/),
  {
    ...REDIRECT,
    title: 'a circle of redirects',
    make: async (t) => ({
      url: await serving(t, ({ path }) => redirect(path === '/a' ? '/b' : '/a')),
      options: { maxRedirects: 5 },
    }),
    says: /goes in a circle/,
  },
  {
    ...REDIRECT,
    title: 'more redirects than are followed',
    make: async (t) => {
      let count = 0
      return { url: await serving(t, () => redirect(`/${(count += 1)}`)), options: { maxRedirects: 3 } }
    },
    says: /raise (?:maxRedirects|--max-redirects)/,
  },
  {
    ...REDIRECT,
    title: 'a redirect to another protocol, with a password in it',
    make: async (t) => ({ url: await serving(t, () => redirect('ftp://me:hunter2@127.0.0.1/file')) }),
    says: /redirect to http: or https:/,
    finds: /ftp:/,
  },
  {
    title: 'a redirect to a server that is not there',
    make: async (t) => {
      const gone = await nobody()
      return { url: await serving(t, () => redirect(`${gone}/next`)) }
    },
    name: 'ConnectError',
    code: 'ERR_CONNECT',
    phase: 'connect',
    step: 'http',
    says: /server runs and listens/,
    finds: /next/,
    exit: 11,
  },
  {
    title: 'a redirect with nowhere to go is a response like another, whose body is no JSON',
    make: async (t) => ({
      url: await serving(t, () => text('{', { status: 302, headers: { 'content-type': 'application/json' } })),
      read: 'json',
    }),
    name: 'BodyError',
    code: 'ERR_BODY',
    phase: 'body',
    step: 'body',
    says: /a page that tells of an error/,
    exit: 16,
  },
  {
    title: 'JSON that is none',
    make: async (t) => ({
      url: await serving(t, () => text('<html>', { headers: { 'content-type': 'application/json' } })),
      read: 'json',
    }),
    name: 'BodyError',
    code: 'ERR_BODY',
    phase: 'body',
    step: 'body',
    says: /a page that tells of an error/,
    finds: /no JSON/,
    exit: 16,
  },
  {
    title: 'a server that takes nothing of a request',
    make: async (t) => {
      const piece = Buffer.alloc(64 * 1024)
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) yield piece
      }
      return {
        url: await doing(t, (socket) => void socket.pause()),
        method: 'POST',
        request: { body: endless() },
        options: { bodyTimeoutMs: 200 },
      }
    },
    name: 'TimeoutError',
    code: 'ERR_WRITE_TIMEOUT',
    phase: 'request',
    step: 'http',
    says: /reads nothing/,
    exit: 14,
    notByDiagnosis: 'it sends no body',
  },
]
