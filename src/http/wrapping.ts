import type { FieldInit } from '../engine/http/fields.js'
import { fieldPairs } from '../engine/http/fields.js'
import { toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import type { HttpRequest } from './request.js'
import { HttpError, type HttpResponse } from './response.js'

/** What is done with each answer of a handler, also with those that it throws. */
interface Wrapping {
  readonly answered: (response: HttpResponse, request: HttpRequest) => HttpResponse
  /** Returns what is thrown instead. */
  readonly thrown: (error: unknown, request: HttpRequest) => unknown
}

/** Stays synchronous where the handler is. */
function wrap(source: HttpHandlerSource, { answered, thrown }: Wrapping): HttpFunction {
  const handler = toHttpFunction(source)
  return (request, server) => {
    try {
      const answer = handler(request, server)
      if (!(answer instanceof Promise)) return answered(answer, request)
      return answer.then(
        (response) => answered(response, request),
        (error: unknown) => {
          throw thrown(error, request)
        },
      )
    } catch (error) {
      throw thrown(error, request)
    }
  }
}

/**
 * Adds fields to every answer of a handler: CORS, isolation, a policy.
 * @throws UsageError `ERR_ARGUMENT` for a field that cannot be sent, when an answer is made.
 */
export function withFields(handler: HttpHandlerSource, headers: FieldInit): HttpFunction {
  const pairs = [...fieldPairs(headers)]
  return wrap(handler, {
    answered: (response) => response.with(pairs),
    thrown(error) {
      if (!(error instanceof HttpError)) return error
      const { status, message, headers: own = [] } = error
      return new HttpError(status, message, { headers: [...fieldPairs(own), ...pairs], cause: error })
    },
  })
}

/**
 * Answers only requests that name one of these hosts (without port, in lower case), and others with 421: a page of a
 * stranger whose name was pointed here reads nothing (DNS rebinding). Requests of HTTP/1.0 may name none.
 */
export function onlyHosts(source: HttpHandlerSource, hosts: Iterable<string>): HttpFunction {
  const handler = toHttpFunction(source)
  const known = new Set([...hosts].map((host) => host.toLowerCase()))
  return (request, server) => {
    const host = request.host.replace(/:\d*$/, '').toLowerCase()
    if (host !== '' && !known.has(host))
      throw new HttpError(421, 'This server does not serve the host that the request names')
    return handler(request, server)
  }
}

/** What an access log tells of a request. */
export interface AccessEntry {
  readonly remote: string
  readonly timeMs: number
  readonly method: string
  readonly target: string
  readonly version: string
  readonly status: number
  /** Of the body; `undefined` when it is not known before it is sent. */
  readonly bytes: number | undefined
  readonly tookMs: number
  readonly referrer: string | undefined
  readonly agent: string | undefined
}

/** Tells `log` of each answer, when it is made. */
export function withAccessLog(handler: HttpHandlerSource, log: (entry: AccessEntry) => void): HttpFunction {
  const inner = toHttpFunction(handler)
  return (request, server) => {
    const began = performance.now()
    const tell = (status: number, bytes: number | undefined): void => {
      const { method, target, version, headers, remote } = request
      log({
        remote: remote.kind === 'ip' ? remote.host : '-',
        timeMs: Date.now(),
        ...{ method, target, version, status, bytes },
        tookMs: performance.now() - began,
        referrer: headers.get('referer'),
        agent: headers.get('user-agent'),
      })
    }
    return wrap(inner, {
      answered(response) {
        tell(response.status, lengthOf(response))
        return response
      },
      thrown(error) {
        tell(error instanceof HttpError ? error.status : 500, undefined)
        return error
      },
    })(request, server)
  }
}

function lengthOf({ body, length }: HttpResponse): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body === null ? 0 : body instanceof Uint8Array ? body.length : length
}

export type AccessFormat = 'common' | 'combined' | 'json'

/** One line, in which nothing of the client's can begin another: control characters and quotes are escaped. */
export function formatAccess(entry: AccessEntry, format: AccessFormat): string {
  if (format === 'json') {
    const { timeMs, ...rest } = entry
    return JSON.stringify({
      time: new Date(timeMs).toISOString(),
      ...rest,
      tookMs: Math.round(entry.tookMs * 1000) / 1000,
    })
  }
  const { remote, timeMs, method, target, version, status, bytes } = entry
  const line = `${remote} - - [${formatTime(timeMs)}] "${escape(method)} ${escape(target)} HTTP/${version}" ${status} ${bytes ?? '-'}`
  return format === 'common' ? line : `${line} "${escape(entry.referrer ?? '-')}" "${escape(entry.agent ?? '-')}"`
}

// oxlint-disable-next-line no-control-regex -- control characters are what is escaped
const UNSAFE = /[\x00-\x1f\x7f-\x9f"\\]/g

const escape = (text: string): string =>
  text.replaceAll(UNSAFE, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `21/Nov/2026:13:10:51 +0000`, as other servers' logs have it. */
function formatTime(ms: number): string {
  const iso = new Date(ms).toISOString()
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1] ?? ''}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
}
