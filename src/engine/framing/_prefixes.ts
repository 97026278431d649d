import { ProtocolError } from '../../base/errors.js'
import type { ReceiveBuffer } from '../receive-buffer.js'
import { frameTooLong } from './_frame-limit.js'

export type FixedPrefix = 'u8' | 'u16be' | 'u16le' | 'u24be' | 'u24le' | 'u32be' | 'u32le' | 'u64be' | 'u64le'
export type VariablePrefix = 'varint' | 'mqtt'

/**
 * How a length is written: an unsigned number of 8 to 64 bits, big-endian or little-endian; `varint`, seven bits a
 * byte from the lowest up (unsigned LEB128, as in Protocol Buffers); `mqtt`, the same in at most four bytes.
 */
export type LengthPrefix = FixedPrefix | VariablePrefix

export interface PrefixForm {
  /** How many bytes it has, at most where it varies. */
  readonly bytes: number
  readonly littleEndian: boolean
}

/** Eight bytes of seven bits hold 2^56 - 1, more than any length that can be worked with. */
export const PREFIXES: Readonly<Record<LengthPrefix, PrefixForm>> = {
  u8: { bytes: 1, littleEndian: false },
  u16be: { bytes: 2, littleEndian: false },
  u16le: { bytes: 2, littleEndian: true },
  u24be: { bytes: 3, littleEndian: false },
  u24le: { bytes: 3, littleEndian: true },
  u32be: { bytes: 4, littleEndian: false },
  u32le: { bytes: 4, littleEndian: true },
  u64be: { bytes: 8, littleEndian: false },
  u64le: { bytes: 8, littleEndian: true },
  varint: { bytes: 8, littleEndian: true },
  mqtt: { bytes: 4, littleEndian: true },
}

export function isVariable(prefix: LengthPrefix): prefix is VariablePrefix {
  return prefix === 'varint' || prefix === 'mqtt'
}

export function largestInPrefix(prefix: LengthPrefix): number {
  const { bytes } = PREFIXES[prefix]
  return Math.min(2 ** (bytes * (isVariable(prefix) ? 7 : 8)) - 1, Number.MAX_SAFE_INTEGER)
}

/** Exact up to 2^53; a larger one comes out inexact but larger still, which is enough to refuse it. */
export function readFixed(held: ReceiveBuffer, bytes: number, littleEndian: boolean): number {
  let value = 0
  for (let i = 0; i < bytes; i += 1) value = value * 256 + held.at(littleEndian ? bytes - 1 - i : i)
  return value
}

/** The value and how many bytes it took; `undefined` when it is incomplete and may still be right. */
export function readVariable(
  held: ReceiveBuffer,
  maxBytes: number,
  limit: number,
): { readonly value: number; readonly bytes: number } | undefined {
  let value = 0
  for (let i = 0; i < maxBytes; i += 1) {
    const byte = held.at(i)
    if (byte === -1) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (value > limit) throw frameTooLong(limit, `at least ${value} bytes`)
    if (byte < 0x80) {
      if (byte !== 0 || i === 0) return { value, bytes: i + 1 }
      throw new ProtocolError('ERR_LENGTH_PREFIX', `Cannot read length prefix: ${value} takes ${i + 1} bytes, too many`)
    }
  }
  throw new ProtocolError('ERR_LENGTH_PREFIX', `Cannot read length prefix: it goes on after ${maxBytes} bytes`)
}

export function writePrefix(prefix: LengthPrefix, value: number): Uint8Array {
  const { bytes, littleEndian } = PREFIXES[prefix]
  if (isVariable(prefix)) return writeVariable(value)
  const written = new Uint8Array(bytes)
  let left = value
  for (let i = 0; i < bytes; i += 1) {
    written[littleEndian ? i : bytes - 1 - i] = left % 256
    left = Math.floor(left / 256)
  }
  return written
}

function writeVariable(value: number): Uint8Array {
  const written: number[] = []
  let left = value
  while (left >= 0x80) {
    written.push((left % 0x80) + 0x80)
    left = Math.floor(left / 0x80)
  }
  written.push(left)
  return Uint8Array.from(written)
}
