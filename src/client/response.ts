import type { ProtocolError } from '../base/errors.js'
import { checkBySchema, formatFaults, type StandardSchema } from '../base/standard-schema.js'
import type { Fields } from '../engine/http/fields.js'
import { decodeText } from './charset.js'
import { decodeContent, decodeWhole, type DecodingLimits } from './content-decoding.js'
import { tryContentLength } from './content-length.js'
import { BodyError, detailsOf, explain, refusedByProxy, StatusError } from './errors.js'
import { parseEvents, type ReceivedEvent } from './event-stream.js'
import { textLines, type TextLineOptions } from './text-lines.js'
import { saveBody } from './save-body.js'
import { findPlace, writeThrough } from './save-place.js'
import { SavedFile } from './saved-file.js'
import type { IncomingBody, Taker } from './incoming-body.js'
import type { CacheOutcome } from './http-cache.js'
import { parseLinks, type Link } from './link.js'
import type { ConnectionFacts } from './exchange.js'
import type { Incoming } from './incoming.js'

/** Where the time of a request went, in milliseconds; `undefined` for what was not needed: a connection was there. */
export interface Elapsed {
  readonly resolveMs: number | undefined
  readonly connectMs: number | undefined
  readonly tlsMs: number | undefined
  /** From the request going out to the head of the response. */
  readonly firstByteMs: number
  /** Of the body; `undefined` until it is whole. */
  readonly bodyMs: number | undefined
  readonly totalMs: number
}

export interface ResponseParts {
  readonly incoming: Incoming
  readonly method: string
  readonly url: string
  readonly history: readonly ClientResponse[]
  readonly decodes: boolean
  readonly maxBodyBytes: number
  readonly cached?: CacheOutcome | undefined
}

