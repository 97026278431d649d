import { UsageError } from '../../base/errors.js'
import { END, NEED_DATA, type End, type NeedData } from '../decoder.js'
import { BodyReader, decodeLatin1, type DataEvent, type Latin1, type MessageEnd, MESSAGE_END } from './body-reader.js'
import { BodyWriter } from './body-writer.js'
import { encodeRequestHead, type RequestStart } from './encode-request.js'
import { PAUSED, SWITCHED_AWAY, type Paused, type Switched } from './events.js'
import { HeadReader } from './head-reader.js'
import { ResponseHead } from './message-head.js'
import type { Http1ClientSettings } from './options.js'
import { Received } from '../received.js'
import { refuse, refuseSize, unexpectedEnd } from './refuse.js'
import { isSwitch, readResponseFacts, type Asked } from './response-facts.js'
import { after, BODY, CLOSED, DONE, IDLE, STEPS, SWITCHED, type Side } from './state.js'

export type ClientEvent = ResponseHead | DataEvent | MessageEnd | NeedData | Paused | Switched | End

/**
 * The client's end of an HTTP/1 connection (RFC 9112), without a socket. Begin with `request`, then `data` and `end`, whose
 * bytes are yours to send; give it what arrives and take events until it says `need-data`. One request at a time: the
 * next may be sent when the response to the one before is whole, and `isIdle` says so.
 *
 * Bytes given to `receive` are borrowed until `nextEvent` has said `need-data` or `paused`, or `hold` was called.
 * A response that cannot be understood is thrown by `nextEvent`, and is final: close the connection.
 */
export class ClientConnection {
  readonly #latin1: Latin1
  readonly #head: HeadReader
  readonly #body: BodyReader
  readonly #in: Received = new Received()
  readonly #out: BodyWriter = new BodyWriter()
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #asked: Asked | undefined
  readonly #maxInterim: number
  /** Since the request. */
  #interim = 0
  #theirs: Side = IDLE
  #ours: Side = IDLE
  #mayPersist = true

  /** `settings` are those of `readHttp1ClientOptions`; `latin1` may be a faster one of the platform. */
  constructor(settings: Http1ClientSettings, latin1: Latin1 = decodeLatin1) {
    this.#maxInterim = settings.maxInterimResponses
    this.#latin1 = latin1
    this.#head = new HeadReader('response', settings)
    this.#body = new BodyReader(settings, latin1)
  }

  /** Whether this connection can take another request after this one. */
  get persists(): boolean {
    return this.#mayPersist
  }

  /** Whether a request may be sent now. */
  get isIdle(): boolean {
    return this.#ours === IDLE && this.#theirs === IDLE && this.#in.isEmpty
  }

  /** Whether the request was sent to its end. */
  get isRequestWhole(): boolean {
    return this.#ours !== BODY
  }

  // ---- sending

