import { entry, table, type Table } from './code-table.js'

export type HttpProtocolCode =
  | 'ERR_HTTP_START_LINE'
  | 'ERR_HTTP_METHOD'
  | 'ERR_HTTP_VERSION'
  | 'ERR_HTTP_LINE_ENDING'
  | 'ERR_HTTP_FIELD'
  | 'ERR_HTTP_TARGET'
  | 'ERR_HTTP_HOST'
  | 'ERR_HTTP_BODY_LENGTH'
  | 'ERR_HTTP_TRANSFER_CODING'
  | 'ERR_HTTP_CHUNK'
  | 'ERR_HTTP_TRAILER'
  | 'ERR_HTTP_EXPECTATION'
  | 'ERR_HTTP_UNSOLICITED'

export const HTTP_PROTOCOL_CODES: Table<HttpProtocolCode> = table({
  ERR_HTTP_START_LINE: entry(
    'remote',
    'The first line of an HTTP message is malformed.',
    'Send a method, a target and HTTP/1.1, with one space between; a client that speaks TLS needs an https: endpoint.',
  ),
  ERR_HTTP_METHOD: entry('remote', 'The method of a request is not one that can be read.', 'Use a standard method.'),
  ERR_HTTP_VERSION: entry('remote', 'An HTTP version is not spoken here.', 'Speak HTTP/1.1.'),
  ERR_HTTP_LINE_ENDING: entry(
    'remote',
    'A line of an HTTP head has a CR or an LF alone, or a control character.',
    'End each line with CR LF, and keep control characters out of fields.',
  ),
  ERR_HTTP_FIELD: entry(
    'remote',
    'A field of an HTTP message is malformed, or comes twice where it may come once.',
    'Send "Name: value" on one line, without a space before the colon.',
  ),
  ERR_HTTP_TARGET: entry(
    'remote',
    'The target of a request is in none of the forms that its method allows.',
    'Send a path that begins with "/", or a whole URL.',
  ),
  ERR_HTTP_HOST: entry(
    'remote',
    'A request has no Host field, more than one, or one that is no host.',
    'Send exactly one Host field: a name or an address, and a port where it is not the usual one.',
  ),
  ERR_HTTP_BODY_LENGTH: entry(
    'remote',
    'The length of a body is malformed, told twice, or told in two ways.',
    'Send one Content-Length, in digits, or Transfer-Encoding: chunked, never both.',
  ),
  ERR_HTTP_TRANSFER_CODING: entry(
    'remote',
    'A transfer coding is not understood.',
    'Use Transfer-Encoding: chunked alone.',
  ),
  ERR_HTTP_CHUNK: entry(
    'remote',
    'A chunk of a body is malformed.',
    'Send its size in hexadecimal, CR LF, its bytes, CR LF.',
  ),
  ERR_HTTP_TRAILER: entry(
    'remote',
    'A trailer is one that decides how a message is read.',
    'Send such fields before the body.',
  ),
  ERR_HTTP_EXPECTATION: entry(
    'remote',
    'A request expects something that is not understood.',
    'Expect 100-continue or nothing.',
  ),
  ERR_HTTP_UNSOLICITED: entry(
    'remote',
    'A server sent a response that no request asked for, or switched to a protocol that was not offered.',
    'Close the connection: what comes on it may be meant for somebody else.',
  ),
})

export type HttpLimitCode =
  | 'ERR_HTTP_LINE_LIMIT'
  | 'ERR_HTTP_FIELD_LIMIT'
  | 'ERR_HTTP_BODY_LIMIT'
  | 'ERR_HTTP_CHUNK_LIMIT'
  | 'ERR_HTTP_TRAILER_LIMIT'
  | 'ERR_HTTP_INTERIM_LIMIT'

export const HTTP_LIMIT_CODES: Table<HttpLimitCode> = table({
  ERR_HTTP_LINE_LIMIT: entry(
    'remote',
    'The first line of an HTTP message is over its limit.',
    'Send a shorter target, or raise maxStartLineBytes.',
  ),
  ERR_HTTP_FIELD_LIMIT: entry(
    'remote',
    'The fields of an HTTP message are over a limit, in bytes or in number.',
    'Send fewer or shorter ones, or raise maxFieldBytes, maxFieldsBytes or maxFields.',
  ),
  ERR_HTTP_BODY_LIMIT: entry('remote', 'A body is over its limit.', 'Send less, or raise maxBodyBytes.'),
  ERR_HTTP_CHUNK_LIMIT: entry(
    'remote',
    'The chunk extensions of a body are over their limit.',
    'Send none, or raise maxChunkExtensionBytes.',
  ),
  ERR_HTTP_TRAILER_LIMIT: entry(
    'remote',
    'The trailers of a message are over a limit, in bytes or in number.',
    'Send fewer, or raise maxTrailerBytes or maxTrailers.',
  ),
  ERR_HTTP_INTERIM_LIMIT: entry(
    'remote',
    'A server sent too many answers before its answer: 100, 103.',
    'Send the answer, or raise maxInterimResponses.',
  ),
})
