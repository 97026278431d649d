// Cases by the numbers that the Autobahn test suite gives them. What is sent is made here; the behaviour is the suite's.
import { binary, close, frame, goodbye, text, type Item, type Payload, type Sent } from '../_frames.js'

/** An answer of the end that echoes. */
export interface Answer {
  readonly opcode: number
  readonly payload: Uint8Array
}

export interface Case {
  /** The suite's number: `1.1.1`. */
  readonly id: string
  /** What is sent. */
  readonly name: string
  readonly sent: readonly Item[]
  /** The pieces that it is sent in; `frame` for one each. Default: all in one. */
  readonly chop?: number | 'frame'
  /** What is answered before the end. */
  readonly answers: readonly Answer[]
  /** The codes that may be closed with: the first is ours. Default: 1000, said by the suite first. */
  readonly ends?: readonly number[]
  /** The error of what is refused. */
  readonly refused?: string
}

export const FRAME = { ends: [1002], refused: 'ERR_WEBSOCKET_FRAME' } as const
export const CLOSE = { ends: [1002], refused: 'ERR_WEBSOCKET_CLOSE' } as const
export const UTF8 = { ends: [1007], refused: 'ERR_WEBSOCKET_UTF8' } as const

const answerOf = ({ opcode, payload }: Sent): Answer => ({ opcode, payload })
export const echoed = {
  text: (payload: Payload): Answer => answerOf(text(payload)),
  binary: (payload: Payload): Answer => answerOf(binary(payload)),
  pong: (payload: Payload = ''): Answer => answerOf(frame(10, payload)),
}

/** The same as a row of several: `numbered('1.1', […])` makes 1.1.1, 1.1.2 and so on. */
export const numbered = (prefix: string, cases: readonly Omit<Case, 'id'>[]): Case[] =>
  cases.map((row, i) => ({ ...row, id: `${prefix}.${i + 1}` }))

/** A message that comes back. */
export function message(opcode: 1 | 2, payload: Payload, name: string, chop?: Case['chop']): Omit<Case, 'id'> {
  const sent = frame(opcode, payload)
  return { name, sent: [sent], answers: [answerOf(sent)], ...(chop === undefined ? {} : { chop }) }
}

export const GREETING = 'Ahoy, harbour!'
export const BYTES: Uint8Array = Uint8Array.of(0x00, 0xff, 0xfe, 0x80, 0x81, 0xc0, 0x7f, 0x00)

export const leave = (code: number = 1000, reason: Payload = ''): Sent => close(goodbye(code, reason))

/** So many bytes of something that is ASCII, and not the same everywhere. */
export function asciiOf(length: number): Uint8Array {
  const bytes = Buffer.alloc(length, 'bow, stern and keel; ')
  for (let i = 1000; i < length; i += 1000) bytes[i] = 0x30 + ((i / 1000) % 10)
  return bytes
}

/** So many bytes that are no text. */
export function bytesOf(length: number): Uint8Array {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i += 1) bytes[i] = 0x80 | ((i * 7 + (i >> 9)) & 0x7f)
  return bytes
}
