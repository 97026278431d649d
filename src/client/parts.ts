import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { messageOf, NetError, UsageError } from '../base/errors.js'
import type { SendsFile } from '../transport/file-piece.js'
import type { BodyPiece, OutgoingBody } from './outgoing-body.js'
import { textOfScalar, type Scalar } from './scalar.js'

/** What a part is called to the server. */
export interface PartNames {
  /** The name of the file: that of the file on disk, or of a `File`, by default; `blob` for a Blob, none for the others. */
  readonly name?: string
  /** The media type: that of the Blob, else `application/octet-stream`, by default; none for texts. */
  readonly type?: string
}

export interface StreamPartOptions extends PartNames {
  /** Its bytes, where they are known: one more or less than this is an error. */
  readonly length?: number
}

/** A file on disk. @see filePart */
export class FilePart {
  readonly path: string
  readonly names: PartNames

  constructor(path: string, names: PartNames) {
    this.path = path
    this.names = names
  }
}

/** Bytes that come by and by. @see streamPart */
export class StreamPart {
  readonly source: AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>)
  readonly options: StreamPartOptions

  constructor(source: StreamPart['source'], options: StreamPartOptions) {
    this.source = source
    this.options = options
  }
}

/** A file on disk. It is read while it is sent, 256 KiB at a time; its length is that of when the form is encoded. */
export const filePart = (path: string, names: PartNames = {}): FilePart => new FilePart(path, names)

/**
 * A stream, which can be sent once; or a function that makes one each time it is sent. Texts and bytes that need a name or a
 * type are Blobs: `new File(['a,b'], 'a.csv', { type: 'text/csv' })`.
 */
export const streamPart = (source: StreamPart['source'], options: StreamPartOptions = {}): StreamPart =>
  new StreamPart(source, options)

/** A part of a form. Bytes are not copied: leave them alone until the form is sent. */
export type PartValue = Scalar | Uint8Array | Blob | FilePart | StreamPart | AsyncIterable<Uint8Array>

/** What is the same of all kinds of parts. */
export interface PartContent {
  readonly name: string | undefined
  readonly type: string | undefined
  readonly length: number | undefined
  readonly isReplayable: boolean
  /** Bytes that are there, or that come; of pieces of files those for which `sendsFile` is true are not read. */
  open(sendsFile: SendsFile): AsyncIterable<BodyPiece> | Uint8Array
}

const OCTETS = 'application/octet-stream'

/**
 * `undefined` for a value that is left out.
 * @throws UsageError `ERR_ARGUMENT` for what can be no part. @throws NetError `ERR_BODY_SOURCE` for a file that is not there.
 */
export function contentOf(field: string, value: PartValue): PartContent | undefined {
  if (value instanceof Uint8Array) return ready(value, undefined, OCTETS)
  if (value instanceof Blob) return blobContent(value)
  if (value instanceof FilePart) return fileContent(value)
  if (value instanceof StreamPart) return streamContent(value)
  if (isAsyncIterable(value)) return streamContent(new StreamPart(value, {}))
  const text = textOfScalar('form', field, value)
  return text === undefined ? undefined : ready(Buffer.from(text, 'utf8'), undefined, undefined)
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<Uint8Array> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

const ready = (bytes: Uint8Array, name: string | undefined, type: string | undefined): PartContent => ({
  name,
  type,
  length: bytes.length,
  isReplayable: true,
  open: () => bytes,
})

const blobContent = (blob: Blob): PartContent => ({
  name: 'name' in blob && typeof blob.name === 'string' ? blob.name : 'blob',
  type: blob.type === '' ? OCTETS : blob.type,
  length: blob.size,
  isReplayable: true,
  open: () => streamOf(blob),
})

async function* streamOf(blob: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of blob.stream()) yield bytes
}

