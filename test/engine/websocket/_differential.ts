import assert from 'node:assert/strict'
import { isDeepStrictEqual, TextDecoder } from 'node:util'
import { Chance } from '../http1/_differential.js'
import {
  begin,
  binary,
  close,
  encode,
  frame,
  goodbye,
  last,
  more,
  octets,
  ping,
  pong,
  readFrames,
  text,
  wireOf,
  type Role,
  type Segment,
  type Sent,
} from './_frames.js'
import { receive } from './_receive.js'
import { READ, REFUSED } from './rows/all.js'
import { asCompressed, readByWs, type Theirs } from './_ws.js'

const LIMITS = { maxMessageBytes: 1000, maxFragments: 1_000_000, maxControlFramesPerSecond: Infinity }

/** A stream of bytes, and the end that reads it. */
export interface Input {
  readonly bytes: Uint8Array
  readonly role: Role
  readonly deflates: boolean
}

export interface Ours {
  readonly events: readonly string[]
  readonly ending: string
}

/** The two judge an input in two ways. */
interface Difference {
  readonly input: Input
  readonly ours: Ours
  readonly theirs: Theirs
}

/** Where the two may differ, and the sentence of the standard that says so, in our words. */
interface Explained {
  readonly name: string
  readonly section: string
  readonly why: string
  /** An input on which they differ so. */
  readonly example: Input
  readonly is: (difference: Difference) => boolean
}

const segment = (bytes: Uint8Array): Segment => ({ bytes, nowMs: 0, answered: undefined })
const COMPRESSED = /^compressed (text|binary) ([^]*)$/

export function readByOurs({ role, deflates }: Input, pieces: readonly Uint8Array[]): Ours {
  const { events, ending } = receive(pieces.map(segment), { role, deflates, limits: limitsOf(deflates) })
  return { events: deflates ? events.map(told) : events, ending }
}

/** What is compressed is limited by what it becomes there, and by what came here too. */
const limitsOf = (deflates: boolean): typeof LIMITS =>
  deflates ? { ...LIMITS, maxMessageBytes: Number.MAX_SAFE_INTEGER } : LIMITS

function told(event: string): string {
  const [, kind, bytes] = COMPRESSED.exec(event) ?? []
  return bytes === undefined ? event : `${kind} ${asCompressed(Buffer.from(bytes, 'latin1'))}`
}

/** Of a refusal the number is compared: names are each side's own. */
const judgementOf = (ending: string): string => /\d{4}$/.exec(ending)?.[0] ?? ending

export function differenceOn(input: Input, ours: Ours = readByOurs(input, [input.bytes])): Difference | undefined {
  const theirs = readByWs(input.bytes, input.role, input.deflates, LIMITS.maxMessageBytes)
  const isSame =
    judgementOf(ours.ending) === judgementOf(theirs.ending) && isDeepStrictEqual(ours.events, theirs.events)
  return isSame ? undefined : { input, ours, theirs }
}

export const explanationOf = (difference: Difference): Explained | undefined =>
  EXPLAINED.find(({ is }) => is(difference))

/** Whether what has come of a text that is not compressed cannot be UTF-8, whatever follows. */
function hasBrokenText({ bytes }: Input): boolean {
  let decoder: TextDecoder | undefined
  try {
    for (const { opcode, fin, rsv, payload } of readFrames(bytes, true)) {
      if (opcode === 1 && (rsv & 4) === 0) decoder = new TextDecoder('utf-8', { fatal: true })
      else if (opcode !== 0) continue
      decoder?.decode(payload, { stream: !fin })
      if (fin) decoder = undefined
    }
    return false
  } catch (error) {
    if (error instanceof TypeError) return true
    throw error
  }
}

