// RFC 6455 §5.4 and §5.5: messages in fragments, and control frames between them; §7.4: how a peer says goodbye.
import { begin, binary, close, goodbye, last, more, octets, ping, pong, text } from '../_frames.js'
import { CLOSE, read, refused, UTF8, type ReadRow, type RefusedRow } from './row.js'

const HELD = [1, 2].flatMap((opcode) => {
  const kind = opcode === 1 ? 'text' : 'binary'
  const name = (what: string): string => `${opcode === 1 ? 'a text' : 'bytes'} ${what}`
  return [
    read(name('in two frames'), '§5.4', [begin(opcode, 'Hel'), last('lo')], [`${kind} Hello`]),
    read(
      name('in five frames'),
      '§5.4',
      [begin(opcode, 'a'), more('b'), more('c'), more('d'), last('e')],
      [`${kind} abcde`],
    ),
    read(name('in frames of nothing'), '§5.4', [begin(opcode), more(), last()], [`${kind} `]),
    read(name('of which all is in the first frame'), '§5.4', [begin(opcode, 'abc'), last()], [`${kind} abc`]),
    read(name('of which all is in the second frame'), '§5.4', [begin(opcode), more('abc'), last()], [`${kind} abc`]),
    read(name('of which all is in the last frame'), '§5.4', [begin(opcode), last('abc')], [`${kind} abc`]),
    read(
      name('with pings and pongs between its frames'),
      '§5.4',
      [begin(opcode, 'a'), ping('1'), more('b'), pong('2'), ping(), last('c'), ping('4')],
      ['ping 1', 'pong 2', 'ping ', `${kind} abc`, 'ping 4'],
    ),
    read(
      name('in fragments, twice'),
      '§5.4',
      [begin(opcode, 'a'), last('b'), begin(opcode, 'c'), more(), last('d')],
      [`${kind} ab`, `${kind} cd`],
    ),
    read(name('that is not whole yet'), '§5.4', [begin(opcode, 'a'), more('b')], []),
    read(
      name('with a close between its frames'),
      '§5.5.1',
      [begin(opcode, 'a'), close(goodbye(1001)), last('b')],
      ['close 1001 '],
    ),
  ]
})

const ended = (row: ReadRow): ReadRow =>
  row.events.some((event) => event.startsWith('close ')) ? { ...row, ending: 'end' } : row

const LONG = 'ahoy '.repeat(2000)

/** RFC 6455 §7.4.1 and the registry behind it, at every border. */
const CODES = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...[3000, 3001, 3999, 4000, 4001, 4998, 4999],
]
const WRONG_CODES = [
  ...[0, 1, 255, 256, 499, 998, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1099, 1100, 1999, 2000, 2001, 2998, 2999],
  ...[5000, 5001, 0x8000, 65_534, 65_535],
]

export const READ: readonly ReadRow[] = [
  ...HELD,
  read(
    'fragments of two messages of two kinds',
    '§5.4',
    [begin(1, 'a'), last('b'), begin(2, 'c'), last('d'), text('e'), binary('f')],
    ['text ab', 'binary cd', 'text e', 'binary f'],
  ),
  read('a long text in two frames', '§5.4', [begin(1, LONG), last(LONG)], [`text ${LONG}${LONG}`]),
  read(
    'a long message in frames of all lengths of a header',
    '§5.4',
    [begin(2, LONG.slice(0, 125)), more(LONG.slice(0, 126)), more(LONG), last('a')],
    [`binary ${LONG.slice(0, 125)}${LONG.slice(0, 126)}${LONG}a`],
  ),
  read('a close without a code', '§5.5.1', [close()], ['close 1005 ']),
  ...CODES.map((code) => read(`a close with ${code}`, '§7.4', [close(goodbye(code))], [`close ${code} `])),
  read('a close with a reason', '§5.5.1', [close(goodbye(1000, 'so long'))], ['close 1000 so long']),
  read(
    'a close with a reason beyond ASCII',
    '§5.5.1',
    [close(goodbye(1000, 'adiós ⚓ 🚢'))],
    ['close 1000 adiós ⚓ 🚢'],
  ),
  read(
    'a close with the longest reason',
    '§5.5.1',
    [close(goodbye(4999, 'a'.repeat(123)))],
    [`close 4999 ${'a'.repeat(123)}`],
  ),
  read('a close with the reason NUL', '§5.5.1', [close(goodbye(1000, '\0'))], ['close 1000 \0']),
  read('nothing is read behind a close', '§5.5.1', [close(goodbye(1000)), text('a'), ping(), close()], ['close 1000 ']),
  read('what is wrong behind a close is not read', '§5.5.1', [close(), last('a'), begin(1)], ['close 1005 ']),
  read(
    'a message before a close',
    '§5.5.1',
    [text('a'), ping('b'), close(goodbye(1000))],
    ['text a', 'ping b', 'close 1000 '],
  ),
].map(ended)

export const REFUSED: readonly RefusedRow[] = [
  refused('a close with half a code', '§7.4', [close('a')], { refused: CLOSE, decided: 2 }),
  ...WRONG_CODES.map((code) =>
    refused(`a close with ${code}`, '§7.4', [close(goodbye(code))], { refused: CLOSE, decided: -0 }),
  ),
  refused('a close with a code that may not be sent and a reason', '§7.4', [close(goodbye(1005, 'a'))], {
    refused: CLOSE,
    decided: -0,
  }),
  ...(
    [
      ['that ends within a character', octets(0x61, 0xe2, 0x82)],
      ['with a byte that UTF-8 has nowhere', octets(0xff)],
      ['with half a surrogate pair', octets(0xed, 0xa0, 0x80)],
      ['with an overlong form', octets(0xc0, 0xaf)],
      ['above U+10FFFF', octets(0xf4, 0x90, 0x80, 0x80)],
    ] as const
  ).map(([name, reason]) =>
    refused(`a close with a reason ${name}`, '§5.5.1', [close(goodbye(1000, reason))], { refused: UTF8, decided: -0 }),
  ),
]
