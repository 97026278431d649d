import { fromLatin1 } from '../../base/ascii.js'
import { ClosedError, type ProtocolError } from '../../base/errors.js'
import { END, NEED_DATA, type End, type NeedData } from '../decoder.js'
import { Received } from '../received.js'
import { tryFromUtf8 } from '../utf8.js'
import {
  closePayload,
  halfCode,
  INVALID_PAYLOAD,
  PROTOCOL_ERROR,
  readClose,
  TOO_BIG,
  type CloseEvent,
} from './close.js'
import { FrameRate } from './frame-rate.js'
import {
  CLOSE,
  CONTINUATION,
  FIN,
  headerLength,
  MASKED,
  MAX_CONTROL_BYTES,
  PING,
  PONG,
  RSV1,
  TEXT,
  writeHeader,
} from './frame-header.js'
import { applyMask, copyRange, maskCopy, type MaskCopy } from './mask.js'
import { MessageBuffer } from './message-buffer.js'
import type { WebSocketLimits } from './options.js'
import { refuse, refuseLimit } from './refuse.js'
import { Utf8Checker } from './utf8-messages.js'

export interface TextEvent {
  readonly type: 'text'
  readonly text: string
}
/** The bytes are yours. */
export interface BinaryEvent {
  readonly type: 'binary'
  readonly bytes: Uint8Array
}
/** A message to be inflated (RFC 7692 §7.2.2): what it is when it is. The bytes are yours. */
export interface CompressedEvent {
  readonly type: 'compressed'
  readonly isText: boolean
  readonly bytes: Uint8Array
}
/** Answer it with a pong of the same bytes, which are yours. */
export interface PingEvent {
  readonly type: 'ping'
  readonly bytes: Uint8Array
}
export interface PongEvent {
  readonly type: 'pong'
  readonly bytes: Uint8Array
}
export type WebSocketEvent =
  | TextEvent
  | BinaryEvent
  | CompressedEvent
  | PingEvent
  | PongEvent
  | CloseEvent
  | NeedData
  | End

/** What the platform can do better than this floor, or what this floor may not do. */
export interface WebSocketPorts {
  /** Text of UTF-8; `undefined` for what is none. `isAscii` where that is known. */
  readonly decodeText: (bytes: Uint8Array, from: number, to: number, isAscii: boolean) => string | undefined
  /** Bytes that need not be zero. */
  readonly allocate: (length: number) => Uint8Array
  readonly maskCopy: MaskCopy
}

/** Works everywhere. */
export const PLAIN_PORTS: WebSocketPorts = {
  decodeText: (bytes, from, to, isAscii) =>
    isAscii ? fromLatin1(bytes.subarray(from, to)) : tryFromUtf8(bytes.subarray(from, to)),
  allocate: (length) => new Uint8Array(length),
  maskCopy,
}

const SCRATCH_BYTES = 64 * 1024
/** For texts, which are gone when they are decoded: within one call. Made when the first comes. */
const shared: { scratch: Uint8Array | undefined } = { scratch: undefined }
const mask = new Uint8Array(4)

/**
 * One end of a WebSocket behind its handshake (RFC 6455), without a socket. Give it what arrives, and take events until it
 * says `need-data` or `end`. What is sent is made by `send` and `close`; it answers nothing by itself: a ping is to be
 * answered with a pong, a close frame with a close frame, an error with a close frame of `details.closeCode`.
 *
 * Bytes given to `receive` are borrowed until `nextEvent` has said `need-data`, or `hold` was called. What a peer may not
 * send is thrown by `nextEvent`, and is final.
 */
export class WebSocketConnection {
  readonly #isServer: boolean
  readonly #limits: WebSocketLimits
  readonly #ports: WebSocketPorts
  /** permessage-deflate was agreed on. */
  readonly #deflates: boolean
  readonly #in: Received = new Received()
  #rate: FrameRate | undefined
  #ended = false
  /** All that came before the end was taken: what is left is no whole frame. */
  #isDone = false
  #failure: { readonly error: unknown } | undefined
  #closeSent = false
  #closeReceived = false