/** Rewrites the lengths of all frames, as far as they can be followed. */
function withLengths({ bytes, ...rest }: Input, rewrite: (form: 16 | 64, length: bigint) => Uint8Array): Input {
  const source = Buffer.from(bytes)
  const pieces: Uint8Array[] = []
  let from = 0
  while (from + 2 <= source.length) {
    const second = source.readUInt8(from + 1)
    const short = second & 0x7f
    const form = short === 126 ? 16 : 64
    const end = from + (short < 126 ? 2 : short === 126 ? 4 : 10)
    if (end > source.length) break
    const length =
      short < 126
        ? BigInt(short)
        : form === 16
          ? BigInt(source.readUInt16BE(from + 2))
          : source.readBigUInt64BE(from + 2)
    const head = short < 126 ? octets(second) : rewrite(form, length)
    pieces.push(source.subarray(from, from + 1), octets((second & 0x80) | (head[0] ?? 0)), head.subarray(1))
    const next = BigInt(end) + (second >= 0x80 ? 4n : 0n) + length
    const to = next > BigInt(source.length) ? source.length : Number(next)
    pieces.push(source.subarray(end, to))
    from = to
  }
  return { ...rest, bytes: Buffer.concat([...pieces, source.subarray(from)]) }
}

/** What follows the first byte of a frame without a mask, up to its payload. */
const lengthBytes = (announced: bigint, form?: 16 | 64): Uint8Array =>
  encode(frame(2, '', { announced, ...(form === undefined ? {} : { form }) }), 'client').subarray(1)

/** The two agree on an input without what explains the difference, or what is left of it is explained too. */
function agreeOn(input: Input, rest: Input): boolean {
  if (Buffer.compare(input.bytes, rest.bytes) === 0) return false
  const difference = differenceOn(rest)
  return difference === undefined || explanationOf(difference) !== undefined
}

const isControl = (event: string): boolean => /^(?:ping|pong|close) /.test(event)
const TOP_BIT = 1n << 63n
const server = (...frames: readonly Sent[]): Input => ({
  bytes: Buffer.concat(frames.map((each, i) => encode(each, 'server', i))),
  role: 'server',
  deflates: false,
})

export const EXPLAINED: readonly Explained[] = [
  {
    name: 'text that cannot be UTF-8 any more',
    section: 'RFC 6455 §8.1',
    why: 'A text that is found not to be UTF-8 fails the connection: ws looks when the whole message is there, we at each byte.',
    example: server(begin(1, octets(0xff)), ping('p')),
    is: ({ input, ours, theirs }) =>
      ours.ending === 'ERR_WEBSOCKET_UTF8 1007' &&
      hasBrokenText(input) &&
      isDeepStrictEqual(ours.events, theirs.events.slice(0, ours.events.length)) &&
      theirs.events.slice(ours.events.length).every(isControl),
  },
  {
    name: 'lengths that are longer than they need be',
    section: 'RFC 6455 §5.2',
    why: 'The fewest bytes that can hold it must be used for a length: ws reads longer forms.',
    example: server(text('a', { form: 16 })),
    is: ({ input, ours }) =>
      ours.ending === 'ERR_WEBSOCKET_FRAME 1002' &&
      agreeOn(
        input,
        withLengths(input, (_form, length) => lengthBytes(length)),
      ),
  },
  {
    name: 'lengths with the highest bit',
    section: 'RFC 6455 §5.2',
    why: 'The highest bit of a length in 64 bits must be 0: for ws such a message is too long, for us the frame is wrong.',
    example: server(binary('', { announced: TOP_BIT })),
    is: ({ input, ours }) =>
      ours.ending === 'ERR_WEBSOCKET_FRAME 1002' &&
      agreeOn(
        input,
        withLengths(input, (form, length) =>
          length >= TOP_BIT ? lengthBytes(length - TOP_BIT + (1n << 62n)) : lengthBytes(length, form),
        ),
      ),
  },
]

/** Frames that are in order more often than not, so that much is read. */
const FRAMES: readonly Sent[] = [
  ...[
    text('Hello'),
    text('adiós ⚓'),
    text(),
    binary('\0\xff'),
    binary(),
    text('a'.repeat(126)),
    binary('b'.repeat(200)),
  ],
  ...[begin(1, 'Hel'), begin(2, 'ab'), begin(1), more('c'), more(), last('lo'), last(), last('\u00e9')],
  ...[begin(1, octets(0xe2, 0x82)), more(octets(0xac)), last(octets(0xac))],
  ...[ping(), ping('ping'), pong(), pong('pong'), ping('p'.repeat(125))],
  ...[close(), close(goodbye(1000)), close(goodbye(4000, 'so long'))],
  ...[text('z', { rsv: 4 }), begin(1, 'z', { rsv: 4 }), binary('z'.repeat(130), { rsv: 4 })],
]
const ROWS = [...READ, ...READ, ...REFUSED].filter(({ limits }) => limits === undefined)

