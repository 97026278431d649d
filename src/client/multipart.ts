import { randomBytes } from 'node:crypto'
import { concatBytes } from '../base/bytes.js'
import { UsageError } from '../base/errors.js'
import { isFieldValue } from '../engine/http/characters.js'
import type { SendsFile } from '../transport/file-piece.js'
import type { BodyPiece } from './outgoing-body.js'
import { contentOf, readPieces, type PartContent, type PartValue } from './parts.js'
import { pairsOf } from './scalar.js'

/** Names and parts in their order; a list is the same name several times. */
export type MultipartInit =
  | Readonly<Record<string, PartValue | readonly PartValue[]>>
  | Iterable<readonly [name: string, value: PartValue | readonly PartValue[]]>

/** A body that has not been sent yet. */
export interface MultipartBody {
  /** With the boundary. */
  readonly contentType: string
  /** In bytes, where all parts have a known length. */
  readonly length: number | 'chunked'
  /** Whether `open` may be called again, for a redirect or another attempt. */
  readonly isReplayable: boolean
  /**
   * The bytes, at most a few hundred KiB of which are held at a time. Small parts are sent together; what a stream
   * gives is sent as it comes.
   * @throws UsageError `ERR_STATE` the second time, when it is not replayable. @throws NetError `ERR_BODY_SOURCE` while it is
   * read: a file that is not there or changed its size, a stream that has another length than was said.
   */
  open(): AsyncIterable<Uint8Array>
  /** The same; pieces of files for which `sendsFile` is true are not read. */
  openPieces(sendsFile: SendsFile): AsyncIterable<BodyPiece>
}

/** Pieces are joined until they have this many bytes. */
const JOIN_BYTES = 16 * 1024

/**
 * RFC 7578: a form as multipart/form-data. Names and file names are in UTF-8, with `"`, CR and LF as `%22`, `%0D` and `%0A`,
 * as browsers send them. Texts are sent as they are: their line ends stay. Parts in lists stand one by one under their name;
 * `undefined` is left out.
 *
 * Files are looked at here, and nothing is read before `open`. `boundary` is for tests; by default it has 128 bits of
 * chance, so that no part can have it in it.
 *
 * @throws UsageError `ERR_ARGUMENT` for what can be no part, and a type or boundary that cannot be sent.
 * @throws NetError `ERR_BODY_SOURCE` for a file that is not there.
 * @example
 * encodeMultipart({ title: 'A', file: filePart('a.pdf', { type: 'application/pdf' }), tag: ['x', 'y'] })
 */
export function encodeMultipart(
  fields: MultipartInit,
  { boundary = `moorage-${randomBytes(16).toString('hex')}` }: { readonly boundary?: string } = {},
): MultipartBody {
  if (!BOUNDARY.test(boundary))
    throw new UsageError('ERR_ARGUMENT', 'Cannot use a boundary: expected 1 to 70 of its characters')
  const parts = [...partsOf(fields, boundary)]
  const end = Buffer.from(`--${boundary}--\r\n`, 'latin1')
  const isReplayable = parts.every(({ content }) => content.isReplayable)
  let isOpened = false
  const openOnce = (): void => {
    if (isOpened && !isReplayable)
      throw new UsageError('ERR_STATE', 'Cannot send a form again: a part of it is a stream, which is used up')
    isOpened = true
  }
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: lengthOf(parts, end.length),
    isReplayable,
    open() {
      openOnce()
      return readPieces(piecesOf(parts, end, () => false))
    },
    openPieces(sendsFile) {
      openOnce()
      return piecesOf(parts, end, sendsFile)
    },
  }
}

/** RFC 2046 §5.1.1, without the characters that would want quotes in a Content-Type. */
const BOUNDARY = /^[\w'+.-]{1,70}$/

interface Part {
  /** Boundary and fields, up to the content. */
  readonly head: Uint8Array
  readonly content: PartContent
}

function* partsOf(fields: MultipartInit, boundary: string): Generator<Part, void, undefined> {
  for (const [name, values] of pairsOf<PartValue | readonly PartValue[]>('form', fields)) {
    for (const value of isList(values) ? values : [values]) {
      const content = contentOf(name, value)
      if (content === undefined) continue
      yield { head: Buffer.from(`--${boundary}\r\n${fieldsOf(name, content)}\r\n`, 'utf8'), content }
    }
  }
}

// `Array.isArray` does not tell readonly arrays apart.
const isList = (values: PartValue | readonly PartValue[]): values is readonly PartValue[] => Array.isArray(values)

/** RFC 7578 §4.2 and §4.4. */
function fieldsOf(field: string, { name, type }: PartContent): string {
  const file = name === undefined ? '' : `; filename="${escaped(name)}"`
  const disposition = `Content-Disposition: form-data; name="${escaped(field.replace(/\r\n?|\n/g, '\r\n'))}"${file}\r\n`
  if (type === undefined) return disposition
  if (!isFieldValue(type) || type === '')
    throw new UsageError(
      'ERR_ARGUMENT',
      `Cannot use the type of a part: ${JSON.stringify(type.slice(0, 64))} cannot be sent`,
    )
  return `${disposition}Content-Type: ${type}\r\n`
}

/** HTML standard §4.10.21.8. */
const escaped = (name: string): string => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const LINE_END = Buffer.from('\r\n', 'latin1')

function lengthOf(parts: readonly Part[], endBytes: number): number | 'chunked' {
  let total = endBytes
  for (const { head, content } of parts) {
    if (content.length === undefined) return 'chunked'
    total += head.length + content.length + LINE_END.length
  }
  return total
}

/** Small pieces together, so that they are sent together; large ones and those of streams as they are. */
async function* piecesOf(
  parts: readonly Part[],
  end: Uint8Array,
  sendsFile: SendsFile,
): AsyncGenerator<BodyPiece, void, undefined> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  const hold = (bytes: Uint8Array): void => {
    held.push(bytes)
    heldBytes += bytes.length
  }
  const release = (): Uint8Array => {
    const bytes = concatBytes(held, heldBytes)
    held = []
    heldBytes = 0
    return bytes
  }
  for (const { head, content } of parts) {
    hold(head)
    const source = content.open(sendsFile)
    if (Symbol.asyncIterator in source) {
      yield release()
      for await (const bytes of source) if (bytes.length > 0) yield bytes
    } else if (source.length < JOIN_BYTES) {
      hold(source)
    } else {
      yield release()
      yield source
    }
    hold(LINE_END)
    if (heldBytes >= JOIN_BYTES) yield release()
  }
  hold(end)
  yield release()
}
