import { test } from 'node:test'
import {
  tryParseForwarded,
  tryParseXForwarded,
  type ForwardedHop,
  type ForwardedNode,
} from '#src/engine/http/forwarded.js'
import { checkTable, fieldsOf, type Row } from './_table.js'

const FIELD = 'RFC 7239 §4'
const NODE = 'RFC 7239 §6'
const X = 'none: as proxies write it'
const v4 = (name: string): ForwardedNode => ({ kind: 'ipv4', name })
const v6 = (name: string): ForwardedNode => ({ kind: 'ipv6', name })
const from = (node: ForwardedNode): ForwardedHop => ({ for: node })

const ROWS: readonly Row<string, readonly ForwardedHop[] | undefined>[] = [
  ['one', 'for=192.0.2.1', [from(v4('192.0.2.1'))], FIELD],
  [
    'all parameters, in any case',
    'For=192.0.2.60;Proto=HTTPS;BY=203.0.113.43;host="a.example:8080"',
    [{ for: v4('192.0.2.60'), proto: 'https', by: v4('203.0.113.43'), host: 'a.example:8080' }],
    FIELD,
  ],
  ['two hops', 'for=192.0.2.43, for="[2001:DB8::17]"', [from(v4('192.0.2.43')), from(v6('2001:db8::17'))], FIELD],
  ['a parameter that is not known', 'for=_a;x="1,2"', [from({ kind: 'hidden', name: '_a' })], FIELD],
  ['empty members', ',for=_a,,', [from({ kind: 'hidden', name: '_a' })], 'RFC 9110 §5.6.1.2'],
  ['empty parameters', ';for=_a;;', [from({ kind: 'hidden', name: '_a' })], FIELD],
  ['nothing', '', [], FIELD],
  ['a parameter twice', 'for=_a;FOR=_a', undefined, FIELD],
  ['an unknown parameter twice', 'x=a;X=a', undefined, FIELD],
  ['space around ;', 'for=_a; by=_b', undefined, FIELD],
  ['space around =', 'for =_a', undefined, FIELD],
  ['no value', 'for=', undefined, FIELD],
  ['no =', 'for', undefined, FIELD],
  ['quotes without an end', 'for="_a', undefined, FIELD],
  ['a port without quotes', 'for=192.0.2.1:80', undefined, NODE],
  ['a port', 'for="192.0.2.1:80"', [from({ ...v4('192.0.2.1'), port: 80 })], NODE],
  ['a port of IPv6', 'for="[::1]:65535"', [from({ ...v6('::1'), port: 65535 })], NODE],
  ['a port too high', 'for="[::1]:65536"', undefined, NODE],
  ['a port of six digits', 'for="[::1]:000080"', undefined, NODE],
  ['an empty port', 'for="192.0.2.1:"', undefined, NODE],
  ['a hidden port', 'for="unknown:_p"', [from({ kind: 'unknown', name: 'unknown', port: '_p' })], NODE],
  ['a hidden port without a name', 'for="unknown:_"', undefined, NODE],
  ['unknown, in capitals', 'for=UNKNOWN', [from({ kind: 'unknown', name: 'unknown' })], NODE],
  ['a hidden name alone', 'for=_', undefined, NODE],
  ['a name', 'for=localhost', undefined, NODE],
  ['IPv6 without brackets', 'for="::1"', undefined, NODE],
  ['brackets without an end', 'for="[::1"', undefined, NODE],
  ['something behind the brackets', 'for="[::1]80"', undefined, NODE],
  ['IPv4 in brackets', 'for="[192.0.2.1]"', undefined, NODE],
  ['an octet too large', 'for=256.0.0.1', undefined, NODE],
  ['a zero before an octet', 'for=192.0.2.01', undefined, NODE],
  ['an empty host', 'host=""', undefined, 'RFC 7239 §5.3'],
  ['a host with a path', 'host="a/b"', undefined, 'RFC 7239 §5.3'],
  ['a protocol that is none', 'proto="ht tp"', undefined, 'RFC 7239 §5.4'],
  ['a protocol that begins with a digit', 'proto=1http', undefined, 'RFC 7239 §5.4'],
  [
    '32 hops',
    Array.from({ length: 32 }, () => 'for=_a').join(),
    Array.from({ length: 32 }, () => from({ kind: 'hidden', name: '_a' })),
    FIELD,
  ],
  ['33 hops', Array.from({ length: 33 }, () => 'for=_a').join(), undefined, FIELD],
  ['32 parameters', `for=_a${';'.repeat(31)}`, [from({ kind: 'hidden', name: '_a' })], FIELD],
  ['33 parameters', `for=_a${';'.repeat(32)}`, undefined, FIELD],
  ['33 empty members', ','.repeat(32), undefined, FIELD],
]