const rowsOf = (role: Role): readonly (readonly [bytes: Uint8Array, deflates: boolean])[] =>
  ROWS.filter(({ roles }) => roles === undefined || roles.includes(role)).flatMap(({ sent, deflates = false }) => {
    const bytes = Buffer.concat(wireOf(sent, role).segments.map((each) => each.bytes))
    return bytes.length <= 400 ? [[bytes, deflates] as const] : []
  })
const SEEDS = { server: rowsOf('server'), client: rowsOf('client') }
const MARKS = [0, 1, 2, 8, 9, 10, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x88, 0x89, 0xbf, 0xc0, 0xc1, 0xfe, 0xff]

function someFrames(chance: Chance, role: Role): Uint8Array {
  const frames: Uint8Array[] = []
  for (let count = 1 + chance.below(5); count > 0; count -= 1) frames.push(encode(chance.of(FRAMES), role, count))
  return Buffer.concat(frames)
}

/** A row, two that are joined, or frames one behind the other, with up to four changes. */
export function mutated(chance: Chance): Input {
  const role = chance.of(['server', 'client'] as const)
  const kind = chance.below(4)
  const [row, ofRow] = chance.of(SEEDS[role])
  const deflates = kind < 2 ? ofRow : chance.below(4) === 0
  let bytes = kind < 2 ? row : someFrames(chance, role)
  if (kind === 1) bytes = Buffer.concat([someFrames(chance, role), bytes])
  for (let changes = chance.below(5); changes > 0; changes -= 1) bytes = changed(bytes, chance)
  return { bytes, role, deflates }
}

function changed(bytes: Uint8Array, chance: Chance): Uint8Array {
  const place = chance.below(bytes.length + 1)
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
  const count = 1 + chance.below(6)
  switch (chance.below(6)) {
    case 0:
      return Buffer.concat([before, octets(chance.of(MARKS)), after.subarray(1)])
    case 1:
      return Buffer.concat([before, octets((after[0] ?? 0) ^ (1 << chance.below(8))), after.subarray(1)])
    case 2:
      return Buffer.concat([before, after.subarray(count)])
    case 3:
      return Buffer.concat([before, after.subarray(0, count), after])
    case 4:
      return Buffer.concat([before, octets(chance.below(256)), after])
    default:
      return bytes
  }
}

export interface Finding {
  readonly input: Input
  readonly why: string
}

export interface Tally {
  inputs: number
  /** Events that both told, alike. */
  alike: number
  /** Inputs that both refused with the same code. */
  refused: number
  readonly explained: Map<string, number>
  readonly findings: Finding[]
}

/** One input through both, and every eighth through ours in two pieces too. */
export function compare(input: Input, tally: Tally): void {
  const { bytes } = input
  const ours = readByOurs(input, [bytes])
  tally.inputs += 1
  if (tally.inputs % 8 === 0) {
    const place = Math.floor((bytes.length * ((tally.inputs / 8) % 16)) / 16)
    const pieces = [bytes.subarray(0, place), bytes.subarray(place)]
    assert.deepEqual(readByOurs(input, pieces), ours, `cut at ${place}: ${Buffer.from(bytes).toString('hex')}`)
  }
  const difference = differenceOn(input, ours)
  if (difference === undefined) {
    tally.alike += ours.events.length
    if (ours.ending.startsWith('ERR_')) tally.refused += 1
    return
  }
  const explained = explanationOf(difference)
  if (explained !== undefined) tally.explained.set(explained.name, (tally.explained.get(explained.name) ?? 0) + 1)
  else {
    const { theirs } = difference
    tally.findings.push({ input, why: `${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} there` })
  }
}

export function fuzz(inputs: number, seed: number): Tally {
  const chance = new Chance(seed)
  const tally: Tally = { inputs: 0, alike: 0, refused: 0, explained: new Map(), findings: [] }
  const { stackTraceLimit } = Error
  // Two of three inputs are refused, by both: where an error was made takes longer to find out than all the rest.
  Error.stackTraceLimit = 0
  try {
    for (let i = 0; i < inputs; i += 1) compare(mutated(chance), tally)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  return tally
}
