/** Copies below this come from the runtime's own pool of small buffers, or cost little. */
export const MIN_SLAB_BYTES: number = 8 * 1024
const SLAB_BYTES = 256 * 1024
/** 4 MiB are kept for the next copies of this thread; more are left to the garbage collector. */
const MAX_FREE = 16

const free: Buffer[] = []

/** A buffer that begins with a copy of `bytes`, at most 256 KiB; larger ones are made for it. */
export function takeSlab(bytes: Uint8Array): Buffer {
  const slab =
    bytes.length > SLAB_BYTES
      ? Buffer.allocUnsafeSlow(bytes.length)
      : (free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES))
  slab.set(bytes)
  return slab
}

/** Gives a slab back that nobody reads any more. */
export function giveSlab(slab: Buffer): void {
  if (slab.length === SLAB_BYTES && free.length < MAX_FREE) free.push(slab)
}
