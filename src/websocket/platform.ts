import { isUtf8 } from 'node:buffer'
import { createHash, randomFillSync } from 'node:crypto'
import type { WebSocketPorts } from '../engine/websocket/connection.js'

const { latin1Slice, utf8Slice } = Buffer.prototype
/** Looking through a short text costs less than the call that does it faster. */
const MAX_LOOKED_AT = 32

/** What Node does better than the engine floor can. */
export const NODE_PORTS: WebSocketPorts = {
  decodeText(bytes, from, to, isAscii) {
    if (isAscii || isShortAscii(bytes, from, to)) return latin1Slice.call(bytes, from, to)
    return isUtf8(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))
      ? utf8Slice.call(bytes, from, to)
      : undefined
  },
  allocate: (length) => Buffer.allocUnsafe(length),
}

function isShortAscii(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > MAX_LOOKED_AT) return false
  for (let at = from; at < to; at += 1) if ((bytes[at] ?? 0) >= 0x80) return false
  return true
}

export const sha1Base64 = (text: string): string => createHash('sha1').update(text).digest('base64')

const MASKS = Buffer.allocUnsafeSlow(4096)
let usedMasks = MASKS.length

/** RFC 6455 §5.3: four bytes that nobody can guess; borrowed until the next call. */
export function nextMask(): Uint8Array {
  if (usedMasks === MASKS.length) {
    randomFillSync(MASKS)
    usedMasks = 0
  }
  usedMasks += 4
  return MASKS.subarray(usedMasks - 4, usedMasks)
}

export const randomNonce = (): Uint8Array => randomFillSync(new Uint8Array(16))