function streamContent({ source, options: { name, type = OCTETS, length } }: StreamPart): PartContent {
  if (length !== undefined && (!Number.isSafeInteger(length) || length < 0))
    throw new UsageError('ERR_ARGUMENT', `Cannot use a length of ${length}: expected a number of bytes`)
  const isReplayable = typeof source === 'function'
  const open = (): AsyncIterable<Uint8Array> => counted(isReplayable ? source() : source, length)
  return { name, type, length, isReplayable, open }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  length: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sent = 0
  for await (const bytes of source) {
    sent += bytes.length
    if (length !== undefined && sent > length)
      throw sourceError('a stream', `it has more than the ${length} bytes announced`)
    yield bytes
  }
  if (length !== undefined && sent < length)
    throw sourceError('a stream', `it has ended at ${sent} of the ${length} bytes announced`)
}

function fileContent({ path, names }: FilePart): PartContent {
  const { name = path.replace(/^.*[/\\]/s, ''), type = OCTETS } = names
  const { size, isFile } = statFile(path)
  // What is no plain file, a pipe for instance, has no size, and gives its bytes once.
  const length = isFile ? size : undefined
  return { name, type, length, isReplayable: isFile, open: (sendsFile) => readFile(path, length, sendsFile) }
}

/** A file as the body of a request: all of it, or what stands in it from a place on. @throws NetError `ERR_BODY_SOURCE`. */
export function fileBody(
  part: FilePart,
  { from = 0, size }: { readonly from?: number; readonly size?: number } = {},
): OutgoingBody {
  const { type, length: found, isReplayable } = fileContent(part)
  const { path } = part
  if (size !== undefined && found !== size)
    throw sourceError(JSON.stringify(path), `it had ${size} bytes before, and has ${found ?? 'no size'} now`)
  return {
    contentType: type,
    length: found === undefined ? 'chunked' : found - from,
    bytes: undefined,
    isReplayable,
    open: () => readPieces(readFile(path, found, () => false, from)),
    openPieces: (sendsFile) => readFile(path, found, sendsFile, from),
  }
}

/** Of pieces among which no files are. */
export async function* readPieces(pieces: AsyncIterable<BodyPiece>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) if (piece instanceof Uint8Array) yield piece
}

function statFile(path: string): { readonly size: number; readonly isFile: boolean } {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw sourceError(JSON.stringify(path), 'it is a folder')
    return { size: stats.size, isFile: stats.isFile() }
  } catch (cause) {
    if (cause instanceof NetError) throw cause
    throw sourceError(JSON.stringify(path), messageOf(cause), cause)
  }
}

const READ_BYTES = 256 * 1024
/** Of those that the system sends. */
const SENT_BYTES = 1024 * 1024

/** A file of this many bytes, which it must have from the first to the last read. */
async function* readFile(
  path: string,
  length: number | undefined,
  sendsFile: SendsFile,
  from: number = 0,
): AsyncGenerator<BodyPiece, void, undefined> {
  const shown = JSON.stringify(path)
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw sourceError(shown, messageOf(cause), cause)
  })
  try {
    for (let sent = from; ;) {
      const size = length === undefined ? undefined : (await file.stat()).size
      if (size !== length) throw sourceError(shown, `it had ${length} bytes when it was announced, and has ${size} now`)
      // A fresh buffer for each: what was given away belongs to whoever sends it.
      const wanted = length === undefined ? READ_BYTES : Math.min(READ_BYTES, length - sent)
      if (wanted === 0) return
      const piece = { descriptor: file.fd, offset: sent, length: Math.min(SENT_BYTES, (length ?? 0) - sent) }
      if (length !== undefined && sendsFile(piece)) {
        sent += piece.length
        yield piece
        continue
      }
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafeSlow(wanted),
        0,
        wanted,
        length === undefined ? null : sent,
      )
      if (bytesRead === 0 && length === undefined) return
      if (bytesRead === 0) throw sourceError(shown, `it has ended at ${sent} of the ${length} bytes announced`)
      sent += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } catch (cause) {
    if (cause instanceof NetError) throw cause
    throw sourceError(shown, messageOf(cause), cause)
  } finally {
    await file.close()
  }
}

const sourceError = (shown: string, why: string, cause?: unknown): NetError =>
  new NetError('ERR_BODY_SOURCE', `Cannot send ${shown}: ${why}`, { cause })
