import { basic, type Auth, type Challenged } from './auth.js'
import type { CodingName } from './codings.js'
import { explain } from './errors.js'
import { encodeContent } from './content-encoding.js'
import type { OutgoingBody } from './outgoing-body.js'
import type { Pair } from './sent-fields.js'
import type { ExactHead, RequestOptions, RequestSettings } from './session-options.js'
import { parseTarget, type Target } from './target.js'
import { besideSignal } from '../base/cancellation.js'
import type { Clock } from '../base/clock.js'
import type { HstsStore } from './hsts.js'
import { totalTimeout } from './patience.js'

/** One request on its way, over its redirects. */
export interface Journey {
  readonly method: string
  readonly target: Target
  readonly fields: readonly Pair[]
  readonly body: OutgoingBody | undefined
  /** Of the first request: those behind redirects are the session's own. */
  readonly head: ExactHead | undefined
  readonly settings: RequestSettings
  readonly options: RequestOptions | undefined
  readonly auth: Auth | undefined
  readonly deadline: number
}

export const encoded = (body: OutgoingBody | undefined, coding: CodingName | undefined): OutgoingBody | undefined =>
  body === undefined || coding === undefined || body.length === 0 ? body : encodeContent(body, coding)

export const challenged = (
  { method, target, body }: Journey,
  wanted: readonly string[] | undefined,
  sent: string | undefined,
): Challenged => ({
  method,
  target: target.path,
  origin: target.origin,
  hostname: target.hostname,
  body,
  wanted,
  sent,
})

/** What stood in the URL goes along where only its query or its scheme is another. */
export const withUser = (made: Target, { user, password }: Target): Target =>
  user === undefined && password === undefined ? made : { ...made, user, password }

export function authOf(auth: Auth | undefined, { user, password }: Target): Auth | undefined {
  return auth ?? (user === undefined && password === undefined ? undefined : basic(user ?? '', password ?? ''))
}

/** RFC 6797 §8.3: a host that has said so is only asked by TLS. */
export function secured(hsts: HstsStore | undefined, target: Target): Target {
  if (hsts === undefined || hsts.size === 0 || target.isTls || target.endpoint.scheme !== 'tcp') return target
  if (!hsts.isSecure(target.hostname, Date.now())) return target
  const secure = new URL(target.href)
  secure.protocol = 'https:'
  if (target.port === 80) secure.port = ''
  return withUser(parseTarget(secure), target)
}

/** Whether so long a wait is over before the request has to be. */
export const hasTime = ({ deadline }: Journey, clock: Clock, waitMs: number): boolean => clock.now() + waitMs < deadline

/** What others do for a request has the time of the request. @throws the reason of its signal; TimeoutError. */
export function withinTime<T>(journey: Journey, clock: Clock, promise: T | Promise<T>): T | Promise<T> {
  // Most credentials are there at once: then there is nothing to wait for.
  if (!(promise instanceof Promise)) return promise
  const timeoutMs = journey.deadline - clock.now()
  return besideSignal(promise, journey.options?.signal, { clock, timeoutMs, reason: () => tooLate(journey) })
}

/** It was over before anything was sent. */
function tooLate({ method, target, settings: { timeoutMs } }: Journey): unknown {
  return explain(totalTimeout(timeoutMs), {
    method,
    url: target.href,
    proxy: undefined,
    isForwarded: false,
    addresses: [],
    elapsedMs: timeoutMs,
    reached: 'request',
  })
}

/** A base that URLs go on from, and not one whose last part they replace. */
export const asFolder = (url: string): string => url.replace(/^([^?#]*[^/?#])(?=[?#]|$)/, '$1/')
