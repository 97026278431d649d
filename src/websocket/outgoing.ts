import { deferred, type Deferred } from '../base/deferred.js'
import { UsageError } from '../base/errors.js'
import {
  BINARY,
  FIN,
  headerLength,
  MAX_HEADER_BYTES,
  RSV1,
  TEXT,
  writeHeader,
} from '../engine/websocket/frame-header.js'
import { applyMask } from '../engine/websocket/mask.js'
import type { CloseReport } from '../transport/connection.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import type { MessageCounters } from './counters.js'
import { flushSoon, joinFrames, type Joiner } from './joined.js'
import type { PeerDeflate } from './deflate.js'
import type { PeerSettings } from './options.js'
import { nextMask } from './platform.js'
import { SharedFrame } from './shared-frame.js'

export type Message = string | Uint8Array

/** Whether a message was queued or sent; false when it was dropped, or failed at once. */
export type Sending = Promise<boolean>
export const SENT: Sending = Promise.resolve(true)
export const NOT_SENT: Sending = Promise.resolve(false)

/** Longer payloads are not copied behind their header. */
const MAX_JOINED_BYTES = 8 * 1024
const SCRATCH_BYTES = 64 * 1024
/** More of them are written before their turn is over. */
const MAX_HELD_BYTES = 64 * 1024
/** One for all peers of this thread: what is made in it is written within the same call. */
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
/** Characters of a text that fits there, whatever they are. */
const MAX_SCRATCH_TEXT = (SCRATCH_BYTES - MAX_HEADER_BYTES) / 3
const { utf8Write } = Buffer.prototype

/** What goes to one peer: frames, and the messages that wait while it does not read; see the option `slowReader`. */
export class Outgoing implements Joiner {
  readonly #connection: StreamConnection
  readonly #masks: boolean
  readonly #settings: PeerSettings
  readonly #deflate: PeerDeflate | undefined
  readonly counts: MessageCounters
  readonly #owner: OutgoingOwner
  /** The connection has more than it takes at once: nothing is given to it until it says so. */
  #isPressed = false
  #queue: (Uint8Array | string | SharedFrame)[] | undefined
  #queuedBytes = 0
  #drained: Deferred<boolean> | undefined
  #isOver = false
  /** Bytes of frames that were made. */
  #written = 0
  /** Frames for many that go out when this turn is over, so that those of one turn are one write. */
  #held: Uint8Array[] | undefined
  #heldBytes = 0
  /** Where in those the messages end that the system may not have taken yet. */
  #ends: number[] | undefined
  /** Of the newest ping that was not answered since the connection is pressed. */
  #pong: Uint8Array | undefined

  constructor(
    connection: StreamConnection,
    role: 'server' | 'client',
    settings: PeerSettings,
    { deflate, counts, owner }: OutgoingParts,
  ) {
    this.#connection = connection
    this.#masks = role === 'client'
    this.#settings = settings
    this.#deflate = deflate
    this.counts = counts
    this.#owner = owner
  }

  /** Of messages, queued here or with the connection. */
  get bufferedBytes(): number {
    return this.#queuedBytes + this.#heldBytes + this.#connection.bufferedBytes
  }

  /** Nothing waits for the peer to read. */
  get isClear(): boolean {
    return !this.#isPressed
  }

  /** Bytes that the system has taken so far, as far as can be told. */
  get taken(): number {
    return this.#written - this.#heldBytes - this.#connection.bufferedBytes
  }

