import type { Fields } from '../engine/http/fields.js'
import type { RequestStart } from '../engine/http1/encode-request.js'
import type { ResponseHead } from '../engine/http1/message-head.js'
import type { OutgoingBody } from './outgoing-body.js'
import type { Wire } from './wire.js'

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
  begun(wire: Wire, head: string): void
  /** So many bytes of its body were given to the connection. */
  sent(count: number): void
  interim(head: ResponseHead): void
  responded(head: ResponseHead): void
  /** `bytes` are borrowed: valid during this call. */
  received(bytes: Uint8Array): void
  ended(trailers: Fields | undefined): void
  /** The last call, in place of `ended`. `untouched`: nothing has come from the server since the request. */
  failed(error: unknown, untouched: boolean): void
}
