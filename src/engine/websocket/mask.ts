/** Shorter ones are not worth a view of words. */
const MIN_WORD_BYTES = 64

const quad = new Uint8Array(4)
const quadWord = new Int32Array(quad.buffer)

/**
 * RFC 6455 §5.3: masks or unmasks bytes in place, from `from` to `to`. `phase` says how many bytes of the payload stand
 * before `from`. Returns all the bytes that came out, joined by "or": below 0x80 where each of them is ASCII.
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, mask: Uint8Array, phase: number): number {
  let at = from
  let seen = 0
  let turn = phase & 3
  if (to - from >= MIN_WORD_BYTES) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      const byte = (bytes[at] ?? 0) ^ (mask[turn] ?? 0)
      bytes[at] = byte
      seen |= byte
      at += 1
      turn = (turn + 1) & 3
    }
    for (let i = 0; i < 4; i += 1) quad[i] = mask[(turn + i) & 3] ?? 0
    const key = quadWord[0] ?? 0
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (to - at) >> 2)
    let joined = 0
    for (let i = 0; i < words.length; i += 1) {
      const word = (words[i] ?? 0) ^ key
      words[i] = word
      joined |= word
    }
    at += words.length << 2
    seen |= (joined | (joined >>> 8) | (joined >>> 16) | (joined >>> 24)) & 0xff
  }
  for (; at < to; at += 1) {
    const byte = (bytes[at] ?? 0) ^ (mask[turn] ?? 0)
    bytes[at] = byte
    seen |= byte
    turn = (turn + 1) & 3
  }
  return seen
}

/**
 * Copies bytes from `from` to `to` of `source`, masked or unmasked, to `at` of `target`. `phase` says how many bytes of the
 * payload stand before them. Returns all that came out, joined by "or".
 */
export type MaskCopy = (
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  to: number,
  mask: Uint8Array,
  phase: number,
) => number

/** Works everywhere. */
export const maskCopy: MaskCopy = (target, at, source, from, to, mask, phase) => {
  copyRange(target, at, source, from, to)
  return applyMask(target, at, at + to - from, mask, phase)
}

/** Below this a loop costs less than a view. */
const MIN_VIEW_BYTES = 48

export function copyRange(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): void {
  if (to - from > MIN_VIEW_BYTES)
    target.set(from === 0 && to === source.length ? source : source.subarray(from, to), at)
  else for (let i = from; i < to; i += 1) target[at + i - from] = source[i] ?? 0
}
