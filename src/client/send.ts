import { deferred, type Deferred } from '../base/deferred.js'
import { onAbort, type AbortSignalLike } from '../base/cancellation.js'
import { ProtocolError, TimeoutError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { Fields } from '../engine/http/fields.js'
import type { RequestStart } from '../engine/http1/encode-request.js'
import type { ConnectPhase } from '../transport/connect.js'
import { formatAddress } from '../transport/address.js'
import { explain, type RequestFacts } from './errors.js'
import type { Carrier, IncomingHead } from './exchange.js'
import type { Asked, Incoming, Milestones } from './incoming.js'
import { IncomingBody, type BodySource } from './incoming-body.js'
import type { OutgoingBody } from './outgoing-body.js'
import { allowMany } from './many-listeners.js'
import { totalTimeout } from './patience.js'
import type { Pool, PooledExchange, Route } from './pool.js'

/** One request as it goes out. */
export interface Outgoing {
  readonly start: RequestStart
  readonly body: OutgoingBody | undefined
  /** Without secrets. */
  readonly url: string
  readonly route: Route
  readonly proxy: string | undefined
  /** It goes to the proxy as it is, and not through a tunnel. */
  readonly isForwarded: boolean
  readonly signal: AbortSignalLike | undefined
  /** When it must be over, by the clock of the pool; `undefined`: `timeoutMs` from its beginning. */
  readonly deadline: number | undefined
  readonly timeoutMs: number
  readonly responseTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly highWaterBytes: number
  readonly onInterim: ((head: IncomingHead) => void) | undefined
  readonly onSent: ((count: number) => void) | undefined
  readonly onHead: ((head: string) => void) | undefined
}

/** RFC 9110 §9.2.2: they do the same when they are done twice. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'])

export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method)

/** Sends one request on a connection of the pool. @throws the errors of `explain`, and the reason of the signal. */
export function sendOnce(pool: Pool, outgoing: Outgoing): Promise<Incoming> {
  const sending = new Sending(pool, outgoing)
  sending.begin()
  return sending.promise
}

/** Connections that had ended, one behind the other: as many as may idle. */
const MAX_REPEATS = 64
const MAX_REFUSALS = 2

class Sending implements PooledExchange, BodySource, Asked {
  readonly #pool: Pool
  readonly #clock: Clock
  readonly #outgoing: Outgoing
  readonly #head: Deferred<Incoming> = deferred()
  readonly #milestones: Milestones = {}
  readonly since: number
  readonly deadline: number
  #carrier: Carrier | undefined
  #body: IncomingBody | undefined
  #unlink: (() => void) | undefined
  #tried: readonly string[] = []
  #repeats = 0

  constructor(pool: Pool, outgoing: Outgoing) {
    this.#pool = pool
    this.#clock = pool.parts.timeouts.clock
    this.#outgoing = outgoing
    this.since = this.#clock.now()
    this.deadline = outgoing.deadline ?? this.since + outgoing.timeoutMs
  }

  get promise(): Promise<Incoming> {
    return this.#head.promise
  }

  get start(): RequestStart {
    return this.#outgoing.start
  }

  get body(): OutgoingBody | undefined {
    return this.#outgoing.body
  }

  get responseTimeoutMs(): number {
    return this.#outgoing.responseTimeoutMs
  }

  get bodyTimeoutMs(): number {
    return this.#outgoing.bodyTimeoutMs
  }

  begin(): void {
    const { signal } = this.#outgoing
    if (signal !== undefined) {
      allowMany(signal)
      this.#unlink = onAbort(signal, (reason) => this.#cancel(reason))
      if (signal.aborted) return
    }
    this.#dispatch()
  }

  #dispatch(): void {
    try {
      this.#pool.send(this.#outgoing.route, this)
    } catch (error) {
      this.#over()
      this.#head.reject(explain(error, this.facts()))
    }
  }

  /** Those of the connection, where there is one: the peer's, or the proxy's. */
  get #addresses(): readonly string[] {
    return this.#carrier === undefined ? this.#tried : [formatAddress(this.#carrier.connection.remote)]
  }

  get #reached(): RequestFacts['reached'] {
    if (this.#body !== undefined) return 'body'
    const { connected, tunneled, sent } = this.#milestones
    if (sent !== undefined) return 'response'
    const { tls, tunnel } = this.#outgoing.route
    const isThrough = tunnel === undefined ? connected !== undefined : tunneled !== undefined
    return isThrough && tls !== undefined ? 'tls' : 'connect'
  }

  facts(): RequestFacts {
    const { url, proxy, isForwarded, start } = this.#outgoing
    const elapsedMs = this.#milestones.ended ?? this.#clock.now() - this.since
    return {
      method: start.method,
      url,
      proxy,
      isForwarded,
      addresses: this.#addresses,
      elapsedMs,
      reached: this.#reached,
    }
  }

  #cancel(reason: unknown): void {
    this.#over()
    this.#pool.withdraw(this.#outgoing.route, this)
    this.#carrier?.abandon(this)
    this.#body?.fail(reason)
    this.#head.reject(reason)
  }

  #over(): void {
    this.#unlink?.()
    this.#unlink = undefined
  }

  tooLate(): Error {
    return totalTimeout(this.#outgoing.timeoutMs)
  }

  // ---- from the pool and the connection

  phase(phase: ConnectPhase): void {
    this.#milestones[phase] = this.#clock.now() - this.since
  }

  tried(addresses: readonly string[]): void {
    this.#tried = addresses
  }

  begun(carrier: Carrier, head: string): void {
    this.#outgoing.onHead?.(head)
    this.#carrier = carrier
    this.#milestones.sent = this.#clock.now() - this.since
  }

  sent(count: number): void {
    this.#outgoing.onSent?.(count)
  }

  interim(head: IncomingHead): void {
    this.#outgoing.onInterim?.(head)
  }

  responded(head: IncomingHead): void {
    const carrier = this.#carrier
    if (carrier === undefined) return
    this.#milestones.responded = this.#clock.now() - this.since
    const body = new IncomingBody(this, this.#outgoing.highWaterBytes)
    this.#body = body
    this.#head.resolve({
      head,
      body,
      milestones: this.#milestones,
      connection: carrier.connection,
      start: this.start,
      asked: this,
    })
  }

  received(bytes: Uint8Array): void {
    this.#body?.push(bytes)
  }

  ended(trailers: Fields | undefined): void {
    this.#milestones.ended = this.#clock.now() - this.since
    this.#over()
    this.#body?.end(trailers)
  }

  failed(error: unknown, untouched: boolean): void {
    const carrier = this.#carrier
    // A server may end a connection that idles just when a request is on its way (RFC 9112 §9.3.1): each such one is used up.
    if (untouched && carrier !== undefined && carrier.served > 1 && this.#mayRepeat(error)) {
      this.#repeats += 1
      this.#carrier = undefined
      this.#dispatch()
      return
    }
    this.#over()
    const told = explain(error, this.facts())
    this.#body?.fail(told)
    this.#head.reject(told)
  }

  #mayRepeat(error: unknown): boolean {
    // What took too long was no connection that had ended; and a server that refuses again and again means it.
    if (error instanceof TimeoutError || this.#clock.now() >= this.deadline) return false
    if (this.#repeats >= (error instanceof ProtocolError ? MAX_REFUSALS : MAX_REPEATS)) return false
    const { start, body, signal } = this.#outgoing
    return isIdempotent(start.method) && (body === undefined || body.isReplayable) && signal?.aborted !== true
  }

  // ---- from the reader of the body

  pause(): void {
    this.#carrier?.pause()
  }

  resume(): void {
    this.#carrier?.resume()
  }

  async receiveFile(descriptor: number, offset: number): Promise<number> {
    return (await this.#carrier?.receiveFile(this, descriptor, offset)) ?? 0
  }

  explained(error: unknown): unknown {
    return explain(error, this.facts())
  }

  abandon(): void {
    this.#over()
    this.#carrier?.abandon(this)
  }
}
