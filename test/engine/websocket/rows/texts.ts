// RFC 6455 §8.1 and RFC 3629: text is UTF-8, and what is not is refused at the byte after which it cannot be.
import { begin, binary, last, more, octets, text, type Item } from '../_frames.js'
import { read, refused, UTF8, type ReadRow, type RefusedRow } from './row.js'

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)
const CHARACTERS = ['\0', '\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\ufeff', '\ufffd', '\uffff']
const BEYOND = ['\u{10000}', '\u{1f6a2}', '\u{fffff}', '\u{100000}', '\u{10ffff}']
const nameOf = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`

export const READ: readonly ReadRow[] = [
  ...[...CHARACTERS, ...BEYOND].flatMap((character) => {
    const bytes = Buffer.from(`a${character}b`)
    return [
      read(`${nameOf(character)} in a text`, '§8.1', [text(bytes)], [`text a${character}b`]),
      read(`${nameOf(character)} alone`, '§8.1', [text(character)], [`text ${character}`]),
      // A fragment may end anywhere in a character.
      ...Array.from({ length: bytes.length - 1 }, (_, i) =>
        read(
          `${nameOf(character)} in two fragments, cut at ${i + 1}`,
          '§5.6',
          [begin(1, bytes.subarray(0, i + 1)), last(bytes.subarray(i + 1))],
          [`text a${character}b`],
        ),
      ),
    ]
  }),
  read(
    'a character of which each byte comes in a frame, with nothing between them',
    '§5.6',
    [begin(1, octets(0xf0)), more(octets(0x9f)), more(), more(octets(0x9a)), last(octets(0xa2))],
    ['text 🚢'],
  ),
  read(
    'a long text beyond ASCII',
    '§8.1',
    [text('Ære være søen. '.repeat(40))],
    [`text ${'Ære være søen. '.repeat(40)}`],
  ),
  read(
    'one character beyond ASCII behind many within',
    '§8.1',
    [text(`${'a'.repeat(600)}é`)],
    [`text ${'a'.repeat(600)}é`],
  ),
  read('bytes that are no UTF-8 are no text', '§5.6', [binary(octets(0xc3, 0x28))], ['binary \xc3\x28']),
  read(
    'what was read of one text is forgotten for the next',
    '§5.6',
    [begin(1, 'é'), last(), text('é')],
    ['text é', 'text é'],
  ),
]

/** Bytes, and which of them is the first after which no text can be: -1 when it is the end that is wrong. */
const WRONG: readonly (readonly [name: string, bytes: readonly number[], bad: number])[] = [
  ['a byte in the middle of nothing', [0x80], 0],
  ['the last such byte', [0xbf], 0],
  ['an overlong form of two bytes', [0xc0, 0x80], 0],
  ['the last overlong form of two bytes', [0xc1, 0xbf], 0],
  ['two bytes, of which the second is ASCII', [0xc2, 0x7f], 1],
  ['two bytes, of which the second begins another', [0xc2, 0xc0], 1],
  ['an overlong form of three bytes', [0xe0, 0x9f, 0xbf], 1],
  ['the first surrogate', [0xed, 0xa0, 0x80], 1],
  ['the last surrogate', [0xed, 0xbf, 0xbf], 1],
  ['a pair of surrogates', [0xed, 0xa0, 0xbd, 0xed, 0xba, 0xa2], 1],
  ['three bytes, of which the third is ASCII', [0xe1, 0x80, 0x7f], 2],
  ['three bytes, of which the third begins another', [0xe1, 0x80, 0xc0], 2],
  ['an overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf], 1],
  ['the first above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 1],
  ['a byte for more than U+10FFFF', [0xf5, 0x80, 0x80, 0x80], 0],
  ['the last byte for four bytes', [0xf7, 0xbf, 0xbf, 0xbf], 0],
  ['a form of five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80], 0],
  ['a form of six bytes', [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], 0],
  ['four bytes, of which the third is ASCII', [0xf1, 0x80, 0x41, 0x80], 2],
  ['four bytes, of which the fourth begins another', [0xf1, 0x80, 0x80, 0xc3], 3],
  ['0xfe', [0xfe], 0],
  ['0xff', [0xff], 0],
  ['one byte of two', [0xdf], -1],
  ['one byte of three', [0xef], -1],
  ['two bytes of three', [0xef, 0xbf], -1],
  ['one byte of four', [0xf4], -1],
  ['two bytes of four', [0xf4, 0x8f], -1],
  ['three bytes of four', [0xf4, 0x8f, 0xbf], -1],
]
const BEFORE = Buffer.from('κόσμε')
const AFTER = Buffer.from('edited')

const wrong = (name: string, sent: readonly Item[], decided: number): RefusedRow =>
  refused(name, '§8.1', sent, { refused: UTF8, decided })

export const REFUSED: readonly RefusedRow[] = WRONG.flatMap(([name, bytes, bad]) => {
  const bytesOf = octets(...bytes)
  const behind = bad === -1 ? 0 : bytes.length - 1 - bad
  const rows = [
    wrong(`${name}, at the end of a text`, [text(joined(BEFORE, bytesOf))], -behind),
    wrong(`${name}, and nothing else`, [text(bytesOf)], -behind),
    wrong(`${name}, at the end of a message`, [begin(1, BEFORE), last(bytesOf)], -behind),
  ]
  if (bad === -1) {
    // What follows decides.
    rows.push(wrong(`${name}, and more`, [text(joined(BEFORE, bytesOf, AFTER))], -(AFTER.length - 1)))
    rows.push(wrong(`${name}, and more in the next fragment`, [begin(1, bytesOf), last(AFTER)], -(AFTER.length - 1)))
    rows.push(wrong(`${name}, and no more in the next fragment`, [begin(1, bytesOf), last()], -0))
  } else {
    const all = joined(BEFORE, bytesOf, AFTER)
    rows.push(wrong(`${name}, within a text`, [text(all)], -(behind + AFTER.length)))
    rows.push(wrong(`${name}, within the first fragment`, [begin(1, all)], -(behind + AFTER.length)))
    rows.push(
      wrong(
        `${name}, byte by byte in fragments`,
        [begin(1, BEFORE), ...Array.from(bytesOf.subarray(0, bad + 1), (byte) => more(octets(byte)))],
        -0,
      ),
    )
  }
  return rows
})
