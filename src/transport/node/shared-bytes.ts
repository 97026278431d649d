import { tryLoadNative } from './native.js'

/** Of smaller ones a copy costs less than another call of the system. */
const MIN_SHARED_BYTES = 32 * 1024

const descriptors = new WeakMap<ArrayBufferLike, number>()

/**
 * Memory for bytes that are sent again and again, and never change: where the addon is there, the system sends them from
 * where they are, and copies nothing.
 */
export function sharedBytes(length: number): Uint8Array {
  const made = length < MIN_SHARED_BYTES ? undefined : tryLoadNative()?.sharedBytes(length)
  if (made === undefined) return Buffer.allocUnsafeSlow(length)
  const [memory, descriptor] = made
  descriptors.set(memory, descriptor)
  return Buffer.from(memory)
}

/** The file that holds the same bytes, at the same offset as they have in their memory; it is open while they are held. */
export function descriptorOfShared(bytes: Uint8Array): number | undefined {
  // In this order: asked for its buffer, a small array that lives in the heap is given one.
  return bytes.length < MIN_SHARED_BYTES ? undefined : descriptors.get(bytes.buffer)
}
