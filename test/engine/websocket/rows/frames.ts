// RFC 6455 §5.1 and §5.2: the first bytes of frames, masks and lengths.
import { begin, binary, frame, last, latin1, more, ping, pong, ROLES, text } from '../_frames.js'
import { read, refused, type ReadRow, type RefusedRow } from './row.js'

const hex = (value: number): string => `0x${value.toString(16)}`
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i)
const ofLength = (length: number): string => 'abcdefghij'.repeat(Math.ceil(length / 10)).slice(0, length)

const LENGTHS = [0, 1, 2, 3, 4, 5, 63, 64, 65, 124, 125, 126, 127, 128, 255, 256, 1000]
/** Too long to be cut at every place; the places near both ends are. */
const LONG_LENGTHS = [65_535, 65_536, 65_537]
const SHORTEST = { 16: 126, 64: 65_536 } as const

export const READ: readonly ReadRow[] = [
  ...[...LENGTHS, ...LONG_LENGTHS].flatMap((length) => [
    read(`a text of ${length} bytes`, '§5.2', [text(ofLength(length))], [`text ${ofLength(length)}`]),
    read(`${length} bytes`, '§5.2', [binary(ofLength(length))], [`binary ${ofLength(length)}`]),
  ]),
  ...[0, 1, 124, 125].flatMap((length) => [
    read(`a ping of ${length} bytes`, '§5.5.2', [ping(ofLength(length))], [`ping ${ofLength(length)}`]),
    read(`a pong of ${length} bytes`, '§5.5.3', [pong(ofLength(length))], [`pong ${ofLength(length)}`]),
  ]),
  read('every byte there is', '§5.2', [binary(EVERY_BYTE)], [`binary ${String.fromCharCode(...EVERY_BYTE)}`]),
  read(
    'every byte in a ping',
    '§5.5.2',
    [ping(EVERY_BYTE.subarray(131))],
    [`ping ${String.fromCharCode(...EVERY_BYTE.subarray(131))}`],
  ),
  read('nothing', '§5.2', [], []),
  read(
    'one frame of each kind behind the other, with four masks',
    '§5.3',
    [text('one'), binary('two'), ping('three'), pong('four'), text('five'), binary('six')],
    ['text one', 'binary two', 'ping three', 'pong four', 'text five', 'binary six'],
  ),
  read(
    'twenty messages in one piece',
    '§5.2',
    upTo(20).map((i) => text(`${i}`)),
    upTo(20).map((i) => `text ${i}`),
  ),
  // What is not whole is not told, and not refused.
  ...[1, 126, 65_536].map((length): ReadRow => ({
    ...read(
      `the header alone of a message of ${length} bytes`,
      '§5.2',
      [binary('', { announced: BigInt(length) })],
      [],
    ),
    partial: true,
  })),
  { ...read('a ping without its last byte', '§5.5', [frame(9, 'ab', { announced: 3n })], []), partial: true },
  { ...read('the longest length below the limit', '§5.2', [binary('', { announced: 1_048_576n })], []), partial: true },
]

const kinds = { 1: 'a text', 2: 'bytes', 8: 'a close', 9: 'a ping', 10: 'a pong' } as const

