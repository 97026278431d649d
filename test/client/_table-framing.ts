import assert from 'node:assert/strict'
import { LimitError } from '#src/base/errors.js'
import { BodyError, ResponseError } from '#src/client/errors.js'
import type { Bytes, Reply } from './_raw-server.js'
import { ok, type Row, type Step } from './_table.js'

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n'

const row = (name: string, bytes: Bytes | Reply, text: string, more: Partial<Row> = {}): Row => ({
  name,
  raw: () => bytes,
  text,
  ...more,
})

const refused = (name: string, bytes: string, code: string, more: Partial<Row> = {}): Row => ({
  name,
  raw: () => ({ bytes, ending: 'end' }),
  error: [ResponseError, code],
  ...more,
})

const broken = (name: string, bytes: string, code: string, more: Partial<Row> = {}): Row => ({
  name,
  raw: () => ({ bytes, ending: 'end' }),
  bodyError: [BodyError, code],
  ...more,
})

/** Twice over one connection: what was read is exactly the response. */
const twice = (name: string, bytes: string, step: Step): Row => ({
  name,
  raw: () => bytes,
  steps: [step, step],
  connections: 1,
})

/** What stands behind a response belongs to nobody (RFC 9112 §6.3): its connection is not used again. */
const lies = (name: string, bytes: string, step: Step): Row => ({
  name,
  raw: ({ connection }) => (connection === 1 ? bytes : HELLO),
  // What comes behind the next request is its answer, as far as anybody can tell.
  isWhole: true,
  steps: [step, { text: 'hello' }],
  connections: 2,
})

