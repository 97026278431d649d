import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  SocksClient,
  SocksServer,
  type SocksAddress,
  type SocksClientEvent,
  type SocksCommand,
  type SocksRequest,
  type SocksServerEvent,
  type SocksServerOptions,
} from '#src/engine/socks/index.js'
import { checkWireTable, cutAt, feed, toBytes, type WireRow } from '#src/testing/splits.js'

type Row = WireRow<SocksServerEvent, SocksServerOptions>

const send = (text: string): SocksServerEvent => ({ type: 'send', bytes: toBytes(text) })
const request = (version: 4 | 5, command: SocksCommand, host: string, port: number, user = ''): SocksServerEvent => ({
  type: 'request',
  version,
  command,
  target: { host, port },
  user,
})
const bad = (
  name: string,
  bytes: string,
  events: readonly SocksServerEvent[] = [],
  options?: SocksServerOptions,
): Row => ({
  name,
  bytes,
  events,
  error: 'ERR_SOCKS',
  ...(options === undefined ? {} : { options }),
})

const GREETING = '\x05\x01\x00'
const NO_METHOD = send('\x05\xff')
const CHOSEN = send('\x05\x00')
const IP_443 = '\xc0\x00\x02\x01\x01\xbb'
const CONNECT = `\x05\x01\x00\x01${IP_443}`
const FOUR = '\x04\x01\x01\xbb\xc0\x00\x02\x01'
const NAMED_FOUR = '\x04\x01\x01\xbb\x00\x00\x00\x09'
const wants = { wantsCredentials: true }
const ASKED = send('\x05\x02')

