import { CHUNKED, CHUNKS, GET, HOST, refusals, type ReadRow, type RefusedRow } from './row.js'

const CHUNK = 'ERR_HTTP_CHUNK 400'
/** One chunk, and the end of the body. */
const sized = (size: string): string => `${CHUNKS}${size}\r\nhello\r\n0\r\n\r\n`
const trailed = (trailers: string): string => `${CHUNKS}0\r\n${trailers}\r\n`

const chunked = (
  name: string,
  section: string,
  chunks: string,
  body: string,
  trailers: readonly (readonly [string, string])[] = [],
): ReadRow => ({
  name,
  section,
  bytes: `${CHUNKS}${chunks}${GET}\r\n`,
  requests: [{ method: 'POST', fields: [HOST, CHUNKED], body, trailers }, {}],
})

export const READ: readonly ReadRow[] = [
  chunked(
    'a chunked body with an extension and a trailer',
    'RFC 9112 §7.1',
    '5;a=b\r\nhello\r\n0A\r\n, sweet wo\r\n000\r\nX-Sum: 1 \r\n\r\n',
    'hello, sweet wo',
    [['X-Sum', '1']],
  ),
  chunked('no chunk but the last', 'RFC 9112 §7.1', '0\r\n\r\n', ''),
  chunked(
    'sizes in both cases',
    'RFC 9112 §7.1',
    'a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n',
    '0123456789'.repeat(2),
  ),
  chunked(
    'a size of as many digits as are read',
    'RFC 9112 §7.1',
    '0000000000005\r\nhello\r\n0000000000000\r\n\r\n',
    'hello',
  ),
  chunked('a chunk that looks like the last', 'RFC 9112 §7.1', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'),
  chunked('a quoted extension', 'RFC 9112 §7.1.1', '5;a="b;c\\"d"\r\nhello\r\n0;e\r\n\r\n', 'hello'),
  chunked('white space within an extension', 'RFC 9112 §7.1.1', '5; a = b\r\nhello\r\n0\r\n\r\n', 'hello'),
  chunked('two trailers of one name', 'RFC 9112 §7.1.2', '0\r\nX: a\r\nX: b\r\n\r\n', '', [
    ['X', 'a'],
    ['X', 'b'],
  ]),
  chunked('a trailer is no field', 'RFC 9110 §6.5.1', '0\r\nCookie: a\r\n\r\n', '', [['Cookie', 'a']]),
]

export const REFUSED: readonly RefusedRow[] = [
  ...refusals(CHUNK, 'RFC 9112 §7.1', {
    'an empty size': sized(''),
    'a size with a plus': [sized('+5'), 'CVE-2022-24801'],
    'a size with a minus': [sized('-5'), 'CVE-2013-2028'],
    'a size with 0x': [sized('0x5'), 'CVE-2022-24801'],
    'a size with an underscore': [sized('0_5'), 'CVE-2023-47627'],
    'a size with a point': sized('5.0'),
    'a size that is no number': sized('g'),
    'a size with a letter behind it': sized('5h'),
    'a space before a size': sized(' 5'),
    'a space behind a size': [sized('5 '), 'CVE-2015-3183'],
    'a tab behind a size': sized('5\t'),
    'a space before an extension': sized('5 ;a'),
    'a space within a size': sized('0 5'),
    'a NUL behind a size': sized('5\x00'),
    'a byte above ASCII in a size': sized('\xb25'),
    'a comma in a size': sized('5,5'),
    'a size of one digit more than is read': sized('00000000000005'),
    'a size of 2^64 + 5': [sized('10000000000000005'), 'CVE-2021-32714'],
    'a size of 2^32 in many digits': [sized('000000000100000005'), 'CVE-2017-7657'],
    'a size that ends with LF': [`${CHUNKS}5\nhello\r\n0\r\n\r\n`, 'CVE-2025-22871'],
    'a size that ends with CR': `${CHUNKS}5\rhello\r\n0\r\n\r\n`,
    'a size that ends with CR CR LF': `${CHUNKS}5\r\r\nhello\r\n0\r\n\r\n`,
    'an LF alone before a size': `${CHUNKS}\n5\r\nhello\r\n0\r\n\r\n`,
    'a blank line before a size': `${CHUNKS}\r\n5\r\nhello\r\n0\r\n\r\n`,
    'a chunk that is longer than its size': `${CHUNKS}4\r\nhello\r\n0\r\n\r\n`,
    'a chunk that is shorter than its size': `${CHUNKS}6\r\nhello\r\n0\r\n\r\n`,
    'a chunk that ends with LF': `${CHUNKS}5\r\nhello\n0\r\n\r\n`,
    'a chunk that ends with CR': `${CHUNKS}5\r\nhello\r0\r\n\r\n`,
    'a chunk that ends with two other bytes': [`${CHUNKS}5\r\nhelloXX0\r\n\r\n`, 'CVE-2025-43859'],
    'a chunk that ends with CR and another byte': `${CHUNKS}5\r\nhello\rX0\r\n\r\n`,
    'a chunk that ends with another byte and LF': `${CHUNKS}5\r\nhelloX\n0\r\n\r\n`,
    'a chunk without an ending': `${CHUNKS}5\r\nhello0\r\n\r\n`,
    'an LF in an extension': [sized('5;a\nb'), 'CVE-2025-58056'],
    'a CR in an extension': sized('5;a\rb'),
    'an LF in a quoted extension': sized('5;a="\nb"'),
    'a NUL in an extension': sized('5;\x00'),
    'a last chunk that ends with LF': `${CHUNKS}0\n\r\n`,
    'a last chunk with a space': `${CHUNKS}0 \r\n\r\n`,
    'a body that is not chunked': `${CHUNKS}hello`,
  }),
  ...refusals('ERR_HTTP_TRAILER 400', 'RFC 9110 §6.5.1', {
    'Content-Length behind the body': [trailed('Content-Length: 5\r\n'), 'CVE-2023-40175'],
    'Transfer-Encoding behind the body': trailed('transfer-encoding: chunked\r\n'),
    'Host behind the body': trailed('Host: b\r\n'),
    'Connection behind the body': trailed('X: b\r\nConnection: keep-alive\r\n'),
    'Expect behind the body': trailed('EXPECT: 100-continue\r\n'),
    'TE behind the body': trailed('TE: trailers\r\n'),
    'Trailer behind the body': trailed('Trailer: X\r\n'),
    'Upgrade behind the body': trailed('Upgrade: b\r\n'),
  }),
  ...refusals('ERR_HTTP_FIELD 400', 'RFC 9112 §5.1', {
    'a trailer with a space before its colon': trailed('X : b\r\n'),
    'a trailer without a colon': trailed('X\r\n'),
    'a trailer without a name': trailed(': b\r\n'),
    'a request where the trailers should end': [`${CHUNKS}0\r\n${GET}\r\n`, 'CVE-2025-58068'],
    'an LF for the line behind the last chunk': `${CHUNKS}0\r\n\n`,
  }),
  ...refusals('ERR_HTTP_FIELD 400', 'RFC 9112 §5.2', { 'a folded trailer': trailed('X: b\r\n c\r\n') }),
  ...refusals('ERR_HTTP_LINE_ENDING 400', 'RFC 9112 §2.2', {
    'a trailer that ends with LF': trailed('X: b\n'),
    'a trailer that ends with CR': trailed('X: b\r'),
    'a CR alone behind the last chunk': `${CHUNKS}0\r\n\rX`,
  }),
  ...refusals('ERR_HTTP_LINE_ENDING 400', 'RFC 9110 §5.5', { 'a NUL in a trailer': trailed('X: \x00\r\n') }),
]
