import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolError } from '#src/base/errors.js'
import {
  acceptOf,
  keyOf,
  openingFields,
  readOpening,
  type ClientOpening,
  type Opened,
  type Opening,
} from '#src/engine/websocket/handshake.js'
import { ACCEPT, ClientHandshake, KEY, NONCE, openedOf, openingOf, ServerHandshake, sha1 } from './_handshake.js'
import { toBytes } from '../http1/_requests.js'

test('acceptOf gives what the example of RFC 6455 §1.3 has', () => {
  assert.equal(acceptOf(KEY, sha1), ACCEPT)
  assert.equal(keyOf(NONCE), KEY)
})

const UPGRADE = 'Upgrade: websocket'
const CONNECTION = 'Connection: Upgrade'
const VERSION = 'Sec-WebSocket-Version: 13'
const KEY_LINE = `Sec-WebSocket-Key: ${KEY}`
const ALL = [UPGRADE, CONNECTION, VERSION, KEY_LINE]
const without = (line: string, ...instead: readonly string[]): string[] => [
  ...ALL.filter((each) => each !== line),
  ...instead,
]
const tokens = (count: number): string => Array.from({ length: count }, (_, i) => `p${i}`).join(', ')
const extensions = (count: number): string => Array.from({ length: count }, (_, i) => `x${i}`).join(', ')

suite('readOpening understands', () => {
  const rows: readonly (readonly [name: string, lines: readonly string[], opening: Partial<Opening>])[] = [
    ['the least that must be said', ALL, {}],
    [
      'names and values in any case',
      ['UPGRADE: WebSocket', 'connection: upgrade', VERSION, `SEC-websocket-KEY: ${KEY}`],
      {},
    ],
    ['more in Connection', without(CONNECTION, 'Connection: keep-alive, Upgrade'), {}],
    ['more in Upgrade', without(UPGRADE, 'Upgrade: h2c, websocket'), {}],
    ['Upgrade in two lines', without(UPGRADE, 'Upgrade: h2c', UPGRADE), {}],
    ['white space around a key', without(KEY_LINE, `Sec-WebSocket-Key: \t ${KEY} \t`), {}],
    ['an Origin and what else there is', [...ALL, 'Origin: http://b', 'X: y'], {}],
    ['a subprotocol', [...ALL, 'Sec-WebSocket-Protocol: chat'], { protocols: ['chat'] }],
    ['subprotocols in their order', [...ALL, 'Sec-WebSocket-Protocol: b,a , c'], { protocols: ['b', 'a', 'c'] }],
    [
      'subprotocols in two lines',
      [...ALL, 'Sec-WebSocket-Protocol: b', 'Sec-WebSocket-Protocol: a, c'],
      { protocols: ['b', 'a', 'c'] },
    ],
    ['names that differ in case alone', [...ALL, 'Sec-WebSocket-Protocol: a, A'], { protocols: ['a', 'A'] }],
    [
      'as many subprotocols as are read',
      [...ALL, `Sec-WebSocket-Protocol: ${tokens(32)}`],
      { protocols: tokens(32).split(', ') },
    ],
    [
      'extensions in two lines',
      [...ALL, 'Sec-WebSocket-Extensions: a; b=1', 'Sec-WebSocket-Extensions: c'],
      { extensions: 'a; b=1, c' },
    ],
    [
      'a parameter of another extension that comes twice',
      [...ALL, 'Sec-WebSocket-Extensions: a; b; b'],
      { extensions: 'a; b; b' },
    ],
    ['a quoted parameter', [...ALL, 'Sec-WebSocket-Extensions: a; b="c"'], { extensions: 'a; b="c"' }],
    [
      'as many extensions as are read',
      [...ALL, `Sec-WebSocket-Extensions: ${extensions(16)}`],
      { extensions: extensions(16) },
    ],
    [
      'as many parameters as are read',
      [...ALL, `Sec-WebSocket-Extensions: a${'; b'.repeat(16)}`],
      { extensions: `a${'; b'.repeat(16)}` },
    ],
    ['a field of extensions with nothing', [...ALL, 'Sec-WebSocket-Extensions:'], {}],
  ]
  for (const [name, lines, opening] of rows)
    test(name, () => assert.deepEqual(openingOf(lines), { key: KEY, protocols: [], extensions: '', ...opening }))
})

