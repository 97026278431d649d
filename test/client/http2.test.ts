import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { suite, test, type TestContext } from 'node:test'
import { ClosedError, TimeoutError } from '#src/base/errors.js'
import { BodyError, ResponseError } from '#src/client/errors.js'
import { Session } from '#src/client/session.js'
import type { SessionOptions } from '#src/client/session-options.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const { cert, key } = await localhostCertificate()

interface Served {
  readonly url: string
  readonly session: Session
  readonly sessions: readonly ServerHttp2Session[]
  readonly server: Http2SecureServer
}

async function serving(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  options: SessionOptions = {},
): Promise<Served> {
  const server = createSecureServer({ cert, key, allowHTTP1: true, maxSessionMemory: 100 })
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => sessions.push(session))
  server.on('sessionError', () => undefined)
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    answer(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const session = new Session({ proxy: false, retries: 0, tls: { ca: cert }, ...options })
  t.after(() => {
    session.destroy()
    for (const each of sessions) each.destroy()
    server.close()
  })
  return { url: `https://localhost:${port}/`, session, sessions, server }
}

const ok = (stream: ServerHttp2Stream, text = 'ok'): void => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' })
  stream.end(text)
}

void suite('HTTP/2', () => {
  void test('is told nothing that only HTTP/1 has: where a body ends, and what becomes of the connection', async (t) => {
    const { url, session } = await serving(t, (stream, headers) => {
      const names = Object.keys(headers).filter((name) => !name.startsWith(':'))
      stream.on('data', () => undefined).on('end', () => ok(stream, names.sort().join(' ')))
    })
    const response = await session.post(url, {
      body: 'body',
      head: {
        expectsContinue: true,
        fields: [
          ['X-Own', 'yes'],
          ['Connection', 'keep-alive'],
          ['Proxy-Connection', 'keep-alive'],
          ['Content-Length', '4'],
          ['Expect', '100-continue'],
        ],
      },
    })
    assert.equal(response.httpVersion, '2')
    assert.equal(await response.text(), 'content-length x-own')
  })

  void test('is spoken where the server chooses it: fields, cookies and text are those of HTTP/1', async (t) => {
    const { url, session } = await serving(t, (stream, headers) => {
      stream.respond({
        ':status': 200,
        'x-seen': `${String(headers['x-own'])} ${headers['cookie'] ?? ''}`,
        'set-cookie': ['a=1', 'b=2'],
      })
      stream.end('hello')
    })
    const first = await session.get(`${url}one?two`, { headers: { 'X-Own': 'yes' } })
    assert.equal(first.httpVersion, '2')
    assert.equal(first.status, 200)
    assert.equal(first.reason, 'OK')
    assert.deepEqual(first.headers.getAll('Set-Cookie'), ['a=1', 'b=2'])
    assert.equal(await first.text(), 'hello')
    assert.ok(first.elapsed.tlsMs !== undefined)
    const second = await session.get(url)
    assert.match(second.headers.get('x-seen') ?? '', /a=1; b=2/)
    await second.text()
  })

  void test('a hundred requests at once share one connection, of which one handshake was made', async (t) => {
    const { url, session, sessions } = await serving(t, (stream) => ok(stream))
    const texts = await Promise.all(Array.from({ length: 300 }, async () => (await session.get(url)).text()))
    assert.deepEqual(new Set(texts), new Set(['ok']))
    assert.ok(sessions.length <= 3, `${sessions.length} connections`)
  })

  void test('http2: false speaks HTTP/1.1, also to a server that has both', async (t) => {
    const { url, session, server } = await serving(t, () => undefined, { http2: false })
    server.on('request', (_request, response) => response.end('over HTTP/1.1'))
    const response = await session.get(url)
    assert.equal(response.httpVersion, '1.1')
    assert.equal(await response.text(), 'over HTTP/1.1')
  })

  void test('bodies go up and come down whole: of known length, as a stream, and at the pace of their reader', async (t) => {
    const { url, session } = await serving(t, (stream, headers) => {
      stream.respond({ ':status': 200, 'x-length': headers['content-length'] ?? 'none' })
      stream.pipe(stream)
    })
    const bytes = randomBytes(5_000_000)
    const known = await session.post(url, { body: bytes })
    assert.equal(known.headers.get('x-length'), '5000000')
    assert.ok(bytes.equals(await known.bytes()))
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
    }
    const streamed = await session.post(url, { body: pieces() })
    assert.equal(streamed.headers.get('x-length'), 'none')
    const hash = createHash('sha256')
    for await (const piece of streamed) {
      await new Promise((resolve) => setImmediate(resolve))
      hash.update(piece)
    }
    assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'))
  })

  void test('a body that nobody reads holds back its stream alone', async (t) => {
    const { url, session } = await serving(t, (stream, headers) => {
      if (headers[':path'] === '/long') {
        stream.respond({ ':status': 200 })
        stream.end(Buffer.alloc(32 * 1024 * 1024))
      } else ok(stream)
    })
    const long = await session.get(`${url}long`)
    for (let i = 0; i < 20; i += 1) assert.equal(await (await session.get(url)).text(), 'ok')
    assert.ok(long.receivedBytes < 4 * 1024 * 1024, `${long.receivedBytes} bytes`)
    let count = 0
    for await (const piece of long) count += piece.length
    assert.equal(count, 32 * 1024 * 1024)
  })

  void test('HEAD, 204 and trailers end as they should', async (t) => {
    const { url, session } = await serving(t, (stream, headers) => {
      if (headers[':method'] === 'HEAD') stream.respond({ ':status': 200, 'content-length': 10 }, { endStream: true })
      else if (headers[':path'] === '/none') stream.respond({ ':status': 204 }, { endStream: true })
      else {
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.once('wantTrailers', () => stream.sendTrailers({ 'x-last': 'yes' }))
        stream.end('body')
      }
    })
    assert.equal(await (await session.head(url)).text(), '')
    assert.equal((await session.get(`${url}none`)).status, 204)
    const response = await session.get(url)
    assert.equal(await response.text(), 'body')
    assert.equal(response.trailers?.get('x-last'), 'yes')
  })

  void test('a stream that is reset is an error that says why, and its connection goes on', async (t) => {
    const { url, session, sessions } = await serving(t, (stream, headers) => {
      if (headers[':path'] === '/head') stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else if (headers[':path'] === '/body') {
        stream.respond({ ':status': 200 })
        stream.write('part', () => stream.destroy(new Error('broken')))
      } else ok(stream)
    })
    await assert.rejects(session.get(`${url}head`), (error) => {
      assert.ok(error instanceof ResponseError)
      assert.equal(error.code, 'ERR_HTTP2')
      assert.match(error.message, /INTERNAL_ERROR/)
      return true
    })
    await assert.rejects((await session.get(`${url}body`)).text(), BodyError)
    assert.equal(await (await session.get(url)).text(), 'ok')
    assert.equal(sessions.length, 1)
  })

  void test('a stream that was refused, or never begun before the connection went, is asked for again', async (t) => {
    let count = 0
    const { url, session, sessions } = await serving(t, (stream) => {
      count += 1
      if (count === 2) stream.close(constants.NGHTTP2_REFUSED_STREAM)
      else if (count === 4) stream.session?.destroy()
      else ok(stream)
    })
    for (let i = 0; i < 4; i += 1) assert.equal(await (await session.get(url)).text(), 'ok')
    assert.equal(count, 6)
    assert.equal(sessions.length, 2)
  })

  void test('behind GOAWAY a new connection is made, and what is under way is answered', async (t) => {
    let held: ServerHttp2Stream | undefined
    const { url, session, sessions } = await serving(t, (stream, headers) => {
      if (headers[':path'] === '/held') {
        held = stream
        stream.session?.goaway(constants.NGHTTP2_NO_ERROR, stream.id)
      } else ok(stream)
    })
    assert.equal(await (await session.get(url)).text(), 'ok')
    const waiting = session.get(`${url}held`)
    while (sessions.length < 2) assert.equal(await (await session.get(url)).text(), 'ok')
    assert.ok(held !== undefined)
    ok(held, 'held')
    assert.equal(await (await waiting).text(), 'held')
  })

  void test('a signal, a timeout and a closed session end a request, and no other', async (t) => {
    const { url, session, sessions } = await serving(t, (stream, headers) => {
      if (headers[':path'] !== '/silent') ok(stream)
    })
    const controller = new AbortController()
    const aborted = session.get(`${url}silent`, { signal: controller.signal })
    assert.equal(await (await session.get(url)).text(), 'ok')
    controller.abort(new Error('enough'))
    await assert.rejects(aborted, /enough/)
    await assert.rejects(session.get(`${url}silent`, { responseTimeoutMs: 100 }), TimeoutError)
    assert.equal(await (await session.get(url)).text(), 'ok')
    // Nothing had come on the first connection since: it might have led nowhere.
    assert.equal(sessions.length, 2)
    const last = session.get(`${url}silent`)
    assert.equal(await (await session.get(url)).text(), 'ok')
    session.destroy()
    await assert.rejects(last, ClosedError)
  })

  void test('responseTimeoutMs is the time up to the response, and what comes before it does not lengthen it', async (t) => {
    const { url, session } = await serving(
      t,
      (stream) => {
        const timer = setInterval(() => stream.additionalHeaders({ ':status': 103 }), 20)
        stream.on('close', () => clearInterval(timer))
      },
      { responseTimeoutMs: 200, timeoutMs: 20_000 },
    )
    await assert.rejects(
      session.get(url),
      (error) => error instanceof TimeoutError && error.code === 'ERR_RESPONSE_TIMEOUT',
    )
  })

  void test('a server that no longer lives fails each of those who wait, all at once', async (t) => {
    const { url, server, session, sessions } = await serving(t, (stream) => ok(stream))
    assert.equal(await (await session.get(url)).text(), 'ok')
    for (const each of sessions) each.destroy()
    server.close()
    await once(server, 'close')
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => session.get(url)))
    assert.ok(results.every(({ status }) => status === 'rejected'))
  })

  void test('a server that refuses each stream ends the request, and is asked three times at most', async (t) => {
    let count = 0
    const { url, session } = await serving(t, (stream, headers) => {
      if (headers[':path'] === '/') return ok(stream)
      count += 1
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
    })
    assert.equal(await (await session.get(url)).text(), 'ok')
    await assert.rejects(session.get(`${url}refused`), ResponseError)
    assert.ok(count <= 3, `${count} times`)
  })
})
