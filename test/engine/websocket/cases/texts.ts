// Section 6: text that is UTF-8, in fragments cut anywhere, and what is not, refused at the byte that shows it.
import { begin, fragmented, last, more, octets, stop, text } from '../_frames.js'
import { echoed, message, numbered, UTF8, type Case } from './case.js'

type Row = Omit<Case, 'id'>
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)

const WORDS = Buffer.from('Bootsmänner über Çanakkale: ñandú')
/** Letters of two and of three bytes. */
const GREEK = Buffer.from('\u03ba\u1f79\u03c3\u03bc\u03b5')
const REST = Buffer.from('edited')
const SURROGATE = octets(0xed, 0xa0, 0x80)
/** U+110000, as it would be written: wrong from its second byte on. */
const TOO_HIGH = octets(0xf4, 0x90, 0x80, 0x80)
const WRONG = joined(GREEK, SURROGATE, REST)
const HIGH = joined(GREEK, TOO_HIGH, REST)
/** What stands before the byte that shows it. */
const GOOD = GREEK.length + 1

const EMPTY: Case[] = numbered('6.1', [
  message(1, '', 'a text of nothing'),
  { name: 'a text of nothing in three frames', sent: [begin(1), more(), last()], answers: [echoed.text('')] },
  {
    name: 'a text of which all is in the second of three frames',
    sent: [begin(1), more('amidships'), last()],
    answers: [echoed.text('amidships')],
  },
])

const VALID: Case[] = numbered('6.2', [
  message(1, WORDS, 'a text beyond ASCII'),
  {
    name: 'a text beyond ASCII, cut between two characters',
    sent: [begin(1, 'Bootsmänner ü'), last(Buffer.from('ber Çanakkale'))],
    answers: [echoed.text('Bootsmänner über Çanakkale')],
  },
  { name: 'a text beyond ASCII, a byte in each frame', sent: fragmented(1, WORDS, 1), answers: [echoed.text(WORDS)] },
  { name: 'a Greek text, a byte in each frame', sent: fragmented(1, GREEK, 1), answers: [echoed.text(GREEK)] },
])

const INVALID: Case[] = numbered('6.3', [
  { name: 'a surrogate within a text', sent: [text(WRONG)], answers: [], ...UTF8 },
  { name: 'a surrogate within a text, a byte in each frame', sent: fragmented(1, WRONG, 1), answers: [], ...UTF8 },
])

const AT_ONCE: Case[] = numbered('6.4', [
  {
    name: 'what is wrong in the second of three frames',
    sent: [begin(1, GREEK), stop(0), more(TOO_HIGH), stop(1), last(REST)],
    answers: [],
    ...UTF8,
  },
  {
    name: 'the byte that is wrong in the second of three frames, and it alone',
    sent: [
      begin(1, HIGH.subarray(0, GOOD)),
      stop(0),
      more(HIGH.subarray(GOOD, GOOD + 1)),
      stop(1),
      last(HIGH.subarray(GOOD + 1)),
    ],
    answers: [],
    ...UTF8,
  },
  {
    name: 'what is wrong in the second of three pieces of a frame',
    sent: [text(HIGH), stop(0, TOO_HIGH.length + REST.length), stop(1, REST.length)],
    answers: [],
    ...UTF8,
  },
  {
    name: 'the byte that is wrong in the second of three pieces of a frame, and it alone',
    sent: [text(HIGH), stop(0, HIGH.length - GOOD), stop(1, HIGH.length - GOOD - 1)],
    answers: [],
    ...UTF8,
  },
])

const right = (bytes: Uint8Array): Row => message(1, bytes, `the text ${Buffer.from(bytes).toString('hex')}`)
const wrong = (...bytes: readonly number[]): Row => ({
  name: `no text: ${Buffer.from(bytes).toString('hex')}`,
  sent: [text(octets(...bytes))],
  answers: [],
  ...UTF8,
})
const characters = (...texts: readonly string[]): Row[] => texts.map((each) => right(Buffer.from(each)))
const isWhole = (bytes: Uint8Array): boolean => !bytes.toString().includes('\ufffd')

