/**
 * The same bytes as a `Buffer`. Whatever reads bytes for a program returns one, under every transport and model: a
 * `Buffer` is a `Uint8Array`, and `String(bytes)` of it is its text.
 */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
