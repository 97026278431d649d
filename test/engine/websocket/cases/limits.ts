// Sections 9 and 10: long messages, whole, in frames and in chops, and many short ones.
import { fragmented } from '../_frames.js'
import { asciiOf, bytesOf, message, type Case } from './case.js'

const KIB = 1024
const MIB = 1024 * KIB
const KINDS = [
  { opcode: 1, kind: 'a text', of: asciiOf },
  { opcode: 2, kind: 'bytes', of: bytesOf },
] as const

const LENGTHS = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB]
const FRAGMENTS = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB]
const CHOPS = [64, 128, 256, 512, KIB, 2 * KIB]

/** Made when a case is run, so that a hundred megabytes are not held at once. */
export interface LazyCase {
  readonly id: string
  readonly name: string
  readonly make: () => Case
}

const lazily = (
  prefix: string,
  sizes: readonly number[],
  name: string,
  make: (size: number) => Omit<Case, 'id'>,
): LazyCase[] =>
  sizes.map((size, i) => {
    const id = `${prefix}.${i + 1}`
    return { id, name: `${name} ${size}`, make: () => ({ ...make(size), id }) }
  })

export const LONG: readonly LazyCase[] = [
  ...KINDS.flatMap(({ opcode, kind, of }, i) => [
    ...lazily(`9.${1 + i}`, LENGTHS, `${kind} of`, (length) => message(opcode, of(length), kind)),
    ...lazily(`9.${3 + i}`, FRAGMENTS, `${kind} of 4 MiB in frames of`, (size) => {
      const payload = of(4 * MIB)
      return { name: kind, sent: fragmented(opcode, payload, size), answers: [{ opcode, payload }] }
    }),
    ...lazily(`9.${5 + i}`, CHOPS, `${kind} of 1 MiB in chops of`, (chop) => message(opcode, of(MIB), kind, chop)),
  ]),
  ...lazily('10.1', [1300], 'a text of 64 KiB in frames of', (size) => {
    const payload = asciiOf(64 * KIB)
    return { name: 'a text', sent: fragmented(1, payload, size), answers: [{ opcode: 1, payload }] }
  }),
]

/** A thousand messages, each sent when the one before it has come back. */
export interface Turns {
  readonly id: string
  readonly opcode: 1 | 2
  readonly payload: Uint8Array
  readonly count: number
}

export const TURNS: readonly Turns[] = KINDS.flatMap(({ opcode, of }, i) =>
  [0, 16, 64, 256, KIB, 4 * KIB].map((length, k) => ({
    id: `9.${7 + i}.${k + 1}`,
    opcode,
    payload: of(length),
    count: 1000,
  })),
)
