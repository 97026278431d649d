// Sections 1 to 5: messages of all lengths, pings, reserved bits, opcodes, fragments.
import { begin, frame, last, more, ping, pong, stop, text, type Item } from '../_frames.js'
import { asciiOf, BYTES, bytesOf, echoed, FRAME, GREETING, leave, message, numbered, type Case } from './case.js'

type Row = Omit<Case, 'id'>
const LENGTHS = [0, 125, 126, 127, 128, 65_535, 65_536]
const inChops = (rows: readonly Row[]): Row[] =>
  rows.map((row) => ({ ...row, name: `${row.name}, byte by byte`, chop: 1 }))

const MESSAGES: Case[] = [
  ...numbered('1.1', [
    ...LENGTHS.map((length) => message(1, asciiOf(length), `a text of ${length} bytes`)),
    message(1, asciiOf(65_536), 'a text of 65536 bytes in chops of 997', 997),
  ]),
  ...numbered('1.2', [
    ...LENGTHS.map((length) => message(2, bytesOf(length), `${length} bytes`)),
    message(2, bytesOf(65_536), '65536 bytes in chops of 997', 997),
  ]),
]

const TEN = Array.from({ length: 10 }, (_, i) => `sounding ${i}`)
const tenPings: Row = {
  name: 'ten pings',
  sent: TEN.map((payload) => ping(payload)),
  answers: TEN.map((payload) => echoed.pong(payload)),
}
const pinged = (payload: string | Uint8Array, name: string): Row => ({
  name,
  sent: [ping(payload)],
  answers: [echoed.pong(payload)],
})

const PINGS: Case[] = numbered('2', [
  pinged('', 'a ping of nothing'),
  pinged(GREETING, 'a ping with a text'),
  pinged(BYTES, 'a ping with bytes that are no text'),
  pinged(bytesOf(125), 'a ping of 125 bytes'),
  { name: 'a ping of 126 bytes', sent: [ping(bytesOf(126))], answers: [], ...FRAME },
  ...inChops([pinged(bytesOf(125), 'a ping of 125 bytes')]),
  { name: 'a pong that nobody asked for', sent: [pong(), leave()], answers: [], ends: [1000] },
  { name: 'a pong with a payload that nobody asked for', sent: [pong('unasked'), leave()], answers: [], ends: [1000] },
  {
    name: 'a pong that nobody asked for, and a ping',
    sent: [pong('unasked'), ping('asked')],
    answers: [echoed.pong('asked')],
  },
  tenPings,
  ...inChops([tenPings]),
])

/** A message that comes back, a frame that is refused, and a ping that gets no answer. */
const afterGreeting = (name: string, wrong: Item, chop?: Case['chop']): Row => ({
  name: `a text, ${name}, and a ping`,
  sent: [text(GREETING), wrong, ping()],
  answers: [echoed.text(GREETING)],
  ...(chop === undefined ? {} : { chop }),
  ...FRAME,
})
const alone = (name: string, wrong: Item): Row => ({ name, sent: [wrong], answers: [], ...FRAME })

const RESERVED_BITS: Case[] = numbered('3', [
  alone('a text with the reserved bits 1', text(GREETING, { rsv: 1 })),
  afterGreeting('one with the reserved bits 2', text(GREETING, { rsv: 2 })),
  afterGreeting('one with the reserved bits 3, frame by frame', text(GREETING, { rsv: 3 }), 'frame'),
  afterGreeting('one with the reserved bits 4, byte by byte', text(GREETING, { rsv: 4 }), 1),
  alone('bytes with the reserved bits 5', frame(2, BYTES, { rsv: 5 })),
  alone('bytes with the reserved bits 6', frame(2, GREETING, { rsv: 6 })),
  alone('a close with the reserved bits 7', frame(8, '', { rsv: 7 })),
])

