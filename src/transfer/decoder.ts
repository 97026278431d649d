import { ProtocolError } from '../base/errors.js'
import { BufferedDecoder } from '../engine/decoder.js'
import { DIGEST_BYTES, HEADER_BYTES, MAGIC, REASONS, SHAPES, STATUSES, VERSION, type Message } from './messages.js'

const MAGIC_BYTES: Uint8Array = new TextEncoder().encode(MAGIC)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type FrameType = keyof typeof SHAPES
const TYPES: ReadonlyMap<number, FrameType> = new Map(frameTypes().map((type) => [SHAPES[type].code, type]))

function frameTypes(): FrameType[] {
  const types: FrameType[] = []
  let type: FrameType
  for (type in SHAPES) types.push(type)
  return types
}

const refuse = (message: string): ProtocolError => new ProtocolError('ERR_TRANSFER', message)

/**
 * Turns what one end of a transfer sends into messages; the first is the preamble. Lengths are checked before anything
 * of a message is held, so at most 4 KiB are. After a `data` message its bytes follow: get them by `takeRest` and from
 * the connection, then feed what comes behind them.
 *
 * `nextEvent` throws ProtocolError `ERR_TRANSFER`, or `ERR_UNEXPECTED_END` when the peer ends within a message.
 */
export class TransferDecoder extends BufferedDecoder<Message> {
  #began = false

  protected override decode(): Message | undefined {
    if (!this.#began) return this.#decodePreamble()
    if (this.held.length === 0) return undefined
    const type = TYPES.get(this.held.at(0))
    if (type === undefined) throw refuse(`Cannot read the transfer: there is no message type ${this.held.at(0)}`)
    if (this.held.length < HEADER_BYTES) return undefined
    const length = viewOf(this.held.peek(1, HEADER_BYTES)).getUint32(0)
    const { minBytes, maxBytes } = SHAPES[type]
    if (length < minBytes || length > maxBytes) {
      throw refuse(
        `Cannot read the transfer: a message "${type}" has ${length} bytes; ${minBytes} to ${maxBytes} are right`,
      )
    }
    if (type === 'data') {
      this.held.drop(HEADER_BYTES)
      return { type: 'data', length }
    }
    const end = HEADER_BYTES + length
    if (this.held.length < end) return undefined
    return decodeBody(type, this.held.take(HEADER_BYTES, end, end))
  }

  #decodePreamble(): Message | undefined {
    if (!this.held.agreesWith(MAGIC_BYTES))
      throw refuse('Cannot read the transfer: the other end does not speak the transfer protocol of moorage')
    if (this.held.length <= MAGIC_BYTES.length) return undefined
    const version = this.held.at(MAGIC_BYTES.length)
    if (version !== VERSION) {
      throw refuse(`Cannot read the transfer: the other end speaks version ${version}, this one ${VERSION}`)
    }
    this.held.drop(MAGIC_BYTES.length + 1)
    this.#began = true
    return { type: 'preamble', version }
  }

  protected override decodeLast(): never {
    throw new ProtocolError('ERR_UNEXPECTED_END', 'Cannot read the transfer: the other end ended within a message')
  }

  /** The preamble does not come again. */
  protected override restart(): void {}
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** The length was checked against the shape. */
function decodeBody(known: Exclude<FrameType, 'data'>, body: Uint8Array): Message {
  const view = viewOf(body)
  switch (known) {
    case 'challenge':
      return { type: known, nonce: body }
    case 'begin':
      return { type: known, files: view.getUint32(0), bytes: safe(view.getBigUint64(4)), proof: digestIn(body, 12) }
    case 'offer': {
      const kind = view.getUint8(4)
      const flags = view.getUint8(5)
      if (kind > 1 || flags > 1)
        throw refuse(`Cannot read the transfer: there is no kind of file ${kind} with flags ${flags}`)
      return {
        type: known,
        id: view.getUint32(0),
        kind: kind === 0 ? 'file' : 'folder',
        hasDigest: flags === 1,
        mode: view.getUint16(6),
        size: safe(view.getBigUint64(8)),
        mtimeNs: view.getBigInt64(16),
        name: nameIn(body.subarray(24)),
      }
    }
    case 'ask':
      return { type: known, id: view.getUint32(0), length: safe(view.getBigUint64(4)) }
    case 'go':
    case 'ack':
      return { type: known, id: view.getUint32(0), offset: safe(view.getBigUint64(4)) }
    case 'digest':
    case 'complete':
      return { type: known, id: view.getUint32(0), digest: digestIn(body, 4) }
    case 'result':
      return {
        type: known,
        id: view.getUint32(0),
        status: entryOf(STATUSES, view.getUint8(4)),
        reason: entryOf(REASONS, view.getUint8(5)),
        text: textIn(body.subarray(6)),
      }
    case 'abort':
      return { type: known, id: view.getUint32(0), text: textIn(body.subarray(4)) }
    case 'refuse':
      return { type: known, reason: entryOf(REASONS, view.getUint8(0)), text: textIn(body.subarray(1)) }
    case 'alive':
    case 'done':
      return { type: known }
  }
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(`Cannot read the transfer: ${value} is no size of a file`)
  return Number(value)
}

function digestIn(body: Uint8Array, from: number): Uint8Array {
  const digest = body.subarray(from)
  if (digest.length !== 0 && digest.length !== DIGEST_BYTES)
    throw refuse(`Cannot read the transfer: a digest has ${digest.length} bytes`)
  return digest
}

function entryOf<T>(entries: readonly T[], index: number): T {
  const entry = entries[index]
  if (entry === undefined) throw refuse(`Cannot read the transfer: there is no status or reason ${index}`)
  return entry
}

/** A name must be text; whether it can be stored is for the receiver to say. */
function nameIn(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new ProtocolError('ERR_TRANSFER_NAME', 'Cannot take a file: its name is not UTF-8', { cause })
  }
}

/** Words of the peer, for people: nothing in them can steer a terminal. */
function textIn(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
}
