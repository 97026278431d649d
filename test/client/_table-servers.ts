import assert from 'node:assert/strict'
import { TimeoutError, UsageError } from '#src/base/errors.js'
import { BodyError, ConnectError, ResponseError } from '#src/client/errors.js'
import { stream, text } from '#src/http/index.js'
import { ok, response, type Row } from './_table.js'

const NEVER = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'
const shown = ({
  method,
  target,
  connection,
}: {
  readonly method: string
  readonly target: string
  readonly connection: number
}): string => `${connection}: ${method} ${target}`

async function* pieces(count: number, size: number, gate?: Promise<void>): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i += 1) {
    if (i === 1) await gate
    yield Buffer.alloc(size, 'x')
  }
}

/** Slow ones, those that end connections, those that answer too early. */
export const SERVER_ROWS: readonly Row[] = [
  {
    name: 'no response in time',
    raw: () => '',
    options: { responseTimeoutMs: 40 },
    error: [TimeoutError, 'ERR_RESPONSE_TIMEOUT'],
    isWhole: true,
  },
  {
    name: 'half a head in time',
    raw: () => 'HTTP/1.1 200 OK\r\nX: ',
    options: { responseTimeoutMs: 40 },
    error: [TimeoutError, 'ERR_RESPONSE_TIMEOUT'],
    isWhole: true,
  },
  {
    name: '100 Continue is no response',
    raw: () => 'HTTP/1.1 100 Continue\r\n\r\n',
    options: { responseTimeoutMs: 40 },
    error: [TimeoutError, 'ERR_RESPONSE_TIMEOUT'],
    isWhole: true,
  },
  {
    name: 'a body that stops',
    raw: () => `${NEVER}half`,
    options: { bodyTimeoutMs: 40 },
    bodyError: [TimeoutError, 'ERR_BODY_TIMEOUT'],
    isWhole: true,
  },
  {
    name: 'a body that never begins',
    raw: () => NEVER,
    options: { bodyTimeoutMs: 40 },
    bodyError: [TimeoutError, 'ERR_BODY_TIMEOUT'],
    isWhole: true,
  },
  {
    name: 'chunks that stop',
    raw: () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    options: { bodyTimeoutMs: 40 },
    bodyError: [TimeoutError, 'ERR_BODY_TIMEOUT'],
    isWhole: true,
  },
  {
    name: 'all of it has its time, redirects too',
    raw: ({ index }) => (index < 3 ? response('302 Found', '', 'Location: /') : ''),
    options: { timeoutMs: 60 },
    error: [TimeoutError, 'ERR_TOTAL_TIMEOUT'],
    isWhole: true,
  },
  {
    name: 'a body byte by byte is not too slow',
    raw: () => ok('x'.repeat(400)),
    options: { bodyTimeoutMs: 2000 },
    text: 'x'.repeat(400),
  },
  {
    name: 'a connection that was reset while it idled is replaced',
    raw: ({ index }) => (index === 1 ? { bytes: '', ending: 'reset' } : ok(String(index))),
    steps: [{ text: '0' }, { text: '2' }],
    shown,
    seen: ['1: GET /', '1: GET /', '2: GET /'],
  },
  {
    name: 'and one that was ended just when the request came',
    raw: ({ index }) => (index === 1 ? { bytes: '', ending: 'end' } : ok(String(index))),
    steps: [{ text: '0' }, { method: 'PUT', options: { body: 'x' }, text: '2' }],
    shown,
    seen: ['1: GET /', '1: PUT /', '2: PUT /'],
  },
  {
    name: 'a POST is not sent twice',
    raw: ({ index }) => (index === 1 ? { bytes: '', ending: 'end' } : ok('')),
    steps: [{}, { method: 'POST', options: { body: 'x' }, error: [ResponseError, 'ERR_UNEXPECTED_END'] }],
    shown,
    seen: ['1: GET /', '1: POST /'],
  },
  {
    name: 'nor is a stream',
    raw: ({ index }) => (index === 1 ? { bytes: '', ending: 'end' } : ok('')),
    steps: [
      {},
      { method: 'PUT', options: () => ({ body: pieces(1, 1) }), error: [ResponseError, 'ERR_UNEXPECTED_END'] },
    ],
    shown,
    seen: ['1: GET /', '1: PUT /'],
  },
  {
    name: 'nor a GET to which something was answered',
    raw: ({ index }) => (index === 1 ? { bytes: 'HTTP/1.1 200', ending: 'end' } : ok('')),
    steps: [{}, { error: [ResponseError, 'ERR_UNEXPECTED_END'] }],
    shown,
    seen: ['1: GET /', '1: GET /'],
  },
  {
    name: 'a first connection that ends without an answer is an error, without retries',
    raw: () => ({ bytes: '', ending: 'end' }),
    error: [ResponseError, 'ERR_UNEXPECTED_END'],
    seen: ['GET /'],
  },
  {
    name: 'with retries a GET is sent again',
    raw: ({ index }) => (index === 0 ? { bytes: '', ending: 'end' } : ok('now')),
    options: { retries: 1 },
    text: 'now',
    seen: ['GET /', 'GET /'],
  },
  {
    name: '503 with Retry-After: 0 is asked again, a POST is not',
    raw: ({ index }) => (index === 0 || index === 2 ? response('503 Busy', '', 'Retry-After: 0') : ok('now')),
    session: { retries: 1 },
    steps: [{ text: 'now' }, { method: 'POST', status: 503 }],
    seen: ['GET /', 'GET /', 'POST /'],
  },
  {
    name: 'a connection whose server said Keep-Alive: timeout=0 is not used again',
    raw: () => ok('', 'Keep-Alive: timeout=0'),
    run: async ({ session, url, hasEnded }) => {
      await (await session.get(url)).text()
      await new Promise(setImmediate)
      await (await session.get(url)).text()
      await hasEnded()
    },
    connections: 2,
  },
  {
    name: '413 before the body: the rest is not sent, and the answer is there',
    raw: () => ok('never'),
    early: () => response('413 Content Too Large', 'too much', 'Connection: close'),
    method: 'POST',
    options: () => ({ body: pieces(100, 100_000) }),
    status: 413,
    text: 'too much',
    isWhole: true,
  },
  {
    name: 'an early answer without close ends the connection all the same',
    raw: ({ connection }) => ok(`on ${connection}`),
    early: ({ index }) => (index === 0 ? response('403 Forbidden', 'no') : undefined),
    steps: [
      { method: 'POST', options: () => ({ body: pieces(50, 100_000) }), status: 403, text: 'no' },
      { text: 'on 2' },
    ],
    isWhole: true,
  },
  {
    name: 'an early answer to a body of known length',
    raw: () => ok('late'),
    early: ({ method }) => (method === 'PUT' ? response('401 Unauthorized', 'no', 'Connection: close') : undefined),
    method: 'PUT',
    options: { body: Buffer.alloc(3_000_000) },
    status: 401,
    text: 'no',
    isWhole: true,
  },
  {
    name: 'an answer and a reset before the body is whole: the answer counts',
    raw: () => '',
    early: () => ({ bytes: response('400 Bad Request', 'no', 'Connection: close'), ending: 'end' }),
    method: 'POST',
    options: () => ({ body: pieces(20, 10_000) }),
    status: 400,
    text: 'no',
    isWhole: true,
  },
  {
    name: 'an end before the body is whole, without an answer',
    raw: () => '',
    early: () => ({ bytes: '', ending: 'reset' }),
    method: 'POST',
    options: () => ({ body: pieces(100, 100_000) }),
    run: async ({ session, url }) => {
      await assert.rejects(
        session.post(url, { body: pieces(100, 100_000) }),
        (error) => error instanceof Error && 'code' in error,
      )
    },
    isWhole: true,
  },
  {
    name: '100 Continue that nobody asked for comes before the response of a POST',
    raw: ({ body }) => Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), Buffer.from(ok(body))]),
    method: 'POST',
    options: { body: 'sent' },
    text: 'sent',
  },
  {
    name: 'Expect is not for the caller to send: nobody would wait for the answer',
    raw: () => ok(''),
    method: 'POST',
    options: { body: 'x', headers: { expect: '100-continue' } },
    error: [UsageError, 'ERR_ARGUMENT'],
    seen: [],
  },
  {
    name: 'two requests at once are on two connections',
    raw: ({ target }) => ok(target),
    run: async ({ session, url }) => {
      const both = await Promise.all(['/a', '/b'].map(async (path) => (await session.get(`${url}${path}`)).text()))
      assert.deepEqual(both, ['/a', '/b'])
    },
    connections: 2,
  },
  {
    name: 'a body that is not read holds its connection, and one that is discarded ends it',
    raw: ({ target }) =>
      target === '/long' ? `HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(1000)}` : ok('other'),
    run: async ({ session, url, hasEnded }) => {
      const long = await session.get(`${url}/long`)
      assert.equal(await (await session.get(`${url}/`)).text(), 'other')
      long.discard()
      await hasEnded()
    },
    connections: 2,
  },
  {
    name: 'a reset within the body',
    raw: () => ({ bytes: `${NEVER}half`, ending: 'reset' }),
    run: async ({ session, url }) => {
      // What had come may be lost with the reset: then there was no response.
      const text = session.get(url).then((answer) => answer.text())
      await assert.rejects(
        text,
        (error) => error instanceof BodyError || error instanceof ResponseError || error instanceof ConnectError,
      )
    },
  },
  {
    name: 'our own server: a body that waits for its reader comes whole',
    own: () => stream(pieces(200, 50_000)),
    check: async (answer) => {
      let received = 0
      for await (const piece of answer) received += piece.length
      assert.equal(received, 10_000_000)
    },
  },
  {
    name: 'our own server: a handler that is slower than responseTimeoutMs',
    own: async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      return text('late')
    },
    options: { responseTimeoutMs: 40 },
    error: [TimeoutError, 'ERR_RESPONSE_TIMEOUT'],
  },
  {
    name: 'our own server: an upload in chunks, and one of known length',
    own: async ({ headers, body }) =>
      text(`${headers.get('content-length') ?? 'chunks'} ${(await body?.bytes())?.length ?? 0}`),
    steps: [
      { method: 'POST', options: () => ({ body: pieces(10, 1000) }), text: 'chunks 10000' },
      { method: 'POST', options: { body: Buffer.alloc(10_000) }, text: '10000 10000' },
    ],
  },
]