suite('readOpening refuses', () => {
  const BAD = 'ERR_WEBSOCKET_HANDSHAKE 400'
  const OTHER = 'ERR_WEBSOCKET_HANDSHAKE 426'
  const keys = (key: string): string[] => without(KEY_LINE, `Sec-WebSocket-Key: ${key}`)
  const offered = (value: string): string[] => [...ALL, `Sec-WebSocket-Extensions: ${value}`]
  const rows: readonly (readonly [name: string, lines: readonly string[], refused: string, start?: string])[] = [
    ['POST', ALL, 'ERR_WEBSOCKET_HANDSHAKE 405', 'POST / HTTP/1.1'],
    ['HEAD', ALL, 'ERR_WEBSOCKET_HANDSHAKE 405', 'HEAD / HTTP/1.1'],
    ['HTTP/1.0', ALL, OTHER, 'GET / HTTP/1.0'],
    ['no Upgrade', without(UPGRADE), OTHER],
    ['another Upgrade', without(UPGRADE, 'Upgrade: h2c'), OTHER],
    ['an Upgrade that begins like it', without(UPGRADE, 'Upgrade: websockets'), OTHER],
    ['an Upgrade with a version', without(UPGRADE, 'Upgrade: websocket/13'), OTHER],
    ['no Connection', without(CONNECTION), OTHER],
    ['another Connection', without(CONNECTION, 'Connection: keep-alive'), OTHER],
    ['no version', without(VERSION), OTHER],
    ['version 12', without(VERSION, 'Sec-WebSocket-Version: 12'), OTHER],
    ['version 14', without(VERSION, 'Sec-WebSocket-Version: 14'), OTHER],
    ['version 013', without(VERSION, 'Sec-WebSocket-Version: 013'), OTHER],
    ['two versions', without(VERSION, 'Sec-WebSocket-Version: 13, 8'), OTHER],
    ['the version twice', [...ALL, VERSION], OTHER],
    ['no key', without(KEY_LINE), BAD],
    ['an empty key', keys(''), BAD],
    ['the key twice', [...ALL, KEY_LINE], BAD],
    ['a key of 15 bytes', keys('AAAAAAAAAAAAAAAAAAAA'), BAD],
    ['a key of 17 bytes', keys('AAAAAAAAAAAAAAAAAAAAAAA='), BAD],
    ['a key without padding', keys('dGhlIHNhbXBsZSBub25jZQ'), BAD],
    ['a key with bits that mean nothing', keys('dGhlIHNhbXBsZSBub25jZR=='), BAD],
    ['a key of the letters of URLs', keys('-_hlIHNhbXBsZSBub25jZQ=='), BAD],
    ['a key that is no base64', keys('dGhlIHNhbXBsZSBub25j*Q=='), BAD],
    ['subprotocols of none', [...ALL, 'Sec-WebSocket-Protocol:'], BAD],
    ['a subprotocol twice', [...ALL, 'Sec-WebSocket-Protocol: a, b, a'], BAD],
    ['a subprotocol twice in two lines', [...ALL, 'Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: a'], BAD],
    ['a subprotocol that is no token', [...ALL, 'Sec-WebSocket-Protocol: a/b'], BAD],
    ['a subprotocol with a space', [...ALL, 'Sec-WebSocket-Protocol: a b'], BAD],
    ['one subprotocol more than is read', [...ALL, `Sec-WebSocket-Protocol: ${tokens(33)}`], BAD],
    ['an extension that is no token', offered('a/b'), BAD],
    ['an extension without a name', offered('; a=1'), BAD],
    ['a parameter without a name', offered('a; =1'), BAD],
    ['a parameter without a value behind its equals sign', offered('a; b='), BAD],
    ['a semicolon with nothing behind it', offered('a;'), BAD],
    ['a value that is no token', offered('a; b=c/d'), BAD],
    ['a quoted value that is no token', offered('a; b="c d"'), BAD],
    ['a quoted value without end', offered('a; b="c'), BAD],
    ['another space', offered('a;\u00a0b'), BAD],
    ['one extension more than is read', offered(extensions(17)), BAD],
    ['one parameter more than is read', offered(`a${'; b'.repeat(17)}`), BAD],
  ]
  for (const [name, lines, refused, start] of rows) test(name, () => assert.equal(openingOf(lines, start), refused))
})

test('readOpening takes no other version of HTTP, whatever was read of it', () => {
  const server = new ServerHandshake()
  const text = ['GET / HTTP/1.1', 'Host: a', ...ALL, '', ''].join('\r\n')
  server.engine.receive(toBytes(text))
  const event = server.engine.nextEvent()
  assert.ok(event.type === 'request')
  const headers = event.fields
  assert.equal(readOpening({ method: 'GET', version: '1.1', upgrade: 'websocket', headers }).key, KEY)
  for (const version of ['1.0', '2', '3'])
    assert.throws(
      () => readOpening({ method: 'GET', version, upgrade: 'websocket', headers }),
      (error) => error instanceof ProtocolError && error.details['status'] === 426,
    )
})