const opcodes = (prefix: string, from: number): Case[] =>
  numbered(prefix, [
    alone(`the opcode ${from}`, frame(from)),
    alone(`the opcode ${from + 1} with a payload`, frame(from + 1, 'reserved')),
    afterGreeting(`the opcode ${from + 2}`, frame(from + 2)),
    afterGreeting(`the opcode ${from + 3} with a payload`, frame(from + 3, GREETING)),
    afterGreeting(`the opcode ${from + 4}, byte by byte`, frame(from + 4, GREETING), 1),
  ])

const whole = [begin(1, 'star'), last('board')]
const withPing = [begin(1, 'star'), ping('middle'), last('board')]
const twoFrames = (name: string, sent: readonly Item[], chop?: Case['chop']): Row => ({
  name,
  sent,
  answers: [...(sent.length === 3 ? [echoed.pong('middle')] : []), echoed.text('starboard')],
  ...(chop === undefined ? {} : { chop }),
})
const refusedFrames = (name: string, sent: readonly Item[], chop?: Case['chop']): Row => ({
  name,
  sent,
  answers: [],
  ...(chop === undefined ? {} : { chop }),
  ...FRAME,
})
const nothingToEnd = [last('astray'), text(GREETING)]
const nothingToGoOn = [more('astray'), text(GREETING)]

const long: readonly Item[] = [
  begin(1, 'one '),
  more('two '),
  ping('first'),
  stop(1),
  more('three '),
  more('four '),
  ping('second'),
  last('five'),
  stop(3),
]
const longRow = (name: string, chop?: Case['chop']): Row => ({
  name,
  sent: long,
  answers: [echoed.pong('first'), echoed.pong('second'), echoed.text('one two three four five')],
  ...(chop === undefined ? {} : { chop }),
})

const FRAGMENTS: Case[] = numbered('5', [
  refusedFrames('a ping in two fragments', [frame(9, 'star', { fin: false }), last('board')]),
  refusedFrames('a pong in two fragments', [frame(10, 'star', { fin: false }), last('board')]),
  twoFrames('a text in two frames', whole),
  twoFrames('a text in two frames, frame by frame', whole, 'frame'),
  twoFrames('a text in two frames, byte by byte', whole, 1),
  twoFrames('a text in two frames with a ping between them', withPing),
  twoFrames('a text in two frames with a ping between them, frame by frame', withPing, 'frame'),
  twoFrames('a text in two frames with a ping between them, byte by byte', withPing, 1),
  refusedFrames('the end of nothing, and a text', nothingToEnd),
  refusedFrames('the end of nothing, and a text, frame by frame', nothingToEnd, 'frame'),
  refusedFrames('the end of nothing, and a text, byte by byte', nothingToEnd, 1),
  refusedFrames('a continuation of nothing, and a text', nothingToGoOn),
  refusedFrames('a continuation of nothing, and a text, frame by frame', nothingToGoOn, 'frame'),
  refusedFrames('a continuation of nothing, and a text, byte by byte', nothingToGoOn, 1),
  {
    ...refusedFrames('a text in two frames, and a continuation of nothing', [...whole, more('astray'), text('a')]),
    answers: [echoed.text('starboard')],
  },
  refusedFrames('twice a continuation of nothing and a text in two frames', [
    ...[more('astray'), ...whole],
    ...[more('astray'), ...whole],
  ]),
  refusedFrames('twice the end of nothing and a text in two frames', [
    ...[last('astray'), ...whole],
    ...[last('astray'), ...whole],
  ]),
  refusedFrames('a text of which both frames say so', [begin(1, 'star'), text('board')]),
  longRow('a text in five frames with two pings between them, in two goes'),
  longRow('a text in five frames with two pings between them, frame by frame', 'frame'),
])

export const CASES: readonly Case[] = [
  ...MESSAGES,
  ...PINGS,
  ...RESERVED_BITS,
  ...opcodes('4.1', 3),
  ...opcodes('4.2', 11),
  ...FRAGMENTS,
]
