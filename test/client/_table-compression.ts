import assert from 'node:assert/strict'
import zlib from 'node:zlib'
import { LimitError } from '#src/base/errors.js'
import { ACCEPT_ENCODING } from '#src/client/codings.js'
import { BodyError, ResponseError } from '#src/client/errors.js'
import { HttpResponse } from '#src/http/index.js'
import type { Bytes } from './_raw-server.js'
import { ok, response, type Row } from './_table.js'
import { POEM } from './_table-nginx.js'

const TEXT = 'compressed: ä€ '.repeat(50)
const PLAIN = Buffer.from(TEXT)
const GZIP = zlib.gzipSync(PLAIN)
const BR = zlib.brotliCompressSync(PLAIN)
const hasZstd = ACCEPT_ENCODING.includes('zstd')

/** By a function that not every runtime has. */
function zstd(bytes: Uint8Array): Uint8Array {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync')
  const made: unknown = typeof compress === 'function' ? Reflect.apply(compress, zlib, [bytes]) : undefined
  return made instanceof Uint8Array ? made : new Uint8Array()
}

const row = (name: string, coding: string, body: Bytes, more: Partial<Row> = {}): Row => ({
  name,
  raw: () => ok(body, `Content-Encoding: ${coding}`, 'Content-Type: text/plain; charset=utf-8'),
  ...('bodyError' in more || 'check' in more ? {} : { text: TEXT }),
  connections: 1,
  ...more,
})

const wrong = (name: string, coding: string, body: Bytes): Row =>
  row(name, coding, body, { bodyError: [BodyError, 'ERR_CONTENT_CODING'] })