const ACCEPT_LINE = `Sec-WebSocket-Accept: ${ACCEPT}`
const ANSWER = [UPGRADE, CONNECTION, ACCEPT_LINE]
const answerWithout = (line: string, ...instead: readonly string[]): string[] => [
  ...ANSWER.filter((each) => each !== line),
  ...instead,
]

suite('readOpened understands', () => {
  type Row = readonly [name: string, lines: readonly string[], asked: Partial<ClientOpening>, opened: Partial<Opened>]
  const rows: readonly Row[] = [
    ['the least that must be said', ANSWER, {}, {}],
    ['names and values in any case', ['UPGRADE: WebSocket', 'connection: UPGRADE', ACCEPT_LINE], {}, {}],
    [
      'a subprotocol that was offered',
      [...ANSWER, 'Sec-WebSocket-Protocol: b'],
      { protocols: ['a', 'b'] },
      { protocol: 'b' },
    ],
    ['no subprotocol, where some were offered', ANSWER, { protocols: ['a', 'b'] }, {}],
    [
      'an extension, where one was offered',
      [...ANSWER, 'Sec-WebSocket-Extensions: permessage-deflate'],
      { extensions: 'permessage-deflate' },
      { extensions: 'permessage-deflate' },
    ],
    ['no extension, where one was offered', ANSWER, { extensions: 'permessage-deflate' }, {}],
  ]
  for (const [name, lines, asked, opened] of rows)
    test(name, () => assert.deepEqual(openedOf(lines, asked), { protocol: '', extensions: undefined, ...opened }))
})

suite('readOpened refuses', () => {
  const BAD = 'ERR_WEBSOCKET_HANDSHAKE'
  const NOT_ASKED = 'ERR_HTTP_UNSOLICITED 502'
  const chosen = (...names: readonly string[]): string[] => [
    ...ANSWER,
    ...names.map((name) => `Sec-WebSocket-Protocol: ${name}`),
  ]
  const rows: readonly (readonly [
    name: string,
    lines: readonly string[],
    refused: string,
    asked?: Partial<ClientOpening>,
  ])[] = [
    ['no Upgrade', answerWithout(UPGRADE), NOT_ASKED],
    ['another Upgrade', answerWithout(UPGRADE, 'Upgrade: h2c'), NOT_ASKED],
    ['no Connection', answerWithout(CONNECTION), NOT_ASKED],
    ['another Connection', answerWithout(CONNECTION, 'Connection: close'), NOT_ASKED],
    ['no Accept', answerWithout(ACCEPT_LINE), BAD],
    [
      'the Accept of another key',
      answerWithout(ACCEPT_LINE, 'Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk='),
      BAD,
    ],
    ['an Accept in other letters', answerWithout(ACCEPT_LINE, `Sec-WebSocket-Accept: ${ACCEPT.toLowerCase()}`), BAD],
    ['the Accept twice', [...ANSWER, ACCEPT_LINE], BAD],
    ['the key in its place', answerWithout(ACCEPT_LINE, `Sec-WebSocket-Accept: ${KEY}`), BAD],
    ['a subprotocol, where none was offered', chosen('a'), BAD],
    ['a subprotocol that was not offered', chosen('c'), BAD, { protocols: ['a', 'b'] }],
    ['a subprotocol in another case', chosen('A'), BAD, { protocols: ['a'] }],
    ['two subprotocols', chosen('a, b'), BAD, { protocols: ['a', 'b'] }],
    ['two subprotocols in two lines', chosen('a', 'b'), BAD, { protocols: ['a', 'b'] }],
    ['a subprotocol without a name', chosen(''), BAD, { protocols: ['a'] }],
    ['an extension, where none was offered', [...ANSWER, 'Sec-WebSocket-Extensions: permessage-deflate'], BAD],
  ]
  for (const [name, lines, refused, asked] of rows) test(name, () => assert.equal(openedOf(lines, asked), refused))
})

test('openingFields are what readOpening reads', () => {
  const asked = { protocols: ['a', 'b'], extensions: 'permessage-deflate; client_max_window_bits' }
  const server = new ServerHandshake()
  assert.equal(server.read(toBytes(new ClientHandshake(asked).ask())), '')
  assert.deepEqual(server.opening, { key: KEY, ...asked })
  assert.deepEqual(
    [...openingFields({ nonce: NONCE, protocols: [], extensions: '' })],
    [
      ['Sec-WebSocket-Key', KEY],
      ['Sec-WebSocket-Version', '13'],
    ],
  )
})
