import { EMPTY_BYTES } from '../base/bytes.js'
import { UsageError } from '../base/errors.js'
import type { FieldInit, Fields } from '../engine/http/fields.js'
import type { RequestHead } from '../engine/http1/message-head.js'
import type { Address } from '../transport/address.js'
import type { Connection } from '../transport/connection.js'
import type { TlsInfo } from '../transport/tls-options.js'
import { spoolForm, type Form } from './forms/form.js'
import { readFormOptions, type FormOptions } from './forms/options.js'
import type { FormPart } from './forms/part.js'
import { readForm } from './forms/read-form.js'
import type { RequestBody } from './request-body.js'
import { HttpError } from './response.js'
import { parseBySchema, type StandardSchema } from './standard-schema.js'

/** What is known of a request from elsewhere than its head and its connection. */
export interface RequestOrigin {
  readonly remote?: Address
  readonly isSecure?: boolean
  readonly host?: string
  readonly id?: string
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/** A request as its handler sees it. */
export class HttpRequest {
  readonly #head: RequestHead
  readonly #connection: Connection
  readonly #body: RequestBody | undefined
  readonly #origin: RequestOrigin | undefined
  #query: URLSearchParams | undefined
  /** The path under which the handler stands, without a slash at its end: '' at the top. */
  readonly base: string
  /** What stands for the `:names` of the route, decoded. */
  params: Readonly<Record<string, string>> = NO_PARAMS

  constructor(
    head: RequestHead,
    connection: Connection,
    body: RequestBody | undefined,
    base: string = '',
    origin?: RequestOrigin,
  ) {
    this.base = base
    this.#origin = origin
    this.#head = head
    this.#connection = connection
    this.#body = body
  }

  get method(): string {
    return this.#head.method
  }

  /** The target as the client sent it: nearly always a path and a query. */
  get target(): string {
    return this.#head.target
  }

  /** `1.1` or `1.0`. */
  get version(): string {
    return this.#head.minorVersion === 1 ? '1.1' : '1.0'
  }

  /** The protocols that the client would like to go on with, in lower case: `websocket`. '' for none. See `UpgradeResponse`. */
  get upgrade(): string {
    return this.#head.upgrade
  }

  /** This request as a handler sees it that stands under a path. */
  within(prefix: string): HttpRequest {
    const request = new HttpRequest(this.#head, this.#connection, this.#body, this.base + prefix, this.#origin)
    // Without the rest of the path, which has no name.
    if (this.params !== NO_PARAMS)
      request.params = Object.fromEntries(Object.entries(this.params).filter(([name]) => name !== ''))
    return request
  }

  /** This request with what is known of where it comes from. */
  from(origin: RequestOrigin): HttpRequest {
    const all = this.#origin === undefined ? origin : { ...this.#origin, ...origin }
    const request = new HttpRequest(this.#head, this.#connection, this.#body, this.base, all)
    request.params = this.params
    return request
  }

  /** The id that `withRequestIds` gave it. */
  get id(): string | undefined {
    return this.#origin?.id
  }

  /** The path below `base`, as it was sent: not decoded, without the query. */
  get path(): string {
    const { base } = this
    const path = this.#wholePath()
    return base === '' ? path : path.length === base.length ? '/' : path.slice(base.length)
  }

  /**
   * Whether the path is `base` itself, without the slash behind it: `path` is `/` then as well, but relative links of a page
   * lead beside the base, and not below it.
   */
  get lacksSlash(): boolean {
    return this.base !== '' && this.#wholePath().length === this.base.length
  }

  #wholePath(): string {
    const { target } = this.#head
    const start = target.charCodeAt(0) === 0x2f ? 0 : pathStart(target)
    const end = target.indexOf('?', start)
    const path = end === -1 ? target.slice(start) : target.slice(start, end)
    return path === '' ? '/' : path
  }

  get query(): URLSearchParams {
    if (this.#query === undefined) {
      const { target } = this.#head
      const start = target.indexOf('?')
      this.#query = new URLSearchParams(start === -1 ? '' : target.slice(start + 1))
    }
    return this.#query
  }

  /**
   * The whole address that the client asked for, as far as it told.
   * @throws HttpError 400 for a host that is one by its grammar, and no address: `1.2.3.999`.
   */
  get url(): URL {
    const { target } = this.#head
    const { host } = this
    const scheme = this.isSecure ? 'https' : 'http'
    const isWhole = target.charCodeAt(0) !== 0x2f && target !== '*' && this.method !== 'CONNECT'
    const address = isWhole
      ? target
      : `${scheme}://${host === '' ? 'localhost' : host}${this.#wholePath()}${this.#search()}`
    try {
      return new URL(address)
    } catch (cause) {
      throw new HttpError(400, 'The host or the target is no address', { cause })
    }
  }

  #search(): string {
    const start = this.#head.target.indexOf('?')
    return start === -1 ? '' : this.#head.target.slice(start)
  }

