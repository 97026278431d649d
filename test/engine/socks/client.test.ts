import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SocksClient, type SocksClientEvent, type SocksRequest } from '#src/engine/socks/index.js'
import { checkWireTable, feed, toBytes, type WireRow } from '#src/testing/splits.js'

type Row = WireRow<SocksClientEvent, SocksRequest>

const PORT_443 = '\x01\xbb'
const TARGET = { host: '192.0.2.1', port: 443 }
const IP = '\xc0\x00\x02\x01'
const ada = { user: 'ada', password: 'love' }
const plain5: SocksRequest = { version: 5, target: TARGET }
const known5: SocksRequest = { ...plain5, credentials: ada }
const plain4: SocksRequest = { version: 4, target: TARGET, user: 'ada' }

const send = (text: string): SocksClientEvent => ({ type: 'send', bytes: toBytes(text) })
const connected = (host: string, port: number): SocksClientEvent => ({ type: 'connected', bound: { host, port } })
const refused = (at: 'methods' | 'credentials' | 'request', reply: number, reason: string): SocksClientEvent => ({
  type: 'refused',
  at,
  reply,
  reason,
})

const GREETING = send('\x05\x01\x00')
const GREETING_OF_ADA = send('\x05\x02\x00\x02')
const CREDENTIALS = send('\x01\x03ada\x04love')
const REQUEST = send(`\x05\x01\x00\x01${IP}${PORT_443}`)
const REQUEST_4 = send(`\x04\x01${PORT_443}${IP}ada\0`)
const AT_4_7 = connected('4.5.6.7', 8080)
const GRANTED = '\x05\x00\x00\x01\x04\x05\x06\x07\x1f\x90'
const GRANTED_4 = '\x00\x5a\x1f\x90\x04\x05\x06\x07'

const five = (name: string, bytes: string, last: readonly SocksClientEvent[], more: Partial<Row> = {}): Row => ({
  name,
  bytes,
  options: plain5,
  events: [GREETING, REQUEST, ...last],
  ...more,
})
const bad = (
  name: string,
  bytes: string,
  events: readonly SocksClientEvent[],
  options: SocksRequest = plain5,
): Row => ({
  name,
  bytes,
  options,
  events,
  error: 'ERR_SOCKS',
})
const wrongByte = (from: string, at: number): string => {
  const bytes = toBytes(from)
  bytes[at] = (bytes[at] ?? 0) ^ 0x40
  return String.fromCharCode(...bytes)
}

const REPLIES: readonly (readonly [number, string])[] = [
  [1, 'it failed, and does not tell why'],
  [2, 'its rules do not allow this connection'],
  [3, 'it cannot reach the network of the target'],
  [4, 'it cannot reach the target, or cannot resolve its name'],
  [5, 'the target refused the connection'],
  [6, 'the target is too far away (TTL expired), or did not answer it in time'],
  [7, 'it does not know this command'],
  [8, 'it does not know addresses of this kind'],
  [9, 'it answered 0x09, which has no meaning in this version'],
  [255, 'it answered 0xff, which has no meaning in this version'],
]
const REPLIES_4: readonly (readonly [number, string])[] = [
  [91, 'it rejected the request, or could not connect'],
  [92, 'it asked this machine who the user is (identd), and got no answer'],
  [93, 'it asked this machine who the user is (identd), and was told of another one'],
  [89, 'it answered 0x59, which has no meaning in this version'],
  [94, 'it answered 0x5e, which has no meaning in this version'],
  [0, 'it answered 0x00, which has no meaning in this version'],
]