const X_ROWS: readonly Row<Readonly<Record<string, string>>, readonly ForwardedHop[] | undefined>[] = [
  ['none', {}, undefined, X],
  ['an empty one', { 'x-forwarded-for': '' }, undefined, X],
  [
    'addresses',
    { 'x-forwarded-for': '192.0.2.1, ::1,[2001:DB8::1]' },
    [from(v4('192.0.2.1')), from(v6('::1')), from(v6('2001:db8::1'))],
    X,
  ],
  ['with a port', { 'x-forwarded-for': '192.0.2.1:80' }, [from({ ...v4('192.0.2.1'), port: 80 })], X],
  [
    'one protocol and host for all',
    { 'x-forwarded-for': '_a, _b', 'x-forwarded-proto': 'HTTPS', 'x-forwarded-host': 'a' },
    [
      { for: { kind: 'hidden', name: '_a' }, proto: 'https', host: 'a' },
      { for: { kind: 'hidden', name: '_b' }, proto: 'https', host: 'a' },
    ],
    X,
  ],
  [
    'one protocol for each',
    { 'x-forwarded-for': '_a, _b', 'x-forwarded-proto': 'https, http' },
    [
      { for: { kind: 'hidden', name: '_a' }, proto: 'https' },
      { for: { kind: 'hidden', name: '_b' }, proto: 'http' },
    ],
    X,
  ],
  ['a protocol alone', { 'x-forwarded-proto': 'https' }, [{ proto: 'https' }], X],
  ['a host alone', { 'x-forwarded-host': 'a:80' }, [{ host: 'a:80' }], X],
  ['too many protocols', { 'x-forwarded-for': '_a, _b', 'x-forwarded-proto': 'https, http, http' }, undefined, X],
  ['too few protocols', { 'x-forwarded-for': '_a, _b, _c', 'x-forwarded-proto': 'https, http' }, undefined, X],
  ['one address and two protocols', { 'x-forwarded-for': '_a', 'x-forwarded-proto': 'https, http' }, undefined, X],
  ['a malformed address', { 'x-forwarded-for': '192.0.2.1, x' }, undefined, X],
  ['a malformed protocol', { 'x-forwarded-for': '_a', 'x-forwarded-proto': '1' }, undefined, X],
  ['a malformed host', { 'x-forwarded-for': '_a', 'x-forwarded-host': '::1' }, undefined, X],
  [
    '33 addresses and a protocol',
    { 'x-forwarded-for': Array.from({ length: 33 }, () => '_a').join(), 'x-forwarded-proto': 'https' },
    undefined,
    X,
  ],
  ['33 addresses', { 'x-forwarded-for': Array.from({ length: 33 }, () => '_a').join() }, undefined, X],
]

test('tryParseForwarded reads its table', () => {
  checkTable(tryParseForwarded, ROWS)
})

test('tryParseXForwarded reads its table', () => {
  checkTable((fields) => tryParseXForwarded(fieldsOf(fields)), X_ROWS)
  checkTable(
    (fields) => tryParseXForwarded(fieldsOf(fields))?.length,
    [['32 addresses', { 'x-forwarded-for': Array.from({ length: 32 }, () => '_a').join() }, 32, X]],
  )
})
