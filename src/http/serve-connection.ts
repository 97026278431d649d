import { ClosedError, errorCodeOf, MoorageError } from '../base/errors.js'
import { encodeField, fieldPairs, type FieldInit } from '../engine/http/fields.js'
import { reasonOf } from '../engine/http/status.js'
import type { BodyLength, RequestHead } from '../engine/http1/message-head.js'
import { ServerConnection } from '../engine/http1/server-connection.js'
import type { CloseReport, ConnectionSink } from '../transport/connection.js'
import { copyBytes } from '../transport/fresh-bytes.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import { dateField } from './date-field.js'
import type { HttpSettings } from './options.js'
import { answerToError, notAnswer, tooLongInstead } from './error-answer.js'
import { latin1, Output } from './output.js'
import { readRequestLine, type RequestLine } from './refusal.js'
import { RequestBody, type BodySource } from './request-body.js'
import { HttpRequest } from './request.js'
import { encodeFields, HttpError, HttpResponse, text } from './response.js'
import type { HttpFunction } from './handlers.js'
import { BodyPace, requestTimeout, tooSlowReader } from './request-timeout.js'
import { discard, isStreamed, letGo } from './response-body.js'
import { MAX_WHOLE_BYTES, onePart, sendParts } from './send-parts.js'
import type { Timed, Timeouts } from '../base/timeouts.js'
import { UpgradeResponse } from './upgrade.js'
import type { HandlerEnd, ServerContext } from '../server/handlers.js'

export interface HttpService {
  readonly handler: HttpFunction
  readonly settings: HttpSettings
  readonly timeouts: Timeouts
  readonly server: ServerContext
  /** A handler threw something that is no answer; the client got a 500. */
  readonly report: (error: unknown, connection: StreamConnection) => void
}

/** What a client that has not been read to its end may still send before it is cut. */
const MAX_DROPPED_BYTES = 256 * 1024

/** A client that was answered within this time is one that asks all the time, and gets so long for its next request. */
const RECENT_MS = 1000
const NEXT_REQUEST_MS = 500

/** Answers the requests of one connection; tells `end` when it is to be closed. */
export function serveConnection(connection: StreamConnection, service: HttpService, end: HandlerEnd): void {
  connection.sinkTo(new HttpConnection(connection, service, end))
}

/** The loop between a connection, the engine and the handler: the one place where the three meet. */
class HttpConnection implements ConnectionSink, BodySource, Timed {
  readonly #connection: StreamConnection
  readonly #service: HttpService
  readonly #end: HandlerEnd
  readonly #engine: ServerConnection
  readonly #out: Output
  #body: RequestBody | undefined
  /** A handler, or the sending of its answer, is under way. */
  #isBusy = false
  #isRunning = false
  #isPaused = false
  #isClosing = false
  #wasContinued = false
  /** A body that may be over its limit is not read before the handler reads it: it may allow more. */
  #holdsBody = false
  /** As its length is told. */
  #isTooLong = false
  #dropped = 0
  /** Of the answer that is being sent. */
  #parts: AsyncIterator<Uint8Array | string> | undefined
  /** It has no end of its own. */
  #isEndless = false
  #hasClientEnded = false
  /** The server shuts down: the answer that is made now is the last. */
  #isLast = false
  /** What was received when that began: of these requests, the last one has the last answer. */
  #owesHeld = false
  /** Since when it waits for what it waits for now. */
  #since: number
  #hadRequest = false
  #bodyLength: BodyLength = 0
  /** Of the body that is read. */
  #pace: BodyPace | undefined
  #lookedAt: number
  /** What was sent last is still on its way; then the connection is given back. */
  #isLeaving = false
  /** What the head that is read began with, while it may be looked at. */
  #beginning: Uint8Array | undefined

  constructor(connection: StreamConnection, service: HttpService, end: HandlerEnd) {
    this.#connection = connection
    this.#service = service
    this.#end = end
    this.#engine = new ServerConnection(service.settings, latin1)
    this.#out = new Output(connection)
    service.timeouts.add(this)
    this.#since = service.timeouts.now
    this.#lookedAt = this.#since
  }

  // ---- from the connection

