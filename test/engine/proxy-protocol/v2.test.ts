import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeProxyHeader, ProxyHeaderDecoder, type ProxyHeader } from '#src/engine/proxy-protocol/index.js'
import { checkWireTable, feed, toBytes } from '#src/testing/splits.js'
import { bad, fromHex, latin1, row, TCP4, type Row } from './rows.js'

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const LOCAL: ProxyHeader = { version: 2, command: 'local' }
const UNSPEC: ProxyHeader = { version: 2, command: 'proxy' }
const V2_TCP4: ProxyHeader = { version: 2, command: 'proxy', route: TCP4 }
const IP4 = fromHex('c0000201c6336402dc0401bb')

const header = (versionAndCommand: number, kind: number, block: string, length: number = block.length): string =>
  SIGNATURE + latin1(Uint8Array.of(versionAndCommand, kind, length >> 8, length & 0xff)) + block
const tlv = (type: number, value: string): string =>
  latin1(Uint8Array.of(type, value.length >> 8, value.length & 0xff)) + value
const with4 = (...tlvs: readonly string[]): string => header(0x21, 0x11, IP4 + tlvs.join(''))

/** These three were packed by Python's struct and socket modules, the checksum by a bitwise CRC-32C. */
const PACKED_TCP4 = fromHex('0d0a0d0a000d0a515549540a2111000cc0000201c6336402dc0401bb')
const PACKED_UDP6 = fromHex(
  '0d0a0d0a000d0a515549540a2122002420010db800000000000000000000000120010db80000000100000000000000020001ffff',
)
const PACKED_FULL = fromHex(
  '0d0a0d0a000d0a515549540a2111008cc0000201c6336402dc0401bb010002683202000c6578c3a46d706c652e6f7267050003010203' +
    '2000490300000000210007544c5376312e33220006636c69656e7423001b45434448452d5253412d4145533132382d47434d2d534841' +
    '32353624000653484132353625000752534132303438300004626c75650400020000ea000476706365030004c2876f63',
)
const FULL: ProxyHeader = {
  ...V2_TCP4,
  alpn: toBytes('h2'),
  authority: 'exämple.org',
  uniqueId: Uint8Array.of(1, 2, 3),
  tls: {
    used: true,
    certificate: 'connection',
    verified: true,
    version: 'TLSv1.3',
    commonName: 'client',
    cipher: 'ECDHE-RSA-AES128-GCM-SHA256',
    signatureAlgorithm: 'SHA256',
    keyAlgorithm: 'RSA2048',
  },
  namespace: 'blue',
  checksum: true,
  tlvs: [{ type: 0xea, value: toBytes('vpce') }],
}
const UDP6: ProxyHeader = {
  version: 2,
  command: 'proxy',
  route: {
    transport: 'datagram',
    source: { family: 'ipv6', address: '2001:db8::1', port: 1 },
    destination: { family: 'ipv6', address: '2001:db8:0:1::2', port: 65535 },
  },
}
const unixRoute = (transport: 'stream' | 'datagram', source: string, destination: string): ProxyHeader => ({
  version: 2,
  command: 'proxy',
  route: {
    transport,
    source: { family: 'unix', path: source },
    destination: { family: 'unix', path: destination },
  },
})
const path = (text: string): string => text.padEnd(108, '\0')
const LONG_PATH = `/${'p'.repeat(107)}`

const signatureFaults = Array.from(SIGNATURE, (_, at): Row => {
  const bytes = toBytes(`${SIGNATURE}\x20\0\0\0`)
  bytes[at] = (bytes[at] ?? 0) ^ 0x20
  return bad(`a wrong byte ${at} in the signature`, latin1(bytes))
})
const tls = (text: string): string => with4(tlv(0x20, text))

