import type { RequestStart } from '#src/engine/http1/encode-request.js'
import type { Http1ClientOptions } from '#src/engine/http1/options.js'
import type { SeenResponse } from '../_responses.js'

interface Row {
  readonly name: string
  readonly section: string
  readonly bytes: string
  /** What differs from `GET /` to the host `a`, for each request. Default: one that differs in nothing. */
  readonly asked?: readonly Partial<RequestStart>[]
  readonly options?: Http1ClientOptions
  readonly eof?: boolean
}

export interface ReadResponseRow extends Row {
  /** What differs from `HTTP/1.1 200 OK` without fields or body. */
  readonly responses: readonly Partial<SeenResponse>[]
  /** Default: `need-data`. */
  readonly ending?: string
  readonly rest?: string
}

export interface RefusedResponseRow extends Row {
  readonly refused: string
  /** Responses before it that are whole. Default: 0. */
  readonly before?: number
}

type Field = readonly [name: string, value: string]
const OK = 'HTTP/1.1 200 OK\r\n'
const EMPTY = `${OK}Content-Length: 0\r\n\r\n`
const CHUNKS = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const NO_BODY: Field = ['Content-Length', '0']
const CHUNKED: Field = ['Transfer-Encoding', 'chunked']
const HEAD: readonly Partial<RequestStart>[] = [{ method: 'HEAD' }]
const CONNECT: readonly Partial<RequestStart>[] = [{ method: 'CONNECT', target: 'b:443', host: 'b:443' }]
const UPGRADE: readonly Partial<RequestStart>[] = [{ upgrade: 'websocket, h9' }]
const EARLY = 'HTTP/1.1 103 Early Hints\r\n\r\n'
const SIXTEEN_HINTS: readonly Partial<SeenResponse>[] = Array.from({ length: 16 }, () => ({
  status: 103,
  reason: 'Early Hints',
  interim: true,
}))
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\n'
const upgraded = (name: string): string => `${SWITCH}Connection: Upgrade\r\nUpgrade: ${name}\r\n\r\n`
const fieldsOf = (name: string): readonly Field[] => [
  ['Connection', 'Upgrade'],
  ['Upgrade', name],
]

const empty = (line: string): string => `${line}\r\nContent-Length: 0\r\n\r\n`
const read = (
  name: string,
  section: string,
  bytes: string,
  first: Partial<SeenResponse>,
  more: Partial<ReadResponseRow> = {},
): ReadResponseRow => ({
  name,
  section,
  bytes,
  responses: [first],
  ...more,
})

