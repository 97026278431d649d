import { connect, type ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Timeouts } from '../base/timeouts.js'
import { encodeRequestHead } from '../engine/http1/encode-request.js'
import type { ConnectionFacts, Exchange } from './exchange.js'
import { Http2Exchange } from './http2-exchange.js'
import { toHttp2Fields } from './http2-fields.js'
import type { PooledWire, WireOwner } from './pooled-wire.js'

/** What one stream may have under way, and all of them together: more than a path of 100 ms and 80 Mbit/s holds. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024
/** Of all fields of a response; as in HTTP/1. */
const MAX_FIELDS_BYTES = 64 * 1024
/** Of all streams of a session; Node's own 10 are less than what the windows let come. */
const MAX_SESSION_MIB = 64
/** What servers usually allow; they say less, never more is used. */
const MAX_STREAMS = 100

/** One connection of HTTP/2 (RFC 9113), by `node:http2`, with many exchanges beside each other. */
export class Http2Wire implements PooledWire {
  readonly connection: ConnectionFacts
  readonly timeouts: Timeouts
  readonly keepAliveMs: number = Infinity
  readonly carriesMany: boolean = true
  readonly #session: ClientHttp2Session
  readonly #owner: WireOwner
  readonly #streams = new Set<Http2Exchange>()
  #isRetired = false
  #isResting = false
  idleSince: number
  heardAt: number
  served: number = 0

  constructor(socket: Socket, connection: ConnectionFacts, timeouts: Timeouts, owner: WireOwner) {
    this.connection = connection
    this.timeouts = timeouts
    this.#owner = owner
    this.idleSince = timeouts.now
    this.heardAt = timeouts.now
    // The end of the server's direction is the end of the session.
    socket.allowHalfOpen = false
    const session = connect('https://localhost', {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MIB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: MAX_FIELDS_BYTES },
    })
    this.#session = session
    // Its streams hear of what went wrong.
    session.on('error', () => this.#leave())
    session.on('goaway', () => this.#leave())
    session.on('close', () => this.#leave())
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW_BYTES))
  }

  get isUsable(): boolean {
    const { maxConcurrentStreams = MAX_STREAMS } = this.#session.remoteSettings
    const { closed, destroyed } = this.#session
    return !this.#isRetired && !closed && !destroyed && this.#streams.size < Math.min(MAX_STREAMS, maxConcurrentStreams)
  }

  get isResting(): boolean {
    return this.#isResting
  }

  rest(): void {
    if (this.#streams.size > 0 || this.#isRetired) return
    this.#isResting = true
    this.#session.unref()
  }

  run(exchange: Exchange): void {
    // What cannot be sent is refused as in HTTP/1.
    const head = encodeRequestHead(exchange.start)
    const pieces = exchange.body === undefined || exchange.body.bytes !== undefined ? undefined : exchange.body.open()
    if (this.#isResting) {
      this.#isResting = false
      this.#session.ref()
    }
    this.served += 1
    const stream = this.#session.request(toHttp2Fields(exchange), { endStream: exchange.body === undefined })
    const running = new Http2Exchange(this, exchange, stream)
    this.#streams.add(running)
    running.begin(head.replace(' HTTP/1.1\r\n', ' HTTP/2\r\n'), pieces)
  }

  over(exchange: Http2Exchange): void {
    if (!this.#streams.delete(exchange)) return
    this.idleSince = this.timeouts.now
    if (this.#isRetired) this.#closeIfUnused()
    else this.#owner.idle(this)
  }

  retire(): void {
    this.#leave()
    this.#closeIfUnused()
  }

  #closeIfUnused(): void {
    if (this.#streams.size === 0 && !this.#session.closed) this.#session.close()
  }

  destroy(): void {
    this.#leave()
    this.#session.destroy()
  }

  #leave(): void {
    if (this.#isRetired) return
    this.#isRetired = true
    this.#owner.retired(this)
  }
}