  // Of the message that is read.
  /** 0 between messages. */
  #kind: number = CONTINUATION
  #isCompressed = false
  #fragments = 0
  /** Its bytes joined by "or", as far as they are known: below 0x80 where all of them are ASCII. */
  #seen = 0
  #message: MessageBuffer | undefined
  #utf8: Utf8Checker | undefined

  // Of the frame that is read: only data frames are read in pieces.
  #left = 0
  #isLast = true
  #phase = 0
  #mask: Uint8Array | undefined

  constructor(
    role: 'server' | 'client',
    limits: WebSocketLimits,
    deflates: boolean = false,
    ports: WebSocketPorts = PLAIN_PORTS,
  ) {
    this.#isServer = role === 'server'
    this.#limits = limits
    this.#deflates = deflates
    this.#ports = ports
  }

  /** This side may send nothing any more: it has said goodbye. */
  get hasClosed(): boolean {
    return this.#closeSent
  }

  /** The peer has said goodbye, or ended, or sent what may not be sent: nothing comes any more. */
  get isOver(): boolean {
    return this.#closeReceived || this.#failure !== undefined || this.#isDone
  }

  /** Bytes of a message that is not whole yet. */
  get heldBytes(): number {
    return this.#message?.length ?? 0
  }

  // ---- receiving

  /** @throws UsageError `ERR_STATE` while events of what was received before are not taken. */
  receive(bytes: Uint8Array): void {
    if (this.#failure === undefined && !this.#closeReceived) this.#in.receive(bytes)
  }

  receiveEof(): void {
    this.#ended = true
  }

  /** Copies what was not used, so that the bytes that were received are the caller's again. */
  hold(): void {
    this.#in.hold()
  }

  /** `nowMs` is what the limits by the second are counted with. @throws ProtocolError, LimitError: final. */
  nextEvent(nowMs: number = 0): WebSocketEvent {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#closeReceived) return END
    try {
      const event = this.#next(nowMs)
      if (event !== NEED_DATA) return event
      this.#in.hold()
      if (!this.#ended) return NEED_DATA
      this.#isDone = true
      return END
    } catch (error) {
      this.#failure = { error }
      this.#letGo()
      throw error
    }
  }

  #letGo(): void {
    this.#in.takeRest()
    this.#message = undefined
    this.#utf8 = undefined
    this.#mask = undefined
  }

  #next(nowMs: number): WebSocketEvent {
    for (;;) {
      const event = this.#left > 0 ? this.#readPayload() : this.#readFrame(nowMs)
      if (event !== undefined) return event
    }
  }

