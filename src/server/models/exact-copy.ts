/**
 * A copy with a memory of its own. What is posted to another thread takes the whole memory below it along, which for a
 * `Buffer` is often a pool that other bytes are in; and `slice` of a `Buffer` copies nothing.
 */
export function exactCopy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
