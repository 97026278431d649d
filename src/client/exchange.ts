import type { Fields } from '../engine/http/fields.js'
import type { RequestStart } from '../engine/http1/encode-request.js'
import type { Address } from '../transport/address.js'
import type { TlsInfo } from '../transport/tls-options.js'
import type { OutgoingBody } from './outgoing-body.js'

/** What is known of the connection that an exchange goes over. */
export interface ConnectionFacts {
  readonly local: Address
  readonly remote: Address
  readonly tls: TlsInfo | undefined
}

/** What carries an exchange, as the exchange sees it. */
export interface Carrier {
  readonly connection: ConnectionFacts
  /** How many exchanges its connection has carried, this one among them. */
  readonly served: number
  /** Whoever reads the body is behind; the server's silence is not held against it. */
  pause(): void
  resume(): void
  /**
   * While it is paused: lets the system write what comes next of the body into an open file.
   * @returns how many bytes; 0 where that cannot be done now. @throws what the file system says.
   */
  receiveFile(exchange: Exchange, descriptor: number, offset: number): Promise<number>
  /** The exchange is given up. */
  abandon(exchange: Exchange): void
}

/** The head of a response. */
export interface IncomingHead {
  readonly status: number
  readonly reason: string
  readonly fields: Fields
  /** `1.1`, `2`. */
  readonly httpVersion: string
}

/** One request with its response, as a connection sees it. It is told what comes, in the turn in which it comes. */
export interface Exchange {
  readonly start: RequestStart
  readonly body: OutgoingBody | undefined
  /** Milliseconds from the end of the request to the head of the response. */
  readonly responseTimeoutMs: number
  /** Milliseconds without a byte of either body. */
  readonly bodyTimeoutMs: number
  /** By the clock of the connection; Infinity for none. */
  readonly deadline: number
  /** What it is ended with behind its deadline. */
  tooLate(): Error
  /** The request goes out now. */
  begun(carrier: Carrier, head: string): void
  /** So many bytes of its body were given to the connection. */
  sent(count: number): void
  interim(head: IncomingHead): void
  responded(head: IncomingHead): void
  /** `bytes` are borrowed: valid during this call. */
  received(bytes: Uint8Array): void
  ended(trailers: Fields | undefined): void
  /** The last call, in place of `ended`. `untouched`: nothing has come from the server since the request. */
  failed(error: unknown, untouched: boolean): void
}