  data(bytes: Uint8Array): void {
    if (this.#isClosing) {
      this.#dropped += bytes.length
      if (this.#dropped > MAX_DROPPED_BYTES) this.#connection.pauseSink()
      return
    }
    if (this.#engine.isIdle) {
      this.#since = this.#service.timeouts.now
      this.#beginning = bytes
    }
    this.#owesHeld = false
    this.#engine.receive(bytes)
    this.#run()
    this.#beginning = undefined
  }

  end(): void {
    this.#hasClientEnded = true
    this.#engine.receiveEof()
    this.#run()
    if (this.#isEndless) this.#breakOff()
  }

  drain(): void {
    this.#out.drain()
    if (this.#isPaused && !this.#isBusy && !this.#holdsBody) this.#goOn()
  }

  finish(force: boolean): void {
    this.#isLast = true
    this.#owesHeld = this.#engine.holdsBytes
    if (this.#isBusy || this.#isClosing || (!force && !this.#engine.isIdle)) return
    // The next request of a client that asks all the time is on its way: it is answered, and told that it is the last.
    const { now } = this.#service.timeouts
    if (force || !this.#hadRequest || now - this.#since > RECENT_MS) this.#leave()
    else
      this.#connection.clock.after(NEXT_REQUEST_MS, () => {
        if (!this.#isBusy && !this.#isClosing && this.#engine.isIdle) this.#leave()
      })
  }

  makeRoom(): void {
    this.#isLast = true
    if (!this.#isBusy && !this.#isClosing && this.#hadRequest && this.#engine.isIdle) this.#leave()
  }

  close({ error }: CloseReport): void {
    if (!this.#isClosing && errorCodeOf(error) === 'ERR_FILE_READ') this.#service.report(error, this.#connection)
    this.#isClosing = true
    this.#service.timeouts.delete(this)
    this.#body?.fail(error ?? this.#connection.signal.reason)
    // Whoever makes the answer need not go on.
    if (this.#parts !== undefined) letGo(this.#parts)
    this.#out.drain()
    this.#end.over()
  }

  // ---- the loop

  /** Takes events until more is needed, or an answer is waited for. */
  #run(): void {
    if (this.#isRunning || this.#isClosing) return
    this.#isRunning = true
    this.#out.begin()
    try {
      while (this.#step());
    } catch (error) {
      this.#refuse(error)
    }
    this.#out.flush()
    this.#isRunning = false
  }

  /** False when there is nothing to do now. */
  #step(): boolean {
    // The next request waits until the client has taken what was answered to those before.
    if (this.#holdsBody || (this.#out.isPressed && !this.#isBusy)) {
      this.#engine.hold()
      this.#pause()
      return false
    }
    const event = this.#engine.nextEvent()
    switch (event.type) {
      case 'request':
        this.#handle(event)
        return true
      case 'data':
        this.#receive(event.bytes)
        if (this.#body?.isPaused !== true) return !this.#isClosing
        // What stands behind it in the same read waits in the engine.
        this.#engine.hold()
        return false
      case 'message-end':
        this.#body?.end(event.trailers)
        return true
      case 'need-data':
      case 'switched':
        return false
      case 'paused':
        // One answer at a time: what the client has sent behind this request waits in the engine, and then at the client.
        if (this.#engine.holdsBytes) this.#pause()
        return false
      case 'end':
        if (!this.#isBusy) this.#leave()
        return false
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#pace?.received(bytes.length)
    if (this.#body !== undefined) {
      this.#body.push(copyBytes(bytes))
      return
    }
    this.#dropped += bytes.length
    if (this.#dropped > MAX_DROPPED_BYTES && !this.#isBusy) this.#leave()
  }

  #handle(head: RequestHead): void {
    this.#isBusy = true
    this.#beginning = undefined
    this.#hadRequest = true
    this.#since = this.#service.timeouts.now
    this.#wasContinued = !head.expectsContinue
    this.#dropped = 0
    const { maxBodyBytes, bodyHighWaterBytes } = this.#service.settings
    const { bodyLength } = head
    const body = bodyLength === 0 ? undefined : new RequestBody(this, bodyHighWaterBytes, maxBodyBytes)
    this.#body = body
    this.#pace = body === undefined ? undefined : new BodyPace()
    this.#isTooLong = typeof bodyLength === 'number' && bodyLength > maxBodyBytes
    this.#holdsBody = this.#isTooLong || (bodyLength === 'chunked' && maxBodyBytes < bodyHighWaterBytes)
    this.#bodyLength = bodyLength
    let answer: HttpResponse | Promise<HttpResponse>
    try {
      // What follows the answer to it would be a tunnel, and there is none here (RFC 9110 §9.3.6).
      if (head.method === 'CONNECT') throw this.#refuseConnect(head)
      answer = this.#service.handler(new HttpRequest(head, this.#connection, body), this.#service.server)
    } catch (error) {
      answer = this.#answerTo(error, head.fields.get('accept'))
    }
    if (answer instanceof HttpResponse) this.#tryAnswer(answer)
    else void this.#answerLater(answer, head)
  }

  /** An answer that cannot be sent ends its connection, and nothing else. */
  #tryAnswer(answer: HttpResponse): void {
    try {
      this.#answer(answer)
    } catch (error) {
      discard(answer)
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#service.report(error, this.#connection)
    this.#isClosing = true
    this.#body?.release()
    this.#connection.destroy(error)
  }

  async #answerLater(promised: Promise<HttpResponse>, { fields }: RequestHead): Promise<void> {
    let answer: HttpResponse
    try {
      answer = await promised
    } catch (error) {
      answer = this.#answerTo(error, fields.get('accept'))
    }
    if (this.#isClosing) {
      discard(answer)
      this.#body?.release()
      return
    }
    this.#out.begin()
    this.#tryAnswer(answer instanceof HttpResponse ? answer : this.#answerTo(notAnswer(answer), fields.get('accept')))
    this.#out.flush()
    if (!this.#isBusy) this.#goOn()
  }

  #answerTo(thrown: unknown, accept: string | undefined): HttpResponse {
    return answerToError(thrown, accept, (fault) => this.#service.report(fault, this.#connection))
  }

  /** Sends an answer, all of it now if it is there. */
  #answer(given: HttpResponse): void {
    if (given instanceof UpgradeResponse) return this.#switch(given)
    const isUnread = this.#holdsBody && this.#isTooLong
    // An answer that is made of a body which is too long would break off behind its head.
    const answer = isUnread && isStreamed(given.body) ? tooLongInstead(given) : given
    const { body, status } = answer
    // What is streamed may be made of the body of the request, which can no longer be asked for once the head is sent.
    if (isStreamed(body)) this.wanted()
    const holdsNext = this.#engine.holdsBytes && this.#engine.isRequestWhole
    const isLast = this.#isLast && !(this.#owesHeld && holdsNext)
    const close = answer.close || isLast || this.#isTooLong || !this.#wasContinued
    const fields = dateField() + answer.fields
    if (isStreamed(body)) {
      // Before anything is sent: a stream that somebody else reads has none.
      const parts = body[Symbol.asyncIterator]()
      this.#out.head(this.#engine.respond({ status, fields, bodyLength: answer.length ?? 'chunked', close }))
      this.#isEndless = answer.endless
      void this.#stream(parts, answer.trailers)
      if (this.#isEndless && this.#hasClientEnded) this.#breakOff()
      return
    }
    const count = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
    this.#out.head(this.#engine.respond({ status, fields, bodyLength: count, close }))
    if (body !== null && count > MAX_WHOLE_BYTES) {
      void this.#stream(onePart(body), undefined)
      return
    }
    if (body !== null && count > 0 && this.#engine.data(count) !== undefined) {
      if (typeof body === 'string') this.#out.text(body, count)
      else this.#out.bytes(body)
    }
    this.#endAnswer()
  }

  /** Behind this answer the connection is another's (RFC 9110 §7.8); it stays among those that the server knows. */
  #switch({ fields, take }: UpgradeResponse): void {
    const connection = this.#connection
    this.#out.head(this.#engine.respond({ status: 101, fields: dateField() + fields, bodyLength: 0 }))
    this.#out.flush()
    this.#isClosing = true
    this.#service.timeouts.delete(this)
    connection.releaseSink()
    connection.unread(this.#engine.takeRest())
    take(connection, this.#end)
  }

  #endAnswer(trailers: string = ''): void {
    const last = this.#engine.end(trailers)
    if (last !== '') this.#out.head(last)
    this.#isBusy = false
    // Whoever still reads it would wait for ever.
    this.#body?.fail(new ClosedError('ERR_CLOSED', 'Cannot read the body: the request was answered'))
    this.#body?.release()
    this.#body = undefined
    this.#holdsBody = false
    this.#since = this.#service.timeouts.now
    if (!this.#engine.persists && !this.#engine.isRequestWhole) this.#leave()
  }

  /** An answer that comes bit by bit: each is asked for when the client has taken those before. */
  async #stream(parts: AsyncIterator<Uint8Array | string>, trailers: HttpResponse['trailers']): Promise<void> {
    this.#parts = parts
    try {
      await sendParts(parts, this.#engine, this.#out, { clock: this.#connection.clock, isOver: () => this.#isClosing })
    } catch (error) {
      // The head was sent: the client learns of it by an end that is none. Of one that has left, nobody need hear.
      if (!this.#isClosing) this.#service.report(error, this.#connection)
      letGo(parts)
      this.#isClosing = true
      this.#connection.destroy(error)
    }
    this.#parts = undefined
    this.#isEndless = false
    if (this.#isClosing) this.#body?.release()
    else this.#finishAnswer(trailers)
  }

  /** Nobody is left who would take what has no end. */
  #breakOff(): void {
    if (this.#isClosing || this.#parts === undefined) return
    letGo(this.#parts)
    this.#parts = undefined
    this.#leave()
    this.#out.drain()
  }

  #finishAnswer(trailers: HttpResponse['trailers']): void {
    this.#out.begin()
    try {
      this.#endAnswer(trailers === undefined ? '' : encodeFields(trailers(), ''))
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#out.flush()
    this.#goOn()
  }

  #goOn(): void {
    if (this.#isPaused) {
      this.#isPaused = false
      this.#connection.resumeSink()
    }
    this.#run()
  }

  /** To pause and to go on costs two calls of the system: a client that waits for its answer is not paused. */
  #pause(): void {
    this.#isPaused = true
    this.#connection.pauseSink()
  }

  /** What came is no request, or the client left in the middle of one. */
  #refuse(error: unknown): void {
    this.#body?.fail(error)
    // The handler learns of it when it reads the body, and answers; that answer is the last.
    if (this.#isBusy) return
    // Behind the answer to it nothing can be said of a body any more.
    if (errorCodeOf(error) === 'ERR_UNEXPECTED_END' || !this.#engine.isRequestWhole) return this.#leave()
    const status = error instanceof MoorageError ? Number(error.details['status'] ?? 400) : 500
    const words = `${reasonOf(status)}\n`
    const { fields } = text(words, { status })
    const head = { status, fields: dateField() + fields, bodyLength: words.length, close: true }
    this.#out.head(this.#engine.respond(head))
    this.#out.text(words, words.length)
    this.#tell(status, words.length, readRequestLine(this.#beginning ?? this.#engine.takeRest()))
    this.#leave()
  }

  #refuseConnect({ method, target, minorVersion }: RequestHead): HttpError {
    this.#tell(501, undefined, { method, target, version: `1.${minorVersion}` })
    return new HttpError(501)
  }

  /** For the access log: no handler has seen it. */
  #tell(status: number, bytes: number | undefined, line: RequestLine | undefined): void {
    const { handler, server, report } = this.#service
    try {
      handler.refused?.({ remote: this.#connection.remote, status, bytes, line }, server)
    } catch (error) {
      report(error, this.#connection)
    }
  }

  #leave(): void {
    this.#isClosing = true
    this.#out.flush()
    if (this.#connection.bufferedBytes === 0) return this.#release()
    // Closing allows a few seconds for what is queued: a slow client gets as long as it takes some of it.
    this.#isLeaving = true
    void this.#connection.closeWrite().then(() => this.#release())
  }

  #release(): void {
    this.#isLeaving = false
    this.#service.timeouts.delete(this)
    this.#connection.releaseSink()
    this.#end.over()
  }

  // ---- time

  checkTime(now: number): void {
    this.#look(now)
    this.#lookedAt = now
  }

  #look(now: number): void {
    const { headerTimeoutMs, keepAliveTimeoutMs, writeTimeoutMs } = this.#service.settings
    const waited = now - this.#since
    if (this.#out.isPressed || this.#isLeaving) {
      if (this.#out.isStalled(now, writeTimeoutMs)) this.#connection.destroy(tooSlowReader(writeTimeoutMs))
    } else if (this.#isBusy) {
      const { settings } = this.#service
      if (this.#body !== undefined && this.#pace?.isTooSlow(this.#body, now - this.#lookedAt, settings) === true)
        this.#isLast = true
    } else if (!this.#engine.isIdle || !this.#hadRequest) {
      if (waited < headerTimeoutMs) return
      // Nobody waits for an answer to a request that has not begun.
      if (this.#engine.isIdle) this.#leave()
      else this.#refuse(requestTimeout(`its head did not come within ${headerTimeoutMs} ms`, headerTimeoutMs))
    } else if (waited >= keepAliveTimeoutMs) this.#leave()
  }

  // ---- from the body

  wanted(): void {
    if (this.#isClosing) return
    if (!this.#wasContinued && !this.#isTooLong) {
      this.#wasContinued = true
      this.#out.head(this.#engine.inform(100, ''))
    }
    if (!this.#holdsBody) return
    this.#holdsBody = false
    this.#goOn()
  }

  limit(maxBytes: number): void {
    this.#isTooLong = typeof this.#bodyLength === 'number' && this.#bodyLength > maxBytes
    this.#engine.limitBody(maxBytes)
  }

  inform(status: number, headers: FieldInit): void {
    if (this.#isClosing) return
    let fields = ''
    for (const [name, value] of fieldPairs(headers)) fields += encodeField(name, value)
    this.#out.head(this.#engine.inform(status, fields))
  }

  pause(): void {
    this.#pause()
  }

  resume(): void {
    this.#goOn()
  }
}
