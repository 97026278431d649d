import { UsageError } from '../base/errors.js'
import { encodeField, fieldPairs, type FieldInit } from '../engine/http/fields.js'
import { isStatus } from '../engine/http/status.js'
import { addLines, addPairs, type FieldPair } from './added-fields.js'

/** What a body may be made of. What is iterated is sent as it comes, at the pace of the client. */
export type ResponseBody = string | Uint8Array | AsyncIterable<Uint8Array | string> | null

export interface ResponseInit {
  /** Default: 200. */
  readonly status?: number
  /** Fields besides those that the server sets: Date, Content-Length, Transfer-Encoding, Connection. */
  readonly headers?: FieldInit
  /** Of a body that is iterated, in bytes, where it is known. Default: sent in chunks. */
  readonly length?: number
  /** Ends the connection after this response. Default: false. */
  readonly close?: boolean
  /**
   * Whether the body has no end of its own, as events have none: a client that ends its direction while it is sent is
   * gone, as browsers and curl are then. What is asked for the body is let go at once, and the connection ends. Else such
   * a client still gets all of its answer, and one that is gone is noticed when something is sent to it. Default: false.
   */
  readonly endless?: boolean
  /**
   * Fields that are known only when the body is: asked for behind its last byte, and sent where it is sent in chunks
   * (RFC 9110 §6.5). Announce them by the field Trailer.
   */
  readonly trailers?: () => FieldInit
}

/** Decide how the message is read on the way, so the server sets them. */
const MANAGED = new Map([
  ['content-length', 'give a body whose length is known, or the option length'],
  ['transfer-encoding', 'the server chooses it'],
  ['connection', 'use the option close'],
  ['keep-alive', 'use the option close'],
  ['upgrade', 'answer with an UpgradeResponse'],
])

/** Also for programs that are not checked by types. */
const isBody = (body: unknown): body is ResponseBody =>
  typeof body === 'string' ||
  body === null ||
  body instanceof Uint8Array ||
  (typeof body === 'object' && Symbol.asyncIterator in body)

/** An answer, made once and never changed: `with` makes another. */
export class HttpResponse {
  readonly status: number
  readonly body: ResponseBody
  /** Of a body that is iterated. */
  readonly length: number | undefined
  readonly close: boolean
  readonly endless: boolean
  readonly trailers: (() => FieldInit) | undefined
  /** The fields as lines, checked, ready to be sent. */
  readonly fields: string

  /** @throws UsageError `ERR_ARGUMENT` for a status, a name or a value that cannot be sent. */
  constructor(body: ResponseBody, init?: ResponseInit, type: string = '') {
    const status = init?.status ?? 200
    // 101 is the answer of a class of its own.
    if (!isStatus(status) || (status < 200 && new.target === HttpResponse))
      throw new UsageError('ERR_ARGUMENT', `Cannot answer with status ${status}: expected a number from 200 to 599`)
    if (!isBody(body))
      throw new UsageError(
        'ERR_ARGUMENT',
        `Cannot send a body of type ${typeof body}: expected a string, bytes, something that is iterated asynchronously, or null`,
      )
    this.status = status
    this.body = body
    this.length = init?.length
    this.close = init?.close ?? false
    this.endless = init?.endless ?? false
    this.trailers = init?.trailers
    this.fields = init?.headers === undefined ? type : encodeFields(init.headers, type)
  }

  /**
   * The same answer with more fields, which take the place of those with their names; Set-Cookie, Link and their like are
   * kept, and Vary has the names of both. @throws UsageError `ERR_ARGUMENT`.
   */
  with(headers: FieldInit): HttpResponse {
    const added = [...fieldPairs(headers)]
    return this.withAdded(added, encodeFields(added, ''))
  }

  /** The same; `lines` are `added`, encoded once for all answers. */
  withAdded(added: readonly FieldPair[], lines: string): HttpResponse {
    const { status, length, close, endless, trailers } = this
    const fields = addLines(this.fields, added, lines)
    const more = { ...(length === undefined ? {} : { length }), ...(trailers === undefined ? {} : { trailers }) }
    return new HttpResponse(this.body, { status, close, endless, ...more }, fields)
  }
}

/** `type` is a line that is left out when the fields have their own. */
export function encodeFields(headers: FieldInit, type: string): string {
  let lines = ''
  let hasType = false
  for (const [name, value] of fieldPairs(headers)) {
    const lower = name.toLowerCase()
    const instead = MANAGED.get(lower)
    if (instead !== undefined)
      throw new UsageError('ERR_ARGUMENT', `Cannot send the field ${name} in a response: ${instead}`)
    if (lower === 'content-type') hasType = true
    lines += encodeField(name, value)
  }
  return hasType ? lines : type + lines
}

const TEXT = encodeField('Content-Type', 'text/plain; charset=utf-8')
const HTML = encodeField('Content-Type', 'text/html; charset=utf-8')
const JSON_TYPE = encodeField('Content-Type', 'application/json')

/** Plain text, as UTF-8. */
export const text = (body: string, init?: ResponseInit): HttpResponse => new HttpResponse(body, init, TEXT)

/** A page, as UTF-8. What stands in it is not escaped. */
export const html = (body: string, init?: ResponseInit): HttpResponse => new HttpResponse(body, init, HTML)

/** @throws UsageError `ERR_ARGUMENT` for a value that JSON cannot hold. */
export function json(value: unknown, init?: ResponseInit): HttpResponse {
  const body: string | undefined = JSON.stringify(value)
  if (body === undefined) throw new UsageError('ERR_ARGUMENT', `Cannot send a value of type ${typeof value} as JSON`)
  return new HttpResponse(body, init, JSON_TYPE)
}

/** Sends the client elsewhere: 302, or the `status` that is given (301, 303, 307, 308). RFC 9110 §15.4. */
export function redirect(location: string, init?: ResponseInit): HttpResponse {
  const status = init?.status ?? 302
  if (status < 300 || status > 399)
    throw new UsageError('ERR_ARGUMENT', `Cannot redirect with status ${status}: expected 301, 302, 303, 307 or 308`)
  const target: FieldPair = ['Location', encodeURI(location).replaceAll('%25', '%')]
  return new HttpResponse('', { ...init, status, headers: addPairs(init?.headers ?? {}, [target]) })
}

/** Bytes as they come, with back-pressure, in chunks unless `length` is given. */
export const stream = (body: AsyncIterable<Uint8Array | string>, init?: ResponseInit): HttpResponse =>
  new HttpResponse(body, init)

/** What problem details have besides title, status and detail: extension members, RFC 9457 §3.2. */
export type ProblemExtensions = Readonly<Record<string, unknown>>

/** Thrown by a handler to answer with a status: `throw new HttpError(404)`. The message goes to the client. */
export class HttpError extends Error {
  readonly status: number
  readonly headers: FieldInit | undefined
  readonly extensions: ProblemExtensions | undefined

  constructor(
    status: number,
    message: string = '',
    options?: {
      readonly headers?: FieldInit
      readonly cause?: unknown
      /** For clients that ask for JSON. */
      readonly extensions?: ProblemExtensions
    },
  ) {
    super(message, options !== undefined && 'cause' in options ? { cause: options.cause } : undefined)
    this.status = status
    this.headers = options?.headers
    this.extensions = options?.extensions
  }

  override get name(): string {
    return 'HttpError'
  }
}
