import { UsageError } from '../base/errors.js'
import { usedError } from './incoming-body.js'
import { encodeMultipart, type MultipartInit } from './multipart.js'
import type { OutgoingBody } from './outgoing-body.js'
import { fileBody, FilePart } from './parts.js'
import { encodeForm, type QueryInit } from './query.js'

/** What a request may send: bytes and texts as they are, a stream piece by piece. */
export type BodyInit =
  | string
  | Uint8Array
  | ArrayBuffer
  | URLSearchParams
  | Blob
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | FilePart
  | OutgoingBody

/** At most one of them. */
export interface BodyOptions {
  readonly body?: BodyInit | undefined
  readonly json?: unknown
  readonly form?: QueryInit | undefined
  readonly multipart?: MultipartInit | undefined
}

const isOutgoing = (given: object): given is OutgoingBody => 'open' in given && 'isReplayable' in given

/** @throws UsageError `ERR_ARGUMENT` for what is no body. */
export function toOutgoing(init: BodyInit): OutgoingBody | undefined {
  if (typeof init === 'string') return whole(Buffer.from(init), 'text/plain; charset=utf-8')
  if (init instanceof Uint8Array) return whole(init, undefined)
  if (init instanceof ArrayBuffer) return whole(new Uint8Array(init), undefined)
  if (init instanceof URLSearchParams) return whole(Buffer.from(init.toString()), FORM_TYPE)
  if (init instanceof Blob) return blob(init)
  if (init instanceof FilePart) return fileBody(init)
  if (typeof init === 'object' && init !== null) {
    if (isOutgoing(init)) return init
    if (Symbol.asyncIterator in init || Symbol.iterator in init) return streamed(init)
  }
  throw new UsageError(
    'ERR_ARGUMENT',
    `Cannot send a body of type ${typeof init}: expected a string, bytes, URLSearchParams, a Blob or an iterable of bytes; json, form and multipart take objects`,
  )
}

export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** One that is in memory; `undefined` for none of its bytes: it needs no sending. */
export function whole(bytes: Uint8Array, contentType: string | undefined): OutgoingBody {
  return { contentType, length: bytes.length, bytes, isReplayable: true, open: () => once(bytes) }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

function blob(init: Blob): OutgoingBody {
  const contentType = init.type === '' ? undefined : init.type
  return { contentType, length: init.size, bytes: undefined, isReplayable: true, open: () => read(init.stream()) }
}

async function* read(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield* stream
}

/** A list can be gone through again; what hands out the same iterator each time cannot. */
function streamed(init: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): OutgoingBody {
  const isReplayable = Array.isArray(init)
  let isUsed = false
  return {
    contentType: undefined,
    length: 'chunked',
    bytes: undefined,
    isReplayable,
    open() {
      if (isUsed && !isReplayable) throw usedError()
      isUsed = true
      return pieces(init)
    },
  }
}

async function* pieces(init: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of init) {
    if (piece instanceof Uint8Array) yield piece
    else if (typeof piece === 'string') yield Buffer.from(piece)
    else throw new UsageError('ERR_ARGUMENT', `Cannot send a piece of type ${typeof piece}: expected bytes`)
  }
}

/** What one of `body`, `json`, `form` and `multipart` comes to. @throws UsageError `ERR_ARGUMENT` for two of them. */
export function bodyOf({ body, json, form, multipart }: BodyOptions): OutgoingBody | undefined {
  const given = [body, json, form, multipart].filter((each) => each !== undefined)
  if (given.length > 1)
    throw new UsageError('ERR_ARGUMENT', 'Cannot send two bodies: give one of body, json, form and multipart')
  if (json !== undefined) return jsonBody(json)
  if (form !== undefined) return whole(Buffer.from(encodeForm(form)), FORM_TYPE)
  if (multipart !== undefined) return { bytes: undefined, ...encodeMultipart(multipart) }
  return body === undefined ? undefined : toOutgoing(body)
}

function jsonBody(value: unknown): OutgoingBody {
  const text = JSON.stringify(value)
  if (typeof text !== 'string')
    throw new UsageError('ERR_ARGUMENT', `Cannot send a ${typeof value} as JSON: it has no form there`)
  return whole(Buffer.from(text), 'application/json')
}
