import { deferred, markHandled } from '../../base/deferred.js'
import { BrokenError, LimitError } from '../../base/errors.js'
import type { BrokerLimits } from '../options.js'
import { bytesOf, type HubAnswer, type HubRequest } from './messages.js'
import { fromPlainHubError } from './plain-error.js'

type Reply = Extract<HubAnswer, { readonly call: number }>
type ReplyOp = Exclude<Reply['op'], 'failed'>
export type ReplyOf<Op extends ReplyOp> = Extract<HubAnswer, { readonly op: Op }>

interface Call {
  readonly bytes: number
  readonly settle: (reply: Reply) => void
  readonly fail: (error: Error) => void
}

/** What was asked of the parent and has no answer yet, bounded in number and in bytes. */
export class Calls {
  readonly #limits: BrokerLimits
  readonly #send: (request: HubRequest) => void
  readonly #calls = new Map<number, Call>()
  #last = 0
  #bytes = 0

  constructor(limits: BrokerLimits, send: (request: HubRequest) => void) {
    this.#limits = limits
    this.#send = send
  }

  /** @throws LimitError `ERR_QUEUE_LIMIT` when a request of so many bytes would be too much. */
  check(bytes: number): void {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits
    if (this.#calls.size < maxQueuedMessages && this.#bytes + bytes <= maxQueuedBytes) return
    throw new LimitError(
      'ERR_QUEUE_LIMIT',
      `Cannot ask the server of this worker: ${this.#calls.size} requests with ${this.#bytes} bytes have no answer yet`,
      { details: { maxQueuedMessages, maxQueuedBytes } },
    )
  }

  /**
   * Asks, and calls `taken` with the answer as it comes: before whatever comes behind it. A rejection that nobody awaits
   * is no unhandled one.
   */
  ask<Op extends ReplyOp, T>(op: Op, make: (call: number) => HubRequest, taken: (reply: ReplyOf<Op>) => T): Promise<T> {
    this.#last += 1
    const call = this.#last
    const request = make(call)
    const bytes = bytesOf(request)
    const { promise, resolve, reject } = deferred<T>()
    this.#bytes += bytes
    this.#calls.set(call, {
      bytes,
      fail: reject,
      settle: (reply) => {
        if (reply.op === 'failed') {
          reject(fromPlainHubError(reply.error))
          return
        }
        try {
          if (!isReply(reply, op))
            throw new BrokenError('ERR_BROKER_GONE', `Cannot understand the answer "${reply.op}"`)
          resolve(taken(reply))
        } catch (error) {
          reject(error)
        }
      },
    })
    this.#send(request)
    return markHandled(promise)
  }

  receive(reply: Reply): void {
    const call = this.#calls.get(reply.call)
    if (call === undefined) return
    this.#calls.delete(reply.call)
    this.#bytes -= call.bytes
    call.settle(reply)
  }

  fail(error: Error): void {
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    this.#bytes = 0
    for (const call of calls) call.fail(error)
  }
}

function isReply<Op extends ReplyOp>(reply: HubAnswer, op: Op): reply is ReplyOf<Op> {
  return reply.op === op
}
