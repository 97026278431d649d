import { GET, HOST, refusals, type ReadRow, type RefusedRow } from './row.js'

const NAME = 'ERR_HTTP_FIELD 400'
const CODE = 'ERR_HTTP_LINE_ENDING 400'

const withFields = (...fields: readonly (readonly [string, string])[]): Pick<ReadRow, 'requests'> => ({
  requests: [{ fields: [HOST, ...fields] }],
})

export const READ: readonly ReadRow[] = [
  {
    name: 'white space around a value is no part of it',
    section: 'RFC 9112 §5.1',
    bytes: 'GET / HTTP/1.1\r\nHost:\t a \t\r\nX: b \tc\r\nY:\r\nZ: \r\n\r\n',
    ...withFields(['X', 'b \tc'], ['Y', ''], ['Z', '']),
  },
  {
    name: 'a value right behind the colon',
    section: 'RFC 9112 §5',
    bytes: 'GET / HTTP/1.1\r\nHost:a\r\n\r\n',
    requests: [{}],
  },
  {
    name: 'a value that begins with a colon',
    section: 'RFC 9112 §5',
    bytes: `${GET}X::b\r\n\r\n`,
    ...withFields(['X', ':b']),
  },
  {
    name: 'a value of bytes above ASCII',
    section: 'RFC 9110 §5.5',
    bytes: `${GET}X: \xc3\xa9\xff\r\n\r\n`,
    ...withFields(['X', '\xc3\xa9\xff']),
  },
  {
    name: 'a byte that some take for white space stays in a value',
    section: 'RFC 9110 §5.6.3',
    bytes: `${GET}X: \xa0b\x85\r\n\r\n`,
    ...withFields(['X', '\xa0b\x85']),
  },
  {
    name: 'every character that a name may have',
    section: 'RFC 9110 §5.6.2',
    bytes: `${GET}!#$%&'*+-.^_\`|~09Az: b\r\n\r\n`,
    ...withFields(["!#$%&'*+-.^_`|~09Az", 'b']),
  },
  {
    name: 'one field twice, in two cases',
    section: 'RFC 9110 §5.3',
    bytes: `${GET}X-a: b\r\nx-A: c\r\n\r\n`,
    ...withFields(['X-a', 'b'], ['x-A', 'c']),
  },
  {
    name: 'an underscore is no hyphen',
    section: 'RFC 9110 §5.1',
    advisory: 'CVE-2024-45614',
    bytes: `${GET}Content_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n`,
    ...withFields(['Content_Length', '5'], ['Transfer_Encoding', 'chunked']),
  },
  {
    name: 'a name that only begins like another',
    section: 'RFC 9110 §5.1',
    bytes: `${GET}Hostx: b\r\nContent-Lengths: 5\r\nTransfer-Encodin: chunked\r\n\r\n`,
    ...withFields(['Hostx', 'b'], ['Content-Lengths', '5'], ['Transfer-Encodin', 'chunked']),
  },
]

const CONTROLS = ['\x00', '\x01', '\x07', '\x08', '\x0b', '\x0c', '\x1b', '\x1f', '\x7f']
const hex = (byte: string): string => `0x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
const inValues = Object.fromEntries(
  CONTROLS.map((byte) => [`the control character ${hex(byte)} in a value`, `${GET}X: b${byte}c\r\n\r\n`]),
)
const inNames = Object.fromEntries(
  Array.from('\x00\x01\x1f\x7f"(),/;<=>?@[\\]{}\x80\xff', (byte) => [
    `the byte ${hex(byte)} in a name`,
    `${GET}X${byte}Y: b\r\n\r\n`,
  ]),
)

export const REFUSED: readonly RefusedRow[] = [
  ...refusals(NAME, 'RFC 9112 §5.1', {
    'a space before the colon': [`${GET}Content-Length : 5\r\n\r\n`, 'CVE-2021-22959'],
    'a tab before the colon': [`${GET}Transfer-Encoding\t: chunked\r\n\r\n`, 'CVE-2019-16869'],
    'a vertical tab before the colon': `${GET}X\x0b: b\r\n\r\n`,
    'a space within a name': `${GET}X Y: b\r\n\r\n`,
    'an empty name': [`${GET}: b\r\n\r\n`, 'CVE-2023-25725'],
    'no colon': [`${GET}Content-Length\r\n\r\n`, 'CVE-2019-20444'],
    'no colon, and LF': `${GET}X\n\r\n`,
    'a request where a field should be': `${GET}GET / HTTP/1.1\r\n\r\n`,
    'an LF alone before a name': `${GET}\nX: b\r\n\r\n`,
    'the head ends with LF alone': [`${GET}\n`, 'CVE-2022-32214'],
    'no fields, and LF': 'GET / HTTP/1.0\r\n\n',
    ...inNames,
  }),
  ...refusals(NAME, 'RFC 9112 §5.2', {
    'a folded value': [`${GET}X: b\r\n c\r\n\r\n`, 'CVE-2024-27982'],
    'a value that is folded with a tab': `${GET}X: b\r\n\tc\r\n\r\n`,
    'a folded Transfer-Encoding': [`${GET}Transfer-Encoding:\r\n chunked\r\n\r\n`, 'CVE-2022-32215'],
    'a space before the first field': ['GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'CVE-2024-27982'],
    'a line of a space alone': `${GET} \r\n\r\n`,
    'a space before the blank line': `${GET}X: b\r\n \r\n\r\n`,
  }),
  ...refusals(CODE, 'RFC 9112 §2.2', {
    'a field that ends with LF': [`${GET}X: b\nY: c\r\n\r\n`, 'CVE-2022-35256'],
    'a field that ends with CR': [`${GET}X: b\rY: c\r\n\r\n`, 'CVE-2023-30589'],
    'a field that ends with CR CR LF': `${GET}X: b\r\r\n\r\n`,
    'an empty value that ends with LF': `${GET}X:\nContent-Length: 5\r\n\r\n`,
    'an empty value and a CR': `${GET}X:\rY: b\r\n\r\n`,
    'the head ends with CR and something else': [`${GET}\rX: b\r\n\r\n`, 'CVE-2025-23167'],
    'the head ends with CR CR': `${GET}\r\r\n`,
  }),
  ...refusals(CODE, 'RFC 9110 §5.5', inValues),
]
