import { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { LimitError, ProtocolError } from '../base/errors.js'
import { escapeBytes } from '../base/ascii.js'
import { parseList } from '../engine/http/list.js'

export type CodingName = 'gzip' | 'deflate' | 'br' | 'zstd'

/** A stream of zlib; `bytesWritten` is what it took of what was written to it. */
export type ZlibStream = Transform & { readonly bytesWritten: number }

export interface Coding {
  readonly name: CodingName
  /** What decodes a body that begins with this byte. */
  createStream(first: number): ZlibStream
  /** @throws what zlib throws; `ERR_BUFFER_TOO_LARGE` over the limit. */
  decodeWhole(bytes: Uint8Array, maxOutputLength: number): { readonly made: Uint8Array; readonly used: number }
}

/** Large enough that few calls are made, and small enough to wait for. */
const OPTIONS = { chunkSize: 64 * 1024 }

const GZIP: Coding = {
  name: 'gzip',
  createStream: () => zlib.createGunzip(OPTIONS),
  decodeWhole: (bytes, maxOutputLength) => told(zlib.gunzipSync(bytes, { maxOutputLength, ...INFO })),
}

/** RFC 9110 §8.4.1.2: with the wrapping of zlib. Some servers leave it away, and everybody reads that too. */
const DEFLATE: Coding = {
  name: 'deflate',
  createStream: (first) => (isWrapped(first) ? zlib.createInflate(OPTIONS) : zlib.createInflateRaw(OPTIONS)),
  decodeWhole(bytes, maxOutputLength) {
    const options = { maxOutputLength, ...INFO }
    return told(isWrapped(bytes[0]) ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options))
  },
}

/** RFC 1950 §2.2: method 8. A block without wrapping would begin so only with a bit set that no one sets. */
const isWrapped = (first: number | undefined): boolean => first !== undefined && (first & 0x0f) === 8

const BR: Coding = {
  name: 'br',
  createStream: () => zlib.createBrotliDecompress(OPTIONS),
  decodeWhole: (bytes, maxOutputLength) => told(zlib.brotliDecompressSync(bytes, { maxOutputLength, ...INFO })),
}

/** Makes a function give, besides the result, the stream it used. Node's types do not know of it. */
const INFO = { info: true }

function told(result: unknown): { readonly made: Uint8Array; readonly used: number } {
  if (!isTold(result)) throw new TypeError('zlib did not tell what it had read')
  return { made: result.buffer, used: result.engine.bytesWritten }
}

interface Told {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

const isTold = (result: unknown): result is Told =>
  typeof result === 'object' &&
  result !== null &&
  'buffer' in result &&
  result.buffer instanceof Uint8Array &&
  'engine' in result

/** A frame of one byte, without that byte. */
const CUT_FRAME = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 9, 0, 0)

/**
 * Node.js has it from 22.15 on, but first in a form that takes half a frame for a whole one: then it is not used, as what
 * was cut off could not be told.
 */
function findZstd(): Coding | undefined {
  const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  if (typeof decompress !== 'function' || typeof create !== 'function') return undefined
  try {
    Reflect.apply(decompress, zlib, [CUT_FRAME])
    return undefined
  } catch {
    // It says that the frame is cut.
  }
  return {
    name: 'zstd',
    createStream() {
      const stream: unknown = Reflect.apply(create, zlib, [OPTIONS])
      if (!isZlibStream(stream)) throw new TypeError('zlib did not make a stream')
      return stream
    },
    decodeWhole: (bytes, maxOutputLength) =>
      told(Reflect.apply(decompress, zlib, [bytes, { maxOutputLength, ...INFO }])),
  }
}

const isZlibStream = (stream: unknown): stream is ZlibStream => stream instanceof Transform && 'bytesWritten' in stream

const ZSTD = findZstd()

const CODINGS: ReadonlyMap<string, Coding | undefined> = new Map([
  ['gzip', GZIP],
  ['x-gzip', GZIP],
  ['deflate', DEFLATE],
  ['br', BR],
  ...(ZSTD === undefined ? [] : [['zstd', ZSTD] as const]),
  ['identity', undefined],
])

/** What can be decoded here, for Accept-Encoding, in the order of browsers. */
export const ACCEPT_ENCODING: string = ['gzip', 'deflate', 'br', ...(ZSTD === undefined ? [] : ['zstd'])].join(', ')

/** A body in more codings than this is made to cost time; curl takes five as well. */
export const MAX_CODINGS = 5

/**
 * RFC 9110 §8.4: the codings of a Content-Encoding, in the order in which they are taken off; none for `identity` and ''.
 * @throws ProtocolError `ERR_CONTENT_CODING` for one that is not known here. @throws ProtocolError `ERR_HTTP_FIELD`.
 * @throws LimitError `ERR_CONTENT_LIMIT` for more than five.
 */
export function parseCodings(contentEncoding: string): readonly Coding[] {
  const names = parseList(contentEncoding)
  if (names.length > MAX_CODINGS)
    throw new LimitError(
      'ERR_CONTENT_LIMIT',
      `Cannot decode a body in ${names.length} codings: at most ${MAX_CODINGS} are`,
      {
        details: { limit: MAX_CODINGS },
      },
    )
  const codings: Coding[] = []
  for (const name of names) {
    const coding = CODINGS.get(name.toLowerCase())
    if (coding === undefined && name.toLowerCase() !== 'identity') throw unknownCoding(name)
    if (coding !== undefined) codings.unshift(coding)
  }
  return codings
}

function unknownCoding(name: string): ProtocolError {
  const shown = escapeBytes(Buffer.from(name, 'latin1'))
  const message = `Cannot decode a body in the coding "${shown}": known are ${ACCEPT_ENCODING}`
  return new ProtocolError('ERR_CONTENT_CODING', message, { details: { coding: shown } })
}