const ROWS: readonly Row[] = [
  five('no authentication, and bytes of the tunnel', `\x05\x00${GRANTED}SSH-2.0`, [AT_4_7], { rest: 'SSH-2.0' }),
  five('a bound address of IPv6', `\x05\x00\x05\x00\x00\x04${'\0'.repeat(15)}\x01\x00\x50x`, [connected('::1', 80)], {
    rest: 'x',
  }),
  five('a bound name', '\x05\x00\x05\x00\x00\x03\x04host\x00\x50x', [connected('host', 80)], { rest: 'x' }),
  five(
    'a bound name of 255 bytes',
    `\x05\x00\x05\x00\x00\x03\xff${'n'.repeat(255)}\xff\xffx`,
    [connected('n'.repeat(255), 65_535)],
    { rest: 'x' },
  ),
  {
    name: 'user and password',
    bytes: `\x05\x02\x01\x00${GRANTED}x`,
    options: known5,
    events: [GREETING_OF_ADA, CREDENTIALS, REQUEST, AT_4_7],
    rest: 'x',
  },
  {
    name: 'user and password that are not asked for',
    bytes: `\x05\x00${GRANTED}`,
    options: known5,
    events: [GREETING_OF_ADA, REQUEST, AT_4_7],
  },
  ...[1, 2, 255].map((status): Row => {
    const events = [GREETING_OF_ADA, CREDENTIALS, refused('credentials', status, 'it does not take these credentials')]
    return {
      name: `credentials refused by ${status}`,
      bytes: `\x05\x02\x01${String.fromCharCode(status)}x`,
      options: known5,
      events,
      rest: 'x',
    }
  }),
  {
    name: 'no method that was offered, without credentials',
    bytes: '\x05\xff',
    options: plain5,
    events: [GREETING, refused('methods', 255, 'it takes nobody without authentication')],
  },
  {
    name: 'no method that was offered, with credentials',
    bytes: '\x05\xff',
    options: known5,
    events: [GREETING_OF_ADA, refused('methods', 255, 'it wants another way of authentication than a password')],
  },
  ...REPLIES.map(([reply, reason]) =>
    five(`reply ${reply}, and nothing behind it`, `\x05\x00\x05${String.fromCharCode(reply)}`, [
      refused('request', reply, reason),
    ]),
  ),
  bad('a choice of another version', '\x04\x00', [GREETING]),
  bad('an answer of HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', [GREETING]),
  bad('a method that was not offered', '\x05\x02', [GREETING]),
  bad('a method that nobody offered', '\x05\x01', [GREETING_OF_ADA], known5),
  bad('credentials answered in another version', '\x05\x02\x05\x00', [GREETING_OF_ADA, CREDENTIALS], known5),
  bad('a reply of another version', `\x05\x00${wrongByte(GRANTED, 0)}`, [GREETING, REQUEST]),
  bad('a reserved byte that is not zero', `\x05\x00${wrongByte(GRANTED, 2)}`, [GREETING, REQUEST]),
  ...[0, 2, 5].map((kind) =>
    bad(`an address of kind ${kind}`, `\x05\x00\x05\x00\x00${String.fromCharCode(kind)}`, [GREETING, REQUEST]),
  ),
  bad('a bound name that is empty', '\x05\x00\x05\x00\x00\x03\x00\x00\x50', [GREETING, REQUEST]),
  bad('a bound name with a control character', '\x05\x00\x05\x00\x00\x03\x01\x1f\x00\x50', [GREETING, REQUEST]),
  bad('a bound name with a DEL', '\x05\x00\x05\x00\x00\x03\x01\x7f\x00\x50', [GREETING, REQUEST]),
  ...['', '\x05', '\x05\x00', `\x05\x00${GRANTED.slice(0, -1)}`].map((bytes): Row => ({
    name: `the end after ${bytes.length} bytes`,
    bytes,
    eof: true,
    options: plain5,
    events: bytes.length < 2 ? [GREETING] : [GREETING, REQUEST],
    error: 'ERR_UNEXPECTED_END',
  })),
  five('the end behind the reply', `\x05\x00${GRANTED}x`, [AT_4_7], { eof: true, rest: 'x' }),
  { name: 'SOCKS4', bytes: `${GRANTED_4}x`, options: plain4, events: [REQUEST_4, AT_4_7], rest: 'x' },
  ...REPLIES_4.map(([reply, reason]): Row => ({
    name: `SOCKS4: reply ${reply}`,
    bytes: `\x00${String.fromCharCode(reply)}`,
    options: plain4,
    events: [REQUEST_4, refused('request', reply, reason)],
  })),
  bad('SOCKS4: a reply of version 4', '\x04\x5a', [REQUEST_4], plain4),
  bad('SOCKS4: a reply of version 5', '\x05\x00', [REQUEST_4], plain4),
  {
    name: 'SOCKS4: the end within the reply',
    bytes: GRANTED_4.slice(0, -1),
    eof: true,
    options: plain4,
    events: [REQUEST_4],
    error: 'ERR_UNEXPECTED_END',
  },
]

