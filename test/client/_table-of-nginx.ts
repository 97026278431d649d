import assert from 'node:assert/strict'
import { TimeoutError } from '#src/base/errors.js'
import { basic } from '#src/client/auth.js'
import { ResponseError } from '#src/client/errors.js'
import type { ClientResponse } from '#src/client/response.js'
import type { Row, Step, Trial } from './_table.js'
import { BIG, POEM, SERVER_USER } from './_table-nginx.js'

const on = (nginx: 'http' | 'h2', name: string, path: string, more: Partial<Row> = {}): Row => ({
  name,
  nginx,
  path,
  ...more,
})
const isBig = async (answer: ClientResponse): Promise<void> => assert.ok(Buffer.from(await answer.bytes()).equals(BIG))
const upload = Buffer.from(BIG)

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What both versions of HTTP do alike. */
const alike = (nginx: 'http' | 'h2'): readonly Row[] => [
  on(nginx, 'a file has type, length, tag and date', '/hello.txt', {
    text: 'hello, nginx',
    check: ({ headers }) => {
      assert.match(headers.get('content-type') ?? '', /^text\/plain/)
      assert.match(headers.get('etag') ?? '', /^"/)
      assert.equal(headers.get('content-length'), '12')
    },
  }),
  on(nginx, 'the index of a folder', '/', { text: '<!doctype html>home' }),
  on(nginx, 'HEAD has the length, and no body', '/big.bin', {
    method: 'HEAD',
    text: '',
    fields: { 'content-length': String(BIG.length) },
  }),
  on(nginx, 'a big body', '/big.bin', { check: isBig }),
  on(nginx, 'gzip while it is sent', '/poem.txt', { text: POEM, fields: { 'content-encoding': 'gzip' } }),
  on(nginx, '404 with a page of its own', '/nowhere', { status: 404, text: 'it is not here' }),
  on(nginx, '405 for a POST to a file', '/hello.txt', { method: 'POST', options: { body: 'x' }, status: 405 }),
  on(nginx, 'a status that nobody knows', '/teapot', { status: 418, text: 'short and stout' }),
  on(nginx, '500 with the page of nginx', '/broken', {
    status: 500,
    check: async (answer) => assert.match(await answer.text(), /nginx/),
  }),
  on(nginx, '502 where nobody is behind it', '/down', { status: 502 }),
  on(nginx, '204', '/hints/', { status: 204, text: '' }),
  on(nginx, '304 for If-None-Match', '/hello.txt', {
    run: async ({ session, url }: Trial) => {
      const etag = (await session.head(`${url}/hello.txt`)).headers.get('etag') ?? ''
      const again = await session.get(`${url}/hello.txt`, { headers: { 'if-none-match': etag } })
      assert.deepEqual([again.status, await again.text()], [304, ''])
    },
  }),
  on(nginx, '412 for If-Match of another', '/hello.txt', {
    options: { headers: { 'if-match': '"another"' } },
    status: 412,
  }),
  on(nginx, 'expires and fields that were added', '/kept/hello.txt', {
    text: 'hello, nginx',
    fields: { 'cache-control': 'max-age=3600', 'x-kept': 'yes' },
  }),
  on(nginx, 'auth_basic without credentials', '/locked/hello.txt', {
    status: 401,
    fields: { 'www-authenticate': 'Basic realm="closed"' },
  }),
  on(nginx, 'auth_basic with them', '/locked/hello.txt', {
    options: { auth: basic(SERVER_USER.user, SERVER_USER.password) },
    text: 'hello, nginx',
  }),
  on(nginx, 'auth_basic with wrong ones is not asked again', '/locked/hello.txt', {
    options: { auth: basic('ada', 'wrong') },
    status: 401,
  }),
  on(nginx, 'a POST to what is behind it', '/echo/', { method: 'POST', options: { body: 'ä' }, text: 'POST ä' }),
  on(nginx, 'a PUT of JSON', '/echo/', { method: 'PUT', options: { json: { a: 1 } }, text: 'PUT {"a":1}' }),
  on(nginx, 'a DELETE without a body', '/echo/', { method: 'DELETE', text: 'DELETE ' }),
  on(nginx, 'a big upload of known length', '/echo/length', {
    method: 'POST',
    options: { body: upload },
    text: `{"length":${BIG.length},"sent":"${BIG.length}"}`,
  }),
  on(nginx, 'a stream that it buffers', '/echo/length', {
    method: 'POST',
    options: () => ({ body: pieces(BIG, 30_000) }),
    text: `{"length":${BIG.length},"sent":"${BIG.length}"}`,
  }),
  on(nginx, 'a stream that it passes on', '/streamed/length', {
    method: 'POST',
    options: () => ({ body: pieces(BIG, 30_000) }),
    text: `{"length":${BIG.length},"sent":"chunked"}`,
  }),
  on(nginx, '413 for a body that is too large, and another request behind it', '/small/', {
    steps: [
      { method: 'POST', path: '/small/', options: { body: 'x'.repeat(11) }, status: 413 },
      { method: 'POST', path: '/small/', options: { body: 'x'.repeat(10) }, text: `POST ${'x'.repeat(10)}` },
    ],
  }),
  on(nginx, '413 in the middle of a long stream', '/small/', {
    method: 'POST',
    options: () => ({ body: pieces(BIG, 100_000) }),
    status: 413,
  }),
  on(nginx, 'limit_rate: a body that comes slowly is whole', '/slow/big.bin', { check: isBig }),
  on(nginx, 'limit_rate: one that comes too slowly', '/crawling/big.bin', {
    options: { bodyTimeoutMs: 100 },
    bodyError: [TimeoutError, 'ERR_BODY_TIMEOUT'],
  }),
]

const asking = (path: string, count: number, text: (index: number) => string): readonly Step[] =>
  Array.from({ length: count }, (_, index) => ({ path, text: text(index) }))

export const NGINX_ROWS: readonly Row[] = [
  ...alike('http'),
  on('http', 'return 444 ends the connection without an answer', '/closed', {
    error: [ResponseError, 'ERR_UNEXPECTED_END'],
  }),
  on('http', 'return 444 on a connection that was used', '/closed', {
    steps: [
      { path: '/hello.txt' },
      { path: '/closed', error: [ResponseError, 'ERR_UNEXPECTED_END'] },
      { path: '/hello.txt' },
    ],
  }),
  on('http', 'keepalive_requests ends the connection behind the third', '/count', {
    steps: asking('/count', 7, (index) => String((index % 3) + 1)),
  }),
  on('http', 'keepalive_timeout 0 ends it behind each', '/once/hello.txt', {
    steps: [
      { path: '/once/hello.txt', text: 'hello, nginx', fields: { connection: 'close' } },
      { path: '/once/hello.txt', text: 'hello, nginx' },
    ],
  }),
  on('http', 'it speaks HTTP/1.1', '/protocol', {
    text: 'HTTP/1.1 GET',
    check: ({ httpVersion }) => assert.equal(httpVersion, '1.1'),
  }),
  ...alike('h2'),
  on('h2', 'it speaks HTTP/2', '/protocol', {
    text: 'HTTP/2.0 GET',
    check: ({ httpVersion }) => assert.equal(httpVersion, '2'),
  }),
  on('h2', 'http2: false speaks HTTP/1.1 over the same port', '/protocol', {
    session: { http2: false },
    text: 'HTTP/1.1 GET',
  }),
  on('h2', 'plain HTTP to its port of TLS is 400', '/', {
    run: async ({ session, url }) => {
      const answer = await session.get(url.replace('https:', 'http:'))
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /HTTPS port/)
    },
  }),
  on('h2', '100 requests side by side share one connection', '/count', {
    run: async ({ session, url }) => {
      const counts = await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const answer = await session.get(`${url}/${i % 2 === 0 ? 'hello.txt' : 'protocol'}?${i}`)
          return [answer.elapsed.tlsMs === undefined, await answer.text()] as const
        }),
      )
      assert.equal(counts.filter(([, text]) => text === 'hello, nginx').length, 50)
      assert.equal(counts.filter(([, text]) => text === 'HTTP/2.0 GET').length, 50)
      assert.ok(counts.filter(([isShared]) => !isShared).length <= 1, 'handshakes')
    },
  }),
  on('h2', 'ten big bodies side by side are whole', '/big.bin', {
    run: async ({ session, url }) => {
      await Promise.all(Array.from({ length: 10 }, async () => isBig(await session.get(`${url}/big.bin`))))
    },
  }),
  on('h2', 'ten uploads side by side are whole', '/echo/length', {
    run: async ({ session, url }) => {
      const all = Array.from({ length: 10 }, async () =>
        (await session.post(`${url}/echo/length`, { body: upload })).text(),
      )
      for (const text of await Promise.all(all)) assert.equal(text, `{"length":${BIG.length},"sent":"${BIG.length}"}`)
    },
  }),
  on('h2', 'return 444 ends what was asked', '/closed', {
    run: async ({ session, url }) => {
      await assert.rejects(session.get(`${url}/closed`), (error) => error instanceof ResponseError)
      assert.equal(await (await session.get(`${url}/hello.txt`)).text(), 'hello, nginx')
    },
  }),
  on('h2', 'keepalive_requests: GOAWAY behind the third, and all are answered', '/count', {
    run: async ({ session, url }) => {
      for (let i = 0; i < 10; i += 1) assert.equal((await session.get(`${url}/count`)).status, 200)
    },
  }),
  on('h2', 'a redirect from http: to TLS with HTTP/2', '/moved', {
    redirects: 1,
    text: 'hello, nginx',
    endsAt: '/hello.txt',
  }),
]