const ROWS: readonly Row[] = [
  {
    name: 'CONNECT to IPv4, and bytes behind it',
    bytes: `${GREETING}${CONNECT}hello`,
    events: [CHOSEN, request(5, 'connect', '192.0.2.1', 443)],
    rest: 'hello',
  },
  {
    name: 'BIND to IPv6',
    bytes: `\x05\x02\x02\x00\x05\x02\x00\x04${'\0'.repeat(15)}\x01\x00\x50`,
    events: [CHOSEN, request(5, 'bind', '::1', 80)],
  },
  {
    name: 'UDP ASSOCIATE with a name of 255 bytes',
    bytes: `${GREETING}\x05\x03\x00\x03\xff${'n'.repeat(255)}\xff\xffx`,
    events: [CHOSEN, request(5, 'udp-associate', 'n'.repeat(255), 65_535)],
    rest: 'x',
  },
  {
    name: 'credentials, which wait for a verdict',
    bytes: `\x05\x02\x00\x02\x01\x03ada\x04love${CONNECT}`,
    options: wants,
    events: [ASKED, { type: 'credentials', user: 'ada', password: 'love' }],
    rest: CONNECT,
  },
  {
    name: 'credentials of 255 bytes each',
    bytes: `\x05\x01\x02\x01\xff${'u'.repeat(255)}\xff${'p'.repeat(255)}`,
    options: wants,
    events: [ASKED, { type: 'credentials', user: 'u'.repeat(255), password: 'p'.repeat(255) }],
  },
  {
    name: 'an empty password',
    bytes: '\x05\x01\x02\x01\x01a\x00',
    options: wants,
    events: [ASKED, { type: 'credentials', user: 'a', password: '' }],
  },
  { name: 'credentials are wanted and not offered', bytes: GREETING, options: wants, events: [NO_METHOD] },
  { name: 'only credentials are offered', bytes: '\x05\x01\x02', events: [NO_METHOD] },
  { name: 'no method is offered', bytes: '\x05\x00', events: [NO_METHOD] },
  { name: '255 methods', bytes: `\x05\xff${'\x80'.repeat(254)}\x00`, events: [CHOSEN] },
  ...[0, 4, 255].map((command): Row => ({
    name: `command ${command}`,
    bytes: `${GREETING}\x05${String.fromCharCode(command)}\x00\x01${IP_443}`,
    events: [CHOSEN, send('\x05\x07\x00\x01\0\0\0\0\0\0')],
  })),
  ...[0, 2, 5].map((kind): Row => ({
    name: `an address of kind ${kind}`,
    bytes: `${GREETING}\x05\x01\x00${String.fromCharCode(kind)}`,
    events: [CHOSEN, send('\x05\x08\x00\x01\0\0\0\0\0\0')],
  })),
  bad('version 3', '\x03'),
  bad('version 6', '\x06'),
  bad('HTTP', 'CONNECT example.net:443 HTTP/1.1\r\n'),
  bad('credentials of another version', '\x05\x01\x02\x05', [ASKED], wants),
  bad('a user without a name', '\x05\x01\x02\x01\x00', [ASKED], wants),
  bad('a user that is not UTF-8', '\x05\x01\x02\x01\x01\xff\x00', [ASKED], wants),
  bad('a password that is not UTF-8', '\x05\x01\x02\x01\x01a\x01\xff', [ASKED], wants),
  bad('a request of another version', `${GREETING}\x04`, [CHOSEN]),
  bad('a reserved byte that is not zero', `${GREETING}\x05\x01\x01`, [CHOSEN]),
  bad('an empty name', `${GREETING}\x05\x01\x00\x03\x00\x00\x50`, [CHOSEN]),
  bad('a name with a space', `${GREETING}\x05\x01\x00\x03\x03a b\x00\x50`, [CHOSEN]),
  { name: 'SOCKS4', bytes: `${FOUR}ada\0x`, events: [request(4, 'connect', '192.0.2.1', 443, 'ada')], rest: 'x' },
  { name: 'SOCKS4 without a user', bytes: `${FOUR}\0`, events: [request(4, 'connect', '192.0.2.1', 443)] },
  { name: 'SOCKS4a', bytes: `${NAMED_FOUR}\0host\0x`, events: [request(4, 'connect', 'host', 443)], rest: 'x' },
  {
    name: 'SOCKS4a with a name of 255 bytes',
    bytes: `${NAMED_FOUR}\0${'n'.repeat(255)}\0`,
    events: [request(4, 'connect', 'n'.repeat(255), 443)],
  },
  bad('SOCKS4a with a name of 256 bytes', `${NAMED_FOUR}\0${'n'.repeat(256)}`),
  bad('SOCKS4a with an empty name', `${NAMED_FOUR}\0\0`),
  { name: '0.0.0.0 is an address', bytes: '\x04\x01\0\0\0\0\0\0\0', events: [request(4, 'connect', '0.0.0.0', 0)] },
  ...['\x01\0\0\x01', '\0\x01\0\x01', '\0\0\x01\x01'].map((address): Row => ({
    name: `${[...toBytes(address)].join('.')} is an address`,
    bytes: `\x04\x01\0\0${address}\0`,
    events: [request(4, 'connect', [...toBytes(address)].join('.'), 0)],
  })),
  {
    name: 'a user at the limit',
    bytes: `${FOUR}abcd\0`,
    options: { maxUserBytes: 4 },
    events: [request(4, 'connect', '192.0.2.1', 443, 'abcd')],
  },
  bad('a user one past the limit', `${FOUR}abcde`, [], { maxUserBytes: 4 }),
  { name: 'a user of 255 bytes', bytes: `${FOUR}${'u'.repeat(255)}`, events: [] },
  bad('a user of 256 bytes', `${FOUR}${'u'.repeat(256)}`),
  bad('SOCKS4: a user that is not UTF-8', `${FOUR}\xff\0`),
  { name: 'SOCKS4 where credentials are wanted', bytes: '\x04', options: wants, events: [send('\0\x5b\0\0\0\0\0\0')] },
  {
    name: 'SOCKS4: a command that it has not',
    bytes: '\x04\x03\x01\xbb\xc0\x00\x02\x01\0x',
    events: [send('\0\x5b\0\0\0\0\0\0')],
    rest: 'x',
  },
  ...['\x05', '\x05\x01', `${GREETING}\x05`, '\x04', `${FOUR}ada`].map((bytes, i): Row => ({
    name: `the end within message ${i}`,
    bytes,
    eof: true,
    events: bytes.length === 4 ? [CHOSEN] : [],
    error: 'ERR_UNEXPECTED_END',
  })),
  { name: 'nothing and the end', bytes: '', eof: true, events: [] },
]

const make = (options: SocksServerOptions | undefined): SocksServer => new SocksServer(options)

test('SocksServer reads the wire table, however it is cut', () => {
  checkWireTable(make, ROWS)
})

test('SocksServer answers only what was asked', () => {
  const server = new SocksServer(wants)
  assert.throws(() => server.reply(0), { code: 'ERR_STATE' })
  assert.throws(() => server.authenticate(true), { code: 'ERR_STATE' })
  assert.throws(() => new SocksServer({ maxUserBytes: 0 }), { code: 'ERR_OPTION_VALUE' })
  feed(server, [toBytes('\x05\x01\x02\x01\x01a\x01b')], { maxEvents: 2 })
  assert.deepEqual(server.authenticate(false), toBytes('\x01\x01'))
  assert.equal(server.nextEvent().type, 'end')
})

