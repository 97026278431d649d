import { markAsUntransferable } from 'node:worker_threads'

/** Below this the runtime's own pool for small buffers serves; up to the other, four or more share one piece of memory. */
const MIN_SHARED_BYTES = 4096
const MAX_SHARED_BYTES = 16 * 1024
const PIECE_BYTES = 64 * 1024
let piece = Buffer.alloc(0)
let used = 0

/**
 * Memory that is given away, with whatever stood in it. A buffer for each message of a few KiB costs more than what it is
 * filled with, so some share theirs.
 */
export function freshBytes(length: number): Buffer {
  notePace(length)
  if (length < MIN_SHARED_BYTES) return Buffer.allocUnsafe(length)
  if (length > MAX_SHARED_BYTES) return Buffer.allocUnsafeSlow(length)
  if (used + length > piece.length) {
    piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
    // As with the pool of Node's own: whoever moved it to another thread would take others' bytes along.
    markAsUntransferable(piece.buffer)
    used = 0
  }
  const at = used
  used += (length + 7) & ~7
  return piece.subarray(at, at + length)
}

/** A copy that is given away. */
export function copyBytes(bytes: Uint8Array): Buffer {
  const { length } = bytes
  notePace(length)
  const copy = Buffer.allocUnsafe(length)
  copy.set(bytes)
  return copy
}

/** A young array of 32 KiB for each 64 KiB. */
const PACE_BYTES = 64 * 1024
const PACE_SLOTS = 4096
const pace: { outside: number; young: readonly undefined[] } = { outside: 0, young: [] }

/**
 * Gives the collector something young of half the size of what was taken outside of its heap. V8 looks for dead young
 * objects when the young part of its heap is full, and searches all of the heap when memory outside has grown by some 24 MiB
 * since it last did. Bytes that come and go are nearly all outside: without this each MiB of them costs a third more time
 * in whole searches (messages of 16 KiB: 26 µs each, with it 18; the slowest of a hundred 14 ms, with it 2).
 */
function notePace(length: number): void {
  pace.outside += length
  if (pace.outside < PACE_BYTES) return
  pace.outside = 0
  // oxlint-disable-next-line unicorn/no-new-array -- what is wanted is the memory, empty
  pace.young = new Array<undefined>(PACE_SLOTS)
}
