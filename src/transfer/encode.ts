import { EMPTY_BYTES } from '../base/bytes.js'
import {
  HEADER_BYTES,
  MAGIC,
  MAX_TEXT_BYTES,
  REASONS,
  SHAPES,
  STATUSES,
  type Message,
  type MessageType,
} from './messages.js'

const encoder = new TextEncoder()

/** The bytes of one message. For `data` only its header: the bytes of the file are written behind it. */
export function encodeMessage(message: Message): Uint8Array {
  switch (message.type) {
    case 'preamble':
      return Uint8Array.of(...encoder.encode(MAGIC), message.version)
    case 'data': {
      const header = new Uint8Array(HEADER_BYTES)
      writeHeader(header, 'data', message.length)
      return header
    }
    case 'challenge':
      return frame('challenge', 0, message.nonce).bytes
    case 'begin': {
      const { bytes, view } = frame('begin', 12, message.proof)
      view.setUint32(0, message.files)
      view.setBigUint64(4, BigInt(message.bytes))
      return bytes
    }
    case 'offer': {
      const { bytes, view } = frame('offer', 24, encoder.encode(message.name))
      view.setUint32(0, message.id)
      view.setUint8(4, message.kind === 'file' ? 0 : 1)
      view.setUint8(5, message.hasDigest ? 1 : 0)
      view.setUint16(6, message.mode)
      view.setBigUint64(8, BigInt(message.size))
      view.setBigInt64(16, message.mtimeNs)
      return bytes
    }
    case 'ask':
      return numbered('ask', message.id, message.length)
    case 'go':
      return numbered('go', message.id, message.offset)
    case 'ack':
      return numbered('ack', message.id, message.offset)
    case 'digest':
    case 'complete': {
      const { bytes, view } = frame(message.type, 4, message.digest)
      view.setUint32(0, message.id)
      return bytes
    }
    case 'result': {
      const { bytes, view } = frame('result', 6, shortText(message.text))
      view.setUint32(0, message.id)
      view.setUint8(4, STATUSES.indexOf(message.status))
      view.setUint8(5, REASONS.indexOf(message.reason))
      return bytes
    }
    case 'abort': {
      const { bytes, view } = frame('abort', 4, shortText(message.text))
      view.setUint32(0, message.id)
      return bytes
    }
    case 'refuse': {
      const { bytes, view } = frame('refuse', 1, shortText(message.text))
      view.setUint8(0, REASONS.indexOf(message.reason))
      return bytes
    }
    case 'alive':
    case 'done':
      return frame(message.type, 0, EMPTY_BYTES).bytes
  }
}

/** Writes the header of a frame to the first five bytes of `target`. */
export function writeHeader(target: Uint8Array, type: Exclude<MessageType, 'preamble'>, length: number): void {
  target[0] = SHAPES[type].code
  new DataView(target.buffer, target.byteOffset).setUint32(1, length)
}

interface Frame {
  readonly bytes: Uint8Array
  /** What follows the header. */
  readonly view: DataView
}

function frame(type: Exclude<MessageType, 'preamble'>, fixedBytes: number, tail: Uint8Array): Frame {
  const bytes = new Uint8Array(HEADER_BYTES + fixedBytes + tail.length)
  writeHeader(bytes, type, fixedBytes + tail.length)
  bytes.set(tail, HEADER_BYTES + fixedBytes)
  return { bytes, view: new DataView(bytes.buffer, HEADER_BYTES) }
}

function numbered(type: 'ask' | 'go' | 'ack', id: number, value: number): Uint8Array {
  const { bytes, view } = frame(type, 12, EMPTY_BYTES)
  view.setUint32(0, id)
  view.setBigUint64(4, BigInt(value))
  return bytes
}

/** Cut between characters. */
function shortText(text: string): Uint8Array {
  const bytes = new Uint8Array(MAX_TEXT_BYTES)
  return bytes.subarray(0, encoder.encodeInto(text, bytes).written)
}
