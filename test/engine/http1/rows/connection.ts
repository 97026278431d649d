import { CHUNKS, GET, HOST, POST, refusals, type ReadRow, type RefusedRow } from './row.js'

type Field = readonly [name: string, value: string]
const lines = (fields: readonly Field[]): string => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')

/** `GET` with some more fields, and what they make of it. */
const facts = (
  name: string,
  section: string,
  fields: readonly Field[],
  made: Partial<ReadRow['requests'][number]> = {},
): ReadRow => ({
  name,
  section,
  bytes: `${GET}${lines(fields)}\r\n`,
  requests: [{ fields: [HOST, ...fields], ...made }],
  ...(made.keepAlive === false ? { ending: 'end' } : {}),
})

const old = (name: string, section: string, fields: readonly Field[], keepAlive: boolean): ReadRow => ({
  name,
  section,
  bytes: `GET / HTTP/1.0\r\n${lines(fields)}\r\n`,
  requests: [{ version: '1.0', host: '', keepAlive, fields }],
  ending: keepAlive ? 'need-data' : 'end',
})

const LENGTH: Field = ['Content-Length', '2']
const EXPECT: Field = ['Expect', '100-continue']

export const READ: readonly ReadRow[] = [
  {
    name: 'two requests in one piece',
    section: 'RFC 9112 §9.3.2',
    bytes: `${GET}\r\n${GET}\r\n`,
    requests: [{}, {}],
  },
  {
    name: 'twenty requests in one piece',
    section: 'RFC 9112 §9.3.2',
    bytes: `${GET}\r\n`.repeat(20),
    requests: Array.from({ length: 20 }, () => ({})),
  },
  {
    name: 'what stands behind the last request is not read',
    section: 'RFC 9112 §9.6',
    bytes: `${GET}Connection: close\r\n\r\n${GET}\r\n\x00`,
    requests: [{ keepAlive: false, fields: [HOST, ['Connection', 'close']] }],
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
  {
    name: 'the end before a request is the end',
    section: 'RFC 9112 §9.6',
    bytes: '',
    requests: [],
    eof: true,
    ending: 'end',
  },
  facts('Connection: close', 'RFC 9112 §9.6', [['Connection', 'close']], { keepAlive: false }),
  facts('Connection: close in another case', 'RFC 9110 §7.6.1', [['Connection', 'CLOSE']], { keepAlive: false }),
  facts('close in a list', 'RFC 9110 §7.6.1', [['Connection', 'x,\tclose , y']], { keepAlive: false }),
  facts('close with empty members around it', 'RFC 9110 §5.6.1', [['Connection', ', close,,']], { keepAlive: false }),
  facts(
    'close in a second Connection field',
    'RFC 9110 §5.3',
    [
      ['Connection', 'x'],
      ['Connection', 'close'],
    ],
    {
      keepAlive: false,
    },
  ),
  facts('close beside keep-alive', 'RFC 9112 §9.3', [['Connection', 'keep-alive, close']], { keepAlive: false }),
  facts('an option that only begins with close', 'RFC 9110 §7.6.1', [['Connection', 'closed']]),
  facts('a Connection that names a field that frames', 'RFC 9110 §7.6.1', [['Connection', 'content-length, host']]),
  facts('an empty Connection', 'RFC 9110 §5.6.1', [['Connection', '']]),
  facts('Proxy-Connection says nothing', 'RFC 9112 §9.3', [['Proxy-Connection', 'close']]),
  old('HTTP/1.0 with keep-alive goes on', 'RFC 9112 §9.3', [['Connection', 'Keep-Alive']], true),
  old('HTTP/1.0 with keep-alive in a list', 'RFC 9112 §9.3', [['Connection', 'x, keep-alive']], true),
  old(
    'HTTP/1.0 with keep-alive and close',
    'RFC 9112 §9.3',
    [
      ['Connection', 'keep-alive'],
      ['Connection', 'close'],
    ],
    false,
  ),
  old('HTTP/1.0 with Keep-Alive alone', 'RFC 9112 §9.3', [['Keep-Alive', 'timeout=5']], false),
  old(
    'HTTP/1.0 cannot upgrade',
    'RFC 9110 §7.8',
    [
      ['Connection', 'upgrade'],
      ['Upgrade', 'websocket'],
    ],
    false,
  ),
  facts(
    'an upgrade',
    'RFC 9110 §7.8',
    [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'WebSocket'],
    ],
    { upgrade: 'websocket' },
  ),
  facts(
    'an upgrade beside keep-alive',
    'RFC 9110 §7.8',
    [
      ['Connection', 'keep-alive, Upgrade'],
      ['Upgrade', 'websocket'],
    ],
    {
      upgrade: 'websocket',
    },
  ),
  facts('Upgrade that Connection does not name', 'RFC 9110 §7.8', [['Upgrade', 'websocket']]),
  facts('an upgrade to nothing', 'RFC 9110 §7.8', [['Connection', 'upgrade']]),
  facts(
    'an upgrade to one of two',
    'RFC 9110 §7.8',
    [
      ['Connection', 'upgrade'],
      ['Upgrade', 'a/1'],
      ['Upgrade', 'B'],
    ],
    {
      upgrade: 'a/1, b',
    },
  ),
  facts('HTTP2-Settings is a field like others', 'RFC 9113 §3.1', [['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA']]),
  {
    name: 'an upgrade with a body',
    section: 'RFC 9110 §7.8',
    bytes: `${POST}Connection: upgrade\r\nUpgrade: b\r\nContent-Length: 2\r\n\r\nok${GET}\r\n`,
    requests: [
      { method: 'POST', fields: [HOST, ['Connection', 'upgrade'], ['Upgrade', 'b'], LENGTH], body: 'ok', upgrade: 'b' },
      {},
    ],
  },
  {
    name: 'a client that waits for 100',
    section: 'RFC 9110 §10.1.1',
    bytes: `${POST}Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nok`,
    requests: [
      { method: 'POST', fields: [HOST, ['Expect', '100-Continue'], LENGTH], body: 'ok', expectsContinue: true },
    ],
  },
  {
    name: 'a client that waits for 100 and sends chunks',
    section: 'RFC 9110 §10.1.1',
    bytes: CHUNKS.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n0\r\n\r\n'),
    requests: [{ method: 'POST', fields: [HOST, ['Transfer-Encoding', 'chunked'], EXPECT], expectsContinue: true }],
  },
  facts('a client that waits for 100 and has no body', 'RFC 9110 §10.1.1', [EXPECT]),
  {
    name: 'HTTP/1.0 cannot wait for 100',
    section: 'RFC 9110 §10.1.1',
    bytes: 'POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
    requests: [{ method: 'POST', version: '1.0', host: '', keepAlive: false, fields: [EXPECT, LENGTH], body: 'ok' }],
    ending: 'end',
  },
]

