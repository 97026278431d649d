/** RFC 6455 §5.2: what a frame is. Those from 8 on are control frames. */
export const CONTINUATION = 0x0
export const TEXT = 0x1
export const BINARY = 0x2
export const CLOSE = 0x8
export const PING = 0x9
export const PONG = 0xa

export type DataOpcode = typeof TEXT | typeof BINARY
export type ControlOpcode = typeof CLOSE | typeof PING | typeof PONG
export type Opcode = typeof CONTINUATION | DataOpcode | ControlOpcode

export const FIN = 0x80
/** The message is compressed (RFC 7692 §6). */
export const RSV1 = 0x40
export const MASKED = 0x80

/** RFC 6455 §5.5. */
export const MAX_CONTROL_BYTES = 125

/** Two bytes, eight of the longest length, four of the mask. */
export const MAX_HEADER_BYTES = 14

/** How long the header of a frame of so many bytes is. */
export const headerLength = (length: number, isMasked: boolean): number =>
  2 + (length < 126 ? 0 : length < 65_536 ? 2 : 8) + (isMasked ? 4 : 0)

/**
 * RFC 6455 §5.2: writes the header of a frame at `at`, and returns where its payload goes. `first` is the opcode with FIN
 * and RSV1; `mask` is what a client masks its payload with: its four bytes in the order they are sent.
 */
export function writeHeader(
  target: Uint8Array,
  at: number,
  first: number,
  length: number,
  mask: Uint8Array | undefined,
): number {
  const bit = mask === undefined ? 0 : MASKED
  let end = at
  target[end] = first
  if (length < 126) {
    target[end + 1] = bit | length
    end += 2
  } else if (length < 65_536) {
    target[end + 1] = bit | 126
    target[end + 2] = length >>> 8
    target[end + 3] = length & 0xff
    end += 4
  } else {
    target[end + 1] = bit | 127
    const high = Math.floor(length / 2 ** 32)
    for (let i = 0; i < 4; i += 1) {
      target[end + 2 + i] = (high >>> (24 - 8 * i)) & 0xff
      target[end + 6 + i] = (length >>> (24 - 8 * i)) & 0xff
    }
    end += 10
  }
  if (mask === undefined) return end
  target.set(mask, end)
  return end + 4
}