  send(message: Uint8Array | string | SharedFrame): Sending {
    if (typeof message !== 'string' && !(message instanceof Uint8Array || message instanceof SharedFrame))
      throw notMessage(message)
    // One that is gone takes what is written without a word: its end is told when this turn is over.
    if (this.#isOver || this.#connection.isEnding) return NOT_SENT
    this.counts.accept()
    if (this.#isPressed) return this.#queueUp(message)
    this.#transmit(message)
    return this.#isPressed && this.#settings.slowReader === 'wait' ? this.#whenDrained() : SENT
  }

  drained(): Promise<boolean> {
    return this.#isPressed ? this.#whenDrained() : SENT
  }

  #whenDrained(): Promise<boolean> {
    this.#drained ??= deferred()
    return this.#drained.promise
  }

  #queueUp(message: Uint8Array | string | SharedFrame): Sending {
    const { slowReader, maxQueuedBytes, maxQueuedMessages } = this.#settings
    this.#queue ??= []
    const queue = this.#queue
    if (slowReader === 'latest' && queue.length > 0) {
      this.counts.drop(queue.length)
      queue.length = 0
      this.#queuedBytes = 0
    }
    const bytes = sizeOf(message)
    if (queue.length > 0 && (queue.length >= maxQueuedMessages || this.#queuedBytes + bytes > maxQueuedBytes)) {
      if (slowReader === 'drop') {
        this.counts.drop(1)
      } else {
        this.counts.fail(1)
        this.#owner.overflowed()
      }
      return NOT_SENT
    }
    queue.push(message)
    this.#queuedBytes += bytes
    return slowReader === 'wait' ? this.#whenDrained() : SENT
  }

  #transmit(message: Uint8Array | string | SharedFrame): void {
    if (message instanceof SharedFrame) this.#writeShared(message)
    else if (typeof message === 'string') this.#writeText(message)
    else this.#writePayload(BINARY, message)
    // Nearly always all of it is gone, or goes with the end of this turn.
    if (this.#ends === undefined) this.#ends = [this.#written]
    else {
      if (this.#ends.length > 32) this.settle()
      if (this.#ends === undefined) this.#ends = [this.#written]
      else this.#ends.push(this.#written)
    }
  }

  #writeText(text: string): void {
    if (this.#deflate !== undefined || text.length > MAX_SCRATCH_TEXT) {
      this.#writePayload(TEXT, Buffer.from(text))
      return
    }
    const length = utf8Write.call(scratch, text, MAX_HEADER_BYTES)
    const mask = this.#masks ? nextMask() : undefined
    const start = MAX_HEADER_BYTES - headerLength(length, this.#masks)
    writeHeader(scratch, start, FIN | TEXT, length, mask)
    const end = MAX_HEADER_BYTES + length
    if (mask !== undefined) applyMask(scratch, MAX_HEADER_BYTES, end, mask, 0)
    this.#write(scratch.subarray(start, end), true)
  }

  #writePayload(opcode: number, payload: Uint8Array): void {
    const deflate = this.#deflate
    if (deflate === undefined || payload.length < deflate.thresholdBytes) this.frame(FIN | opcode, payload)
    else this.frame(FIN | RSV1 | opcode, deflate.deflate(payload))
  }

  #writeShared(shared: SharedFrame): void {
    const deflate = this.#deflate
    if (this.#masks) {
      this.#writePayload(shared.isText ? TEXT : BINARY, shared.payload)
    } else if (deflate === undefined || shared.payload.length < deflate.thresholdBytes) {
      this.#hold(shared.bytes)
    } else {
      deflate.forgetSent()
      this.#hold(shared.compressed(deflate.level, deflate.windowBits))
    }
  }

  #hold(bytes: Uint8Array): void {
    this.#written += bytes.length
    this.#heldBytes += bytes.length
    if (this.#held === undefined) {
      this.#held = [bytes]
      flushSoon(this)
    } else this.#held.push(bytes)
    if (this.#heldBytes > MAX_HELD_BYTES) this.flushHeld()
  }

  flushHeld(): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    this.#heldBytes = 0
    const [first] = held
    const bytes = held.length === 1 && first !== undefined ? first : joinFrames(held)
    if (!this.#connection.writeNow(bytes, bytes.length <= MAX_JOINED_BYTES)) this.#isPressed = true
  }

  /** Any frame, at once: those of messages by way of `send`. */
  frame(first: number, payload: Uint8Array): void {
    this.flushHeld()
    const { length } = payload
    const head = headerLength(length, this.#masks)
    const mask = this.#masks ? nextMask() : undefined
    if (mask === undefined && length > MAX_JOINED_BYTES) {
      writeHeader(scratch, 0, first, length, undefined)
      this.#written += head + length
      if (!this.#connection.writePairNow(scratch.subarray(0, head), payload)) this.#isPressed = true
      return
    }
    const fits = head + length <= SCRATCH_BYTES
    const bytes = fits ? scratch.subarray(0, head + length) : Buffer.allocUnsafe(head + length)
    writeHeader(bytes, 0, first, length, mask)
    bytes.set(payload, head)
    if (mask !== undefined) applyMask(bytes, head, head + length, mask, 0)
    this.#write(bytes, fits)
  }

  #write(bytes: Uint8Array, borrowed: boolean): void {
    this.flushHeld()
    this.#written += bytes.length
    if (!this.#connection.writeNow(bytes, borrowed)) this.#isPressed = true
  }

  /** RFC 6455 §5.5.3: of several pings only the newest need be answered, and a peer that does not read gets one answer. */
  pong(first: number, payload: Uint8Array): void {
    if (this.#isPressed) this.#pong = payload
    else this.frame(first, payload)
  }

  /** The connection has taken what it was given. Returns whether nothing is left here either. */
  drain(pongFirst: number): boolean {
    this.#isPressed = false
    this.settle()
    const pong = this.#pong
    this.#pong = undefined
    if (pong !== undefined) this.frame(pongFirst, pong)
    const queue = this.#queue ?? []
    let sent = 0
    while (!this.#isPressed && sent < queue.length) {
      const message = queue[sent]
      sent += 1
      if (message === undefined) continue
      this.#queuedBytes -= sizeOf(message)
      this.#transmit(message)
    }
    if (sent > 0) queue.splice(0, sent)
    if (this.#isPressed) return false
    this.#queue = undefined
    const drained = this.#drained
    this.#drained = undefined
    drained?.resolve(true)
    return true
  }

  /** Counts what the system has taken. */
  settle(): void {
    const ends = this.#ends
    if (ends === undefined) return
    const { taken } = this
    let count = taken === this.#written ? ends.length : 0
    while (count < ends.length && (ends[count] ?? 0) <= taken) count += 1
    if (count === 0) return
    this.counts.deliver(count)
    if (count === ends.length) this.#ends = undefined
    else ends.splice(0, count)
  }

  /** No message is taken any more; those that are queued fail, unless they are sent before. */
  stop(dropsQueue: boolean): void {
    this.#isOver = true
    if (dropsQueue) this.#failQueue()
  }

  #failQueue(): void {
    this.counts.fail(this.#queue?.length ?? 0)
    this.#queue = undefined
    this.#queuedBytes = 0
    const drained = this.#drained
    this.#drained = undefined
    drained?.resolve(false)
  }

  /** The connection is gone: what it did not take has failed. */
  close({ bytesUnsent }: Pick<CloseReport, 'bytesUnsent'>): void {
    this.#isOver = true
    this.#failQueue()
    const taken = this.#written - this.#heldBytes - bytesUnsent
    this.#held = undefined
    const ends = this.#ends ?? []
    this.#ends = undefined
    let delivered = 0
    for (const end of ends) if (end <= taken) delivered += 1
    this.counts.deliver(delivered)
    this.counts.fail(ends.length - delivered)
    this.#deflate?.release()
  }
}

/** Also for programs that are not checked by types. */
const notMessage = (given: unknown): UsageError =>
  new UsageError(
    'ERR_ARGUMENT',
    `Cannot send a value of type ${typeof given}: expected a string or bytes; an object is sent by JSON.stringify`,
  )

interface OutgoingParts {
  readonly deflate: PeerDeflate | undefined
  readonly counts: MessageCounters
  readonly owner: OutgoingOwner
}

export interface OutgoingOwner {
  /** The queue is full, and the policy is not to drop. */
  overflowed(): void
}

/** A text is counted as three bytes for each character: what it takes when it is sent is not known before. */
function sizeOf(message: Uint8Array | string | SharedFrame): number {
  if (message instanceof SharedFrame) return message.bytes.length
  return typeof message === 'string' ? message.length * 3 : message.length
}
