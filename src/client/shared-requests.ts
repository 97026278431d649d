import { besideSignal, throwIfAborted, type AbortSignalLike } from '../base/cancellation.js'
import { LimitError, TimeoutError } from '../base/errors.js'
import { tryContentLength } from './content-length.js'
import { IncomingBody } from './incoming-body.js'
import type { Incoming } from './incoming.js'

interface Running {
  readonly result: Promise<Incoming>
  /** Of whoever sent it. */
  readonly signal: AbortSignalLike | undefined
}

/** Beyond these each is sent by itself. */
const MAX_RUNNING = 10_000

/** Requests that are equal to one that is under way wait for its response, and get a copy of it. */
export class SharedRequests {
  readonly #running = new Map<string, Running>()

  /**
   * The body is read whole, up to `maxBytes`. @throws what `send` throws, for all who wait; the reason of one's own signal.
   * What ends one of them (a signal) ends no other.
   */
  async send(
    key: string,
    signal: AbortSignalLike | undefined,
    maxBytes: number,
    send: () => Promise<Incoming>,
  ): Promise<Incoming> {
    for (let other = this.#running.get(key); other !== undefined; other = this.#running.get(key)) {
      try {
        return copyOf(await besideSignal(other.result, signal))
      } catch (error) {
        throwIfAborted(signal)
        // Whoever sent it does not want it any more, or had less time: somebody else does.
        if (other.signal?.aborted !== true && !(error instanceof TimeoutError)) throw error
      }
    }
    if (this.#running.size >= MAX_RUNNING) return send()
    const result = readWhole(send, maxBytes)
    this.#running.set(key, { result, signal })
    try {
      return copyOf(await result)
    } finally {
      this.#running.delete(key)
    }
  }
}

async function readWhole(send: () => Promise<Incoming>, maxBytes: number): Promise<Incoming> {
  const incoming = await send()
  const length = tryContentLength(incoming.head.fields) ?? 0
  if (length > maxBytes) {
    incoming.body.discard()
    throw new LimitError(
      'ERR_BODY_LIMIT',
      `Cannot share the response: its body has ${length} bytes, and maxBodyBytes is ${maxBytes}`,
      { details: { limit: maxBytes } },
    )
  }
  const body = await incoming.body.whole(maxBytes)
  return { ...incoming, body: IncomingBody.of(body) }
}

/** What one of them does with its bytes is not seen by another. */
function copyOf(incoming: Incoming): Incoming {
  let body: Uint8Array | undefined
  incoming.body.keep(Infinity, (bytes) => (body = bytes))
  return { ...incoming, body: IncomingBody.of(body) }
}
