import { concatBytes, EMPTY_BYTES } from '../base/bytes.js'
import { errorCodeOf, LimitError, ProtocolError } from '../base/errors.js'
import { parseCodings, type Coding, type CodingName } from './codings.js'
import { Inflation, malformed } from './inflation.js'

export interface DecodingLimits {
  /** The most bytes that a body may have when it is decoded; also after each of several codings. `Infinity` for no limit. */
  readonly maxBytes: number
  /**
   * How many times as long as its coded form a body may become, from 1 MiB up: shorter ones do no harm. Plain text becomes 3
   * to 20 times as long, a log of equal lines some hundred; 1,032 is the most that gzip can, brotli and zstd have no end.
   */
  readonly maxExpansion: number
}

/** What may come of a body however short it is. */
const FREE_BYTES = 1024 * 1024

/**
 * RFC 9110 §8.4: a body without its codings (`gzip`, `x-gzip`, `deflate` with or without the wrapping of zlib, `br`, `zstd`
 * where the runtime can, up to five in a row). Bytes are taken from the source as fast as what comes of them is taken from
 * here; nothing is read ahead. Leaving the iteration closes the source. `identity` and '' give the source itself.
 *
 * A body of no bytes is empty in every coding, as many servers send it so. Several members of gzip in a row are read as one
 * (RFC 1952 §2.2), as are frames of zstd; zeros behind gzip are padding. Anything else behind the end is an error, as it is
 * in curl: what was decoded may not be what was meant.
 *
 * @throws ProtocolError `ERR_CONTENT_CODING`, `ERR_HTTP_FIELD` and LimitError `ERR_CONTENT_LIMIT` at once for codings that
 * cannot be; while iterating for a body that is cut off, malformed or has something behind it, and over a limit.
 */
export function decodeContent(
  codings: string,
  source: AsyncIterable<Uint8Array>,
  limits: DecodingLimits,
): AsyncIterable<Uint8Array> {
  const list = parseCodings(codings)
  if (list.length === 0) return source
  const meter = new Meter(limits)
  let decoded = meter.measure(source)
  for (const coding of list) decoded = decodeOne(coding, decoded, meter)
  return decoded
}

/** As `decodeContent`, at once, for bodies that are there and short: this thread does nothing else meanwhile. */
export function decodeWhole(codings: string, bytes: Uint8Array, limits: DecodingLimits): Uint8Array {
  const meter = new Meter(limits)
  meter.received = bytes.length
  let decoded = bytes
  for (const coding of parseCodings(codings)) decoded = decodeOneWhole(coding, decoded, meter)
  return decoded
}

/** What has come of the source, and so how much may come of it. */
class Meter {
  readonly #limits: DecodingLimits
  received = 0

  constructor(limits: DecodingLimits) {
    this.#limits = limits
  }

  get allowed(): number {
    const { maxBytes, maxExpansion } = this.#limits
    return Math.min(maxBytes, Math.max(FREE_BYTES, this.received * maxExpansion))
  }

  async *measure(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of source) {
      this.received += bytes.length
      yield bytes
    }
  }

  exceeded(coding: CodingName): LimitError {
    const { maxBytes, maxExpansion } = this.#limits
    const { allowed, received } = this
    const limit = allowed === maxBytes ? { maxBytes } : { maxExpansion }
    return new LimitError(
      'ERR_CONTENT_LIMIT',
      `Cannot decode ${coding}: ${received} bytes become more than ${Math.floor(allowed)}, the limit by ${Object.keys(limit).join()}`,
      { details: { coding, limit: allowed, ...limit } },
    )
  }
}

async function* decodeOne(
  coding: Coding,
  source: AsyncIterable<Uint8Array>,
  meter: Meter,
): AsyncGenerator<Uint8Array, void, undefined> {
  let inflation: Inflation | undefined
  let made = 0
  const count = (bytes: number): void => {
    made += bytes
    if (made > meter.allowed) throw meter.exceeded(coding.name)
  }
  try {
    for await (const bytes of source) {
      let rest = bytes
      while (rest.length > 0) {
        if (inflation?.isEnded === true) {
          rest = behindEnd(coding.name, rest)
          if (rest.length === 0) break
          inflation.destroy()
          inflation = undefined
        }
        inflation ??= new Inflation(coding, rest[0] ?? 0, count)
        rest = rest.subarray(yield* inflation.feed(rest))
      }
    }
    if (inflation !== undefined) yield* inflation.finish()
  } finally {
    inflation?.destroy()
  }
}

/** What is to be decoded of what stands behind the end of the coded data. */
function behindEnd(coding: CodingName, rest: Uint8Array): Uint8Array {
  if (coding === 'zstd') return rest
  if (coding === 'gzip' && rest.every((byte) => byte === 0)) return EMPTY_BYTES
  const message = `Cannot decode ${coding}: something stands behind its end`
  throw new ProtocolError('ERR_CONTENT_CODING', message, { details: { coding } })
}

/** More than any runtime gives at once. */
const MAX_WHOLE_BYTES = 2 ** 31 - 1

function decodeOneWhole(coding: Coding, bytes: Uint8Array, meter: Meter): Uint8Array {
  const parts: Uint8Array[] = []
  let allowed = Math.floor(meter.allowed)
  for (let rest = bytes; rest.length > 0;) {
    const { made, used } = decodeMember(coding, rest, allowed, meter)
    parts.push(made)
    allowed -= made.length
    if (allowed < 0) throw meter.exceeded(coding.name)
    rest = rest.subarray(used)
    if (rest.length > 0) rest = behindEnd(coding.name, rest)
  }
  const [only = EMPTY_BYTES] = parts
  return parts.length > 1 ? concatBytes(parts) : only
}

function decodeMember(
  coding: Coding,
  bytes: Uint8Array,
  allowed: number,
  meter: Meter,
): ReturnType<Coding['decodeWhole']> {
  try {
    // zlib takes no limit of 0: whoever calls looks at what came.
    return coding.decodeWhole(bytes, Math.max(1, Math.min(allowed, MAX_WHOLE_BYTES)))
  } catch (cause) {
    if (errorCodeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw meter.exceeded(coding.name)
    throw malformed(coding.name, cause)
  }
}
