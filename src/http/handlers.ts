import { UsageError } from '../base/errors.js'
import type { ServerContext } from '../server/handlers.js'
import { fetchHandler, type FetchFunction } from './fetch-adapter.js'
import type { Refusal } from './refusal.js'
import type { HttpRequest } from './request.js'
import { HttpError, HttpResponse } from './response.js'

export interface HttpFunction {
  (request: HttpRequest, server: ServerContext): HttpResponse | Promise<HttpResponse>
  /** Told of what was answered without a handler: `withAccessLog` has one, and other wrappers pass it on. It must not throw. */
  readonly refused?: ToldOfRefusal
}

export type ToldOfRefusal = (refusal: Refusal, server: ServerContext) => void

/** What stands around a handler, which is told of refusals as before. */
export function around(inner: { readonly refused?: ToldOfRefusal }, outer: HttpFunction): HttpFunction {
  return inner.refused === undefined ? outer : Object.assign(outer, { refused: inner.refused })
}

/**
 * Handles requests with a method for each verb, a fresh instance for each request. What is not there is answered with 405
 * and what is; HEAD is answered as GET is, without the body, and OPTIONS with what is there, unless they are written.
 * @example
 * class Hello extends HttpHandler {
 *   override get() { return text(`Hello, ${this.request.query.get('name') ?? 'world'}`) }
 * }
 */
export abstract class HttpHandler {
  /** Tells handler classes from functions, also across copies of this package. */
  static readonly handlerKind: string = 'http'
  readonly request: HttpRequest
  readonly server: ServerContext

  constructor(request: HttpRequest, server: ServerContext) {
    this.request = request
    this.server = server
  }

  get?(): HttpResponse | Promise<HttpResponse>
  head?(): HttpResponse | Promise<HttpResponse>
  post?(): HttpResponse | Promise<HttpResponse>
  put?(): HttpResponse | Promise<HttpResponse>
  patch?(): HttpResponse | Promise<HttpResponse>
  delete?(): HttpResponse | Promise<HttpResponse>
  options?(): HttpResponse | Promise<HttpResponse>
}

export type HttpHandlerClass = new (request: HttpRequest, server: ServerContext) => HttpHandler

/** A fetch-style application, as Hono and h3 export it. */
export interface FetchObject {
  readonly fetch: FetchFunction
}

/** Anything that has a method `handle`: a route table, files. */
export interface HttpHandlerObject {
  handle: HttpFunction
  readonly refused?: ToldOfRefusal
}

export type HttpHandlerSource = HttpFunction | HttpHandlerClass | HttpHandlerObject | FetchObject

const VERBS = new Map<string, 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete' | 'options'>([
  ['GET', 'get'],
  ['HEAD', 'head'],
  ['POST', 'post'],
  ['PUT', 'put'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
  ['OPTIONS', 'options'],
])

/** RFC 9110 §9.1: a method that nobody here knows is not the same as one that this resource does not have. */
export function notImplemented(): never {
  throw new HttpError(501)
}

/** The answer to OPTIONS, with the methods that there are (RFC 9110 §10.2.1). @throws HttpError 405 for other methods. */
export function allowing(methods: Iterable<string>, method: string): HttpResponse {
  const all = new Set(methods)
  if (all.has('GET')) all.add('HEAD')
  all.add('OPTIONS')
  const headers = { Allow: [...all].join(', ') }
  if (method === 'OPTIONS') return new HttpResponse(null, { status: 204, headers })
  throw new HttpError(405, '', { headers })
}

export const isKnownMethod = (method: string): boolean => VERBS.has(method)

function dispatch(handler: HttpHandler): HttpResponse | Promise<HttpResponse> {
  const { method } = handler.request
  const verb = VERBS.get(method)
  if (verb === undefined) return notImplemented()
  const answer = handler[verb]?.() ?? (verb === 'head' ? handler.get?.() : undefined)
  if (answer !== undefined) return answer
  const there = [...VERBS].filter(([, name]) => handler[name] !== undefined).map(([name]) => name)
  return allowing(there, method)
}

const isObject = (source: unknown): source is HttpHandlerObject =>
  typeof source === 'object' && source !== null && 'handle' in source && typeof source.handle === 'function'

const isFetchObject = (source: unknown): source is FetchObject =>
  typeof source === 'object' && source !== null && 'fetch' in source && typeof source.fetch === 'function'

const isClass = (source: unknown): source is HttpHandlerClass =>
  typeof source === 'function' && 'handlerKind' in source && source.handlerKind === 'http'

const isFunction = (source: unknown): source is HttpFunction =>
  typeof source === 'function' && !('handlerKind' in source)

/** One function for whatever an HTTP handler is. @throws UsageError `ERR_HANDLER`. */
export function toHttpFunction(source: unknown): HttpFunction {
  if (isClass(source)) return (request, server) => dispatch(new source(request, server))
  if (isFunction(source)) return source
  if (isObject(source)) return around(source, (request, server) => source.handle(request, server))
  if (isFetchObject(source)) return fetchHandler((request) => source.fetch(request))
  throw new UsageError(
    'ERR_HANDLER',
    `Cannot use the handler: expected a function that returns a response, a subclass of HttpHandler, or an object with a method "handle" or "fetch", got ${typeof source === 'function' ? 'a handler of another kind' : `a value of type ${typeof source}`}`,
  )
}
