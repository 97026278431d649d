import { constants, type ClientHttp2Stream } from 'node:http2'
import { BrokenError, ProtocolError } from '../base/errors.js'
import type { Timed, Timeouts } from '../base/timeouts.js'
import { FieldList } from '../engine/http/field-list.js'
import type { Fields } from '../engine/http/fields.js'
import type { Carrier, ConnectionFacts, Exchange } from './exchange.js'
import { headOf, pairsOf } from './http2-fields.js'
import type { OutgoingBody } from './outgoing-body.js'
import { Patience } from './patience.js'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

/** The connection that a stream belongs to. */
interface StreamOwner {
  readonly connection: ConnectionFacts
  readonly timeouts: Timeouts
  readonly served: number
  over(exchange: Http2Exchange): void
  /** When something last came on it, of any stream. */
  heardAt: number
  retire(): void
}

/** One exchange on a stream of its own. */
export class Http2Exchange implements Carrier, Timed {
  readonly #wire: StreamOwner
  readonly #exchange: Exchange
  readonly #stream: ClientHttp2Stream
  readonly #patience: Patience = new Patience()
  readonly served: number
  #isOver = false
  #isPaused = false
  #trailers: Fields | undefined
  #begunAt = 0

  constructor(wire: StreamOwner, exchange: Exchange, stream: ClientHttp2Stream) {
    this.#wire = wire
    this.#exchange = exchange
    this.#stream = stream
    this.served = wire.served
  }

  get connection(): ConnectionFacts {
    return this.#wire.connection
  }

  begin(head: string, pieces: AsyncIterable<Uint8Array> | undefined): void {
    const stream = this.#stream
    const exchange = this.#exchange
    const { timeouts } = this.#wire
    stream.on('response', (headers) => {
      this.#patience.answered(this.#wire.timeouts.now)
      this.#heard()
      exchange.responded(headOf(headers))
    })
    stream.on('headers', (headers) => {
      // They are no response: its time goes on.
      this.#wire.heardAt = timeouts.now
      exchange.interim(headOf(headers))
    })
    stream.on('trailers', (headers) => (this.#trailers = new FieldList(pairsOf(headers))))
    stream.on('data', (bytes: Uint8Array) => {
      this.#heard()
      exchange.received(bytes)
    })
    stream.on('end', () => this.#end())
    stream.on('error', (error) => this.#fail(error))
    stream.on('close', () => this.#fail(undefined))
    timeouts.add(this)
    this.#begunAt = timeouts.now
    this.#patience.begin(timeouts.now, exchange.body === undefined)
    exchange.begun(this, head)
    const { body } = exchange
    if (body === undefined) return
    if (body.bytes === undefined) void this.#send(body, pieces ?? body.open())
    else {
      stream.end(body.bytes)
      this.#patience.isSent = true
    }
  }

  /** Never rejects. */
  async #send(body: OutgoingBody, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = this.#stream
    let count = 0
    try {
      for await (const bytes of pieces) {
        // Behind the end of the response the rest is not wanted (RFC 9113 §8.1); behind its head it may be.
        if (this.#isOver) return
        count += bytes.length
        this.#patience.since = this.#wire.timeouts.now
        const isBelow = stream.write(bytes)
        this.#exchange.sent(bytes.length)
        if (!isBelow) await drained(stream)
        this.#patience.since = -1
      }
      if (this.#isOver) return
      if (body.length !== 'chunked' && count !== body.length)
        throw new BrokenError('ERR_PEER_GONE', `Cannot end the request: it has ${count} of ${body.length} bytes`)
      stream.end()
      this.#patience.isSent = true
      this.#heard()
    } catch (error) {
      this.#finish(error)
      stream.close(NGHTTP2_CANCEL)
    }
  }

  #heard(): void {
    this.#wire.heardAt = this.#wire.timeouts.now
    if (!this.#isPaused) this.#patience.since = this.#wire.timeouts.now
  }

  pause(): void {
    this.#isPaused = true
    this.#patience.since = -1
    this.#stream.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#patience.since = this.#wire.timeouts.now
    this.#stream.resume()
  }

  receiveFile(): Promise<number> {
    return Promise.resolve(0)
  }

  abandon(exchange: Exchange): void {
    if (exchange !== this.#exchange || this.#isOver) return
    this.#leave()
    this.#stream.close(NGHTTP2_CANCEL)
    this.#stream.resume()
  }

  #end(): void {
    if (this.#isOver) return
    const { rstCode, aborted } = this.#stream
    // A stream that was reset ends too, for Node.
    if (!this.#patience.hasHead || aborted || rstCode !== NGHTTP2_NO_ERROR) return this.#fail(undefined)
    this.#leave()
    this.#exchange.ended(this.#trailers)
    // A server may answer before it has the whole request.
    if (!this.#stream.writableEnded) this.#stream.close(NGHTTP2_NO_ERROR)
  }

  #fail(cause: Error | undefined): void {
    if (this.#isOver) return
    const { rstCode } = this.#stream
    if (rstCode === NGHTTP2_NO_ERROR || rstCode === NGHTTP2_CANCEL)
      this.#finish(new BrokenError('ERR_PEER_GONE', 'Cannot go on: the connection was closed', { cause }))
    else
      this.#finish(
        new ProtocolError('ERR_HTTP2', `The server reset the stream: ${nameOfCode(rstCode)}`, {
          cause,
          details: { code: rstCode },
        }),
        // RFC 9113 §8.7: the server has not looked at it.
        rstCode === NGHTTP2_REFUSED_STREAM,
      )
  }

  #finish(error: unknown, isUnseen: boolean = !this.#patience.hasHead): void {
    if (this.#isOver) return
    this.#leave()
    this.#exchange.failed(error, isUnseen)
  }

  #leave(): void {
    this.#isOver = true
    this.#wire.timeouts.delete(this)
    this.#wire.over(this)
  }

  checkTime(now: number): void {
    const error = this.#patience.overdue(now, this.#exchange)
    if (error === undefined) return
    // Nothing has come of any stream since: it may lead nowhere any more, and others get another connection.
    if (this.#wire.heardAt <= this.#begunAt) this.#wire.retire()
    this.#finish(error, false)
    this.#stream.close(NGHTTP2_CANCEL)
    this.#stream.resume()
  }
}

const drained = (stream: ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })

/** `REFUSED_STREAM`, as RFC 9113 §7 calls it. */
const nameOfCode = (code: number): string =>
  Object.entries(constants)
    .find(([name, value]) => value === code && /^NGHTTP2_[A-Z_]+$/.test(name) && RFC_NAMES.has(name.slice(8)))?.[0]
    .slice(8) ?? String(code)

const RFC_NAMES: ReadonlySet<string> = new Set([
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
])