  /**
   * Begins a request. Returns its head, to be sent before anything that `data` and `end` are called for.
   * @throws UsageError `ERR_STATE` before the response to the last one is whole, and when the connection is of no use any
   *   more; `ERR_ARGUMENT` for what would be read as another request.
   */
  request(start: RequestStart): string {
    const next = after(this.#ours, STEPS.head, 'send a request')
    const head = encodeRequestHead(start)
    const { method, upgrade = '', bodyLength = 0, close = false } = start
    this.#ours = next
    this.#asked = { method, upgrade }
    this.#interim = 0
    this.#out.begin(bodyLength, bodyLength !== 0)
    if (close) this.#mayPersist = false
    return head
  }

  /**
   * Tells of bytes of the body that are about to be sent. Returns what goes before them; after them goes `dataEnd`.
   * `undefined` when the request has no body.
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
   * Ends the request. Returns what to send last.
   * @throws UsageError `ERR_STATE`, and `ERR_ARGUMENT` when bytes that were announced are missing: close the connection.
   */
  end(trailers: string = ''): string {
    const next = after(this.#ours, STEPS.end, 'end the request')
    if (this.#out.missing > 0) {
      this.#mayPersist = false
      throw new UsageError('ERR_ARGUMENT', `Cannot end the request: ${this.#out.missing} bytes of its body are missing`)
    }
    this.#ours = this.#theirs === SWITCHED ? SWITCHED : next
    this.#goOn()
    return this.#out.end(trailers)
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

  /** Copies what was not used, so that the bytes that were received are the caller's again. */
  hold(): void {
    this.#in.hold()
  }

  /**
   * Bytes of the body that come next as they are, and that may be read without this engine: `passBody` tells it of them.
   * 0 in chunks, between messages, and while something that was received is held.
   */
  get plainBodyLeft(): number {
    return this.#theirs === BODY && this.#failure === undefined && this.#in.isEmpty ? this.#body.plainLeft : 0
  }

  /** @throws UsageError `ERR_ARGUMENT` for more than `plainBodyLeft`. */
  passBody(count: number): void {
    if (count > this.plainBodyLeft)
      throw new UsageError('ERR_ARGUMENT', `Cannot pass ${count} bytes of the body: there are ${this.plainBodyLeft}`)
    this.#body.pass(count)
  }

  /** What was received and belongs to another protocol now. */
  takeRest(): Uint8Array {
    return this.#in.takeRest()
  }

  /** @throws ProtocolError, LimitError: final. */
  nextEvent(): ClientEvent {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      const event = this.#next()
      if (event === NEED_DATA || event === PAUSED) this.hold()
      return event
    } catch (error) {
      this.#failure = { error }
      this.#mayPersist = false
      this.#ours = CLOSED
      this.takeRest()
      throw error
    }
  }

  #next(): ClientEvent {
    switch (this.#theirs) {
      case IDLE:
        return this.#nextResponse()
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

  #nextResponse(): ClientEvent {
    const { bytes, at: from } = this.#in
    const asked = this.#asked
    if (asked === undefined) {
      if (from < bytes.length) throw unsolicited()
      if (!this.#ended) return NEED_DATA
      this.#close()
      return END
    }
    const end = from === bytes.length ? -1 : this.#head.read(bytes, from, bytes.length)
    if (end === -1) {
      if (!this.#ended) return NEED_DATA
      throw unexpectedEnd('the head of a response', 502)
    }
    const { spans, firstEnd, secondEnd, status, minorVersion } = this.#head
    const text = this.#latin1(bytes, from, end)
    const reason = text.slice(firstEnd + 1, secondEnd)
    this.#head.restart()
    this.#in.at = end
    const facts = readResponseFacts(text, spans, status, minorVersion, asked)
    const response = new ResponseHead(text, spans, { status, reason, minorVersion, ...facts })
    if (response.type === 'interim') {
      this.#countInterim()
      return response
    }
    this.#theirs = after(this.#theirs, STEPS.head, 'read a response')
    if (isSwitch(status, asked.method)) {
      this.#theirs = after(this.#theirs, STEPS.switch, 'switch')
      if (this.#ours === DONE) this.#ours = SWITCHED
      this.#mayPersist = false
      return response
    }
    if (!facts.keepAlive) this.#mayPersist = false
    this.#body.begin(facts.bodyLength)
    return response
  }

  /** RFC 9110 §15.2: any number of them may come, and one that never ends keeps the caller for ever. */
  #countInterim(): void {
    this.#interim += 1
    if (this.#interim > this.#maxInterim)
      throw refuseSize('ERR_HTTP_INTERIM_LIMIT', 'the responses before the response', this.#maxInterim, {
        status: 502,
        section: 'RFC 9110 §15.2',
      })
  }

  #nextBody(): ClientEvent {
    let event = this.#body.next(this.#in.bytes, this.#in.at, this.#in.bytes.length)
    this.#in.at = this.#body.at
    if (event === undefined) {
      if (!this.#ended) return NEED_DATA
      if (!this.#body.endsWithConnection) throw unexpectedEnd('the body of a response', 502)
      event = MESSAGE_END
    }
    if (event.type === 'message-end') {
      this.#theirs = after(this.#theirs, STEPS.end, 'end the response')
      this.#goOn()
    }
    return event
  }

  /** The next request can be sent when both directions are done with this one. */
  #goOn(): void {
    if (this.#theirs !== DONE || this.#ours !== DONE) return
    this.#asked = undefined
    if (!this.#mayPersist) {
      this.#close()
      return
    }
    this.#theirs = after(this.#theirs, STEPS.next, 'go on')
    this.#ours = after(this.#ours, STEPS.next, 'go on')
  }

  #close(): void {
    this.#mayPersist = false
    this.#theirs = after(this.#theirs, STEPS.close, 'close')
    this.#ours = after(this.#ours, STEPS.close, 'close')
  }
}

/** RFC 9112 §9.2: it may be the answer to a request of somebody else. */
const unsolicited = (): Error =>
  refuse('ERR_HTTP_UNSOLICITED', 'Cannot read a response: no request was sent', 502, 'RFC 9112 §9.2')