export const READ_RESPONSES: readonly ReadResponseRow[] = [
  read('no content', 'RFC 9112 §6.3', EMPTY, { fields: [NO_BODY] }),
  read('a reason of several words', 'RFC 9112 §4', empty('HTTP/1.1 404 Not  \tfound\xe9'), {
    status: 404,
    reason: 'Not  \tfound\xe9',
    fields: [NO_BODY],
  }),
  read('an empty reason', 'RFC 9112 §4', empty('HTTP/1.1 200 '), { reason: '', fields: [NO_BODY] }),
  read('no reason, and no space before it', 'RFC 9112 §4', empty('HTTP/1.1 200'), { reason: '', fields: [NO_BODY] }),
  read('a status that nobody knows', 'RFC 9110 §15', empty('HTTP/1.1 999 What'), {
    status: 999,
    reason: 'What',
    fields: [NO_BODY],
  }),
  read('a body of known length', 'RFC 9112 §6.3', `${OK}Content-Length: 5\r\n\r\nhello`, {
    fields: [['Content-Length', '5']],
    body: 'hello',
  }),
  read(
    'a body of known length, and Connection: close',
    'RFC 9112 §9.6',
    `${OK}Connection: close\r\nContent-Length: 5\r\n\r\nhello`,
    {
      fields: [
        ['Connection', 'close'],
        ['Content-Length', '5'],
      ],
      body: 'hello',
      keepAlive: false,
    },
    { ending: 'end' },
  ),
  read('chunks and a trailer', 'RFC 9112 §7.1', `${CHUNKS}5;a\r\nhello\r\n0\r\nX: b\r\n\r\n`, {
    fields: [CHUNKED],
    body: 'hello',
    trailers: [['X', 'b']],
  }),
  read(
    'a body up to the end',
    'RFC 9112 §6.3',
    `${OK}\r\nhello`,
    { body: 'hello', keepAlive: false },
    { eof: true, ending: 'end' },
  ),
  read('an empty body up to the end', 'RFC 9112 §6.3', `${OK}\r\n`, { keepAlive: false }, { eof: true, ending: 'end' }),
  read('a body up to an end that has not come', 'RFC 9112 §6.3', `${OK}\r\nhello`, {
    body: 'hello',
    keepAlive: false,
    whole: false,
  }),
  read(
    'a body up to the end in spite of keep-alive',
    'RFC 9112 §9.3',
    `${OK}Connection: keep-alive\r\n\r\nhello`,
    { fields: [['Connection', 'keep-alive']], body: 'hello', keepAlive: false },
    { eof: true, ending: 'end' },
  ),
  read(
    'what looks like a response in a body up to the end',
    'RFC 9112 §6.3',
    `${OK}\r\n${EMPTY}`,
    { body: EMPTY, keepAlive: false },
    { eof: true, ending: 'end' },
  ),
  read(
    'a body up to the end, at its limit',
    'RFC 9110 §15.5.14',
    `${OK}\r\nhello`,
    { body: 'hello', keepAlive: false },
    { options: { maxBodyBytes: 5 }, eof: true, ending: 'end' },
  ),
  read(
    'HTTP/1.0',
    'RFC 9112 §9.3',
    'HTTP/1.0 200 OK\r\n\r\nhello',
    { version: '1.0', body: 'hello', keepAlive: false },
    { eof: true, ending: 'end' },
  ),
  read(
    'HTTP/1.0 with a length',
    'RFC 9112 §9.3',
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    { version: '1.0', fields: [NO_BODY], keepAlive: false },
    { ending: 'end' },
  ),
  read(
    'HTTP/1.0 that stays',
    'RFC 9112 §9.3',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    { version: '1.0', fields: [['Connection', 'keep-alive'], NO_BODY] },
  ),
  read('204', 'RFC 9112 §6.3', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, reason: 'No Content' }),
  read('204 with a length of 0', 'RFC 9110 §8.6', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', {
    status: 204,
    reason: 'No Content',
    fields: [NO_BODY],
  }),
  read('205 is read like others', 'RFC 9110 §15.3.6', empty('HTTP/1.1 205 Reset'), {
    status: 205,
    reason: 'Reset',
    fields: [NO_BODY],
  }),
  read(
    '304 with the length of another response',
    'RFC 9112 §6.3',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    { status: 304, reason: 'Not Modified', fields: [['Content-Length', '5']] },
  ),
  read(
    '304 with the coding of another response',
    'RFC 9112 §6.1',
    'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n',
    { status: 304, reason: 'Not Modified', fields: [CHUNKED] },
  ),
  read(
    'HEAD, with a length',
    'RFC 9112 §6.3',
    `${OK}Content-Length: 5\r\n\r\n`,
    { fields: [['Content-Length', '5']] },
    { asked: HEAD },
  ),
  read('HEAD, with chunks', 'RFC 9112 §6.1', CHUNKS, { fields: [CHUNKED] }, { asked: HEAD }),
  read('HEAD, with neither', 'RFC 9112 §6.3', `${OK}\r\n`, {}, { asked: HEAD }),
  read(
    'CONNECT',
    'RFC 9110 §9.3.6',
    `${OK}\r\n\x16\x03`,
    { whole: false },
    { asked: CONNECT, ending: 'switched', rest: '\x16\x03' },
  ),
  read(
    'CONNECT, and a length that means nothing',
    'RFC 9112 §6.3',
    `${OK}Content-Length: 5\r\n\r\nhello`,
    { fields: [['Content-Length', '5']], whole: false },
    { asked: CONNECT, ending: 'switched', rest: 'hello' },
  ),
  read(
    'CONNECT that is refused',
    'RFC 9112 §6.3',
    `HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno`,
    { status: 403, reason: 'No', fields: [['Content-Length', '2']], body: 'no' },
    { asked: CONNECT },
  ),
  read(
    'an upgrade',
    'RFC 9110 §7.8',
    `${upgraded('WebSocket')}\x81\x00`,
    { status: 101, reason: 'Switching Protocols', fields: fieldsOf('WebSocket'), whole: false },
    { asked: UPGRADE, ending: 'switched', rest: '\x81\x00' },
  ),
  read(
    'an upgrade to the second of two',
    'RFC 9110 §7.8',
    upgraded('h9'),
    { status: 101, reason: 'Switching Protocols', fields: fieldsOf('h9'), whole: false },
    { asked: UPGRADE, ending: 'switched' },
  ),
  read(
    'an upgrade that is not taken up',
    'RFC 9110 §7.8',
    `${OK}Upgrade: h2c\r\nContent-Length: 0\r\n\r\n`,
    { fields: [['Upgrade', 'h2c'], NO_BODY] },
    { asked: UPGRADE },
  ),
  {
    name: 'interim responses before the response',
    section: 'RFC 9110 §15.2',
    bytes: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: b\r\n\r\nHTTP/1.1 199 \r\n\r\n${EMPTY}`,
    asked: [{ method: 'POST', bodyLength: 3, expectsContinue: true }],
    responses: [
      { status: 100, reason: 'Continue', interim: true },
      { status: 103, reason: 'Early Hints', interim: true, fields: [['Link', 'b']] },
      { status: 199, reason: '', interim: true },
      { fields: [NO_BODY] },
    ],
  },
  {
    name: 'interim responses at their limit, which begins anew with each request',
    section: 'RFC 9110 §15.2',
    bytes: `${EARLY.repeat(16)}${EMPTY}${EARLY.repeat(16)}${EMPTY}`,
    asked: [{}, {}],
    responses: [...SIXTEEN_HINTS, { fields: [NO_BODY] }, ...SIXTEEN_HINTS, { fields: [NO_BODY] }],
  },
  {
    name: 'trailers of a response, wanted or not',
    section: 'RFC 9110 §6.5.1',
    bytes: `${CHUNKS}0\r\nX: b\r\n\r\n`.repeat(2),
    asked: [{ wantsTrailers: true }, {}],
    responses: [
      { fields: [CHUNKED], trailers: [['X', 'b']] },
      { fields: [CHUNKED], trailers: [['X', 'b']] },
    ],
  },
  {
    name: 'two responses to two requests',
    section: 'RFC 9112 §9.2',
    bytes: `${CHUNKS}0\r\n\r\n${EMPTY}`,
    asked: [{ method: 'POST', bodyLength: 'chunked' }, {}],
    responses: [{ fields: [CHUNKED] }, { fields: [NO_BODY] }],
  },
  {
    name: 'a response to HEAD and then one to GET',
    section: 'RFC 9112 §6.3',
    bytes: `${OK}Content-Length: 5\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    asked: [{ method: 'HEAD' }, {}],
    responses: [{ fields: [['Content-Length', '5']] }, { fields: [['Content-Length', '5']], body: 'hello' }],
  },
  {
    name: 'what stands behind the last response is not read',
    section: 'RFC 9112 §9.6',
    bytes: `${OK}Connection: close\r\nContent-Length: 0\r\n\r\n${EMPTY}`,
    responses: [{ fields: [['Connection', 'close'], NO_BODY], keepAlive: false }],
    ending: 'end',
  },
  {
    name: 'the end when nothing was asked',
    section: 'RFC 9112 §9.5',
    bytes: EMPTY,
    responses: [{ fields: [NO_BODY] }],
    eof: true,
    ending: 'end',
  },
]

