import { UsageError } from '../../base/errors.js'
import { END, NEED_DATA, type End, type NeedData } from '../decoder.js'
import { BodyReader, decodeLatin1, MESSAGE_END, type DataEvent, type Latin1, type MessageEnd } from './body-reader.js'
import { BodyWriter } from './body-writer.js'
import { encodeResponseHead, type ResponseStart } from './encode.js'
import { PAUSED, SWITCHED_AWAY, type Paused, type Switched } from './events.js'
import { readRequestFacts } from './framing-fields.js'
import { HeadReader } from './head-reader.js'
import { RequestHead } from './message-head.js'
import type { Http1Settings } from './options.js'
import { Received } from '../received.js'
import { unexpectedEnd } from './refuse.js'
import { after, BODY, CLOSED, DONE, IDLE, STEPS, SWITCHED, type Side } from './state.js'

export type ServerEvent = RequestHead | DataEvent | MessageEnd | NeedData | Paused | Switched | End

/**
 * The server's end of an HTTP/1 connection (RFC 9112), without a socket. Give it what arrives, take events until it says
 * `need-data` or `paused`, answer with `respond`, `data` and `end`, whose bytes are yours to send, and go on.
 *
 * Bytes given to `receive` are borrowed until `nextEvent` has said `need-data` or `paused`, or `hold` was called.
 * A request that cannot be understood is thrown by `nextEvent`, with `details.status` for the answer, and is final.
 */
export class ServerConnection {
  readonly #settings: Http1Settings
  readonly #latin1: Latin1
  /** Only while a head came in part: a connection that waits holds none. */
  #head: HeadReader | undefined
  /** Only while a body is on its way. */
  #body: BodyReader | undefined
  readonly #in: Received = new Received()
  readonly #out: BodyWriter = new BodyWriter()
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #request: RequestHead | undefined
  #theirs: Side = IDLE
  #ours: Side = IDLE
  #mayPersist = true

  /** `settings` are those of `readHttp1Options`; `latin1` may be a faster one of the platform. */
  constructor(settings: Http1Settings, latin1: Latin1 = decodeLatin1) {
    this.#settings = settings
    this.#latin1 = latin1
  }

  /** Whether this connection can take another request after this one. */
  get persists(): boolean {
    return this.#mayPersist
  }

  /** Whether no request is on its way in or out, and none has begun. */
  get isIdle(): boolean {
    return this.#theirs === IDLE && this.#in.isEmpty
  }

  /** Whether something was received that was not read yet. */
  get holdsBytes(): boolean {
    return !this.#in.isEmpty
  }

  /** Whether the request that is being answered was read to its end. */
  get isRequestWhole(): boolean {
    return this.#theirs !== BODY
  }

  // ---- receiving

  /** @throws UsageError `ERR_STATE` while events of what was received before are not taken. */
  receive(bytes: Uint8Array): void {
    if (this.#failure !== undefined || this.#theirs === CLOSED) return
    this.#in.receive(bytes)
  }

  receiveEof(): void {
    this.#ended = true
  }

  /** Another limit for the body of the request that is being read, in place of `maxBodyBytes`. */
  limitBody(maxBytes: number): void {
    this.#body?.limit(maxBytes)
  }

  /** Copies what was not used, so that the bytes that were received are the caller's again. */
  hold(): void {
    this.#in.hold()
  }

  /** What was received and belongs to another protocol now. */
  takeRest(): Uint8Array {
    return this.#in.takeRest()
  }

  /** @throws ProtocolError, LimitError: final. */
  nextEvent(): ServerEvent {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      const event = this.#next()
      if (event === NEED_DATA || event === PAUSED) this.hold()
      return event
    } catch (error) {
      this.#failure = { error }
      this.#mayPersist = false
      this.takeRest()
      throw error
    }
  }

