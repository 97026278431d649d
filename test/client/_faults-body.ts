import { gzipSync } from 'node:zlib'
import { text } from '#src/http/index.js'
import type { Fault } from './_faults.js'
import { answering, response, sendAndReset, sending } from './_faulty-servers.js'
import { serving } from './_servers.js'

const BODY = { name: 'BodyError', phase: 'body', step: 'body', exit: 16 } as const
const CUT = { ...BODY, code: 'ERR_UNEXPECTED_END', says: /request it again/ } as const
const CODED = { ...BODY, code: 'ERR_CONTENT_CODING', says: /(?:decompress: false|--no-compressed)/ } as const
const CHUNKED = 'Transfer-Encoding: chunked'

const gzipped = (body: Uint8Array): Buffer =>
  response([`Content-Length: ${body.length}`, 'Content-Encoding: gzip', 'Content-Type: text/plain'], body)

export const BODY_FAULTS: readonly Fault[] = [
  {
    ...CUT,
    title: 'a body that is cut, by its length',
    make: async (t) => ({ url: await sending(t, response(['Content-Length: 10'], 'half')) }),
    finds: /broke off behind 4 bytes/,
  },
  {
    ...CUT,
    title: 'a reset within the body',
    make: async (t) => ({
      url: await answering(t, (socket) => sendAndReset(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
    }),
  },
  {
    ...CUT,
    title: 'a chunked body without its last chunk',
    make: async (t) => ({ url: await sending(t, response([CHUNKED], '4\r\nhalf\r\n')) }),
  },
  {
    ...CUT,
    title: 'an end within a chunk',
    make: async (t) => ({ url: await sending(t, response([CHUNKED], 'a\r\nhalf')) }),
  },
  {
    ...CUT,
    title: 'a reset within a chunk',
    make: async (t) => ({
      url: await answering(t, (socket) => sendAndReset(socket, response([CHUNKED], 'a\r\nhalf').toString())),
    }),
  },
  {
    ...BODY,
    title: 'a chunk whose size is no number',
    make: async (t) => ({ url: await sending(t, response([CHUNKED], 'zz\r\nhalf\r\n')) }),
    code: 'ERR_HTTP_CHUNK',
    says: /chunks are malformed/,
    finds: /^cannot .*chunk.*; \d+ bytes had come$/,
  },
  {
    ...BODY,
    title: 'a chunk that is longer than it says',
    make: async (t) => ({ url: await sending(t, response([CHUNKED], '2\r\nabcdef\r\n0\r\n\r\n')) }),
    code: 'ERR_HTTP_CHUNK',
    says: /chunks are malformed/,
    finds: /^cannot .*chunk.*; \d+ bytes had come$/,
  },
  {
    ...CODED,
    title: 'a body that is no gzip',
    finds: /^cannot decode gzip: incorrect header check; 15 bytes had come$/,
    make: async (t) => ({ url: await sending(t, gzipped(Buffer.from('this is no gzip'))) }),
  },
  {
    ...CODED,
    title: 'the same, read piece by piece',
    make: async (t) => ({ url: await sending(t, gzipped(Buffer.from('this is no gzip'))), read: 'pieces' }),
  },
  {
    ...CODED,
    title: 'a body whose gzip is cut',
    make: async (t) => ({ url: await sending(t, gzipped(gzipSync('hello '.repeat(1000)).subarray(0, -12))) }),
  },
  {
    ...CODED,
    title: 'a body with something behind its gzip',
    make: async (t) => ({
      url: await sending(t, gzipped(Buffer.concat([gzipSync('hello'), Buffer.from('and more')]))),
    }),
  },
  {
    ...CODED,
    title: 'a coding that nobody knows',
    make: async (t) => ({
      url: await sending(t, response(['Content-Length: 2', 'Content-Encoding: shrink'], 'ok')),
    }),
  },
  {
    title: 'a body that expands without measure',
    make: async (t) => ({ url: await sending(t, gzipped(gzipSync(Buffer.alloc(100 * 1024 * 1024), { level: 9 }))) }),
    name: 'LimitError',
    code: 'ERR_CONTENT_LIMIT',
    phase: 'body',
    step: 'body',
    says: /do not trust it/,
    finds: /^the body has more than \d+ bytes when it is decoded; \d+ bytes had come$/,
    exit: 16,
  },
  {
    title: 'a body that is longer than may be held',
    make: async (t) => ({
      url: await serving(t, () => text('x'.repeat(5000))),
      options: { maxBodyBytes: 4999 },
    }),
    name: 'LimitError',
    code: 'ERR_BODY_LIMIT',
    phase: 'body',
    step: 'body',
    says: /raise (?:maxBodyBytes|--max-body)/,
    finds: /^the body has more than 4999 bytes; 5000 bytes had come$/,
    exit: 16,
  },
  {
    title: 'a body that stops in the middle',
    make: async (t) => ({
      url: await answering(t, (socket) => void socket.write(response(['Content-Length: 10'], 'half'))),
      options: { bodyTimeoutMs: 200 },
    }),
    name: 'TimeoutError',
    code: 'ERR_BODY_TIMEOUT',
    phase: 'body',
    step: 'body',
    says: /stopped in the middle/,
    finds: /^it stopped behind 4 bytes$/,
    exit: 14,
  },
  {
    title: 'a body that takes longer than all of it may',
    make: async (t) => ({
      url: await answering(t, (socket) => void socket.write(response(['Content-Length: 10'], 'half'))),
      options: { timeoutMs: 1500 },
    }),
    name: 'TimeoutError',
    code: 'ERR_TOTAL_TIMEOUT',
    phase: 'body',
    step: 'body',
    says: /raise (?:timeoutMs|--timeout)/,
    exit: 14,
  },
]
