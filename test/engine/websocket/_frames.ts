// Frames as peers send them, right ones and wrong ones, written and read without the engine that is tested.
import assert from 'node:assert/strict'

/** Of the end that reads. */
export type Role = 'server' | 'client'
export const ROLES: readonly Role[] = ['server', 'client']

export interface Sent {
  readonly opcode: number
  readonly payload: Uint8Array
  readonly fin: boolean
  /** The three reserved bits: 4 is RSV1, 2 RSV2, 1 RSV3. */
  readonly rsv: number
  /** In how many bits its length is written. Default: the fewest. */
  readonly form: 7 | 16 | 64 | undefined
  /** What its header says, where that is not the length of the payload. */
  readonly announced: bigint | undefined
  /** Default: as the reader's role wants it. */
  readonly masked: boolean | undefined
}

/** What is sent behind this comes at that time. */
export interface At {
  readonly atMs: number
}

/** When all before this was sent, but for the last `before` bytes, so many answers have come. */
export interface Stop {
  readonly answered: number
  readonly before: number
}

export type Item = Sent | At | Stop

/** A string stands for its characters as bytes, or for its UTF-8 where it is a text message. */
export type Payload = string | Uint8Array

export const octets = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes)
export const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

export function frame(opcode: number, payload: Payload = '', more: Partial<Sent> = {}): Sent {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, opcode === 1 ? 'utf8' : 'latin1') : payload
  const wrong = { form: undefined, announced: undefined, masked: undefined }
  return { opcode, payload: bytes, fin: true, rsv: 0, ...wrong, ...more }
}

export const text = (payload?: Payload, more?: Partial<Sent>): Sent => frame(1, payload, more)
export const binary = (payload?: Payload, more?: Partial<Sent>): Sent => frame(2, payload, more)
export const close = (payload?: Payload): Sent => frame(8, payload)
export const ping = (payload?: Payload): Sent => frame(9, payload)
export const pong = (payload?: Payload): Sent => frame(10, payload)
/** The first frame of several. */
export const begin = (opcode: number, payload?: Payload, more: Partial<Sent> = {}): Sent =>
  frame(opcode, opcode === 1 && typeof payload === 'string' ? Buffer.from(payload) : payload, { fin: false, ...more })
export const more = (payload?: Payload): Sent => frame(0, payload, { fin: false })
export const last = (payload?: Payload): Sent => frame(0, payload)
export const at = (atMs: number): At => ({ atMs })
export const stop = (answered: number, before: number = 0): Stop => ({ answered, before })

/** The payload of a close frame. */
export const goodbye = (code: number, reason: Payload = ''): Uint8Array =>
  Buffer.concat([octets(code >> 8, code & 0xff), typeof reason === 'string' ? Buffer.from(reason) : reason])

/** A message in frames of so many bytes. */
export function fragmented(opcode: number, payload: Uint8Array, size: number, rsv: number = 0): Sent[] {
  const count = Math.max(1, Math.ceil(payload.length / size))
  return Array.from({ length: count }, (_, i) => {
    const piece = payload.subarray(i * size, (i + 1) * size)
    return frame(i === 0 ? opcode : 0, piece, { fin: i === count - 1, rsv: i === 0 ? rsv : 0 })
  })
}

/** One of each kind: with bits everywhere, with zeros, with none. */
const MASKS: readonly Uint8Array[] = [
  octets(0x37, 0xfa, 0x21, 0x3d),
  octets(0x00, 0x00, 0x80, 0x01),
  octets(0x00, 0x00, 0x00, 0x00),
  octets(0xff, 0xc3, 0xff, 0x81),
]

const fewest = (length: bigint): 7 | 16 | 64 => (length < 126n ? 7 : length < 65_536n ? 16 : 64)

/** RFC 6455 §5.2, of whatever is asked for. `turn` chooses the mask. */
export function encode(sent: Sent, reader: Role, turn: number = 0): Uint8Array {
  const { opcode, payload, fin, rsv, announced = BigInt(payload.length), masked = reader === 'server' } = sent
  const { form = fewest(announced) } = sent
  const bit = masked ? 0x80 : 0
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = bit | (form === 7 ? Number(announced) : form === 16 ? 126 : 127)
  if (form === 16) head.writeUInt16BE(Number(announced), 2)
  if (form === 64) head.writeBigUInt64BE(announced, 2)
  if (!masked) return Buffer.concat([head, payload])
  const mask = MASKS[turn % MASKS.length] ?? assert.fail()
  return Buffer.concat([head, mask, maskedCopy(payload, mask)])
}