const chunked = (body: Uint8Array, size: number): Bytes => {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size)
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), Buffer.from(piece), Buffer.from('\r\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}

/** Without a body, whatever the fields say of one. */
const bodiless = (status: string, method: string, lines: readonly string[]): Row => ({
  name: `${status.slice(0, 3)} of ${method} with Content-Encoding has no body`,
  raw: () => `HTTP/1.1 ${status}\r\n${[...lines, 'Content-Encoding: gzip', '', ''].join('\r\n')}`,
  steps: [0, 1].map(() => ({
    method,
    status: Number(status.slice(0, 3)),
    text: '',
    fields: { 'content-encoding': 'gzip' },
  })),
  connections: 1,
})

export const COMPRESSION_ROWS: readonly Row[] = [
  row('gzip', 'gzip', GZIP),
  row('x-gzip is gzip', 'x-gzip', GZIP),
  row('names in capitals', 'GZip', GZIP),
  row('deflate, wrapped as it should be', 'deflate', zlib.deflateSync(PLAIN)),
  row('deflate, bare as some send it', 'deflate', zlib.deflateRawSync(PLAIN)),
  row('br', 'br', BR),
  row('zstd', 'zstd', zstd(PLAIN), { skip: hasZstd ? false : 'this runtime has no zstd that can be used' }),
  row('identity', 'identity', PLAIN),
  row('an empty Content-Encoding', '', PLAIN),
  row('two codings, taken off from behind', 'gzip, br', zlib.brotliCompressSync(GZIP)),
  row('two fields are one list', 'deflate', '', {
    raw: () =>
      ok(
        zlib.brotliCompressSync(zlib.deflateSync(PLAIN)),
        'Content-Encoding: deflate',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Encoding: br',
      ),
  }),
  row('identity among others', 'identity, gzip, identity', GZIP),
  row(
    'members of gzip in a row are one body',
    'gzip',
    Buffer.concat([zlib.gzipSync(PLAIN.subarray(0, 100)), zlib.gzipSync(PLAIN.subarray(100))]),
  ),
  row('zeros behind gzip are padding', 'gzip', Buffer.concat([GZIP, Buffer.alloc(20)])),
  row(
    'gzip with a name and a comment in its head',
    'gzip',
    Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 0x18, 0, 0, 0, 0, 0, 3]),
      Buffer.from('a.txt\0and a word\0'),
      GZIP.subarray(10),
    ]),
  ),
  row('a body of no bytes is empty in gzip', 'gzip', '', { text: '' }),
  row('and in br', 'br', '', { text: '' }),
  row('nothing, coded', 'gzip', zlib.gzipSync(''), { text: '' }),
  row('in chunks that cut it anywhere', 'gzip', '', {
    raw: () =>
      Buffer.concat([
        Buffer.from(
          'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n',
        ),
        Buffer.from(chunked(GZIP, 7)),
      ]),
  }),
  row('up to the end of the connection', 'br', '', {
    raw: () => ({
      bytes: Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Type: text/plain\r\n\r\n'),
        BR,
      ]),
      ending: 'end',
    }),
  }),
  wrong('text that is said to be gzip', 'gzip', TEXT),
  wrong('gzip that is said to be br', 'br', GZIP),
  wrong('br that is said to be gzip', 'gzip', BR),
  wrong('gzip that ends in the middle', 'gzip', GZIP.subarray(0, -20)),
  wrong('gzip without its sum', 'gzip', GZIP.subarray(0, -8)),
  wrong('gzip with a wrong sum', 'gzip', Buffer.concat([GZIP.subarray(0, -8), Buffer.alloc(4, 7), GZIP.subarray(-4)])),
  wrong('br that ends in the middle', 'br', BR.subarray(0, -3)),
  wrong('something behind gzip', 'gzip', Buffer.concat([GZIP, Buffer.from('more')])),
  wrong('something behind br', 'br', Buffer.concat([BR, Buffer.from('more')])),
  wrong('a coding that nobody knows', 'rot13', TEXT),
  row('six codings are too many', 'gzip,gzip,gzip,gzip,gzip,gzip', GZIP, {
    bodyError: [LimitError, 'ERR_CONTENT_LIMIT'],
  }),
  row('a bomb is not held', 'gzip', zlib.gzipSync(Buffer.alloc(3_000_000)), {
    options: { maxBodyBytes: 2_000_000 },
    bodyError: [LimitError, 'ERR_CONTENT_LIMIT'],
  }),
  row('decompress: false gives what was sent, and asks for nothing else', 'gzip', GZIP, {
    options: { decompress: false },
    check: async (answer) => assert.deepEqual(Buffer.from(await answer.bytes()), GZIP),
    shown: ({ headers }) => headers['accept-encoding'] ?? '-',
    seen: ['identity'],
  }),
  row('decompress: false takes what it cannot decode', 'rot13', PLAIN, { options: { decompress: false } }),
  row('Accept-Encoding says what can be decoded', 'gzip', GZIP, {
    shown: ({ headers }) => headers['accept-encoding'] ?? '-',
    seen: [ACCEPT_ENCODING],
  }),
  row('piece by piece', 'gzip', GZIP, {
    check: async (answer) => {
      const pieces: Uint8Array[] = []
      for await (const piece of answer) pieces.push(piece)
      assert.equal(Buffer.concat(pieces).toString(), TEXT)
    },
  }),
  row('gzip of 404 and 500 is decoded too', 'gzip', GZIP, {
    raw: () => response('404 Not Found', GZIP, 'Content-Encoding: gzip', 'Content-Type: text/plain'),
    status: 404,
  }),
  {
    name: 'gzip as Transfer-Encoding was not asked for',
    raw: () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    error: [ResponseError, 'ERR_HTTP_TRANSFER_CODING'],
  },
  bodiless('200 OK', 'HEAD', ['Content-Length: 1000']),
  bodiless('304 Not Modified', 'GET', ['Content-Length: 1000']),
  bodiless('204 No Content', 'GET', []),
  {
    name: 'our own server sends what a handler has coded',
    own: () => new HttpResponse(GZIP, { headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' } }),
    text: TEXT,
  },
  {
    name: 'nginx codes a text while it sends it',
    nginx: 'http',
    path: '/poem.txt',
    text: POEM,
    fields: { 'content-encoding': 'gzip', 'content-length': undefined },
  },
  {
    name: 'nginx sends it as it is, where it is asked to',
    nginx: 'http',
    path: '/poem.txt',
    options: { decompress: false },
    text: POEM,
    fields: { 'content-encoding': undefined },
  },
]
