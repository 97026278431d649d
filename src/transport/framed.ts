import { EMPTY_BYTES } from '../base/bytes.js'
import { BusyError, ProtocolError } from '../base/errors.js'
import type { Decoder } from '../engine/decoder.js'
import { DelimiterDecoder, type DelimitedEvent } from '../engine/framing/delimiter.js'
import {
  LengthPrefixDecoder,
  type FrameEvent,
  type FrameOptions,
  type LengthPrefix,
} from '../engine/framing/length-prefix.js'
import { LineDecoder, type LineEvent, type LineOptions } from '../engine/framing/lines.js'

import { asBuffer } from './as-buffer.js'

export type { FrameOptions, LengthPrefix, LineOptions }

const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })

/** Where a `FramedReader` gets bytes; `null` at the end. */
export type ByteSource = () => Promise<Uint8Array | null>

/**
 * Runs the framing engines over a source of bytes. It keeps one decoder, with what was read too far in it, as long as
 * the same framing is asked for; `takeRest` gives those bytes back when another way of reading follows.
 */
export class FramedReader {
  readonly #source: ByteSource
  #decoder: Decoder<LineEvent | DelimitedEvent | FrameEvent> | undefined
  #key = ''
  /** A line or frame is being read. */
  isReading: boolean = false

  constructor(source: ByteSource) {
    this.#source = source
  }

  /** Bytes of a line or frame that has begun. */
  get heldBytes(): number {
    return this.#decoder?.heldBytes ?? 0
  }

  takeRest(): Uint8Array {
    const rest = this.#decoder?.takeRest() ?? EMPTY_BYTES
    this.#decoder = undefined
    return rest
  }

  lines(options?: LineOptions): AsyncIterableIterator<string> {
    const decoder = this.#lineDecoder(options)
    return iterate(async () => {
      const event = await this.#next(decoder)
      return event === undefined ? END : { done: false, value: toText(event.bytes) }
    })
  }

  async readLine(options?: LineOptions): Promise<string | null> {
    const event = await this.#next(this.#lineDecoder(options))
    return event === undefined ? null : toText(event.bytes)
  }

  async readUntil(delimiter: Uint8Array, options?: FrameOptions): Promise<Uint8Array> {
    const key = `delimiter ${Buffer.from(delimiter).toString('latin1')} ${options?.maxFrameBytes}`
    const decoder = this.#use(key, () => new DelimiterDecoder(delimiter, { ...options, keepDelimiter: true }))
    const event = await this.#next(decoder)
    if (event !== undefined && 'complete' in event && event.complete) return asBuffer(event.bytes)
    throw new ProtocolError(
      'ERR_UNEXPECTED_END',
      `Cannot read up to the delimiter: the peer ended after ${event?.bytes.length ?? 0} bytes without it`,
    )
  }

  frames(prefix: LengthPrefix, options?: FrameOptions): AsyncIterableIterator<Uint8Array> {
    const decoder = this.#use(
      `prefix ${prefix} ${JSON.stringify(options)}`,
      () => new LengthPrefixDecoder(prefix, options),
    )
    return iterate(async () => {
      const event = await this.#next(decoder)
      return event === undefined ? END : { done: false, value: asBuffer(event.bytes) }
    })
  }

  /** Lines keep their ending unless `keepEnd: false` says otherwise, as in Python: what is read can be written back. */
  #lineDecoder(options: LineOptions | undefined): Decoder<LineEvent | DelimitedEvent | FrameEvent> {
    const key = options === undefined ? 'line' : `line ${JSON.stringify(options)}`
    return this.#use(key, () => new LineDecoder({ keepEnd: true, ...options }))
  }

  #use(
    key: string,
    make: () => Decoder<LineEvent | DelimitedEvent | FrameEvent>,
  ): Decoder<LineEvent | DelimitedEvent | FrameEvent> {
    if (this.#decoder !== undefined && this.#key === key) return this.#decoder
    const made = make()
    const rest = this.takeRest()
    if (rest.length > 0) made.receive(rest)
    this.#decoder = made
    this.#key = key
    return made
  }

  async #next<E>(decoder: Decoder<E>): Promise<E | undefined> {
    if (this.isReading) throw new BusyError('ERR_BUSY_READ', 'Cannot read: a line or frame is being read already')
    this.isReading = true
    try {
      for (;;) {
        const event = decoder.nextEvent()
        if (isEnd(event)) return undefined
        if (!isNeedData(event)) return event
        const bytes = await this.#source()
        if (bytes === null) decoder.receiveEof()
        else decoder.receive(bytes)
      }
    } finally {
      this.isReading = false
    }
  }
}

const typeOf = (event: unknown): unknown =>
  typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined
const isEnd = (event: unknown): event is { readonly type: 'end' } => typeOf(event) === 'end'
const isNeedData = (event: unknown): event is { readonly type: 'need-data' } => typeOf(event) === 'need-data'

const toText = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')

function iterate<T>(next: () => Promise<IteratorResult<T, undefined>>): AsyncIterableIterator<T> {
  return {
    next,
    return: () => Promise.resolve(END),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
