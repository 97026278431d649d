import { Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'
import { UsageError } from '../base/errors.js'
import type { CodingName } from './codings.js'
import type { OutgoingBody } from './outgoing-body.js'

interface Encoder {
  whole(bytes: Uint8Array): Uint8Array
  stream(): Transform
}

const ENCODERS: Readonly<Record<CodingName, Encoder | undefined>> = {
  gzip: { whole: (bytes) => zlib.gzipSync(bytes), stream: () => zlib.createGzip() },
  deflate: { whole: (bytes) => zlib.deflateSync(bytes), stream: () => zlib.createDeflate() },
  // The default of 11 is for what is compressed once and sent a thousand times.
  br: {
    whole: (bytes) => zlib.brotliCompressSync(bytes, BROTLI),
    stream: () => zlib.createBrotliCompress(BROTLI),
  },
  zstd: zstd(),
}

const BROTLI: zlib.BrotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }

/** Node has it from 22.15 on. */
function zstd(): Encoder | undefined {
  if (!('zstdCompressSync' in zlib) || !('createZstdCompress' in zlib)) return undefined
  const { zstdCompressSync, createZstdCompress } = zlib
  if (typeof zstdCompressSync !== 'function' || typeof createZstdCompress !== 'function') return undefined
  return {
    whole: (bytes): Uint8Array => zstdCompressSync(bytes),
    stream: (): Transform => createZstdCompress(),
  }
}

/** At once, in this thread. */
const MAX_WHOLE_BYTES = 1024 * 1024

/** RFC 9110 §8.4: the body in a coding. Short ones are coded at once; the others as they are sent, in chunks. @throws UsageError. */
export function encodeContent(body: OutgoingBody, coding: CodingName): OutgoingBody {
  const encoder = ENCODERS[coding]
  if (encoder === undefined)
    throw new UsageError('ERR_OPTION_VALUE', `Cannot compress with ${coding}: this version of Node.js has none`)
  const { bytes, contentType, isReplayable } = body
  if (bytes !== undefined && bytes.length <= MAX_WHOLE_BYTES) {
    const coded = encoder.whole(bytes)
    return { contentType, isReplayable, length: coded.length, bytes: coded, open: () => once(coded) }
  }
  return {
    contentType,
    isReplayable,
    length: 'chunked',
    bytes: undefined,
    open: () => streamed(body.open(), encoder.stream()),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

async function* streamed(
  source: AsyncIterable<Uint8Array>,
  stream: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const from = Readable.from(source)
  from.on('error', (error) => stream.destroy(error))
  try {
    for await (const piece of from.pipe(stream)) if (piece instanceof Uint8Array) yield piece
  } finally {
    from.destroy()
    stream.destroy()
  }
}
