import { CHUNKED, CHUNKS, GET, HOST, POST, refusals, type ReadRow, type RefusedRow } from './row.js'

const LINE = 'ERR_HTTP_LINE_LIMIT 414'
const FIELD = 'ERR_HTTP_FIELD_LIMIT 431'
const BODY = 'ERR_HTTP_BODY_LIMIT 413'
const EXTENSION = 'ERR_HTTP_CHUNK_LIMIT 400'
const TRAILER = 'ERR_HTTP_TRAILER_LIMIT 431'

/** A request whose first line has so many bytes, without its ending. */
const lineOf = (bytes: number): string => `GET /${'a'.repeat(bytes - 14)} HTTP/1.1\r\nHost: a\r\n\r\n`
/** A field line of so many bytes, with its ending, which is not counted. */
const fieldOf = (bytes: number): string => `X: ${'b'.repeat(bytes - 3)}\r\n`
const fields = (count: number): string => 'X: b\r\n'.repeat(count)
const repeat = (count: number, field: readonly [string, string]): (readonly [string, string])[] =>
  Array.from({ length: count }, () => field)

/** `Host: a` and its ending. */
const HOST_BYTES = 9

export const READ: readonly ReadRow[] = [
  {
    name: 'a first line at its limit',
    section: 'RFC 9112 §3',
    bytes: lineOf(30),
    options: { maxStartLineBytes: 30 },
    requests: [{ target: `/${'a'.repeat(16)}` }],
  },
  {
    name: 'a first line at the limit that is usual',
    section: 'RFC 9112 §3',
    bytes: lineOf(8192),
    requests: [{ target: `/${'a'.repeat(8178)}` }],
  },
  {
    name: 'a blank line is no part of the first line',
    section: 'RFC 9112 §2.2',
    bytes: `\r\n${lineOf(30)}`,
    options: { maxStartLineBytes: 30 },
    requests: [{ target: `/${'a'.repeat(16)}` }],
  },
  {
    name: 'a field line at its limit',
    section: 'RFC 6585 §5',
    bytes: `${GET}${fieldOf(20)}\r\n`,
    options: { maxFieldBytes: 20 },
    requests: [{ fields: [HOST, ['X', 'b'.repeat(17)]] }],
  },
  {
    name: 'a field line at the limit that is usual',
    section: 'RFC 6585 §5',
    bytes: `${GET}${fieldOf(8192)}\r\n`,
    requests: [{ fields: [HOST, ['X', 'b'.repeat(8189)]] }],
  },
  {
    name: 'all fields at their limit',
    section: 'RFC 6585 §5',
    bytes: `${GET}${fieldOf(20)}\r\n`,
    options: { maxFieldsBytes: HOST_BYTES + 20 },
    requests: [{ fields: [HOST, ['X', 'b'.repeat(17)]] }],
  },
  {
    name: 'as many fields as are read',
    section: 'RFC 6585 §5',
    bytes: `${GET}${fields(2)}\r\n`,
    options: { maxFields: 3 },
    requests: [{ fields: [HOST, ...repeat(2, ['X', 'b'])] }],
  },
  {
    name: 'as many fields as are read usually',
    section: 'RFC 6585 §5',
    bytes: `${GET}${fields(99)}\r\n`,
    requests: [{ fields: [HOST, ...repeat(99, ['X', 'b'])] }],
  },
  {
    name: 'the limits begin anew with each request',
    section: 'RFC 6585 §5',
    bytes: `${GET}${fieldOf(20)}\r\n`.repeat(2),
    options: { maxFields: 2, maxFieldsBytes: HOST_BYTES + 20 },
    requests: repeat(2, ['X', 'b'.repeat(17)]).map((field) => ({ fields: [HOST, field] })),
  },
  {
    name: 'a body of known length at its limit',
    section: 'RFC 9110 §15.5.14',
    bytes: `${POST}Content-Length: 5\r\n\r\nhello`,
    options: { maxBodyBytes: 5 },
    requests: [{ method: 'POST', fields: [HOST, ['Content-Length', '5']], body: 'hello' }],
  },
  {
    name: 'a chunked body at its limit',
    section: 'RFC 9110 §15.5.14',
    bytes: `${CHUNKS}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
    options: { maxBodyBytes: 5 },
    requests: [{ method: 'POST', fields: [HOST, CHUNKED], body: 'hello' }],
  },
  {
    name: 'chunk extensions at their limit',
    section: 'RFC 9112 §7.1.1',
    bytes: `${CHUNKS}5;ab\r\nhello\r\n0;c\r\n\r\n`,
    options: { maxChunkExtensionBytes: 5 },
    requests: [{ method: 'POST', fields: [HOST, CHUNKED], body: 'hello' }],
  },
  {
    name: 'trailers at their limits',
    section: 'RFC 6585 §5',
    bytes: `${CHUNKS}0\r\n${fieldOf(20)}${fieldOf(20)}\r\n`,
    options: { maxTrailerBytes: 42, maxTrailers: 2 },
    requests: [{ method: 'POST', fields: [HOST, CHUNKED], trailers: repeat(2, ['X', 'b'.repeat(17)]) }],
  },
  {
    name: 'no trailer where none may be',
    section: 'RFC 6585 §5',
    bytes: `${CHUNKS}0\r\n\r\n`,
    options: { maxTrailerBytes: 0, maxTrailers: 0 },
    requests: [{ method: 'POST', fields: [HOST, CHUNKED] }],
  },
]

export const REFUSED: readonly RefusedRow[] = [
  ...refusals(
    LINE,
    'RFC 9112 §3',
    {
      'a first line one past its limit': lineOf(31),
      'a first line that does not end': `GET /${'a'.repeat(30)}`,
      'a first line that is bad past its limit': `GET /${'a'.repeat(30)}\x00 HTTP/1.1\r\n`,
      'a method that alone is past the limit of the line': 'M'.repeat(40),
      'a blank line, and a first line one past its limit': `\r\n${lineOf(31)}`,
    },
    { options: { maxStartLineBytes: 30 } },
  ),
  ...refusals(LINE, 'RFC 9112 §3', { 'a first line one past the limit that is usual': lineOf(8193) }),
  ...refusals(
    FIELD,
    'RFC 6585 §5',
    {
      'a field line one past its limit': `${GET}${fieldOf(21)}\r\n`,
      'a field that does not end': `${GET}X: ${'b'.repeat(30)}`,
      'a name that does not end': `${GET}${'X'.repeat(30)}`,
      'white space that does not end': `${GET}X:${' '.repeat(30)}`,
      'white space that passes the limit': `${GET}X:${' '.repeat(19)}\r\n\r\n`,
      'a field that is bad past its limit': `${GET}X: ${'b'.repeat(30)}\x00\r\n\r\n`,
      'a field that ends with LF past its limit': `${GET}X: ${'b'.repeat(30)}\n\r\n`,
    },
    { options: { maxFieldBytes: 20 } },
  ),
  ...refusals(FIELD, 'RFC 6585 §5', {
    'a field line one past the limit that is usual': `${GET}${fieldOf(8193)}\r\n`,
    'one field more than are read usually': `${GET}${fields(100)}\r\n`,
    'all fields past the limit that is usual': `${GET}${fieldOf(8190).repeat(4)}\r\n`,
  }),
  ...refusals(
    FIELD,
    'RFC 6585 §5',
    {
      'all fields one past their limit': `${GET}${fieldOf(21)}\r\n`,
      'a field behind those that take the whole limit': `${GET}${fieldOf(20)}Y: c\r\n\r\n`,
      'a bad field behind those that take the whole limit': `${GET}${fieldOf(20)}\x00\r\n\r\n`,
    },
    { options: { maxFieldsBytes: HOST_BYTES + 20 } },
  ),
  ...refusals(
    FIELD,
    'RFC 6585 §5',
    {
      'one field more than are read': `${GET}${fields(3)}\r\n`,
      'a bad field behind as many as are read': `${GET}${fields(2)}: b\r\n\r\n`,
    },
    { options: { maxFields: 3 } },
  ),
  ...refusals(
    BODY,
    'RFC 9110 §15.5.14',
    {
      'a length one past the limit': `${POST}Content-Length: 6\r\n\r\nhello!`,
      'a length far past the limit': `${POST}Content-Length: 999999999999999\r\n\r\n`,
      'a chunk one past the limit': `${CHUNKS}6\r\nhello!\r\n0\r\n\r\n`,
      'chunks that together are one past the limit': `${CHUNKS}3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n`,
      'a chunk of the largest size': `${CHUNKS}fffffffffffff\r\n`,
    },
    { options: { maxBodyBytes: 5 } },
  ),
  ...refusals(
    EXTENSION,
    'RFC 9112 §7.1.1',
    {
      'an extension one past the limit': [`${CHUNKS}5;abcde\r\nhello\r\n0\r\n\r\n`, 'CVE-2024-22019'],
      'extensions that together are one past the limit': [`${CHUNKS}5;ab\r\nhello\r\n0;cd\r\n\r\n`, 'CVE-2023-39326'],
      'an extension that does not end': `${CHUNKS}5;${'a'.repeat(30)}`,
    },
    { options: { maxChunkExtensionBytes: 5 } },
  ),
  ...refusals(
    EXTENSION,
    'RFC 9112 §7.1.1',
    { 'an extension where none may be': `${CHUNKS}5;\r\nhello\r\n0\r\n\r\n` },
    { options: { maxChunkExtensionBytes: 0 } },
  ),
  ...refusals(
    TRAILER,
    'RFC 6585 §5',
    {
      'trailers one past their limit': `${CHUNKS}0\r\n${fieldOf(20)}${fieldOf(21)}\r\n`,
      'one trailer more than are read': `${CHUNKS}0\r\n${fields(3)}\r\n`,
      'a trailer that does not end': `${CHUNKS}0\r\nX: ${'b'.repeat(60)}`,
    },
    { options: { maxTrailerBytes: 42, maxTrailers: 2 } },
  ),
  ...refusals(
    TRAILER,
    'RFC 6585 §5',
    { 'a trailer where none may be': `${CHUNKS}0\r\nX: b\r\n\r\n` },
    { options: { maxTrailers: 0 } },
  ),
  ...refusals(
    TRAILER,
    'RFC 6585 §5',
    { 'a trailer line one past the limit of a field': `${CHUNKS}0\r\n${fieldOf(27)}\r\n` },
    { options: { maxFieldBytes: 26 } },
  ),
]