const fields = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: y\r\n`).join('')

export const FRAMING_ROWS: readonly Row[] = [
  twice('a length', HELLO, { text: 'hello' }),
  twice('a length of 0', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', { text: '' }),
  twice('a length with zeros and spaces', 'HTTP/1.1 200 OK\r\nContent-Length:  0005 \r\n\r\nhello', { text: 'hello' }),
  twice('no reason, and a reason of several words', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', { text: 'ok' }),
  twice('a status line that ends with its status', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', { text: 'ok' }),
  twice('a status that nobody knows', 'HTTP/1.1 299 Well\r\nContent-Length: 2\r\n\r\nok', { status: 299, text: 'ok' }),
  twice('a status of three digits beyond all classes', 'HTTP/1.1 999 Enough\r\nContent-Length: 2\r\n\r\nok', {
    status: 999,
    text: 'ok',
  }),
  twice('chunks', `${CHUNKED}\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`, { text: 'hello world' }),
  twice('chunks of one byte', `${CHUNKED}\r\n${'1\r\nx\r\n'.repeat(200)}0\r\n\r\n`, { text: 'x'.repeat(200) }),
  twice('sizes in capitals, with zeros before them', `${CHUNKED}\r\n000A\r\n0123456789\r\n00000\r\n\r\n`, {
    text: '0123456789',
  }),
  twice('extensions of chunks', `${CHUNKED}\r\n5;a=b;c="d;e"\r\nhello\r\n0;last\r\n\r\n`, { text: 'hello' }),
  twice('trailers', `${CHUNKED}Trailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 9\r\nX-More: a\r\n\r\n`, {
    text: 'hello',
    check: ({ trailers, headers }) => {
      assert.equal(trailers?.get('x-sum'), '9')
      assert.equal(headers.has('x-sum'), false)
    },
  }),
  twice('Transfer-Encoding in capitals', 'HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', {
    text: 'ok',
  }),
  twice('no chunks at all', `${CHUNKED}\r\n0\r\n\r\n`, { text: '' }),
  row('no length is up to the end', { bytes: 'HTTP/1.1 200 OK\r\n\r\nhello', ending: 'end' }, 'hello'),
  row('of HTTP/1.0, too', { bytes: 'HTTP/1.0 200 OK\r\n\r\nhello', ending: 'end' }, 'hello'),
  twice('HTTP/1.0 with keep-alive stays', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok', {
    text: 'ok',
  }),
  {
    name: 'HTTP/1.0 without it does not',
    raw: () => ({ bytes: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', ending: 'end' }),
    steps: [{ text: 'ok' }, { text: 'ok' }],
    connections: 2,
  },
  {
    name: 'Connection: close ends it on this side, too',
    raw: () => 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok',
    steps: [{ text: 'ok' }, { text: 'ok' }],
    connections: 2,
  },
  twice('HEAD has a length, and no body', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', {
    method: 'HEAD',
    text: '',
    fields: { 'content-length': '500' },
  }),
  twice('HEAD of chunks has none either', `${CHUNKED}\r\n`, { method: 'HEAD', text: '' }),
  twice('304 has a length, and no body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n', {
    status: 304,
    text: '',
  }),
  twice('204 has no body', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, text: '' }),
  twice('205 with a length of 0', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', { status: 205, text: '' }),
  lies('bytes behind HEAD', HELLO, { method: 'HEAD', text: '' }),
  lies('bytes behind 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', { status: 304, text: '' }),
  lies('bytes behind 204', 'HTTP/1.1 204 No Content\r\n\r\nhello', { status: 204, text: '' }),
  lies('bytes behind the length', `${HELLO} world`, { text: 'hello' }),
  lies('a second response that nobody asked for', `${HELLO}${HELLO}`, { text: 'hello' }),
  lies('bytes behind the last chunk', `${CHUNKED}\r\n5\r\nhello\r\n0\r\n\r\nmore`, { text: 'hello' }),
  {
    name: 'bytes that come while it idles',
    raw: ({ connection }) => (connection === 1 ? `${HELLO}more` : HELLO),
    run: async ({ session, url, hasEnded }) => {
      assert.equal(await (await session.get(url)).text(), 'hello')
      await hasEnded()
      assert.equal(await (await session.get(url)).text(), 'hello')
    },
    connections: 2,
  },
  refused('204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', 'ERR_HTTP_BODY_LENGTH'),
  row(
    '100, 102 and 103 come before the response',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${HELLO}`,
    'hello',
  ),
  row('16 of them are the most', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(16)}${HELLO}`, 'hello'),
  {
    name: '17 are too many',
    raw: () => `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17)}${HELLO}`,
    error: [LimitError, 'ERR_HTTP_INTERIM_LIMIT'],
  },
  refused(
    '101 was not asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    'ERR_HTTP_UNSOLICITED',
  ),
  row('100 fields are the most', `HTTP/1.1 200 OK\r\n${fields(99)}Content-Length: 2\r\n\r\nok`, 'ok'),
  {
    name: '101 fields are too many',
    raw: () => `HTTP/1.1 200 OK\r\n${fields(100)}Content-Length: 2\r\n\r\nok`,
    error: [LimitError, 'ERR_HTTP_FIELD_LIMIT'],
  },
  row('a field line of 8,192 bytes', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(8189)}\r\nContent-Length: 2\r\n\r\nok`, 'ok'),
  {
    name: 'one byte more is too long',
    raw: () => `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(8190)}\r\nContent-Length: 2\r\n\r\nok`,
    error: [LimitError, 'ERR_HTTP_FIELD_LIMIT'],
  },
  row(
    'empty values, and bytes from 0x80 up',
    'HTTP/1.1 200 OK\r\nX-A:\r\nX-B: \xe4\r\nContent-Length: 2\r\n\r\nok',
    'ok',
    { fields: { 'x-a': '', 'x-b': '\xe4' } },
  ),
  refused('a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok', 'ERR_HTTP_FIELD'),
  refused('a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok', 'ERR_HTTP_FIELD'),
  refused('a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok', 'ERR_HTTP_FIELD'),
  refused('a name of nothing', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n', 'ERR_HTTP_FIELD'),
  refused('lines that end with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'ERR_HTTP_LINE_ENDING'),
  refused('a CR within a line', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n', 'ERR_HTTP_LINE_ENDING'),
  refused('a zero byte within a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n', 'ERR_HTTP_LINE_ENDING'),
  refused('HTTP/0.9: a body without a head', '<html>hello</html>', 'ERR_HTTP_START_LINE'),
  refused('HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', 'ERR_HTTP_VERSION'),
  refused('a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'ERR_HTTP_START_LINE'),
  refused('a line before the status line', `\r\n${HELLO}`, 'ERR_HTTP_START_LINE'),
  refused(
    'the same length twice',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
    'ERR_HTTP_BODY_LENGTH',
  ),
  refused('a list of equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok', 'ERR_HTTP_BODY_LENGTH'),
  refused('a length below 0', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok', 'ERR_HTTP_BODY_LENGTH'),
  refused('a length and chunks', `${CHUNKED}Content-Length: 2\r\n\r\n0\r\n\r\n`, 'ERR_HTTP_BODY_LENGTH'),
  refused(
    'chunks of HTTP/1.0',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'ERR_HTTP_BODY_LENGTH',
  ),
  refused(
    'chunked twice',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
    'ERR_HTTP_TRANSFER_CODING',
  ),
  broken('a size with "0x"', `${CHUNKED}\r\n0x2\r\nok\r\n0\r\n\r\n`, 'ERR_HTTP_CHUNK'),
  broken('a size with a space before it', `${CHUNKED}\r\n 2\r\nok\r\n0\r\n\r\n`, 'ERR_HTTP_CHUNK'),
  broken('a size of 14 digits', `${CHUNKED}\r\n00000000000002\r\nok\r\n0\r\n\r\n`, 'ERR_HTTP_CHUNK'),
  broken('chunks whose lines end with LF alone', `${CHUNKED}\r\n2\nok\n0\n\n`, 'ERR_HTTP_CHUNK'),
  broken('a chunk that is shorter than it says', `${CHUNKED}\r\n5\r\nok\r\n0\r\n\r\n`, 'ERR_HTTP_CHUNK'),
  broken('a trailer without a colon', `${CHUNKED}\r\n0\r\nnonsense\r\n\r\n`, 'ERR_HTTP_FIELD'),
  broken('an end behind the size', `${CHUNKED}\r\n5`, 'ERR_UNEXPECTED_END'),
  broken('an end before the empty line of the last chunk', `${CHUNKED}\r\n2\r\nok\r\n0\r\n`, 'ERR_UNEXPECTED_END'),
  broken('an end behind the head', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'ERR_UNEXPECTED_END'),
  ...[
    'H',
    'HTTP/1.1',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nX',
    'HTTP/1.1 200 OK\r\nX: y\r\n',
  ].map((bytes) => refused(`an end behind ${JSON.stringify(bytes)}`, bytes, 'ERR_UNEXPECTED_END')),
  {
    name: 'a head that is cut at each place is an error, and never half a response',
    isWhole: true,
    raw: ({ target }) => ({ bytes: Buffer.from(HELLO).subarray(0, Number(target.slice(1))), ending: 'end' }),
    run: async ({ session, url }) => {
      for (let at = 0; at < HELLO.length; at += 1) {
        const text = session.get(`${url}/${at}`).then((response) => response.text())
        await assert.rejects(text, { code: 'ERR_UNEXPECTED_END' }, `cut behind ${at}`)
      }
    },
  },
  row('a body of 3 MB in chunks of many sizes', manySizes(3_000_000), 'x'.repeat(3_000_000), { isWhole: true }),
  row('own fields of a response come as they are', ok('ok', 'X-A: 1', 'x-a: 2', 'X-A:3'), 'ok', {
    fields: { 'x-a': '1, 2, 3' },
  }),
]

function manySizes(length: number): string {
  let bytes = `${CHUNKED}\r\n`
  for (let [left, size] = [length, 1]; left > 0; size = ((size * 7) % 9973) + 1) {
    const count = Math.min(left, size)
    bytes += `${count.toString(16)}\r\n${'x'.repeat(count)}\r\n`
    left -= count
  }
  return `${bytes}0\r\n\r\n`
}