export const REFUSED: readonly RefusedRow[] = [
  // Reserved bits, in every sum of them, for each kind of frame.
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((rsv) => [
    ...Object.entries(kinds).map(([opcode, kind]) =>
      refused(`${kind} with the reserved bits ${rsv}`, '§5.2', [frame(Number(opcode), '', { rsv })]),
    ),
    refused(`a continuation with the reserved bits ${rsv}`, '§5.2', [begin(1), frame(0, '', { rsv })]),
  ]),
  // Opcodes that nobody has defined.
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
    refused(`the opcode ${hex(opcode)}`, '§5.2', [frame(opcode)]),
    refused(`the opcode ${hex(opcode)} behind a message`, '§5.2', [text('a'), frame(opcode, 'b')], {
      events: ['text a'],
    }),
    refused(`the opcode ${hex(opcode)} as a fragment`, '§5.2', [frame(opcode, '', { fin: false })]),
  ]),
  // Masks: a server reads masked frames alone, a client those that are not.
  ...ROLES.flatMap((role) =>
    [...Object.entries(kinds), ['0', 'a continuation'] as const].map(([opcode, kind]) => ({
      ...refused(role === 'server' ? `${kind} of a client without a mask` : `${kind} of a server with a mask`, '§5.1', [
        ...(opcode === '0' ? [begin(2)] : []),
        frame(Number(opcode), 'ab', { masked: role === 'client' }),
      ]),
      roles: [role],
    })),
  ),
  // Lengths that are not in the shortest form.
  ...([16, 64] as const).flatMap((form) =>
    [0, 1, 125, ...(form === 64 ? [126, 65_535] : [])].map((length) =>
      refused(`a length of ${length} in ${form} bits`, '§5.2', [binary('', { form, announced: BigInt(length) })], {
        decided: form === 16 ? 4 : 10,
      }),
    ),
  ),
  ...([16, 64] as const).map((form) =>
    refused(
      `the longest length that ${form} bits are too many for`,
      '§5.2',
      [text('', { form, announced: BigInt(SHORTEST[form] - 1) })],
      { decided: form === 16 ? 4 : 10 },
    ),
  ),
  // 63 bits are the most, whatever the limits are.
  ...[1n << 63n, (1n << 64n) - 1n, (1n << 63n) | 70_000n].map((announced) =>
    refused(`a length of ${hex(Number(announced))}`, '§5.2', [binary('', { announced })], {
      decided: 10,
      limits: { maxMessageBytes: Number.MAX_SAFE_INTEGER },
    }),
  ),
  // Control frames.
  ...[8, 9, 10].flatMap((opcode) => {
    const kind = kinds[opcode as 8 | 9 | 10]
    return [
      refused(`${kind} of 126 bytes`, '§5.5', [frame(opcode, latin1(ofLength(126)))]),
      refused(`${kind} of 65536 bytes`, '§5.5', [frame(opcode, '', { announced: 65_536n })]),
      refused(`${kind} that is not the last fragment`, '§5.5', [frame(opcode, 'a', { fin: false })]),
      refused(`${kind} that is not the last fragment, within a message`, '§5.5', [
        begin(2, 'a'),
        frame(opcode, 'a', { fin: false }),
      ]),
      refused(`${kind} whose length is written in 16 bits`, '§5.5', [frame(opcode, 'a', { form: 16 })]),
      refused(`${kind} whose length is written in 64 bits`, '§5.5', [frame(opcode, 'a', { form: 64 })]),
    ]
  }),
  // Order of frames.
  refused('a continuation of nothing', '§5.4', [last('a')]),
  refused('a continuation of nothing, that goes on', '§5.4', [more('a')]),
  refused('a continuation behind a whole message', '§5.4', [text('a'), last('b')], { events: ['text a'] }),
  refused('a continuation behind a fragmented message', '§5.4', [begin(2, 'a'), last('b'), last('c')], {
    events: ['binary ab'],
  }),
  refused('a continuation behind a ping', '§5.4', [ping('a'), more('b')], { events: ['ping a'] }),
  ...[1, 2].flatMap((first) =>
    [1, 2].flatMap((second) => [
      refused(`${kinds[second as 1 | 2]} within ${kinds[first as 1 | 2]} that is not whole`, '§5.4', [
        begin(first, 'a'),
        frame(second, 'b'),
      ]),
      refused(`the first fragment of ${kinds[second as 1 | 2]} within ${kinds[first as 1 | 2]}`, '§5.4', [
        begin(first, 'a'),
        more('b'),
        begin(second, 'c'),
      ]),
    ]),
  ),
  // What is wrong in many ways is refused by its first two bytes all the same.
  refused('a frame with everything wrong', '§5.2', [
    frame(3, '', { rsv: 7, fin: false, form: 64, announced: 1n << 63n }),
  ]),
]
