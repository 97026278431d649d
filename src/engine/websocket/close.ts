import { UsageError, type ProtocolError } from '../../base/errors.js'
import { tryFromUtf8, tryToUtf8 } from '../utf8.js'
import { MAX_CONTROL_BYTES } from './frame-header.js'
import { refuse } from './refuse.js'

/** RFC 6455 §7.4.1, and those that were registered behind it. */
export const NORMAL = 1000
export const GOING_AWAY = 1001
export const PROTOCOL_ERROR = 1002
export const UNSUPPORTED = 1003
/** The close frame had no code. Never sent. */
export const NO_STATUS = 1005
/** The connection ended without a close frame. Never sent. */
export const ABNORMAL = 1006
export const INVALID_PAYLOAD = 1007
export const POLICY_VIOLATION = 1008
export const TOO_BIG = 1009
export const MANDATORY_EXTENSION = 1010
export const INTERNAL_ERROR = 1011
export const SERVICE_RESTART = 1012
export const TRY_AGAIN_LATER = 1013
export const BAD_GATEWAY = 1014

/** RFC 6455 §7.4.2: what may stand in a close frame. 1004 to 1006 and 1015 may not, nor what nobody has registered. */
export const isCloseCode = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999))

/** How a peer said goodbye. */
export interface CloseEvent {
  readonly type: 'close'
  /** 1005 when it told none. */
  readonly code: number
  readonly reason: string
}

/** RFC 6455 §5.5.1: of a close frame of one byte. */
export const halfCode = (): ProtocolError => wrongCode('half a code')

const wrongCode = (what: string): ProtocolError =>
  refuse('ERR_WEBSOCKET_CLOSE', `Cannot read a close frame: it has ${what}`, PROTOCOL_ERROR, '§7.4')

/** RFC 6455 §5.5.1. @throws ProtocolError. */
export function readClose(payload: Uint8Array): CloseEvent {
  if (payload.length === 0) return { type: 'close', code: NO_STATUS, reason: '' }
  if (payload.length === 1) throw halfCode()
  const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0)
  if (!isCloseCode(code)) throw wrongCode(`the code ${code}, which may not be sent`)
  const reason = tryFromUtf8(payload.subarray(2))
  if (reason === undefined)
    throw refuse('ERR_WEBSOCKET_UTF8', 'Cannot read a close frame: its reason is not UTF-8', INVALID_PAYLOAD, '§5.5.1')
  return { type: 'close', code, reason }
}

/** The payload of a close frame; nothing for 1005. @throws UsageError `ERR_ARGUMENT`. */
export function closePayload(code: number, reason: string): Uint8Array {
  if (code === NO_STATUS && reason === '') return new Uint8Array(0)
  if (!isCloseCode(code))
    throw new UsageError(
      'ERR_ARGUMENT',
      `Cannot close with code ${code}: expected 1000 to 1014 without 1004, 1005 and 1006, or 3000 to 4999`,
    )
  const text = tryToUtf8(reason)
  if (text === undefined || text.length > MAX_CONTROL_BYTES - 2)
    throw new UsageError('ERR_ARGUMENT', `Cannot close with this reason: expected at most 123 bytes of UTF-8`)
  const payload = new Uint8Array(2 + text.length)
  payload[0] = code >> 8
  payload[1] = code & 0xff
  payload.set(text, 2)
  return payload
}