/** Lets both talk until the client is done, each cut as told. */
function converse(
  client: SocksClient,
  server: SocksServer,
  places: readonly number[],
  bound: SocksAddress,
): SocksClientEvent {
  for (;;) {
    const event = client.nextEvent()
    if (event.type === 'connected' || event.type === 'refused') return event
    if (event.type === 'end') throw new Error('the client has ended')
    if (event.type === 'send') for (const piece of cutAt(event.bytes, places)) server.receive(piece)
    for (
      let asked = server.nextEvent();
      asked.type !== 'need-data' && asked.type !== 'end';
      asked = server.nextEvent()
    ) {
      const bytes =
        asked.type === 'send'
          ? asked.bytes
          : asked.type === 'credentials'
            ? server.authenticate(asked.password === 'right')
            : server.reply(asked.target.port % 2, bound)
      for (const piece of cutAt(bytes, places)) client.receive(piece)
    }
  }
}

test('SocksClient and SocksServer understand each other in every version', () => {
  const octet = fc.nat({ max: 255 })
  const ipv4 = fc.tuple(fc.integer({ min: 1, max: 255 }), octet, octet, octet).map((octets) => octets.join('.'))
  const host = fc.oneof(ipv4, fc.constantFrom('::1', '2001:db8::2', 'example.net', 'n'.repeat(255)))
  const places = fc.array(fc.nat({ max: 30 }), { maxLength: 4 })
  const version = fc.constantFrom(4, '4a', 5)
  fc.assert(
    fc.property(version, host, fc.nat({ max: 65_535 }), fc.boolean(), fc.boolean(), places, ipv4, (...given) => {
      const [spoken, name, port, wantsCredentials, isRight, cuts, boundHost] = given
      const [isName, isIpv6] = [/[a-z]/.test(name) && !name.includes(':'), name.includes(':')]
      fc.pre(spoken === 5 || (!isIpv6 && !(isName && spoken === 4)))
      const target = { host: name, port }
      const credentials = { user: 'ada', password: isRight ? 'right' : 'wrong' }
      const asked: SocksRequest =
        spoken === 5 ? { version: 5, target, credentials } : { version: spoken === 4 ? 4 : '4a', target, user: 'ada' }
      const bound = { host: boundHost, port: 80 }
      const end = converse(new SocksClient(asked), new SocksServer({ wantsCredentials }), cuts, bound)
      if (wantsCredentials && spoken !== 5) assert.deepEqual([end.type, 'reply' in end && end.reply], ['refused', 91])
      else if (wantsCredentials && !isRight) assert.equal('at' in end && end.at, 'credentials')
      else if (port % 2 === 0) assert.deepEqual(end, { type: 'connected', bound })
      else assert.deepEqual([end.type, 'reply' in end && end.reply], ['refused', spoken === 5 ? 1 : 91])
    }),
    { numRuns: 500 },
  )
})

const telling = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 0x5a, 0x61, 0xff), fc.nat({ max: 255 })), { maxLength: 40 })
  .map((bytes) => Uint8Array.from(bytes))
const makers: Readonly<Record<string, () => SocksServer | SocksClient>> = {
  server: () => new SocksServer(),
  'server with credentials': () => new SocksServer({ wantsCredentials: true, maxUserBytes: 8 }),
  'client of version 4a': () => new SocksClient({ version: '4a', target: { host: 'a', port: 1 } }),
  'client of version 5': () =>
    new SocksClient({ version: 5, target: { host: 'a', port: 1 }, credentials: { user: 'a', password: 'b' } }),
}

for (const [name, begin] of Object.entries(makers)) {
  test(`the outcome of a SOCKS ${name} never depends on the cuts, and its errors are documented`, () => {
    fc.assert(
      fc.property(telling, fc.array(fc.nat({ max: 40 }), { maxLength: 6 }), fc.boolean(), (bytes, places, eof) => {
        const whole = feed<SocksServerEvent | SocksClientEvent>(begin(), [bytes], { eof })
        const cut = feed<SocksServerEvent | SocksClientEvent>(begin(), cutAt(bytes, places), { eof })
        assert.deepEqual([cut.events, cut.ending], [whole.events, whole.ending])
        if (whole.ending.startsWith('ERR_')) assert.ok(['ERR_SOCKS', 'ERR_UNEXPECTED_END'].includes(whole.ending))
        else assert.deepEqual(cut.rest, whole.rest)
      }),
      { numRuns: 1000 },
    )
  })
}