/** RFC 6455 §5.3. */
function maskedCopy(payload: Uint8Array, mask: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(payload)
  const words = new Uint32Array(copy.buffer, 0, copy.length >> 2)
  const key = new Uint32Array(Uint8Array.from(mask).buffer)[0] ?? 0
  for (let i = 0; i < words.length; i += 1) words[i] = (words[i] ?? 0) ^ key
  for (let i = words.length * 4; i < copy.length; i += 1) copy[i] = (copy[i] ?? 0) ^ (mask[i & 3] ?? 0)
  return copy
}

/** Bytes that are sent in one go, and what is known when they are. */
export interface Segment {
  readonly bytes: Uint8Array
  readonly nowMs: number
  /** How many answers have come when they were read. */
  readonly answered: number | undefined
}

export interface Wire {
  readonly segments: readonly Segment[]
  readonly length: number
  /** Where each frame begins. */
  readonly starts: readonly number[]
}

export function wireOf(items: readonly Item[], reader: Role): Wire {
  const segments: Segment[] = []
  const starts: number[] = []
  let [nowMs, length, frames] = [0, 0, 0]
  let pieces: Uint8Array[] = []
  const cut = (before: number, answered: number | undefined): void => {
    const bytes = Buffer.concat(pieces)
    const end = bytes.length - before
    if (end > 0 || answered !== undefined) segments.push({ bytes: bytes.subarray(0, end), nowMs, answered })
    pieces = before > 0 ? [bytes.subarray(end)] : []
  }
  for (const item of items) {
    if ('atMs' in item) {
      cut(0, undefined)
      nowMs = item.atMs
    } else if ('answered' in item) cut(item.before, item.answered)
    else {
      const bytes = encode(item, reader, frames)
      starts.push(length)
      pieces.push(bytes)
      length += bytes.length
      frames += 1
    }
  }
  cut(0, undefined)
  return { segments, length, starts }
}

/** Cuts a wire at places, counted from its beginning, in ascending order; between two segments it is cut in any case. */
export function cutWire({ segments }: Wire, places: readonly number[]): Segment[] {
  const pieces: Segment[] = []
  let [start, next] = [0, 0]
  for (const { bytes, nowMs, answered } of segments) {
    let from = 0
    for (; (places[next] ?? Infinity) < start + bytes.length; next += 1) {
      const to = (places[next] ?? 0) - start
      if (to > from) pieces.push({ bytes: bytes.subarray(from, to), nowMs, answered: undefined })
      from = Math.max(from, to)
    }
    pieces.push({ bytes: bytes.subarray(from), nowMs, answered })
    start += bytes.length
  }
  return pieces
}

/** A frame that was read, unmasked. */
export interface ReadFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly rsv: number
  readonly masked: boolean
  readonly payload: Uint8Array
}

/**
 * The frames of bytes that are whole frames in order. With `isCutShort`, as far as they can be followed: a last one that is
 * not whole is told as one that goes on.
 */
export function readFrames(bytes: Uint8Array, isCutShort: boolean = false): ReadFrame[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const frames: ReadFrame[] = []
  for (let from = 0; from < view.length;) {
    if (isCutShort && from + 2 > view.length) break
    const [first, second] = [view.readUInt8(from), view.readUInt8(from + 1)]
    const masked = second >= 0x80
    const form = second & 0x7f
    const lengthEnd = from + (form < 126 ? 2 : form === 126 ? 4 : 10)
    const start = lengthEnd + (masked ? 4 : 0)
    if (isCutShort && start > view.length) break
    let length = form
    if (form === 126) length = view.readUInt16BE(from + 2)
    if (form === 127) length = Number(view.readBigUInt64BE(from + 2))
    const end = Math.min(start + length, view.length)
    if (!isCutShort) {
      assert.equal(form < 126 ? 7 : form === 126 ? 16 : 64, fewest(BigInt(length)), 'a length in the shortest form')
      assert.equal(end, start + length, 'a whole frame')
    }
    const payload = view.subarray(start, end)
    frames.push({
      opcode: first & 15,
      fin: first >= 0x80 && end === start + length,
      rsv: (first >> 4) & 7,
      masked,
      payload: masked ? maskedCopy(payload, view.subarray(lengthEnd, start)) : payload,
    })
    from = end
  }
  return frames
}
