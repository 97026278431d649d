import type { FileHandle } from 'node:fs/promises'
import { formatDate } from '../engine/http/date.js'
import { formatEntityTag, type EntityTag } from '../engine/http/etag.js'
import { encodeField } from '../engine/http/fields.js'
import { evaluatePreconditions, rangeApplies, type CurrentRepresentation } from '../engine/http/preconditions.js'
import { formatContentRange, resolveRanges, type ByteRange } from '../engine/http/range.js'
import type { HttpRequest } from '../http/request.js'
import { HttpError, HttpResponse } from '../http/response.js'
import { FileBody } from './file-body.js'

/** Bytes that are held in memory, or a file that is open: it is closed when its answer was sent. */
export type Source = Uint8Array | FileHandle

export interface RepresentationInit {
  readonly source: Source
  readonly size: number
  readonly lastModifiedMs: number
  /** Of the file that it is made of. */
  readonly version: string
  readonly etag: EntityTag
  readonly type: string
  readonly coding: string | undefined
  /** Fields of every file, as lines. */
  readonly shared: string
}

/** One form of a file, with its fields as lines: they are checked and put together once. */
export class Representation {
  readonly #source: Source
  readonly version: string
  readonly size: number
  readonly type: string
  readonly lastModifiedMs: number
  readonly #current: CurrentRepresentation
  /** Of an answer that says that nothing has changed. */
  readonly #validators: string
  readonly #fields: string
  #whole: HttpResponse | undefined

  constructor({ source, size, lastModifiedMs, version, etag, type, coding, shared }: RepresentationInit) {
    this.#source = source
    this.version = version
    this.size = size
    this.type = type
    this.lastModifiedMs = lastModifiedMs
    this.#current = { exists: true, etag, lastModifiedMs }
    this.#validators =
      encodeField('ETag', formatEntityTag(etag)) + encodeField('Last-Modified', formatDate(lastModifiedMs)) + shared
    this.#fields =
      encodeField('Content-Type', type) +
      (coding === undefined ? '' : encodeField('Content-Encoding', coding)) +
      this.#validators +
      (this.#hasRanges ? 'Accept-Ranges: bytes\r\n' : '') +
      'X-Content-Type-Options: nosniff\r\n'
  }

  /** Parts are given of what has the same bytes each time, which a strong tag says. */
  get #hasRanges(): boolean {
    return this.#current.etag?.weak === false
  }

  /** The file that is open, for who needs its bytes first. */
  get file(): FileHandle | undefined {
    return this.#source instanceof Uint8Array ? undefined : this.#source
  }

  get bytes(): Uint8Array | undefined {
    return this.#source instanceof Uint8Array ? this.#source : undefined
  }

  /** Lets go of what is open: when there will be no answer. */
  async release(): Promise<void> {
    await this.file?.close()
  }

  /**
   * The answer to a request: RFC 9110 §13.2.2 and §14.2. Where its body is iterated, it closes what is open; else the
   * caller does.
   * @throws HttpError 412, 416.
   */
  answer(request: HttpRequest): HttpResponse {
    const { method, headers } = request
    const nowMs = Date.now()
    const outcome = evaluatePreconditions(method, headers, this.#current, nowMs)
    if (outcome === 'not-modified') return new HttpResponse(null, { status: 304 }, this.#validators)
    if (outcome === 'failed') throw new HttpError(412)
    if (this.#hasRanges && rangeApplies(method, headers, this.#current, nowMs)) {
      const ranges = resolveRanges(headers.get('range') ?? '', this.size)
      if (ranges === 'unsatisfiable')
        throw new HttpError(416, '', { headers: { 'Content-Range': formatContentRange(undefined, this.size) } })
      if (ranges !== 'whole') return this.#partial(ranges, request)
    }
    if (this.#whole !== undefined) return this.#whole
    const isRead = method === 'GET' && this.size > 0
    const body = this.bytes ?? this.#body(isRead ? [{ start: 0, end: this.size }] : [], request)
    const answer = new HttpResponse(body, { length: this.size }, this.#fields)
    if (this.bytes !== undefined) this.#whole = answer
    return answer
  }

  #partial(ranges: readonly ByteRange[], request: HttpRequest): HttpResponse {
    const [only] = ranges
    if (only !== undefined && ranges.length === 1) {
      const fields = this.#fields + encodeField('Content-Range', formatContentRange(only, this.size))
      return new HttpResponse(this.#body(ranges, request), { status: 206, length: only.end - only.start }, fields)
    }
    const boundary = `moorage-${crypto.randomUUID()}`
    const heads = ranges.map((range) =>
      Buffer.from(
        `\r\n--${boundary}\r\nContent-Type: ${this.type}\r\nContent-Range: ${formatContentRange(range, this.size)}\r\n\r\n`,
      ),
    )
    const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
    const length =
      ranges.reduce((sum, { start, end }) => sum + end - start, 0) +
      heads.reduce((sum, head) => sum + head.length, 0) +
      tail.length
    const type = encodeField('Content-Type', `multipart/byteranges; boundary=${boundary}`)
    const fields = type + this.#fields.slice(this.#fields.indexOf('\r\n') + 2)
    return new HttpResponse(this.#body(ranges, request, heads, tail), { status: 206, length }, fields)
  }

  /** Ranges, each behind its head, and the tail behind all. */
  #body(
    ranges: readonly ByteRange[],
    request: HttpRequest,
    heads: readonly Uint8Array[] = [],
    tail?: Uint8Array,
  ): HttpResponse['body'] {
    const source = this.#source
    const pieces: (Uint8Array | ByteRange)[] = []
    for (const [i, range] of ranges.entries()) {
      const head = heads[i]
      if (head !== undefined) pieces.push(head)
      pieces.push(source instanceof Uint8Array ? source.subarray(range.start, range.end) : range)
    }
    if (tail !== undefined) pieces.push(tail)
    if (!(source instanceof Uint8Array)) return new FileBody(source, pieces, () => request.unsentBytes === 0)
    const bytes = pieces.filter((piece) => piece instanceof Uint8Array)
    return bytes.length === 1 ? (bytes[0] ?? null) : Buffer.concat(bytes)
  }
}
