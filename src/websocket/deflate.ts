import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { EMPTY_BYTES } from '../base/bytes.js'
import { errorCodeOf, LimitError, ProtocolError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import type { DeflateParameters, DeflateWishes } from '../engine/websocket/deflate-parameters.js'
import { INVALID_PAYLOAD, TOO_BIG } from '../engine/websocket/close.js'
import { DEFLATE_OPTIONS, type DeflateOptions, type DeflateSettings } from './deflate-options.js'

/** RFC 7692 §7.2.1: what a flush ends with, and a message is sent without. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])
/** An empty block that says it is the last: only behind whole blocks it is read as one. */
const LAST_BLOCK = Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff])
/** How many blocks of a message may say that they are the last (§7.2.3.4 has one): each begins another decompressor. */
const MAX_LAST_BLOCKS = 16
const FULL_BITS = 15
const MAX_OUTPUT = 0x7fff_fff0

/** What is kept for all peers of a server together. */
export class DeflateBudget {
  readonly settings: DeflateSettings
  #kept = 0

  constructor(options: DeflateOptions) {
    this.settings = readOptions('compression', DEFLATE_OPTIONS, options)
  }

  get keptBytes(): number {
    return this.#kept
  }

  /** What is asked for at a handshake: nothing is to be kept when there is no room. */
  get wishes(): DeflateWishes {
    const { contextTakeover, peerContextTakeover, memoryBudgetBytes } = this.settings
    const hasRoom = this.#kept + 2 ** FULL_BITS <= memoryBudgetBytes
    return { ownContextTakeover: contextTakeover && hasRoom, peerContextTakeover: peerContextTakeover && hasRoom }
  }

  /** Whether so many bytes may be kept in place of those; counts them when they may. */
  swap(before: number, after: number): boolean {
    if (after > before && this.#kept - before + after > this.settings.memoryBudgetBytes) return false
    this.force(before, after)
    return true
  }

  force(before: number, after: number): void {
    this.#kept += after - before
  }
}

/**
 * permessage-deflate of one peer (RFC 7692 §7.2), one message at a time: no compressor lives between two messages. What
 * the next may refer to is given to it as a dictionary: the last bytes that went before it, as they are uncompressed.
 */
export class PeerDeflate {
  readonly #budget: DeflateBudget
  readonly #outBits: number
  readonly #inBits: number
  readonly #keepsOut: boolean
  readonly #keepsIn: boolean
  #out: Uint8Array = EMPTY_BYTES
  #in: Uint8Array = EMPTY_BYTES
  #reserved = 0

  constructor(role: 'server' | 'client', parameters: DeflateParameters, budget: DeflateBudget) {
    const isServer = role === 'server'
    this.#budget = budget
    this.#outBits = isServer ? parameters.serverMaxWindowBits : parameters.clientMaxWindowBits
    this.#inBits = isServer ? parameters.clientMaxWindowBits : parameters.serverMaxWindowBits
    this.#keepsOut = !(isServer ? parameters.serverNoContextTakeover : parameters.clientNoContextTakeover)
    this.#keepsIn = !(isServer ? parameters.clientNoContextTakeover : parameters.serverNoContextTakeover)
  }