/** A byte that begins a sequence, and as many behind it as it wants, all the lowest or the highest. */
const sequence = (first: number, count: number, fill: number): number[] => [first, ...Array<number>(count).fill(fill)]
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const UNFINISHED: readonly (readonly number[])[] = [
  ...[0xc0, 0xe0, 0xf0, 0xf8, 0xfc].map((first, i) => sequence(first, i, 0x80)),
  ...[0xdf, 0xef, 0xf7, 0xfb, 0xfd].map((first, i) => sequence(first, i, 0xbf)),
]
/** The first and the last of each row of 1024 surrogates that matters, in pairs. */
const HIGH_SURROGATES = [0xa080, 0xadbf, 0xae80, 0xafbf]
const LOW_SURROGATES = [0xb080, 0xbfbf]
const surrogate = (code: number): number[] => [0xed, code >> 8, code & 0xff]

/** U+nFFFE and U+nFFFF of each plane: no characters, but no less text. */
const NONCHARACTERS = [
  '\ufffe',
  '\uffff',
  ...range(1, 17).flatMap((plane) => [0xfffe, 0xffff].map((low) => String.fromCodePoint((plane << 16) | low))),
]

const SEQUENCES: readonly (readonly Row[])[] = [
  /* 6.5 */ characters('fore$aft', 'fore\u00a2aft', 'fore\u20acaft', 'fore\u{24b62}aft', GREEK.toString()),
  /* 6.6 */ range(1, GREEK.length + 1).map((length) => {
    const bytes = GREEK.subarray(0, length)
    return isWhole(bytes) ? right(bytes) : wrong(...bytes)
  }),
  /* 6.7 */ characters('\0', '\u0080', '\u0800', '\u{10000}'),
  /* 6.8 */ [wrong(0xf8, 0x88, 0x80, 0x80, 0x80), wrong(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80)],
  /* 6.9 */ characters('\u007f', '\u07ff', '\uffff', '\u{10ffff}'),
  /* 6.10 */ [0xf7, 0xfb, 0xfd].map((first, i) => wrong(...sequence(first, i + 3, 0xbf))),
  /* 6.11 */ [...characters('\ud7ff', '\ue000', '\ufffd', '\u{10ffff}'), wrong(0xf4, 0x90, 0x80, 0x80)],
  /* 6.12 */ [
    wrong(0x80),
    wrong(0xbf),
    ...range(2, 7).map((count) => wrong(...range(0, count).map((i) => (i % 2 === 0 ? 0x80 : 0xbf)))),
    wrong(...range(0x80, 0xbf)),
  ],
  /* 6.13 */ (
    [
      [0xc0, 0xdf],
      [0xe0, 0xef],
      [0xf0, 0xf7],
      [0xf8, 0xfb],
      [0xfc, 0xfd],
    ] as const
  ).map(([from, to]) => wrong(...range(from, to).flatMap((first) => [first, 0x20]))),
  /* 6.14 */ UNFINISHED.map((bytes) => wrong(...bytes)),
  /* 6.15 */ [wrong(...UNFINISHED.flat())],
  /* 6.16 */ [wrong(0xfe), wrong(0xff), wrong(0xfe, 0xfe, 0xff, 0xff)],
  /* 6.17 */ [0xc0, 0xe0, 0xf0, 0xf8, 0xfc].map((first, i) => wrong(...sequence(first, i, 0x80), 0xaf)),
  /* 6.18 */ (
    [[0xc1], [0xe0, 0x9f], [0xf0, 0x8f, 0xbf], [0xf8, 0x87, 0xbf, 0xbf], [0xfc, 0x83, 0xbf, 0xbf, 0xbf]] as const
  ).map((bytes) => wrong(...bytes, 0xbf)),
  /* 6.19 */ [0xc0, 0xe0, 0xf0, 0xf8, 0xfc].map((first, i) => wrong(...sequence(first, i + 1, 0x80))),
  /* 6.20 */ [0xa080, 0xadbf, 0xae80, 0xafbf, 0xb080, 0xbe80, 0xbfbf].map((code) => wrong(...surrogate(code))),
  /* 6.21 */ HIGH_SURROGATES.flatMap((high) =>
    LOW_SURROGATES.map((low) => wrong(...surrogate(high), ...surrogate(low))),
  ),
  /* 6.22 */ characters(...NONCHARACTERS),
  /* 6.23 */ characters('\ufff9', '\ufffa', '\ufffb', '\ufffc', '\ufffd', '\ufffe', '\uffff'),
]

export const CASES: readonly Case[] = [
  ...EMPTY,
  ...VALID,
  ...INVALID,
  ...AT_ONCE,
  ...SEQUENCES.flatMap((rows, i) => numbered(`6.${i + 5}`, rows)),
]
