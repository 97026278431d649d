import { isUtf8 } from 'node:buffer'
import { createHash, randomFillSync } from 'node:crypto'
import type { WebSocketPorts } from '../engine/websocket/connection.js'
import { maskCopy, type MaskCopy } from '../engine/websocket/mask.js'
import { freshBytes } from '../transport/fresh-bytes.js'
import { tryLoadNative } from '../transport/node/native.js'

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
  allocate: freshBytes,
  maskCopy: (target, at, source, from, to, mask, phase) =>
    to - from < MIN_NATIVE_BYTES
      ? maskCopy(target, at, source, from, to, mask, phase)
      : (longCopy ??= chooseCopy())(target, at, source, from, to, mask, phase),
}

let longCopy: MaskCopy | undefined

/** Asked once: whether there is an addon stands in the environment, which is slow to read. */
function chooseCopy(): MaskCopy {
  return tryLoadNative()?.maskCopy ?? maskCopy
}

/** Below this the call costs more than it saves. */
const MIN_NATIVE_BYTES = 512

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