const make = (request: SocksRequest | undefined): SocksClient => new SocksClient(request ?? plain5)

test('SocksClient reads the wire table, however it is cut', () => {
  checkWireTable(make, ROWS)
})

/** The request as it goes over the wire, when nothing stands before it. */
function requestOf(request: SocksRequest): string {
  const { events } = feed(make(request), [toBytes('\x05\x00')])
  const sent = events.filter((event) => event.type === 'send').at(-1)
  return String.fromCharCode(...(sent?.bytes ?? []))
}

test('SocksClient writes names, IPv4 and IPv6 addresses in the form of their version', () => {
  const target = (host: string, port: number = 443): SocksRequest => ({ version: 5, target: { host, port } })
  assert.equal(requestOf(target('example.net')), `\x05\x01\x00\x03\x0bexample.net${PORT_443}`)
  assert.equal(requestOf(target('n'.repeat(255))), `\x05\x01\x00\x03\xff${'n'.repeat(255)}${PORT_443}`)
  assert.equal(requestOf(target('::1', 65_535)), `\x05\x01\x00\x04${'\0'.repeat(15)}\x01\xff\xff`)
  assert.equal(requestOf(target('255.0.0.255', 0)), '\x05\x01\x00\x01\xff\x00\x00\xff\x00\x00')
  const named: SocksRequest = { version: '4a', target: { host: 'example.net', port: 443 }, user: 'ada' }
  assert.equal(requestOf(named), `\x04\x01${PORT_443}\x00\x00\x00\x01ada\0example.net\0`)
  assert.equal(requestOf({ version: '4a', target: TARGET }), `\x04\x01${PORT_443}${IP}\0`)
})

test('SocksClient refuses what its version cannot say, and tells nothing of a password', () => {
  const target = { host: 'example.net', port: 443 }
  const wrong: readonly SocksRequest[] = [
    { version: 4, target },
    { version: 4, target: { host: '::1', port: 1 } },
    { version: '4a', target: { host: '::1', port: 1 } },
    { version: 4, target: { host: '0.0.0.1', port: 1 } },
    { version: '4a', target, user: 'a\0b' },
    { version: '4a', target, user: 'u'.repeat(256) },
    { version: '4a', target: { host: 'n'.repeat(256), port: 1 } },
    { version: 5, target: { host: 'n'.repeat(256), port: 1 } },
    { version: 5, target: { host: '', port: 1 } },
    { version: 5, target: { host: 'a b', port: 1 } },
    { version: 5, target: { host: 'fe80::1%eth0', port: 1 } },
    { version: 5, target: { host: '[::1]', port: 1 } },
    { version: 5, target: { host: 'b\u00fccher.example', port: 1 } },
    { version: 5, target: { host: 'example.net', port: 65_536 } },
    { version: 5, target: { host: 'example.net', port: -1 } },
    { version: 5, target: { host: 'example.net', port: 1.5 } },
    { version: 5, target, credentials: { user: '', password: 'secret' } },
    { version: 5, target, credentials: { user: 'u'.repeat(256), password: 'secret' } },
    { version: 5, target, credentials: { user: 'ada', password: 'secret'.repeat(43) } },
    { version: 5, target, credentials: { user: 'ada', password: 'secret\ud800' } },
  ]
  for (const request of wrong) {
    assert.throws(
      () => new SocksClient(request),
      (error: Error & { code?: string }) => error.code === 'ERR_ARGUMENT' && !error.message.includes('secret'),
      JSON.stringify(request),
    )
  }
  const longest: SocksRequest = {
    version: 5,
    target,
    credentials: { user: 'u'.repeat(255), password: 'p'.repeat(255) },
  }
  assert.equal(make(longest).nextEvent().type, 'send')
  assert.equal(make({ version: 4, target: TARGET, user: 'u'.repeat(255) }).nextEvent().type, 'send')
  const { events } = feed(make({ version: 5, target, credentials: { user: 'a', password: '' } }), [toBytes('\x05\x02')])
  assert.deepEqual(events.at(-1), send('\x01\x01a\x00'))
})
