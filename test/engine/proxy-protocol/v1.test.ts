import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeProxyHeader, ProxyHeaderDecoder, type ProxyHeader } from '#src/engine/proxy-protocol/index.js'
import { checkWireTable, feed, toBytes } from '#src/testing/splits.js'
import { bad, row, TCP4, UNKNOWN_V1, type Row } from './rows.js'

const tcp6 = (source: string, destination: string): ProxyHeader => ({
  version: 1,
  command: 'proxy',
  route: {
    transport: 'stream',
    source: { family: 'ipv6', address: source, port: 65535 },
    destination: { family: 'ipv6', address: destination, port: 0 },
  },
})

const FULL_IP6 = 'ffff:f...f:ffff'.replace('f...f', 'ffff:ffff:ffff:ffff:ffff:ffff')
const LONGEST = `PROXY UNKNOWN ${FULL_IP6} ${FULL_IP6} 65535 65535\r\n`
const line = (rest: string): string => `PROXY TCP4 ${rest}\r\n`

const ROWS: readonly Row[] = [
  row(
    'TCP4',
    line('192.0.2.1 198.51.100.2 56324 443'),
    { version: 1, command: 'proxy', route: TCP4 },
    'GET / HTTP/1.1\r\n',
  ),
  row('TCP6', 'PROXY TCP6 2001:DB8::1 ::1 65535 0\r\n', tcp6('2001:db8::1', '::1')),
  row('TCP6 in full', `PROXY TCP6 0:0:0:0:0:0:0:0 ${FULL_IP6} 65535 0\r\n`, tcp6('::', FULL_IP6)),
  row(
    'TCP6 as inet_ntop writes mapped IPv4',
    'PROXY TCP6 ::ffff:192.0.2.1 1::8 65535 0\r\n',
    tcp6('::ffff:192.0.2.1', '1::8'),
  ),
  row(
    'TCP6 with one group left out',
    'PROXY TCP6 1:2:3::5:6:7:8 ::2:3:4:5:6:7:8 65535 0\r\n',
    tcp6('1:2:3:0:5:6:7:8', '0:2:3:4:5:6:7:8'),
  ),
  row(
    'TCP6 with the longest run of zeros elsewhere',
    'PROXY TCP6 1:0:0:2:0:0:0:3 1:: 65535 0\r\n',
    tcp6('1:0:0:2::3', '1::'),
  ),
  row(
    'TCP6 with two zero groups, and with two runs of them',
    'PROXY TCP6 1:0:0:2:3:4:5:6 1:0:0:2:0:0:3:4 65535 0\r\n',
    tcp6('1::2:3:4:5:6', '1::2:0:0:3:4'),
  ),
  row('an octet of 255 and one of 0', line('255.0.0.255 198.51.100.2 56324 443'), {
    version: 1,
    command: 'proxy',
    route: { ...TCP4, source: { family: 'ipv4', address: '255.0.0.255', port: 56324 } },
  }),
  row('UNKNOWN', 'PROXY UNKNOWN\r\n', UNKNOWN_V1, 'x'),
  row('UNKNOWN with anything behind', 'PROXY UNKNOWN \0 \xff what ever\r\n', UNKNOWN_V1),
  row('the longest of all, 107 bytes', LONGEST, UNKNOWN_V1, 'x'),
  bad('one byte longer', LONGEST.replace('\r\n', 'x\r\n')),
  bad('107 bytes without an end', LONGEST.replace('\r\n', 'xy')),
  { name: '106 bytes without an end', bytes: LONGEST.replace('\r\n', 'x'), events: [] },
  { name: 'nothing and the end', bytes: '', eof: true, events: [] },
  { name: 'the end within the signature', bytes: 'PROX', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
  { name: 'the end before LF', bytes: 'PROXY UNKNOWN\r', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
  bad('another protocol', 'GET / HTTP/1.1\r\n\r\n'),
  bad('lower case', 'proxy TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'),
  bad('a wrong byte at the end of the signature', 'PROXY\tTCP4'),
  bad('a space first', ' PROXY UNKNOWN\r\n'),
  bad('UNKNOWN with something attached', 'PROXY UNKNOWNS\r\n'),
  bad('LF alone', 'PROXY UNKNOWN\n'),
  bad('CR alone', 'PROXY UNKNOWN \r x\r\n'),
  bad('CR CR LF', 'PROXY UNKNOWN\r\r\n'),
  bad('no protocol', 'PROXY \r\n'),
  bad('UDP4', 'PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n'),
  bad('tcp4 in lower case', 'PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n'),
  bad('two spaces', line('192.0.2.1  198.51.100.2 56324 443')),
  bad('a space at the end', line('192.0.2.1 198.51.100.2 56324 443 ')),
  bad('a field too many', line('192.0.2.1 198.51.100.2 56324 443 1')),
  bad('a field too few', line('192.0.2.1 198.51.100.2 56324')),
  bad('no fields', 'PROXY TCP4\r\n'),
  bad('a port of 65536', line('192.0.2.1 198.51.100.2 65536 443')),
  bad('a second port of 65536', line('192.0.2.1 198.51.100.2 1 65536')),
  bad('a port with a leading zero', line('192.0.2.1 198.51.100.2 0443 443')),
  bad('a port with a sign', line('192.0.2.1 198.51.100.2 +443 443')),
  bad('an octet of 256', line('256.0.2.1 198.51.100.2 1 2')),
  bad('an octet with a leading zero', line('192.00.2.1 198.51.100.2 1 2')),
  bad('three octets', line('192.0.2 198.51.100.2 1 2')),
  bad('five octets', line('192.0.2.1 198.51.100.2.3 1 2')),
  bad('a bad second address', line('192.0.2.1 198.51.100.x 1 2')),
  bad('IPv6 under TCP4', line('::1 ::1 1 2')),
  ...[
    '1.2.3.4',
    '1:2',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4::5:6:7:8',
    ':::',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    ':1:2:3:4:5:6:7:8',
  ].map((address) => bad(`${address} under TCP6`, `PROXY TCP6 ${address} ::1 1 2\r\n`)),
]

test('ProxyHeaderDecoder reads the wire table of version 1, however it is cut', () => {
  assert.equal(LONGEST.length, 107)
  checkWireTable((options) => new ProxyHeaderDecoder(options), ROWS)
})

test('an error of ProxyHeaderDecoder says where the header is wrong', () => {
  const decoder = new ProxyHeaderDecoder()
  decoder.receive(toBytes(line('192.0.2.1 198.51.100.2 65536 443')))
  assert.throws(() => decoder.nextEvent(), { code: 'ERR_PROXY_HEADER', details: { position: 34 } })
})

test('ProxyHeaderDecoder gives what the client sent later back too', () => {
  const decoder = new ProxyHeaderDecoder()
  decoder.receive(toBytes('PROXY UNKNOWN\r\nab'))
  assert.equal(decoder.nextEvent().type, 'header')
  assert.equal(decoder.nextEvent().type, 'end')
  decoder.receive(toBytes('cd'))
  assert.deepEqual(decoder.takeRest(), toBytes('abcd'))
  decoder.receive(toBytes('PROXY UNKNOWN\r\n'))
  assert.equal(decoder.nextEvent().type, 'header')
})

test('encodeProxyHeader writes version 1 so that it reads back', () => {
  const headers: readonly ProxyHeader[] = [
    UNKNOWN_V1,
    { version: 1, command: 'proxy', route: TCP4 },
    tcp6('2001:db8::1', '::1'),
    tcp6('::ffff:192.0.2.1', '::'),
  ]
  for (const header of headers) {
    const { events } = feed(new ProxyHeaderDecoder(), [encodeProxyHeader(header)])
    assert.deepEqual(events, [{ type: 'header', header }])
  }
  const written = encodeProxyHeader({ version: 1, command: 'proxy', route: TCP4 })
  assert.deepEqual(written, toBytes(line('192.0.2.1 198.51.100.2 56324 443')))
})

test('encodeProxyHeader refuses what version 1 has no form for', () => {
  const unix = { family: 'unix', path: '/a' } as const
  const ipv6 = { family: 'ipv6', address: '::1', port: 1 } as const
  const wrong: readonly ProxyHeader[] = [
    { version: 1, command: 'local' },
    { version: 1, command: 'proxy', authority: 'a' },
    { version: 1, command: 'proxy', checksum: true },
    { version: 1, command: 'proxy', route: { ...TCP4, transport: 'datagram' } },
    { version: 1, command: 'proxy', route: { transport: 'stream', source: unix, destination: unix } },
    { version: 1, command: 'proxy', route: { ...TCP4, destination: ipv6 } },
    { version: 1, command: 'proxy', route: { ...TCP4, source: { family: 'ipv4', address: '1.2.3', port: 1 } } },
    { version: 1, command: 'proxy', route: { ...TCP4, source: { family: 'ipv4', address: '1.2.3.4', port: 65_536 } } },
    { version: 1, command: 'proxy', route: { ...TCP4, source: { family: 'ipv4', address: '1.2.3.4', port: 1.5 } } },
  ]
  for (const header of wrong) assert.throws(() => encodeProxyHeader(header), { code: 'ERR_ARGUMENT' })
})
