import { fromLatin1 } from '../../base/ascii.js'
import { isSameName, SPAN, HeadFields, type Fields } from '../http/fields.js'
import { bodyLimit, ChunkedReader } from './chunked-reader.js'
import { HeadReader } from './head-reader.js'
import type { BodyLength } from './message-head.js'
import type { Http1Settings } from './options.js'
import { refuse } from './refuse.js'

/** Bytes of a body: borrowed, valid until the engine is called again. */
export interface DataEvent {
  readonly type: 'data'
  readonly bytes: Uint8Array
}

/** The message is whole. */
export interface MessageEnd {
  readonly type: 'message-end'
  /** The fields behind a chunked body. */
  readonly trailers: Fields | undefined
}

export const MESSAGE_END: MessageEnd = Object.freeze({ type: 'message-end', trailers: undefined })

/** Decides how a message is read, so it is no trailer (RFC 9110 §6.5.1). */
const FORBIDDEN = ['transfer-encoding', 'content-length', 'host', 'connection', 'expect', 'te', 'trailer', 'upgrade']

/** Turns a text of bytes into one of characters, one for each. */
export type Latin1 = (bytes: Uint8Array, from: number, to: number) => string

/** Works everywhere. */
export const decodeLatin1: Latin1 = (bytes, from, to) => fromLatin1(bytes.subarray(from, to))

/** Reads one body after the other, in whatever way each is framed (RFC 9112 §6). */
export class BodyReader {
  readonly #settings: Http1Settings
  readonly #latin1: Latin1
  #length: BodyLength = 0
  #maxBytes = 0
  /** Of a body of known length, or of what may come up to the end of the connection. */
  #left = 0
  #chunks: ChunkedReader | undefined
  #trailers: HeadReader | undefined
  /** What was read goes up to here. */
  at: number = 0

  constructor(settings: Http1Settings, latin1: Latin1) {
    this.#settings = settings
    this.#latin1 = latin1
  }

  /** A length over the limit is refused by the first `next`: until then there may be another limit. */
  begin(length: BodyLength): void {
    this.#length = length
    this.#chunks = undefined
    this.#trailers = undefined
    const { maxBodyBytes, maxChunkExtensionBytes } = this.#settings
    this.#maxBytes = maxBodyBytes
    if (typeof length === 'number') this.#left = length
    else if (length === 'chunked') this.#chunks = new ChunkedReader(maxChunkExtensionBytes, maxBodyBytes)
    else this.#left = maxBodyBytes
  }

  /** Another limit for this body, in place of `maxBodyBytes`: for all of it, with what was read. */
  limit(maxBytes: number): void {
    if (this.#length === 'until-end') this.#left += maxBytes - this.#maxBytes
    this.#maxBytes = maxBytes
    this.#chunks?.limit(maxBytes)
  }

  /** Whether the end of the connection is the end of this body too. */
  get endsWithConnection(): boolean {
    return this.#length === 'until-end'
  }

  /** Bytes of it that are to come one behind the other, with nothing in between; 0 where that is not known. */
  get plainLeft(): number {
    return typeof this.#length === 'number' && this.#length <= this.#maxBytes ? this.#left : 0
  }

  /** So many of them were read elsewhere. */
  pass(count: number): void {
    this.#left -= count
  }

  /** `undefined` when more is needed. @throws ProtocolError, LimitError with `details.status`. */
  next(bytes: Uint8Array, from: number, to: number): DataEvent | MessageEnd | undefined {
    this.at = from
    if (this.#chunks === undefined) {
      if (typeof this.#length === 'number') {
        if (this.#length > this.#maxBytes) throw bodyLimit(this.#maxBytes)
        if (this.#left === 0) return MESSAGE_END
      }
      if (from === to) return undefined
      if (this.#left <= 0) throw bodyLimit(this.#maxBytes)
      const end = Math.min(to, from + this.#left)
      this.#left -= end - from
      return this.#data(bytes, from, end)
    }
    if (this.#trailers === undefined) {
      const found = this.#chunks.read(bytes, from, to)
      this.at = this.#chunks.at
      if (found === 'data') return this.#data(bytes, this.#chunks.start, this.#chunks.end)
      if (found === 'more') return undefined
      const { maxTrailerBytes, maxTrailers, maxFieldBytes, maxStartLineBytes } = this.#settings
      const limits = { maxStartLineBytes, maxFieldBytes, maxFieldsBytes: maxTrailerBytes, maxFields: maxTrailers }
      this.#trailers = new HeadReader('trailers', limits)
    }
    return this.#end(this.#trailers, bytes, this.at, to)
  }

  #data(bytes: Uint8Array, from: number, to: number): DataEvent {
    this.at = to
    return { type: 'data', bytes: from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to) }
  }

  #end(reader: HeadReader, bytes: Uint8Array, from: number, to: number): MessageEnd | undefined {
    const end = reader.read(bytes, from, to)
    if (end === -1) return undefined
    this.at = end
    this.#trailers = undefined
    const { spans } = reader
    if (spans.length === 0) return MESSAGE_END
    const text = this.#latin1(bytes, from, end)
    for (let at = 0; at < spans.length; at += SPAN) checkTrailer(text, spans[at] ?? 0, spans[at + 1] ?? 0)
    return { type: 'message-end', trailers: new HeadFields(text, spans) }
  }
}

function checkTrailer(text: string, start: number, end: number): void {
  for (const name of FORBIDDEN) {
    if (name.length === end - start && isSameName(text, start, name))
      throw refuse(
        'ERR_HTTP_TRAILER',
        `Cannot read the trailer ${name}: it belongs before the body`,
        400,
        'RFC 9110 §6.5.1',
      )
  }
}
