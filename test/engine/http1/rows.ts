import type { Http1Options } from '#src/engine/http1/options.js'
import type { SeenRequest } from './_requests.js'

interface Row {
  /** A sentence part: what is special about these bytes. */
  readonly name: string
  /** Of the standard: what decides. */
  readonly section: string
  /** Each character is a byte. */
  readonly bytes: string
  readonly options?: Http1Options
  /** Whether the client ends behind the bytes. Default: false. */
  readonly eof?: boolean
}

export interface ReadRow extends Row {
  /** What differs from `GET / HTTP/1.1` with `Host: a` alone, for each request. */
  readonly requests: readonly Partial<SeenRequest>[]
  /** Default: `need-data`. */
  readonly ending?: string
}

export interface RefusedRow extends Row {
  /** The code, and the status of the answer. */
  readonly refused: string
  /** Requests before it that are whole. Default: 0. */
  readonly before?: number
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
const HOST = ['Host', 'a'] as const

export const READ: readonly ReadRow[] = [
  { name: 'the shortest request', section: 'RFC 9112 §3', bytes: `${GET}\r\n`, requests: [{}] },
  {
    name: 'one blank line before a request is passed over',
    section: 'RFC 9112 §2.2',
    bytes: `\r\n${GET}\r\n`,
    requests: [{}],
  },
  {
    name: 'two requests in one piece',
    section: 'RFC 9112 §9.3.2',
    bytes: `${GET}\r\n${GET}\r\n`,
    requests: [{}, {}],
  },
  {
    name: 'a body of known length, and a request behind it',
    section: 'RFC 9112 §6.3',
    bytes: `${POST}Content-Length: 5\r\n\r\nhello${GET}\r\n`,
    requests: [{ method: 'POST', fields: [HOST, ['Content-Length', '5']], body: 'hello' }, {}],
  },
  {
    name: 'a chunked body with an extension and a trailer',
    section: 'RFC 9112 §7.1',
    bytes: `${POST}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0A\r\n, sweet wo\r\n000\r\nX-Sum: 1 \r\n\r\n`,
    requests: [
      {
        method: 'POST',
        fields: [HOST, ['Transfer-Encoding', 'chunked']],
        body: 'hello, sweet wo',
        trailers: [['X-Sum', '1']],
      },
    ],
  },
  {
    name: 'white space around a value is no part of it',
    section: 'RFC 9112 §5.1',
    bytes: 'GET / HTTP/1.1\r\nHost:\t a \t\r\nX: b \tc\r\nY:\r\nZ: \r\n\r\n',
    requests: [
      {
        fields: [
          ['Host', 'a'],
          ['X', 'b \tc'],
          ['Y', ''],
          ['Z', ''],
        ],
      },
    ],
  },
  {
    name: 'HTTP/1.0 needs no Host and closes',
    section: 'RFC 9112 §9.3',
    bytes: 'GET / HTTP/1.0\r\n\r\n',
    requests: [{ version: '1.0', host: '', keepAlive: false, fields: [] }],
    ending: 'end',
  },
  {
    name: 'HTTP/1.0 with keep-alive goes on',
    section: 'RFC 9112 §9.3',
    bytes: 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\n\r\n',
    requests: [
      { version: '1.0', host: '', fields: [['Connection', 'Keep-Alive']] },
      { version: '1.0', host: '', keepAlive: false, fields: [] },
    ],
    ending: 'end',
  },
  {
    name: 'the end between two requests is the end',
    section: 'RFC 9112 §9.6',
    bytes: `${GET}\r\n`,
    requests: [{}],
    eof: true,
    ending: 'end',
  },
]

export const REFUSED: readonly RefusedRow[] = [
  { name: 'no version', section: 'RFC 9112 §3', bytes: 'GET /\r\n\r\n', refused: 'ERR_HTTP_START_LINE 400' },
  {
    name: 'a line that ends with LF',
    section: 'RFC 9112 §2.2',
    bytes: 'GET / HTTP/1.1\nHost: a\n\n',
    refused: 'ERR_HTTP_LINE_ENDING 400',
  },
  { name: 'no Host', section: 'RFC 9112 §3.2', bytes: 'GET / HTTP/1.1\r\n\r\n', refused: 'ERR_HTTP_HOST 400' },
  {
    name: 'both lengths at once',
    section: 'RFC 9112 §6.1',
    bytes: `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    refused: 'ERR_HTTP_BODY_LENGTH 400',
  },
  {
    name: 'the end within a body',
    section: 'RFC 9112 §8',
    bytes: `${POST}Content-Length: 5\r\n\r\nhell`,
    eof: true,
    refused: 'ERR_UNEXPECTED_END 400',
  },
]
