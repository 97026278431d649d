// Sections 12 and 13: compressed messages of all lengths and kinds, under each agreement.
import { Chance } from '../../http1/_differential.js'

export interface CompressedCase {
  readonly id: string
  readonly opcode: 1 | 2
  /** Messages are cut out of this, one behind the other: a text by characters. */
  readonly source: Uint8Array | string
  readonly length: number
  /** How many; the suite sends 1000, to measure time. */
  readonly count: number
  /** Of each frame; 0 for one frame. */
  readonly fragment: number
  readonly agreement: Agreement
}

/** What is said in a handshake, and what comes of it. */
export interface Agreement {
  readonly name: string
  /** The offers of the suite's client. */
  readonly offers: string
  /** What this server answers to them. */
  readonly answer: string
  /** What the suite's server answers to this client, which offers the same each time. */
  readonly answered: string
}

const NAME = 'permessage-deflate'
const BOTH = `${NAME}; client_no_context_takeover; client_max_window_bits`
/** The suite's client says what it could do besides what it asks for. */
const offer = (asked: string): string => `${BOTH}${asked}`
/** This server keeps to the first of the offers, and to what it says of the client. */
const answer = (asked: string): string =>
  `${NAME}${asked.includes('server_no') ? '; server_no_context_takeover' : ''}; client_no_context_takeover${/; server_max\w+=\d+/.exec(asked)?.[0] ?? ''}`

const agreement = (name: string, asked: string, demanded: string): Agreement => ({
  name,
  offers: offer(asked),
  answer: answer(asked),
  answered: `${NAME}${demanded}`,
})

const NO_CONTEXT = '; server_no_context_takeover'
const FORGET = '; client_no_context_takeover'
const serverBits = (bits: number): string => `; server_max_window_bits=${bits}`
const clientBits = (bits: number): string => `; client_max_window_bits=${bits}`

const DEFAULT = agreement('nothing is asked for', '', '')
const AGREEMENTS: readonly Agreement[] = [
  DEFAULT,
  agreement('nothing may be kept', NO_CONTEXT, FORGET),
  agreement('a window of 9 bits', serverBits(9), clientBits(9)),
  agreement('a window of 15 bits', serverBits(15), clientBits(15)),
  agreement('nothing may be kept, and 9 bits', NO_CONTEXT + serverBits(9), FORGET + clientBits(9)),
  agreement('nothing may be kept, and 15 bits', NO_CONTEXT + serverBits(15), FORGET + clientBits(15)),
  {
    ...agreement('three offers', NO_CONTEXT + serverBits(9), FORGET + clientBits(9)),
    offers: `${offer(NO_CONTEXT + serverBits(9))}, ${offer(NO_CONTEXT)}, ${offer('')}`,
  },
]

const SIZES: readonly (readonly [length: number, fragment: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map((length) => [length, 0] as const),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((length) => [length, 256] as const),
  ...[1024, 4096, 32_768].map((fragment) => [131_072, fragment] as const),
]
/** Enough for messages to refer to those before them, and for long ones to leave the window. */
const countOf = (length: number): number => Math.min(24, Math.max(3, Math.round(65_536 / length)))

const SOURCE_BYTES = 200_000
const WORDS = ['Lotse', 'Brücke', 'Wind', 'Ölzeug', 'Anker', 'und', 'der', 'die', 'über', 'große Fahrt', 'Möwe']

function made(piece: (chance: Chance, turn: number) => string): string {
  const chance = new Chance(7692)
  let all = ''
  for (let turn = 0; all.length < SOURCE_BYTES; turn += 1) all += piece(chance, turn)
  return all
}

const RECORDS = made(
  (chance, turn) =>
    `{"ship":${turn},"name":"${chance.of(WORDS)} ${chance.below(1000)}","at":[${chance.below(360)},${chance.below(90)}],"laden":${chance.below(2) === 0}},\n`,
)
const PROSE = made((chance, turn) => `${chance.of(WORDS)}${turn % 12 === 11 ? '.\n' : ' '}`)
const PAGE = made(
  (chance, turn) => `<tr class="row-${turn % 4}"><td>${chance.of(WORDS)}</td><td>${chance.below(10_000)}</td></tr>\n`,
)
/** A gradient with steps, as a picture without colours has. */
const PICTURE = Uint8Array.from({ length: SOURCE_BYTES }, (_, i) => ((i % 512) >> 1) ^ ((i >> 9) & 0x3f))
const noise = new Chance(6455)
const NOISE = Uint8Array.from({ length: SOURCE_BYTES }, () => noise.below(256))

const SOURCES = [
  { opcode: 1, source: RECORDS },
  { opcode: 2, source: PICTURE },
  { opcode: 2, source: Buffer.from(PROSE) },
  { opcode: 1, source: PAGE },
  { opcode: 2, source: NOISE },
] as const

const rows = (prefix: string, opcode: 1 | 2, source: Uint8Array | string, agreed: Agreement): CompressedCase[] =>
  SIZES.map(([length, fragment], i) => ({
    id: `${prefix}.${i + 1}`,
    opcode,
    source,
    length,
    fragment,
    count: countOf(length),
    agreement: agreed,
  }))

export const CASES: readonly CompressedCase[] = [
  ...SOURCES.flatMap(({ opcode, source }, i) => rows(`12.${i + 1}`, opcode, source, DEFAULT)),
  ...AGREEMENTS.flatMap((agreed, i) => rows(`13.${i + 1}`, 1, RECORDS, agreed)),
]
