import { CHUNKED, GET, HOST, POST, refusals, type ReadRow, type RefusedRow } from './row.js'

const LENGTH = 'ERR_HTTP_BODY_LENGTH 400'
const CODING = 'ERR_HTTP_TRANSFER_CODING'
const ofLength = (value: string): string => `${POST}Content-Length:${value}\r\n\r\nhello`
const coded = (value: string): string => `${POST}Transfer-Encoding:${value}\r\n\r\n0\r\n\r\n`

export const READ: readonly ReadRow[] = [
  {
    name: 'a body of known length, and a request behind it',
    section: 'RFC 9112 §6.3',
    bytes: `${POST}Content-Length: 5\r\n\r\nhello${GET}\r\n`,
    requests: [{ method: 'POST', fields: [HOST, ['Content-Length', '5']], body: 'hello' }, {}],
  },
  {
    name: 'POST without a length has no body',
    section: 'RFC 9112 §6.3',
    bytes: `${POST}\r\n${GET}\r\n`,
    requests: [{ method: 'POST' }, {}],
  },
  {
    name: 'GET with a body',
    section: 'RFC 9112 §6',
    bytes: `${GET}Content-Length: 2\r\n\r\nok${GET}\r\n`,
    requests: [{ fields: [HOST, ['Content-Length', '2']], body: 'ok' }, {}],
  },
  {
    name: 'a length of 0',
    section: 'RFC 9110 §8.6',
    bytes: `${POST}Content-Length: 0\r\n\r\n${GET}\r\n`,
    requests: [{ method: 'POST', fields: [HOST, ['Content-Length', '0']] }, {}],
  },
  {
    name: 'a length with leading zeros is decimal',
    section: 'RFC 9110 §8.6',
    bytes: `${POST}Content-Length: 0010\r\n\r\n0123456789${GET}\r\n`,
    requests: [{ method: 'POST', fields: [HOST, ['Content-Length', '0010']], body: '0123456789' }, {}],
  },
  {
    name: 'a body that looks like a request',
    section: 'RFC 9112 §6',
    bytes: `${POST}content-length:\t18\r\n\r\nGET /b HTTP/1.1\r\n\n${GET}\r\n`,
    requests: [{ method: 'POST', fields: [HOST, ['content-length', '18']], body: 'GET /b HTTP/1.1\r\n\n' }, {}],
  },
  {
    name: 'chunked in another case',
    section: 'RFC 9112 §7',
    bytes: `${POST}transfer-ENCODING:\tChunKed \r\n\r\n0\r\n\r\n${GET}\r\n`,
    requests: [{ method: 'POST', fields: [HOST, ['transfer-ENCODING', 'ChunKed']] }, {}],
  },
  {
    name: 'GET with chunks',
    section: 'RFC 9112 §6.1',
    bytes: `${GET}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${GET}\r\n`,
    requests: [{ fields: [HOST, CHUNKED], body: 'ok' }, {}],
  },
  {
    name: 'a Content-Encoding of chunked says nothing of the length',
    section: 'RFC 9110 §8.4',
    bytes: `${POST}Content-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r`,
    requests: [
      {
        method: 'POST',
        fields: [HOST, ['Content-Encoding', 'chunked'], ['Content-Length', '2']],
        body: '0\r',
      },
    ],
  },
]