  /** RFC 6455 §5.2. `undefined` when a frame was read and no message is whole with it. */
  #readFrame(nowMs: number): WebSocketEvent | undefined {
    const { bytes, at } = this.#in
    const there = bytes.length - at
    if (there < 2) return NEED_DATA
    const first = bytes[at] ?? 0
    const second = bytes[at + 1] ?? 0
    const opcode = first & 0x0f
    this.#checkStart(first, opcode, second)
    const short = second & 0x7f
    const lengthEnd = short < 126 ? 2 : short === 126 ? 4 : 10
    const head = lengthEnd + (this.#isServer ? 4 : 0)
    if (there < lengthEnd) return NEED_DATA
    const length = short < 126 ? short : readLength(bytes, at, lengthEnd)
    const isControl = opcode >= CLOSE
    if (!isControl) this.#checkSize(length)
    if (there < head || (isControl && there < head + length)) return NEED_DATA
    if (opcode !== CLOSE && (isControl || this.#limits.maxFramesPerSecond !== Infinity))
      (this.#rate ??= new FrameRate(this.#limits)).count(isControl, nowMs)
    const payload = at + head
    if (this.#isServer) for (let i = 0; i < 4; i += 1) mask[i] = bytes[payload - 4 + i] ?? 0
    if (isControl) {
      this.#in.at = payload + length
      return this.#control(opcode, this.#copy(bytes, payload, payload + length))
    }
    const isLast = first >= FIN
    if (opcode !== CONTINUATION && isLast && (first & RSV1) === 0 && there >= head + length) {
      this.#in.at = payload + length
      return this.#whole(opcode, bytes, payload, payload + length)
    }
    this.#begin(first, opcode)
    this.#in.at = payload
    this.#left = length
    this.#isLast = isLast
    this.#phase = 0
    if (length > 0 && this.#isServer) (this.#mask ??= new Uint8Array(4)).set(mask)
    return length > 0 ? undefined : this.#endFrame()
  }

  /** What is wrong by the first two bytes of a frame is refused when they are there. */
  #checkStart(first: number, opcode: number, second: number): void {
    const isControl = opcode >= CLOSE
    if ((first & 0x30) !== 0 || ((first & RSV1) !== 0 && (!this.#deflates || isControl || opcode === CONTINUATION)))
      throw wrongFrame('it has a reserved bit that was not agreed on', '§5.2')
    if (opcode > PONG || (opcode > 2 && opcode < CLOSE))
      throw wrongFrame(`its opcode is 0x${opcode.toString(16)}`, '§5.2')
    if (second >= MASKED !== this.#isServer)
      throw wrongFrame(this.#isServer ? 'a client has to mask it' : 'a server may not mask it', '§5.1')
    if (isControl) {
      if (first < FIN) throw wrongFrame('it is a control frame, which cannot be a fragment', '§5.5')
      if ((second & 0x7f) > MAX_CONTROL_BYTES) throw wrongFrame('it is a control frame of more than 125 bytes', '§5.5')
      if (opcode === CLOSE && (second & 0x7f) === 1) throw halfCode()
    } else if ((opcode === CONTINUATION) === (this.#kind === CONTINUATION)) {
      throw wrongFrame(
        opcode === CONTINUATION ? 'it continues no message' : 'it begins a message within another',
        '§5.4',
      )
    }
  }

  #checkSize(length: number): void {
    const { maxMessageBytes, maxFragments } = this.#limits
    if ((this.#message?.length ?? 0) + length > maxMessageBytes)
      throw refuseLimit(
        'ERR_WEBSOCKET_MESSAGE_LIMIT',
        `Cannot read a message: it is over the limit of ${maxMessageBytes} bytes`,
        TOO_BIG,
        maxMessageBytes,
      )
    if (this.#fragments >= maxFragments)
      throw refuseLimit(
        'ERR_WEBSOCKET_FRAGMENT_LIMIT',
        `Cannot read a message: it comes in more than ${maxFragments} frames`,
        TOO_BIG,
        maxFragments,
      )
  }

  /** A message of one frame that is there: nearly all of them. */
  #whole(opcode: number, bytes: Uint8Array, from: number, to: number): WebSocketEvent {
    const isText = opcode === TEXT
    const length = to - from
    if (!isText) return { type: 'binary', bytes: this.#copy(bytes, from, to) }
    if (!this.#isServer) return this.#text(bytes, from, to, false)
    const scratch =
      length <= SCRATCH_BYTES ? (shared.scratch ??= new Uint8Array(SCRATCH_BYTES)) : this.#ports.allocate(length)
    const seen = this.#ports.maskCopy(scratch, 0, bytes, from, to, mask, 0)
    return this.#text(scratch, 0, length, seen < 0x80)
  }

  /** A payload as the caller's. */
  #copy(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const copy = this.#ports.allocate(to - from)
    if (this.#isServer) this.#ports.maskCopy(copy, 0, bytes, from, to, mask, 0)
    else copyRange(copy, 0, bytes, from, to)
    return copy
  }

  #text(bytes: Uint8Array, from: number, to: number, isAscii: boolean): TextEvent {
    const text = this.#ports.decodeText(bytes, from, to, isAscii)
    if (text === undefined) throw notUtf8()
    return { type: 'text', text }
  }

  /** The first frame of a message counts as a fragment of it. */
  #begin(first: number, opcode: number): void {
    this.#fragments += 1
    if (opcode === CONTINUATION) return
    this.#kind = opcode
    this.#seen = 0
    this.#isCompressed = (first & RSV1) !== 0
    this.#message = new MessageBuffer(this.#ports.allocate)
    if (opcode === TEXT && !this.#isCompressed) (this.#utf8 ??= new Utf8Checker()).restart()
  }

  #readPayload(): WebSocketEvent | undefined {
    const { bytes, at } = this.#in
    const count = Math.min(this.#left, bytes.length - at)
    const message = this.#message
    if (count === 0 || message === undefined) return NEED_DATA
    this.#left -= count
    this.#in.at = at + count
    const before = message.length
    const toCome = this.#isLast ? this.#left : Infinity
    const mask = this.#mask
    let seen = 0xff
    if (mask === undefined) message.append(bytes, at, at + count, toCome)
    else {
      const copy = this.#ports.maskCopy
      seen = message.appendMasked(bytes, at, at + count, toCome, { mask, phase: this.#phase, copy })
    }
    this.#phase = (this.#phase + count) & 3
    this.#seen |= seen
    if (this.#kind === TEXT && !this.#isCompressed && (seen >= 0x80 || this.#utf8?.isWhole !== true)) {
      const piece = message.peek(before)
      const wrong = this.#utf8?.check(piece, 0, piece.length) ?? -1
      if (wrong !== -1) throw notUtf8(before + wrong)
    }
    return this.#left > 0 ? undefined : this.#endFrame()
  }

  #endFrame(): WebSocketEvent | undefined {
    if (!this.#isLast) return undefined
    const bytes = this.#message?.take() ?? new Uint8Array(0)
    const kind = this.#kind
    this.#kind = CONTINUATION
    this.#message = undefined
    this.#fragments = 0
    if (this.#isCompressed) return { type: 'compressed', isText: kind === TEXT, bytes }
    if (kind !== TEXT) return { type: 'binary', bytes }
    if (this.#utf8?.isWhole !== true) throw notUtf8()
    return this.#text(bytes, 0, bytes.length, this.#seen < 0x80)
  }

  #control(opcode: number, payload: Uint8Array): WebSocketEvent {
    if (opcode === PING) return { type: 'ping', bytes: payload }
    if (opcode === PONG) return { type: 'pong', bytes: payload }
    const close = readClose(payload)
    this.#closeReceived = true
    this.#letGo()
    return close
  }

  // ---- sending

  /**
   * A frame, whole; `first` is its opcode with FIN (and RSV1 where it is compressed). `mask` is four bytes that nobody can
   * guess, for clients (RFC 6455 §5.3): the payload is not changed.
   * @throws ClosedError `ERR_CLOSED` behind the close frame.
   */
  send(first: number, payload: Uint8Array, mask?: Uint8Array): Uint8Array {
    if (this.#closeSent) throw new ClosedError('ERR_CLOSED', 'Cannot send: this side has closed the WebSocket')
    return encodeFrame(first, payload, mask)
  }

  /** The close frame; behind it nothing is sent. @throws UsageError `ERR_ARGUMENT`; ClosedError when it was sent before. */
  close(code: number, reason: string, mask?: Uint8Array): Uint8Array {
    const frame = this.send(FIN | CLOSE, closePayload(code, reason), mask)
    this.#closeSent = true
    return frame
  }
}

/** RFC 6455 §5.2: a whole frame. */
export function encodeFrame(first: number, payload: Uint8Array, mask?: Uint8Array): Uint8Array {
  const { length } = payload
  const frame = new Uint8Array(headerLength(length, mask !== undefined) + length)
  const at = writeHeader(frame, 0, first, length, mask)
  frame.set(payload, at)
  if (mask !== undefined) applyMask(frame, at, frame.length, mask, 0)
  return frame
}

/** RFC 6455 §5.2: the shortest form, and no more than 63 bits; what cannot be counted exactly is over every limit. */
function readLength(bytes: Uint8Array, at: number, end: number): number {
  if (end === 10 && (bytes[at + 2] ?? 0) >= 0x80) throw wrongFrame('its length has the highest bit', '§5.2')
  let length = 0
  for (let i = 2; i < end; i += 1) length = length * 256 + (bytes[at + i] ?? 0)
  if (length < (end === 4 ? 126 : 65_536)) throw wrongFrame('its length is not in the shortest form', '§5.2')
  return length
}

const wrongFrame = (why: string, section: string): ProtocolError =>
  refuse('ERR_WEBSOCKET_FRAME', `Cannot read a frame: ${why}`, PROTOCOL_ERROR, section)

/** @returns the error of a text that is none. */
export const notUtf8 = (at?: number): ProtocolError =>
  refuse(
    'ERR_WEBSOCKET_UTF8',
    `Cannot read a text message: it is not UTF-8${at === undefined ? '' : ` from byte ${at} on`}`,
    INVALID_PAYLOAD,
    '§8.1',
  )
