import { UsageError } from '../base/errors.js'
import { nearestName, readOptions, type OptionSpecs } from '../base/options.js'
import { Timeouts } from '../base/timeouts.js'
import type { AbortSignalLike } from '../base/cancellation.js'
import { fieldPairs, type FieldInit } from '../engine/http/fields.js'
import { readHttp1ClientOptions } from '../engine/http1/options.js'
import { systemClock } from '../transport/system-clock.js'
import {
  BODY_SPECS,
  POOL_SPECS,
  TIMEOUT_SPECS,
  type BodySettings,
  type PoolSettings,
  type TimeoutSettings,
} from './options.js'
import { Pool, routeOf } from './pool.js'
import { bodyOf, type BodyOptions } from './request-body.js'
import { ClientResponse } from './response.js'
import { sendOnce, type Outgoing } from './send.js'
import { parseTarget, type Target } from './target.js'

interface PlainSettings extends PoolSettings, TimeoutSettings, BodySettings {}

const SPECS: OptionSpecs<PlainSettings> = { ...POOL_SPECS, ...TIMEOUT_SPECS, ...BODY_SPECS }
const LOOK_MS = 200

export interface PlainRequestOptions extends BodyOptions {
  readonly method?: string | undefined
  readonly headers?: FieldInit | undefined
  readonly signal?: AbortSignalLike | undefined
  readonly responseTimeoutMs?: number | undefined
  readonly bodyTimeoutMs?: number | undefined
  readonly timeoutMs?: number | undefined
}

/** Of this thread; made with the first request. */
let shared: { readonly pool: Pool; readonly settings: PlainSettings } | undefined

function sharedPool(): { readonly pool: Pool; readonly settings: PlainSettings } {
  if (shared !== undefined) return shared
  const settings = readOptions('request', SPECS, undefined)
  const pool = new Pool({
    settings,
    times: settings,
    engine: readHttp1ClientOptions({ maxBodyBytes: Infinity }),
    timeouts: new Timeouts(systemClock, LOOK_MS),
    connecting: {},
  })
  shared = { pool, settings }
  return shared
}

/** What a plain GET of a target is, made once. */
const plain = new WeakMap<Target, Outgoing>()

/**
 * One request and its response, and nothing around it: no cookies, no redirects, no decoding, no proxy, no second try
 * beyond that of a connection that the server had ended. The connections are shared by all such requests of a thread.
 * @throws as `Session.request` does.
 */
export async function request(url: string | URL, options?: PlainRequestOptions): Promise<ClientResponse> {
  const { pool, settings } = sharedPool()
  if (options !== undefined) checkNames(options)
  const target = parseTarget(url)
  const outgoing = options === undefined ? plainGet(target, settings) : withOptions(target, settings, options)
  const incoming = await sendOnce(pool, outgoing)
  const { maxBodyBytes } = settings
  return new ClientResponse({
    incoming,
    method: outgoing.start.method,
    url: target.href,
    history: NONE,
    decodes: false,
    maxBodyBytes,
  })
}

const NAMES = [
  'method',
  'headers',
  'signal',
  'responseTimeoutMs',
  'bodyTimeoutMs',
  'timeoutMs',
  'body',
  'json',
  'form',
  'multipart',
]

/** @throws UsageError `ERR_OPTION_UNKNOWN`. */
function checkNames(options: object): void {
  for (const name of Object.keys(options)) {
    if (NAMES.includes(name)) continue
    const nearest = nearestName(name, NAMES)
    const hint = nearest === undefined ? `there are ${NAMES.join(', ')}` : `did you mean "${nearest}"?`
    throw new UsageError('ERR_OPTION_UNKNOWN', `Cannot send a request: there is no option "${name}"; ${hint}`)
  }
}

const NONE: readonly ClientResponse[] = Object.freeze([])

function plainGet(target: Target, settings: PlainSettings): Outgoing {
  let outgoing = plain.get(target)
  if (outgoing === undefined) plain.set(target, (outgoing = withOptions(target, settings, {})))
  return outgoing
}

function withOptions(target: Target, settings: PlainSettings, options: PlainRequestOptions): Outgoing {
  const { method = 'GET', headers = [], signal } = options
  const body = bodyOf(options)
  const type = body?.contentType
  const fields = [...fieldPairs(headers)]
  if (type !== undefined && !fields.some(([name]) => name.toLowerCase() === 'content-type'))
    fields.push(['Content-Type', type])
  return {
    start: { method, target: target.path, host: target.host, fields, bodyLength: body?.length ?? 0 },
    body: body?.length === 0 ? undefined : body,
    url: target.href,
    route: routeOf(target, undefined, undefined, true),
    proxy: undefined,
    isForwarded: false,
    signal,
    deadline: undefined,
    timeoutMs: options.timeoutMs ?? settings.timeoutMs,
    responseTimeoutMs: options.responseTimeoutMs ?? settings.responseTimeoutMs,
    bodyTimeoutMs: options.bodyTimeoutMs ?? settings.bodyTimeoutMs,
    highWaterBytes: settings.highWaterBytes,
    onInterim: undefined,
    onSent: undefined,
    onHead: undefined,
  }
}