export const REFUSED: readonly RefusedRow[] = [
  ...refusals(LENGTH, 'RFC 9112 §6.3', {
    'both lengths at once': [
      `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'CVE-2020-10109',
    ],
    'both lengths at once, the other way round': `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    'both lengths at once, one of them 0': `${POST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': [`${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 'CVE-2020-10108'],
    'the same length twice': [`${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, 'CVE-2019-16792'],
    'two lengths in HTTP/1.0': 'POST / HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n',
    'a list of lengths': ofLength(' 5, 5'),
    'a list of two different lengths': ofLength(' 5,6'),
    'a list with an empty member': ofLength(' 5,'),
    'an empty length': [ofLength(''), 'CVE-2023-40225'],
    'a length of a space': ofLength(' '),
    'a length with a plus': [ofLength(' +5'), 'CVE-2021-32715'],
    'a length with a minus': ofLength(' -5'),
    'a length of minus 0': ofLength(' -0'),
    'a length in hexadecimal': ofLength(' 0x5'),
    'a length in hexadecimal without a mark': ofLength(' a'),
    'a length with an underscore': ofLength(' 1_0'),
    'a length with a space in it': [ofLength(' 1 0'), 'CVE-2018-7159'],
    'a length with a tab in it': ofLength(' 1\t0'),
    'a length with a comma for thousands': ofLength(' 1,000'),
    'a length with a point': ofLength(' 5.0'),
    'a length with an exponent': ofLength(' 5e0'),
    'a length in quotation marks': ofLength(' "5"'),
    'a length with a parameter': ofLength(' 5;a=b'),
    'a length with text behind it': ofLength(' 5b'),
    'a length with a byte that some take for a space': ofLength(' 5\xa0'),
    'a length with a digit above ASCII': ofLength(' \xb2'),
    'a length of 2^32 + 5 in too many digits': ofLength(' 0000004294967301'),
    'a length of 2^64 + 5': ofLength(' 18446744073709551621'),
    'a length of 2^63': ofLength(' 9223372036854775808'),
    'a length of a hundred digits': ofLength(` ${'9'.repeat(100)}`),
  }),
  ...refusals(LENGTH, 'RFC 9112 §6.1', {
    'Transfer-Encoding twice': [
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'CVE-2020-8287',
    ],
    'Transfer-Encoding twice, the second unknown': `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`,
    'chunked in HTTP/1.0': ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'CVE-2021-33037'],
    'chunked in HTTP/1.0 that would stay':
      'POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  }),
  ...refusals(`${CODING} 400`, 'RFC 9112 §6.3', {
    identity: [coded(' identity'), 'CVE-2021-33037'],
    'an empty coding': coded(''),
    'a coding that only begins with chunked': coded(' chunkedx'),
    'a coding that only ends with chunked': [coded(' xchunked'), 'CVE-2022-1705'],
    'chunked and text behind a space': [coded(' chunked x'), 'CVE-2022-32213'],
    'chunked behind text and a space': coded(' x chunked'),
    'chunked behind a byte that some take for a space': coded(' \xa0chunked'),
    'chunked before a byte that some take for a space': coded(' chunked\xa0'),
    'chunked in quotation marks': [coded(' "chunked"'), 'CVE-2022-1705'],
    'chunked in quotes': coded(" 'chunked'"),
    'chunked with a parameter': coded(' chunked;a=b'),
    'chunked and a semicolon': coded(' chunked;'),
    'chunked that is not last': [coded(' chunked, identity'), 'CVE-2024-1135'],
    'chunked before gzip': coded(' chunked, gzip'),
    'chunked twice in one list': coded(' chunked, chunked'),
    'chunked before an empty member': coded(' chunked,'),
    'chunked behind an empty member': coded(' ,chunked'),
    'a list without commas': coded(' gzip chunked'),
    'a coding with a colon': coded(': chunked'),
    'a coding nobody knows': coded(' cow'),
    'gzip alone': coded(' gzip'),
    'a length beside a coding that is not chunked': `${POST}Content-Length: 5\r\nTransfer-Encoding: cow\r\n\r\nhello`,
  }),
  ...refusals(`${CODING} 501`, 'RFC 9112 §6.1', {
    'gzip and then chunked': coded(' gzip, chunked'),
    'identity and then chunked': [coded(' identity, chunked'), 'CVE-2019-16786'],
    'a coding nobody knows and then chunked': coded(' cow,CHUNKED'),
    'a coding with a parameter and then chunked': coded(' x;a=b, chunked'),
  }),
  ...refusals(`${CODING} 400`, 'RFC 9112 §6.3', {
    'identity in HTTP/1.0': 'POST / HTTP/1.0\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello',
  }),
  ...refusals('ERR_HTTP_LINE_ENDING 400', 'RFC 9110 §5.5', {
    'a vertical tab before chunked': [coded(' \x0bchunked'), 'CVE-2019-16789'],
    'a vertical tab behind chunked': coded(' chunked\x0b'),
    'a NUL behind chunked': coded(' chunked\x00'),
    'a NUL behind a length': ofLength(' 5\x00'),
  }),
  ...refusals(LENGTH, 'RFC 9110 §9.3.6', {
    'CONNECT with a length': 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 5\r\n\r\nhello',
    'CONNECT with chunks': 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  }),
  ...refusals(LENGTH, 'RFC 9110 §9.3.8', {
    'TRACE with a length': 'TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    'TRACE with chunks': 'TRACE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  }),
  ...refusals(
    'ERR_UNEXPECTED_END 400',
    'RFC 9112 §8',
    {
      'the end within a method': 'GE',
      'the end within a field': `${GET}X: b`,
      'the end before the blank line': GET,
      'the end within the blank line before a request': '\r',
      'the end within a body of known length': `${POST}Content-Length: 5\r\n\r\nhell`,
      'the end within a size': `${POST}Transfer-Encoding: chunked\r\n\r\n5`,
      'the end within a chunk': `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhell`,
      'the end before the last chunk': `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      'the end within the trailers': `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: b\r\n`,
      'the end before the line behind the last chunk': `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n`,
    },
    { eof: true },
  ),
]