export const REFUSED: readonly RefusedRow[] = [
  ...refusals('ERR_HTTP_FIELD 400', 'RFC 9110 §7.6.1', {
    'a Connection that is no list of names': `${GET}Connection: a b\r\n\r\n`,
    'a Connection with quotation marks': `${GET}Connection: "close"\r\n\r\n`,
    'a Connection with a parameter': `${GET}Connection: close;a\r\n\r\n`,
    'a Connection with a byte that some take for a space': `${GET}Connection: close\xa0\r\n\r\n`,
  }),
  ...refusals('ERR_HTTP_EXPECTATION 417', 'RFC 9110 §10.1.1', {
    'an expectation nobody knows': [`${GET}Expect: <b>\r\n\r\n`, 'CVE-2006-3918'],
    'an empty expectation': `${GET}Expect:\r\n\r\n`,
    'an expectation with a parameter': `${GET}Expect: 100-continue;a=b\r\n\r\n`,
    'an expectation twice': `${GET}Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n`,
    'an expectation with another': `${GET}Expect: 100-continue, b\r\n\r\n`,
  }),
  ...refusals(
    'ERR_HTTP_HOST 400',
    'RFC 9112 §3.2',
    { 'a bad request behind a good one': `${GET}\r\nGET / HTTP/1.1\r\n\r\n` },
    { before: 1 },
  ),
  ...refusals(
    'ERR_HTTP_START_LINE 400',
    'RFC 9112 §3',
    {
      'a body that its request did not tell of': `${POST}\r\n{}`,
      'a body that is longer than its length': `${POST}Content-Length: 5\r\n\r\nhello{`,
      'a body behind its last chunk': `${CHUNKS}0\r\n\r\n{"a":1}`,
      'two blank lines between two requests': `${GET}\r\n\r\n\r\n${GET}\r\n`,
      'a WebSocket frame without an upgrade': `${GET}\r\n\x81\x80\x00\x00\x00\x00`,
    },
    { before: 1 },
  ),
  ...refusals(
    'ERR_UNEXPECTED_END 400',
    'RFC 9112 §8',
    { 'the end within the second of two requests': `${GET}\r\n${GET}` },
    { before: 1, eof: true },
  ),
]