/** A response. Its body is read once: as text, JSON or bytes, piece by piece, into a file, or not at all (`discard`). */
export class ClientResponse implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly status: number
  readonly reason: string
  readonly headers: Fields
  /** What was requested: behind redirects, the last of them. Without user and password. */
  readonly url: string
  readonly method: string
  /** The redirects that led here, the oldest first. */
  readonly history: readonly ClientResponse[]
  readonly httpVersion: string
  readonly #incoming: Incoming
  readonly #parts: ResponseParts

  constructor(parts: ResponseParts) {
    const { incoming, method, url, history } = parts
    const { head } = incoming
    this.status = head.status
    this.reason = head.reason
    this.headers = head.fields
    this.url = url
    this.method = method
    this.history = history
    this.httpVersion = head.httpVersion
    this.#incoming = incoming
    this.#parts = parts
  }

  /** How a cache gave it; `undefined` when a server did. */
  get cached(): CacheOutcome | undefined {
    return this.#parts.cached
  }

  /** RFC 8288: where it points to, such as the next page. */
  get links(): readonly Link[] {
    return parseLinks(this.headers.get('link') ?? '')
  }

  /** Whether the status is one of 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  get elapsed(): Elapsed {
    const { resolved, connected, tunneled, secured, sent = 0, responded = 0, ended } = this.#incoming.milestones
    const reached = tunneled ?? connected
    return {
      resolveMs: resolved,
      connectMs: reached === undefined ? undefined : reached - (resolved ?? 0),
      tlsMs: secured === undefined ? undefined : secured - (reached ?? 0),
      firstByteMs: responded - sent,
      bodyMs: ended === undefined ? undefined : ended - responded,
      totalMs: ended ?? responded,
    }
  }

  /** The fields behind a chunked body, once it was read to its end. */
  get trailers(): Fields | undefined {
    return this.#incoming.body.trailers
  }

  /** Bytes of the body that have come, as they were sent. */
  get receivedBytes(): number {
    return this.#incoming.body.received
  }

  /** What it came over; `undefined` for what a cache gave. */
  get connection(): ConnectionFacts | undefined {
    return this.#incoming.connection
  }

  /** @internal */
  get rawBody(): IncomingBody {
    return this.#incoming.body
  }

  /** @internal */
  get incoming(): Incoming {
    return this.#incoming
  }

  get #codings(): string | undefined {
    return this.#parts.decodes ? this.headers.get('content-encoding') : undefined
  }

  get #limits(): DecodingLimits {
    return { maxBytes: this.#parts.maxBodyBytes, maxExpansion: MAX_EXPANSION }
  }

  /**
   * All of the body, decoded. @throws LimitError `ERR_BODY_LIMIT`; BodyError; UsageError `ERR_BODY_USED`; what broke it off.
   */
  bytes(): Promise<Uint8Array> {
    const codings = this.#codings
    const body = this.#incoming.body.whole(this.#parts.maxBodyBytes)
    return codings === undefined ? body : this.#decoded(body, codings)
  }

  async #decoded(body: Promise<Uint8Array>, codings: string): Promise<Uint8Array> {
    const bytes = await body
    try {
      return decodeWhole(codings, bytes, this.#limits)
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** All of it as text, by its byte order mark, its charset, what its first bytes say, or as UTF-8. */
  text(): Promise<string> {
    const contentType = this.headers.get('content-type')
    if (this.#codings === undefined) {
      const bytes = this.#incoming.body.tryWhole(this.#parts.maxBodyBytes)
      if (bytes !== undefined) return Promise.resolve(decodeText(bytes, contentType))
    }
    return this.#textOf(contentType)
  }

  async #textOf(contentType: string | undefined): Promise<string> {
    return decodeText(await this.bytes(), contentType)
  }

  /**
   * All of it as JSON, checked by a schema where one is given (zod, valibot, ArkType: whatever speaks Standard Schema).
   * @throws BodyError `ERR_BODY` for what is no JSON, or not what the schema wants.
   */
  json(): Promise<unknown>
  json<Output>(schema: StandardSchema<Output>): Promise<Output>
  async json<Output>(schema?: StandardSchema<Output>): Promise<unknown> {
    const value = this.parseJson(await this.text())
    if (schema === undefined) return value
    const checked = await checkBySchema(schema, value)
    if ('value' in checked) return checked.value
    throw this.#wrong(`it is not as the schema wants it: ${formatFaults(checked.faults)}`, undefined)
  }

  /** @internal The body, read before. @throws BodyError `ERR_BODY`. */
  parseJson(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      const type = this.headers.get('content-type') ?? 'no content-type'
      throw this.#wrong(`it is no JSON (${type}): it begins with ${JSON.stringify(text.slice(0, 64))}`, cause)
    }
  }

  #explained(error: unknown): unknown {
    return explain(error, this.#incoming.asked.facts())
  }

  #wrong(why: string, cause: unknown): ProtocolError {
    const { method, url, status } = this
    const suggestion = 'look at what the server sends there: it may be a page that tells of an error'
    return new BodyError('ERR_BODY', `Cannot read the body of ${method} ${url}: ${why}; ${suggestion}`, {
      cause,
      details: { ...detailsOf(this.#incoming.asked.facts(), 'body', suggestion), status },
    })
  }

  /** Piece by piece, decoded. Leaving early gives the connection up. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const codings = this.#codings
    const { body } = this.#incoming
    return codings === undefined ? body[Symbol.asyncIterator]() : this.#decode(codings, body)
  }

  async *#decode(codings: string, body: IncomingBody): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* decodeContent(codings, body, { maxBytes: Infinity, maxExpansion: MAX_EXPANSION })
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** Line by line as they come, as text. @throws LimitError `ERR_BODY_LIMIT` for one that is too long. */
  lines(options?: TextLineOptions): AsyncGenerator<string, void, undefined> {
    return textLines(this, this.headers.get('content-type'), options)
  }

  /** The events of a server (`text/event-stream`), as they come. Coming again when it has ended is up to you. */
  events(): AsyncGenerator<ReceivedEvent, void, undefined> {
    return parseEvents(textLines(this, 'text/event-stream; charset=utf-8'))
  }

  /** @internal */
  get receiveFile(): ((descriptor: number, position: number) => Promise<number>) | undefined {
    const { body } = this.#incoming
    return this.#codings === undefined ? (descriptor, position) => body.receiveFile(descriptor, position) : undefined
  }

  /** @internal All of it, decoded; pieces are borrowed for the length of the call. */
  async drainTo(take: Taker): Promise<void> {
    if (this.#codings === undefined) return this.#incoming.body.drainTo(take)
    for await (const piece of this) await take(piece)
  }

  /**
   * Saves the body, decoded: all of it, or nothing, under a name that keeps what it had until then.
   * @returns its bytes. @throws what broke the body off, and what the file system says.
   */
  async saveTo(path: string, { sync = false }: { readonly sync?: boolean | undefined } = {}): Promise<number> {
    const place = await findPlace(path)
    if (!place.isFile) return writeThrough(this, place.path)
    const file = await SavedFile.create(place.path, tryContentLength(this.headers) ?? Infinity)
    try {
      await saveBody(this, file.writer)
      return await file.keep(sync)
    } catch (error) {
      this.discard()
      await file.drop()
      throw error
    }
  }

  /** Reads no more of it. */
  discard(): void {
    this.#incoming.body.discard()
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#incoming.body.isOver) this.discard()
    return Promise.resolve()
  }

  /**
   * RFC 9110 §15.5.8: the proxy that was sent the request answered 407 in place of the server. Of one that opens a tunnel it
   * is an error already.
   */
  get isRefusedByProxy(): boolean {
    return this.status === 407 && this.#incoming.asked.facts().isForwarded
  }

  /**
   * @throws StatusError `ERR_STATUS` for a status from 400 up; the body can still be read. ProxyError `ERR_PROXY_AUTH` where
   *   `isRefusedByProxy`. Returns itself.
   */
  raiseForStatus(): this {
    if (this.status < 400) return this
    throw this.isRefusedByProxy ? refusedByProxy(this) : new StatusError(this)
  }
}

/** A bomb of gzip has a thousandfold; text has up to forty. */
const MAX_EXPANSION = 1000