  #next(): ServerEvent {
    switch (this.#theirs) {
      case IDLE:
        return this.#nextRequest()
      case BODY:
        return this.#nextBody()
      case DONE:
        return PAUSED
      case SWITCHED:
        return SWITCHED_AWAY
      case CLOSED:
        return END
    }
  }

  #nextRequest(): ServerEvent {
    const { bytes, at: from } = this.#in
    const head = this.#head ?? takeReader(this.#settings)
    const end = from === bytes.length ? -1 : head.read(bytes, from, bytes.length)
    if (end === -1) {
      if (from === bytes.length) spare.reader = head
      else this.#head = head
      if (!this.#ended) return NEED_DATA
      // A blank line is no request that was begun (RFC 9112 §2.2).
      if (bytes.length - from > head.start) throw unexpectedEnd('the head of a request', 400)
      this.#in.at = bytes.length
      this.#theirs = CLOSED
      return END
    }
    const { spans, start, firstEnd, secondEnd, minorVersion } = head
    const text = this.#latin1(bytes, from, end)
    const method = text.slice(start, firstEnd)
    const target = text.slice(firstEnd + 1, secondEnd)
    head.restart()
    this.#head = undefined
    spare.reader = head
    this.#in.at = end
    const facts = readRequestFacts(text, spans, method, target, minorVersion)
    this.#theirs = BODY
    this.#ours = IDLE
    this.#mayPersist = facts.keepAlive
    if (facts.bodyLength !== 0) {
      this.#body = new BodyReader(this.#settings, this.#latin1)
      this.#body.begin(facts.bodyLength)
    }
    const request = new RequestHead(text, spans, method, target, facts)
    this.#request = request
    return request
  }

  #nextBody(): ServerEvent {
    const body = this.#body
    const event = body === undefined ? MESSAGE_END : body.next(this.#in.bytes, this.#in.at, this.#in.bytes.length)
    if (body !== undefined) this.#in.at = body.at
    if (event === undefined) {
      if (!this.#ended) return NEED_DATA
      throw unexpectedEnd('the body of a request', 400)
    }
    if (event.type === 'message-end') {
      this.#body = undefined
      this.#theirs = DONE
      this.#goOn()
    }
    return event
  }

  // ---- sending

  /**
   * An answer before the answer: 100 (Continue), 103 (Early Hints). Returns what to send.
   * @throws UsageError `ERR_STATE`, `ERR_ARGUMENT`.
   */
  inform(status: number, fields: string): string {
    if (status < 100 || status > 199 || status === 101)
      throw new UsageError('ERR_ARGUMENT', `Cannot send ${status} before the answer: expected 100, or 102 to 199`)
    after(this.#ours, STEPS.head, 'send an answer')
    // A client of HTTP/1.0 knows of no such thing.
    if (this.#request?.minorVersion !== 1) return ''
    return encodeResponseHead({ status, fields, bodyLength: 0 }, '')
  }

  /**
   * Begins the answer. Returns its head, to be sent before anything that `data` and `end` are called for.
   * @throws UsageError `ERR_STATE`.
   */
  respond(start: ResponseStart): string {
    this.#ours = after(this.#ours, STEPS.head, 'send an answer')
    const request = this.#request
    const { status } = start
    const isSwitch = status === 101 || (request?.method === 'CONNECT' && status >= 200 && status < 300)
    const isBodiless = isSwitch || status === 204 || status === 304 || request?.method === 'HEAD'
    const isOld = request === undefined || request.minorVersion === 0
    let { bodyLength } = start
    if (bodyLength === 'chunked' && isOld) bodyLength = 'until-end'
    if (bodyLength === 'until-end' && !isBodiless) this.#mayPersist = false
    if (start.close === true || this.#failure !== undefined) this.#mayPersist = false
    this.#out.begin(bodyLength, !isBodiless)
    if (isSwitch) {
      this.#ours = SWITCHED
      this.#theirs = SWITCHED
      return encodeResponseHead({ ...start, bodyLength }, '')
    }
    const connection = this.#mayPersist ? (isOld ? 'Connection: keep-alive\r\n' : '') : 'Connection: close\r\n'
    return encodeResponseHead(bodyLength === start.bodyLength ? start : { ...start, bodyLength }, connection)
  }

  /** Whether the answer that was begun has a body that is sent: not to HEAD, for one. */
  get sendsBody(): boolean {
    return this.#out.sends
  }

  /**
   * Tells of bytes of the body that are about to be sent. Returns what goes before them; after them goes `dataEnd`.
   * Bytes of an answer that has no body (to HEAD, say) are not to be sent: then this returns `undefined`.
   * @throws UsageError `ERR_STATE`, and `ERR_ARGUMENT` for more bytes than were announced.
   */
  data(count: number): string | undefined {
    if (this.#ours !== BODY) after(this.#ours, STEPS.end, 'send a body')
    return this.#out.data(count)
  }

  get dataEnd(): string {
    return this.#out.dataEnd
  }

  /**
   * Ends the answer. Returns what to send last.
   * @throws UsageError `ERR_STATE`, and `ERR_ARGUMENT` when bytes that were announced are missing: the peer would wait
   *   for them, so the connection is of no use then.
   */
  end(trailers: string = ''): string {
    const next = after(this.#ours, STEPS.end, 'end the answer')
    if (this.#out.missing > 0) {
      this.#mayPersist = false
      throw new UsageError('ERR_ARGUMENT', `Cannot end the answer: ${this.#out.missing} bytes of its body are missing`)
    }
    this.#ours = next
    this.#goOn()
    return this.#out.end(trailers)
  }

  /** The next request can come when both directions are done with this one. */
  #goOn(): void {
    if (this.#theirs !== DONE || this.#ours !== DONE) return
    this.#request = undefined
    const step = this.#mayPersist ? STEPS.next : STEPS.close
    this.#theirs = after(this.#theirs, step, 'go on')
    this.#ours = after(this.#ours, step, 'go on')
  }
}

/** Nearly all heads come whole: one reader of this thread serves them all. */
const spare: { reader: HeadReader | undefined } = { reader: undefined }

function takeReader(settings: Http1Settings): HeadReader {
  const { reader } = spare
  spare.reader = undefined
  return reader?.limits === settings ? reader : new HeadReader('request', settings)
}
