import type { Clock } from '../base/clock.js'
import type { Fields } from '../engine/http/fields.js'
import type { RequestStart } from '../engine/http1/encode-request.js'
import type { RequestFacts } from './errors.js'
import type { ConnectionFacts, IncomingHead } from './exchange.js'
import { IncomingBody } from './incoming-body.js'

/** Milliseconds from the beginning of the request at which each of these was done; `undefined` for what was not needed. */
export interface Milestones {
  resolved?: number
  connected?: number
  tunneled?: number
  secured?: number
  /** The request went out. */
  sent?: number
  responded?: number
  ended?: number
}

/** A request that went out. */
export interface Asked {
  /** What an error of it says. */
  facts(): RequestFacts
}

/** What came for a request: the head, and the body as it comes. */
export interface Incoming {
  readonly head: IncomingHead
  readonly body: IncomingBody
  readonly milestones: Milestones
  /** What it came over; `undefined` for what nobody was asked for. */
  readonly connection: ConnectionFacts | undefined
  /** What was sent for it. */
  readonly start: RequestStart | undefined
  readonly asked: Asked
}

/** A response that is there already. */
export function readyIncoming(
  { method, url }: { readonly method: string; readonly url: string },
  {
    body,
    httpVersion = '1.1',
    ...head
  }: {
    readonly status: number
    readonly reason: string
    readonly fields: Fields
    readonly httpVersion?: string | undefined
    readonly body?: Uint8Array | undefined
  },
): Incoming {
  return {
    head: { ...head, httpVersion },
    body: IncomingBody.of(body),
    milestones: { sent: 0, responded: 0, ended: 0 },
    connection: undefined,
    start: undefined,
    asked: {
      facts: () => ({
        method,
        url,
        proxy: undefined,
        isForwarded: false,
        addresses: [],
        elapsedMs: 0,
        reached: 'body',
      }),
    },
  }
}

/** Up to so much of a body that nobody wants is read, so that its connection can be used again. */
const MAX_PASSED_BYTES = 64 * 1024
/** Another connection is made faster than that. */
const MAX_PASSED_MS = 500

/** Never rejects. */
export async function passOver({ body }: Incoming, clock: Clock): Promise<void> {
  if (body.isOver) return
  const stop = clock.after(MAX_PASSED_MS, () => body.discard())
  try {
    await body.whole(MAX_PASSED_BYTES)
  } catch {
    // It was too long, too slow, or broke off: its connection is given up, and nobody asked for the body.
    body.discard()
  } finally {
    stop()
  }
}
