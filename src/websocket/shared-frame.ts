import { BINARY, FIN, headerLength, RSV1, TEXT, writeHeader } from '../engine/websocket/frame-header.js'
import { deflateMessage } from './deflate.js'

/** A message that goes to many: it is framed once, and compressed once for each size of window that its peers have. */
export class SharedFrame {
  readonly #first: number
  readonly payload: Uint8Array
  /** As servers send it. */
  readonly bytes: Uint8Array
  #compressed: Map<number, Uint8Array> | undefined

  constructor(message: string | Uint8Array) {
    this.#first = FIN | (typeof message === 'string' ? TEXT : BINARY)
    this.payload = typeof message === 'string' ? Buffer.from(message) : message
    this.bytes = frame(this.#first, this.payload)
  }

  get isText(): boolean {
    return this.#first === (FIN | TEXT)
  }

  /** It refers to nothing before it, so each peer can inflate it. */
  compressed(level: number, windowBits: number): Uint8Array {
    this.#compressed ??= new Map()
    let made = this.#compressed.get(windowBits)
    if (made === undefined) {
      made = frame(this.#first | RSV1, deflateMessage(this.payload, level, windowBits))
      this.#compressed.set(windowBits, made)
    }
    return made
  }
}

function frame(first: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerLength(payload.length, false) + payload.length)
  bytes.set(payload, writeHeader(bytes, 0, first, payload.length, undefined))
  return bytes
}