  /**
   * What the peer may refer to must be kept, however much that will be: all of it is counted from the beginning, so that
   * the budget bounds it.
   */
  reserve(): void {
    if (!this.#keepsIn || this.#reserved > 0) return
    this.#reserved = 2 ** this.#inBits
    this.#budget.force(0, this.#reserved)
  }

  get thresholdBytes(): number {
    return this.#budget.settings.thresholdBytes
  }

  get level(): number {
    return this.#budget.settings.level
  }

  get windowBits(): number {
    return this.#outBits
  }

  deflate(message: Uint8Array): Uint8Array {
    const { level } = this.#budget.settings
    const compressed = deflateMessage(message, level, this.#outBits, this.#out)
    if (this.#keepsOut) this.#out = this.#keep(message)
    return compressed
  }

  /** Something was sent that was compressed for all: what comes next refers to nothing before it. */
  forgetSent(): void {
    this.#budget.force(this.#out.length, 0)
    this.#out = EMPTY_BYTES
  }

  /** @throws LimitError `ERR_WEBSOCKET_MESSAGE_LIMIT`, ProtocolError `ERR_WEBSOCKET_DEFLATE`. */
  inflate(compressed: Uint8Array, maxBytes: number): Uint8Array {
    let message: Uint8Array
    try {
      message = this.#inflateAll(compressed, maxBytes)
    } catch (cause) {
      if (errorCodeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLong(maxBytes)
      if (cause instanceof LimitError) throw cause
      throw new ProtocolError('ERR_WEBSOCKET_DEFLATE', 'Cannot inflate a message', {
        cause,
        details: { closeCode: INVALID_PAYLOAD, section: 'RFC 7692 §7.2.2' },
      })
    }
    if (this.#keepsIn) this.#in = endOf(this.#in, message, 2 ** this.#inBits)
    return message
  }

  /** RFC 7692 §7.2.2. What zlib stops at is not always the end of the message: a block may say that it is the last (§7.2.3.4). */
  #inflateAll(compressed: Uint8Array, maxBytes: number): Uint8Array {
    // Some send nothing for nothing, where §7.2.3.6 has an empty block.
    if (compressed.length === 0) return EMPTY_BYTES
    const input = Buffer.concat([compressed, TAIL, LAST_BLOCK])
    const parts: Uint8Array[] = []
    let [at, length, window] = [0, 0, this.#in]
    for (let lasts = 0; lasts < MAX_LAST_BLOCKS; lasts += 1) {
      const room = Math.max(1, Math.min(maxBytes - length, MAX_OUTPUT))
      const { made, used } = inflateOnce(input.subarray(at), this.#inBits, room, window)
      parts.push(made)
      at += used
      length += made.length
      if (length > maxBytes) throw tooLong(maxBytes)
      if (isEnd(compressed, at)) return parts.length === 1 ? made : Buffer.concat(parts)
      window = endOf(window, made, 2 ** this.#inBits)
    }
    throw new RangeError(`more than ${MAX_LAST_BLOCKS} blocks say that they are the last`)
  }

  /** The end of what was sent before and the message behind it; nothing where the budget has no room for that. */
  #keep(message: Uint8Array): Uint8Array {
    const before = this.#out
    const length = Math.min(2 ** this.#outBits, before.length + message.length)
    if (this.#budget.swap(before.length, length)) return endOf(before, message, length)
    this.#budget.force(before.length, 0)
    return EMPTY_BYTES
  }

  /** The peer is gone. */
  release(): void {
    this.#budget.force(this.#out.length + this.#reserved, 0)
    this.#out = EMPTY_BYTES
    this.#in = EMPTY_BYTES
    this.#reserved = 0
  }
}

/** The last bytes of both, as many as there are up to `size`. */
function endOf(before: Uint8Array, message: Uint8Array, size: number): Uint8Array {
  const length = Math.min(size, before.length + message.length)
  const end = Buffer.allocUnsafeSlow(length)
  const fromMessage = Math.min(length, message.length)
  end.set(message.subarray(message.length - fromMessage), length - fromMessage)
  if (fromMessage < length) end.set(before.subarray(before.length - (length - fromMessage)))
  return end
}

/** Where what is read may end, from the end of what the peer sent: at it, behind the tail of a flush, behind what was added. */
const ENDS: ReadonlySet<number> = new Set([0, TAIL.length, TAIL.length + LAST_BLOCK.length])

/** Whether nothing is left behind what was read, but for the header of the empty block that a message ends with. */
function isEnd(compressed: Uint8Array, at: number): boolean {
  if (at < compressed.length) return at === compressed.length - 1 && compressed[at] === 0
  if (ENDS.has(at - compressed.length)) return true
  throw new RangeError('it ends within a block')
}

/** Up to a block that says it is the last; `used` is where that ends. */
function inflateOnce(
  input: Uint8Array,
  windowBits: number,
  maxOutputLength: number,
  dictionary: Uint8Array,
): { readonly made: Uint8Array; readonly used: number } {
  // Node's types do not have what `info` adds.
  const told: unknown = inflateRawSync(input, {
    windowBits,
    maxOutputLength,
    info: true,
    ...(dictionary.length === 0 ? {} : { dictionary }),
  })
  if (!isTold(told)) throw new TypeError('zlib did not tell what it had read')
  return { made: told.buffer, used: told.engine.bytesWritten }
}

interface Told {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

const isTold = (told: unknown): told is Told =>
  typeof told === 'object' && told !== null && 'buffer' in told && told.buffer instanceof Uint8Array && 'engine' in told

const tooLong = (maxBytes: number): LimitError =>
  new LimitError(
    'ERR_WEBSOCKET_MESSAGE_LIMIT',
    `Cannot read a message: inflated it is over the limit of ${maxBytes} bytes`,
    { details: { closeCode: TOO_BIG, limit: maxBytes } },
  )

/** RFC 7692 §7.2.1, without the four bytes that each message would end with. */
export function deflateMessage(
  message: Uint8Array,
  level: number,
  windowBits: number = FULL_BITS,
  dictionary: Uint8Array = EMPTY_BYTES,
): Uint8Array {
  // An empty message is an empty block without compression (§7.2.3.6).
  if (message.length === 0) return Buffer.from([0x00])
  const compressed = deflateRawSync(message, {
    level,
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary.length === 0 ? {} : { dictionary }),
  })
  return compressed.subarray(0, compressed.length - TAIL.length)
}
