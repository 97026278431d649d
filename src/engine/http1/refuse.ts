import { escapeBytes } from '../../base/ascii.js'
import type { LimitCode, ProtocolCode } from '../../base/codes.js'
import { LimitError, ProtocolError } from '../../base/errors.js'

/** The status that a server answers with, and the section of the standard that the peer broke. */
export interface Refusal {
  readonly status: number
  /** `RFC 9112 §5.1`, say. */
  readonly section: string
}

/** Nothing that comes after this can be understood: the connection is of no use. */
export function refuse(code: ProtocolCode, message: string, status: number, section: string): ProtocolError {
  return new ProtocolError(code, message, { details: { status, section } })
}

export function refuseSize(code: LimitCode, what: string, limit: number, refusal: Refusal): LimitError {
  return new LimitError(code, `Cannot read ${what}: it is over the limit of ${limit}`, {
    details: { ...refusal, limit },
  })
}

/** The peer ended in the middle of a message (RFC 9112 §8). */
export function unexpectedEnd(within: string, status: number): ProtocolError {
  return refuse('ERR_UNEXPECTED_END', `Cannot read ${within}: the peer ended in it`, status, 'RFC 9112 §8')
}

/** Bytes of the peer around a place, as they may stand in a message. */
export const shownAt = (bytes: Uint8Array, from: number, to: number): string =>
  escapeBytes(bytes.subarray(from, Math.min(to, from + 65)))

export const shownByte = (byte: number | undefined): string =>
  byte === undefined ? 'the end' : `byte 0x${byte.toString(16).padStart(2, '0')}`