type Special = Readonly<Record<string, string>>
const refusals = (
  refused: string,
  section: string,
  special: Special,
  more: Partial<RefusedResponseRow> = {},
): RefusedResponseRow[] => Object.entries(special).map(([name, bytes]) => ({ name, section, bytes, refused, ...more }))
const line = (text: string): string => `${text}\r\nContent-Length: 0\r\n\r\n`
const length = (value: string): string => `${OK}Content-Length:${value}\r\n\r\nhello`
const coding = (value: string): string => `${OK}Transfer-Encoding:${value}\r\n\r\n0\r\n\r\n`

export const REFUSED_RESPONSES: readonly RefusedResponseRow[] = [
  ...refusals('ERR_HTTP_START_LINE', 'RFC 9112 §4', {
    'a blank line before a response': `\r\n${EMPTY}`,
    'a response of HTTP/0.9': '<html>',
    'a status line of another protocol': line('ICY 200 OK'),
    'a version in lower case': line('http/1.1 200 OK'),
    'a version without a dot': line('HTTP/11 200 OK'),
    'a version of three digits': line('HTTP/1.10 200 OK'),
    'two spaces before the status': line('HTTP/1.1  200 OK'),
    'a tab before the status': line('HTTP/1.1\t200 OK'),
    'a tab behind the status': line('HTTP/1.1 200\tOK'),
    'a status of two digits': line('HTTP/1.1 20 OK'),
    'a status of four digits': line('HTTP/1.1 2000 OK'),
    'a status below 100': line('HTTP/1.1 099 OK'),
    'a status with a sign': line('HTTP/1.1 +20 OK'),
    'a status in hexadecimal': line('HTTP/1.1 0xc OK'),
    'no status': line('HTTP/1.1 OK'),
    'a status that ends with LF': 'HTTP/1.1 200\nContent-Length: 0\r\n\r\n',
    'a request': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  }),
  ...refusals('ERR_HTTP_VERSION', 'RFC 9110 §15.6.6', {
    'HTTP/2': line('HTTP/2 200'),
    'HTTP/1.2 in a response': line('HTTP/1.2 200 OK'),
  }),
  ...refusals('ERR_HTTP_LINE_ENDING', 'RFC 9112 §2.2', {
    'a status line that ends with LF': 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
    'a status line with a CR in it': 'HTTP/1.1 200 O\rK\r\n\r\n',
    'a field of a response that ends with LF': `${OK}X: b\nContent-Length: 0\r\n\r\n`,
  }),
  ...refusals('ERR_HTTP_LINE_ENDING', 'RFC 9110 §5.5', {
    'a NUL in a reason': line('HTTP/1.1 200 O\x00K'),
    'a NUL in a field of a response': `${OK}X: \x00\r\n\r\n`,
  }),
  ...refusals('ERR_HTTP_FIELD', 'RFC 9112 §5.1', {
    'a space before a colon in a response': `${OK}Content-Length : 5\r\n\r\n`,
    'a field without a colon in a response': `${OK}X\r\n\r\n`,
  }),
  ...refusals('ERR_HTTP_FIELD', 'RFC 9112 §5.2', { 'a folded field in a response': `${OK}X: b\r\n c\r\n\r\n` }),
  ...refusals('ERR_HTTP_BODY_LENGTH', 'RFC 9112 §6.3', {
    'both lengths at once in a response': `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two different lengths in a response': `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    'the same length twice in a response': `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    'a list of lengths in a response': length(' 5, 5'),
    'a length with a sign in a response': length(' +5'),
    'an empty length in a response': length(''),
    'a length in hexadecimal in a response': length(' 0x5'),
    'a length that overflows in a response': length(' 18446744073709551621'),
  }),
  ...refusals(
    'ERR_HTTP_BODY_LENGTH',
    'RFC 9112 §6.3',
    { 'both lengths at once to HEAD': `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n` },
    { asked: HEAD },
  ),
  ...refusals('ERR_HTTP_BODY_LENGTH', 'RFC 9112 §6.1', {
    'Transfer-Encoding twice in a response': `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunks in HTTP/1.0 in a response': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunks in a 204': 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunks in a 100': 'HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  }),
  ...refusals('ERR_HTTP_BODY_LENGTH', 'RFC 9110 §8.6', {
    'a length in a 204': 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
    'a length in a 103': 'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello',
  }),
  ...refusals('ERR_HTTP_TRANSFER_CODING', 'RFC 9112 §6.3', {
    'identity in a response': coding(' identity'),
    'gzip alone in a response': coding(' gzip'),
    'chunked twice in a response': coding(' chunked, chunked'),
    'what only looks like chunked in a response': coding(' xchunked'),
  }),
  ...refusals('ERR_HTTP_TRANSFER_CODING', 'RFC 9112 §6.1', {
    'gzip and then chunked in a response': coding(' gzip, chunked'),
  }),
  ...refusals('ERR_HTTP_CHUNK', 'RFC 9112 §7.1', {
    'a size with a sign in a response': `${CHUNKS}+5\r\nhello\r\n0\r\n\r\n`,
    'a chunk without an ending in a response': `${CHUNKS}5\r\nhello0\r\n\r\n`,
    'a size that ends with LF in a response': `${CHUNKS}5\nhello\r\n0\r\n\r\n`,
  }),
  ...refusals('ERR_HTTP_TRAILER', 'RFC 9110 §6.5.1', {
    'a length behind the body in a response': `${CHUNKS}0\r\nContent-Length: 5\r\n\r\n`,
  }),
  ...refusals(
    'ERR_HTTP_UNSOLICITED',
    'RFC 9112 §9.2',
    {
      'a second response to one request': `${EMPTY}${EMPTY}`,
      'a body that is longer than its length in a response': `${length(' 5')}!`,
      'a blank line behind a response': `${EMPTY}\r\n`,
      'a body in a 204': 'HTTP/1.1 204 No Content\r\n\r\nhello',
    },
    { before: 1 },
  ),
  ...refusals(
    'ERR_HTTP_UNSOLICITED',
    'RFC 9112 §9.2',
    { 'a body to HEAD': `${OK}Content-Length: 5\r\n\r\nhello` },
    { asked: HEAD, before: 1 },
  ),
  ...refusals('ERR_HTTP_UNSOLICITED', 'RFC 9112 §9.2', { 'a response that nobody asked for': EMPTY }, { asked: [] }),
  ...refusals('ERR_HTTP_UNSOLICITED', 'RFC 9110 §7.8', { 'an upgrade that was not offered': upgraded('websocket') }),
  ...refusals(
    'ERR_HTTP_UNSOLICITED',
    'RFC 9110 §7.8',
    {
      'an upgrade to another protocol': upgraded('h2c'),
      'an upgrade to nothing that is named': `${SWITCH}Connection: Upgrade\r\n\r\n`,
      'an upgrade that Connection does not name': `${SWITCH}Upgrade: websocket\r\n\r\n`,
    },
    { asked: UPGRADE },
  ),
  ...refusals(
    'ERR_HTTP_LINE_LIMIT',
    'RFC 9112 §4',
    { 'a status line one past its limit': line('HTTP/1.1 200 12345678') },
    { options: { maxStartLineBytes: 20 } },
  ),
  ...refusals(
    'ERR_HTTP_FIELD_LIMIT',
    'RFC 6585 §5',
    { 'fields of a response past their limit': `${OK}X: b\r\nX: b\r\n\r\n` },
    { options: { maxFields: 1 } },
  ),
  ...refusals(
    'ERR_HTTP_BODY_LIMIT',
    'RFC 9110 §15.5.14',
    {
      'a length of a response past the limit': length(' 6'),
      'a chunk of a response past the limit': `${CHUNKS}6\r\n`,
      'a body up to the end, one past the limit': `${OK}\r\nhello!`,
    },
    { options: { maxBodyBytes: 5 } },
  ),
  ...refusals('ERR_HTTP_INTERIM_LIMIT', 'RFC 9110 §15.2', {
    'interim responses one past their limit': EARLY.repeat(17),
    '100 (Continue) for ever': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100),
  }),
  ...refusals(
    'ERR_HTTP_INTERIM_LIMIT',
    'RFC 9110 §15.2',
    { 'an interim response where none may come': EARLY },
    { options: { maxInterimResponses: 0 } },
  ),
  ...refusals(
    'ERR_UNEXPECTED_END',
    'RFC 9112 §8',
    {
      'the end before a response': '',
      'the end within a status line': 'HTTP/1.1 2',
      'the end within the fields of a response': `${OK}X`,
      'the end behind an interim response': 'HTTP/1.1 100 Continue\r\n\r\n',
      'the end within a body of known length in a response': `${OK}Content-Length: 5\r\n\r\nhell`,
      'the end within the chunks of a response': `${CHUNKS}5\r\nhello\r\n`,
      'the end within the trailers of a response': `${CHUNKS}0\r\n`,
    },
    { eof: true },
  ),
]