  /** The host and port that the client asked for; '' when it named none. */
  get host(): string {
    return this.#origin?.host ?? this.#head.host
  }

  get headers(): Fields {
    return this.#head.fields
  }

  get isSecure(): boolean {
    return this.#origin?.isSecure ?? this.#connection.tls !== undefined
  }

  /** What the TLS handshake of the connection settled, with the certificate of the client; `undefined` without TLS. */
  get tls(): TlsInfo | undefined {
    return this.#connection.tls
  }

  /** Who sent it: the client, or the last proxy, unless `withTrustedProxies` knows better. */
  get remote(): Address {
    return this.#origin?.remote ?? this.#connection.remote
  }

  get local(): Address {
    return this.#connection.local
  }

  /** Bytes of answers on this connection that the system has not taken yet: what they are made of is not to be changed. */
  get unsentBytes(): number {
    return this.#connection.bufferedBytes
  }

  /** Aborts when the client is gone. */
  get signal(): AbortSignal {
    return this.#connection.signal
  }

  /** The body as a stream; `undefined` when the request has none. */
  get body(): RequestBody | undefined {
    return this.#body
  }

  /**
   * Lets this request have a longer body than `maxBodyBytes`, or a shorter one. Call it before the body is read.
   * @throws UsageError `ERR_ARGUMENT` for what is no number of bytes.
   */
  limitBody(maxBytes: number): void {
    if (!(maxBytes >= 0) || (maxBytes !== Infinity && !Number.isInteger(maxBytes)))
      throw new UsageError('ERR_ARGUMENT', `Cannot limit the body: expected a number of bytes, got ${maxBytes}`)
    this.#body?.limit(maxBytes)
  }

  /**
   * Sends an answer before the answer: 103 (Early Hints), 104 (Upload Resumption Supported). Only while the request has
   * a body that is not answered; clients of HTTP/1.0 are sent none.
   * @throws UsageError `ERR_ARGUMENT` for another status or a field that cannot be sent, `ERR_STATE` behind the answer.
   */
  inform(status: number, headers: FieldInit): void {
    this.#body?.inform(status, headers)
  }

  /** The whole body; empty when there is none. */
  bytes(): Promise<Uint8Array> {
    return this.#body?.bytes() ?? Promise.resolve(EMPTY_BYTES)
  }

  /** The whole body as UTF-8. @throws UsageError `ERR_ARGUMENT` when it is not. */
  text(): Promise<string> {
    return this.#body?.text() ?? Promise.resolve('')
  }

  /**
   * The whole body, parsed; with a schema of valibot, zod or any other Standard Schema, as that gives it.
   * @throws UsageError `ERR_ARGUMENT` when it is no JSON: answered with 400 unless it is caught; HttpError 400 with what
   *   the schema finds, see `parseBySchema`.
   */
  json(): Promise<unknown>
  json<Output>(schema: StandardSchema<Output>): Promise<Output>
  async json(schema?: StandardSchema): Promise<unknown> {
    const body = await this.text()
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch (cause) {
      throw new UsageError('ERR_ARGUMENT', 'Cannot read the body as JSON', { cause, fault: 'remote' })
    }
    return schema === undefined ? value : parseBySchema(schema, value)
  }

  /**
   * The parts of a form as they come, urlencoded or multipart: text, and files that are read as streams. The body is read
   * only as fast as they are. Nothing of a file is held in memory but the piece that is read.
   * @throws HttpError 415 for what is no form; while iterated 400 for one that is malformed, 413 for one over a limit.
   */
  formParts(options?: FormOptions): AsyncGenerator<FormPart, void, undefined> {
    const settings = readFormOptions(options)
    const parts = readForm(this.#body, this.headers.get('content-type'), settings)
    this.#body?.raiseLimit(settings.maxFormBytes)
    return parts
  }

  /**
   * The whole form. Its files lie in the temporary folder of the system until the request is answered: save what is to
   * stay.
   * @throws HttpError 400, 413, 415; what the file system says when there is no room for a file.
   */
  async formData(options?: FormOptions): Promise<Form> {
    return spoolForm(this.formParts(options), (cleanup) => this.#body?.onRelease(cleanup))
  }
}

/** Where the path of an absolute target begins. */
function pathStart(target: string): number {
  const authority = target.indexOf('://')
  if (authority === -1) return target === '*' ? 0 : target.length
  const slash = target.indexOf('/', authority + 3)
  const query = target.indexOf('?', authority + 3)
  if (slash === -1) return query === -1 ? target.length : query
  return query !== -1 && query < slash ? query : slash
}
