import type { FieldInit } from '../engine/http/fields.js'
import { fieldPairs } from '../engine/http/fields.js'
import type { ServerContext } from '../server/handlers.js'
import type { Address } from '../transport/address.js'
import { addPairs, type FieldPair } from './added-fields.js'
import { statusOfError } from './error-answer.js'
import { around, toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import type { Refusal } from './refusal.js'
import type { HttpRequest } from './request.js'
import { encodeFields, HttpError, type HttpResponse } from './response.js'

/** What is done with each answer of a handler, also with those that it throws. Stays synchronous where the handler is. */
function afterAnswer(
  handler: HttpFunction,
  request: HttpRequest,
  server: ServerContext,
  answered: (response: HttpResponse) => HttpResponse,
  thrown: (error: unknown) => unknown,
): HttpResponse | Promise<HttpResponse> {
  let answer: HttpResponse | Promise<HttpResponse>
  try {
    answer = handler(request, server)
  } catch (error) {
    throw thrown(error)
  }
  if (!(answer instanceof Promise)) return answered(answer)
  return answer.then(answered, (error: unknown) => {
    throw thrown(error)
  })
}

/** The answer of a handler with more fields, also when it is one that it throws. */
export function withAnswers(
  handler: HttpFunction,
  request: HttpRequest,
  server: ServerContext,
  pairs: readonly FieldPair[],
  lines: string = encodeFields(pairs, ''),
): HttpResponse | Promise<HttpResponse> {
  const thrown = (error: unknown): unknown => {
    const { status, message, headers = [], extensions, fault } = statusOfError(error)
    const more = extensions === undefined ? {} : { extensions }
    return new HttpError(status, message, { headers: addPairs(headers, pairs), cause: fault, ...more })
  }
  return afterAnswer(handler, request, server, (response) => response.withAdded(pairs, lines), thrown)
}

/**
 * Adds fields to every answer of a handler: CORS, isolation, a policy. They take the place of those with their names; see
 * `HttpResponse.with`.
 * @throws UsageError `ERR_ARGUMENT` for a field that cannot be sent.
 */
export function withFields(source: HttpHandlerSource, headers: FieldInit): HttpFunction {
  const handler = toHttpFunction(source)
  const pairs = [...fieldPairs(headers)]
  const lines = encodeFields(pairs, '')
  return around(handler, (request, server) => withAnswers(handler, request, server, pairs, lines))
}

/**
 * Answers only requests that name one of these hosts (without port, in lower case), and others with 421: a page of a
 * stranger whose name was pointed here reads nothing (DNS rebinding). Requests of HTTP/1.0 may name none.
 */
export function onlyHosts(source: HttpHandlerSource, hosts: Iterable<string>): HttpFunction {
  const handler = toHttpFunction(source)
  const known = new Set([...hosts].map((host) => host.toLowerCase()))
  return around(handler, (request, server) => {
    const host = request.host.replace(/:\d*$/, '').toLowerCase()
    if (host !== '' && !known.has(host))
      throw new HttpError(421, 'This server does not serve the host that the request names')
    return handler(request, server)
  })
}

/** What an access log tells of a request. */
export interface AccessEntry {
  readonly remote: string
  /** Of `withRequestIds`, where that stands around the log. */
  readonly id: string | undefined
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

/**
 * Tells `log` of each answer, when it is made; also of those to what is no request, or none that a handler sees (400, 408,
 * 414, 431, 501), as far as its first line could be read: else method, target and version are `-`. Mounted in a route table
 * it hears of its own requests only.
 */
export function withAccessLog(source: HttpHandlerSource, log: (entry: AccessEntry) => void): HttpFunction {
  const handler = toHttpFunction(source)
  const logged: HttpFunction = (request, server) => {
    const began = performance.now()
    const tell = (status: number, bytes: number | undefined): void =>
      log(accessEntry(request, status, bytes, performance.now() - began))
    return afterAnswer(
      handler,
      request,
      server,
      (response) => {
        tell(response.status, request.method === 'HEAD' ? 0 : lengthOf(response))
        return response
      },
      (error) => {
        tell(statusOfError(error).status, undefined)
        return error
      },
    )
  }
  return Object.assign(logged, {
    refused(refusal: Refusal, server: ServerContext): void {
      log(refusedEntry(refusal))
      handler.refused?.(refusal, server)
    },
  })
}

const remoteOf = (remote: Address): string => (remote.kind === 'ip' ? remote.host : '-')

function refusedEntry({ remote, status, bytes, line }: Refusal): AccessEntry {
  const { method, target, version } = line ?? { method: '-', target: '-', version: '-' }
  return {
    remote: remoteOf(remote),
    timeMs: Date.now(),
    ...{ id: undefined, method, target, version, status, bytes, tookMs: 0, referrer: undefined, agent: undefined },
  }
}

function accessEntry(
  { method, target, version, headers, remote, id }: HttpRequest,
  status: number,
  bytes: number | undefined,
  tookMs: number,
): AccessEntry {
  return {
    remote: remoteOf(remote),
    timeMs: Date.now(),
    ...{ id, method, target, version, status, bytes, tookMs },
    referrer: headers.get('referer'),
    agent: headers.get('user-agent'),
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
  // What could not be read is one dash, as other servers have it.
  const asked = version === '-' ? '-' : `${escape(method)} ${escape(target)} HTTP/${version}`
  const line = `${remote} - - [${formatTime(timeMs)}] "${asked}" ${status} ${bytes ?? '-'}`
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