const ROWS: readonly Row[] = [
  row('TCP4 as Python packs it', PACKED_TCP4, V2_TCP4, 'hello'),
  row('UDP6 as Python packs it', PACKED_UDP6, UDP6, 'x'),
  row('every TLV as Python packs it', PACKED_FULL, FULL, 'x'),
  row('LOCAL', header(0x20, 0, ''), LOCAL, 'x'),
  row('LOCAL with a block that is skipped', header(0x20, 0xff, 'what ever'), LOCAL, 'x'),
  row('UNSPEC', header(0x21, 0, ''), UNSPEC),
  row('UNSPEC with a block that is skipped', header(0x21, 0, 'what ever'), UNSPEC, 'x'),
  row('UDP4', header(0x21, 0x12, IP4), { ...V2_TCP4, route: { ...TCP4, transport: 'datagram' } }),
  row('Unix stream', header(0x21, 0x31, path('/a') + path('/b\0junk')), unixRoute('stream', '/a', '/b'), 'x'),
  row('Unix datagram', header(0x21, 0x32, path('') + path('\0abstract')), unixRoute('datagram', '', '@abstract')),
  row('Unix paths of 108 bytes', header(0x21, 0x31, LONG_PATH + LONG_PATH), unixRoute('stream', LONG_PATH, LONG_PATH)),
  row('NOOPs are left out', with4(tlv(4, ''), tlv(4, 'pad')), V2_TCP4),
  row('an empty TLV', with4(tlv(1, '')), { ...V2_TCP4, alpn: new Uint8Array(0) }),
  row('custom TLVs, one twice', with4(tlv(0xe0, 'a'), tlv(0xe0, 'b')), {
    ...V2_TCP4,
    tlvs: [
      { type: 0xe0, value: toBytes('a') },
      { type: 0xe0, value: toBytes('b') },
    ],
  }),
  row('TLS without a certificate', tls('\x01\0\0\0\x01'), {
    ...V2_TCP4,
    tls: { used: true, certificate: 'none', verified: false },
  }),
  row('no TLS', tls('\0\0\0\0\0'), { ...V2_TCP4, tls: { used: false, certificate: 'none', verified: true } }),
  row('a certificate of the session', tls('\x05\x01\0\0\0'), {
    ...V2_TCP4,
    tls: { used: true, certificate: 'session', verified: false },
  }),
  row('TLS parts of other types', tls(`\x01\0\0\0\0${tlv(0x28, '\x30')}${tlv(0x26, 'X25519')}${tlv(0x2f, '?')}`), {
    ...V2_TCP4,
    tls: { used: true, certificate: 'none', verified: true, group: 'X25519', clientCertificate: toBytes('\x30') },
  }),
  row('a unique id of 128 bytes', with4(tlv(5, 'i'.repeat(128))), { ...V2_TCP4, uniqueId: toBytes('i'.repeat(128)) }),
  bad('a unique id of 129 bytes', with4(tlv(5, 'i'.repeat(129)))),
  { ...row('at the limit', header(0x20, 0, 'x'.repeat(284)), LOCAL, 'x'), options: { maxHeaderBytes: 300 } },
  { ...bad('one past the limit, at its length', header(0x20, 0, '', 285)), options: { maxHeaderBytes: 300 } },
  { name: 'at the default limit', bytes: header(0x20, 0, '', 4080), events: [] },
  bad('past the default limit by the low byte', header(0x20, 0, '', 4081)),
  bad('past the default limit by the high byte', header(0x20, 0, '', 0x10f0)),
  ...signatureFaults,
  bad('version 1', header(0x11, 0x11, IP4)),
  bad('version 3', header(0x31, 0x11, IP4)),
  bad('command 2', header(0x22, 0x11, IP4)),
  bad('command 15', header(0x2f, 0x11, IP4)),
  bad('family 4', header(0x21, 0x41, IP4)),
  bad('transport 3', header(0x21, 0x13, IP4)),
  bad('a family without transport', header(0x21, 0x10, IP4)),
  bad('a transport without family', header(0x21, 0x01, IP4)),
  bad('a block too short for IPv4', header(0x21, 0x11, IP4.slice(1))),
  bad('a block too short for IPv6', header(0x21, 0x21, 'x'.repeat(35))),
  bad('a block too short for Unix', header(0x21, 0x31, 'x'.repeat(215))),
  bad('a path that is not UTF-8', header(0x21, 0x31, path('/\xff') + path('/b'))),
  bad('an abstract name that is not UTF-8', header(0x21, 0x31, path('/a') + path('\0\xff'))),
  bad('a TLV of one byte', with4('\x01')),
  bad('a TLV of two bytes', with4('\x01\0')),
  bad('a TLV past the end by the low byte', with4('\xe0\0\x02a')),
  bad('a TLV past the end by the high byte', with4('\xe0\x01\0a')),
  bad('two authorities', with4(tlv(2, 'a'), tlv(2, 'a'))),
  bad('an authority that is not UTF-8', with4(tlv(2, '\xc0\x80'))),
  bad('a checksum of 3 bytes', with4(tlv(3, '\0\0\0'))),
  bad('a checksum of 5 bytes', with4(tlv(3, '\0\0\0\0\0'))),
  bad('a TLS block of 4 bytes', tls('\x01\0\0\0')),
  bad('a TLS part past the end of its block', tls('\x01\0\0\0\0\x21\0\x02a')),
  bad('two TLS versions', tls(`\x01\0\0\0\0${tlv(0x21, 'a')}${tlv(0x21, 'b')}`)),
  { name: 'the end within the signature', bytes: '\r\n', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
  {
    name: 'the end within the block',
    bytes: PACKED_TCP4.slice(0, -1),
    eof: true,
    events: [],
    error: 'ERR_UNEXPECTED_END',
  },
  ...[13, 16, 27, 30, 60, PACKED_FULL.length - 4, PACKED_FULL.length - 1].map((at): Row => {
    const bytes = toBytes(PACKED_FULL)
    bytes[at] = (bytes[at] ?? 0) ^ 0x01
    return bad(`a bit flipped at byte ${at}`, latin1(bytes))
  }),
]

test('ProxyHeaderDecoder reads the wire table of version 2, however it is cut', () => {
  checkWireTable((options) => new ProxyHeaderDecoder(options), ROWS)
})

test('encodeProxyHeader writes version 2 as Python packs it', () => {
  assert.deepEqual(encodeProxyHeader(V2_TCP4), toBytes(PACKED_TCP4))
  assert.deepEqual(encodeProxyHeader(UDP6), toBytes(PACKED_UDP6))
  assert.deepEqual(encodeProxyHeader(LOCAL), toBytes(header(0x20, 0, '')))
  assert.deepEqual(encodeProxyHeader({ ...LOCAL, checksum: false }), toBytes(header(0x20, 0, '')))
})

test('encodeProxyHeader writes version 2 so that it reads back', () => {
  const headers: readonly ProxyHeader[] = [
    LOCAL,
    UNSPEC,
    FULL,
    UDP6,
    { ...V2_TCP4, route: { ...TCP4, source: { family: 'ipv4', address: '0.0.0.0', port: 0 } } },
    { ...V2_TCP4, checksum: true },
    { ...V2_TCP4, uniqueId: new Uint8Array(128), authority: 'a'.repeat(200), namespace: 'n'.repeat(300) },
    {
      ...V2_TCP4,
      tlvs: [
        { type: 0, value: toBytes('a') },
        { type: 255, value: toBytes('b') },
      ],
    },
    unixRoute('stream', '/a', ''),
    unixRoute('datagram', '@abstract', LONG_PATH),
    {
      ...V2_TCP4,
      tls: {
        used: true,
        certificate: 'session',
        verified: false,
        group: 'P-256',
        signatureScheme: 'ed25519',
        clientCertificate: Uint8Array.of(1),
      },
    },
  ]
  for (const written of headers) {
    const { events } = feed(new ProxyHeaderDecoder(), [encodeProxyHeader(written)])
    assert.deepEqual(events, [{ type: 'header', header: written }])
  }
})

test('encodeProxyHeader refuses what version 2 has no form for', () => {
  const wrong: readonly ProxyHeader[] = [
    { version: 2, command: 'local', route: TCP4 },
    { version: 2, command: 'proxy', authority: 'no route' },
    { ...V2_TCP4, authority: '\ud800' },
    { ...V2_TCP4, uniqueId: new Uint8Array(129) },
    { ...V2_TCP4, alpn: new Uint8Array(65_536) },
    { ...V2_TCP4, tlvs: [{ type: 0xe0, value: new Uint8Array(65_521) }] },
    { ...V2_TCP4, tlvs: [{ type: 0x02, value: new Uint8Array(1) }] },
    { ...V2_TCP4, tlvs: [{ type: -1, value: new Uint8Array(1) }] },
    { ...V2_TCP4, tlvs: [{ type: 256, value: new Uint8Array(1) }] },
    { ...V2_TCP4, route: { ...TCP4, source: { family: 'unix', path: '/a' } } },
    { ...V2_TCP4, route: { ...TCP4, source: { family: 'ipv4', address: '::1', port: 1 } } },
    { ...V2_TCP4, route: { ...TCP4, source: { family: 'ipv4', address: '1.2.3.4', port: -1 } } },
    unixRoute('stream', `${LONG_PATH}x`, ''),
    unixRoute('stream', 'a\0b', ''),
  ]
  for (const header of wrong) assert.throws(() => encodeProxyHeader(header), { code: 'ERR_ARGUMENT' })
  assert.equal(encodeProxyHeader({ ...V2_TCP4, tlvs: [{ type: 0xe0, value: new Uint8Array(65_520) }] }).length, 65_551)
})
