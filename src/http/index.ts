export { sse, type EventStreamInit, type ServerSentEvent } from './event-stream.js'
export { hashPassword, withBasicAuth } from './basic-auth.js'
export { fetchHandler, type FetchFunction } from './fetch-adapter.js'
export { Form, FormFile, type FormValue } from './forms/form.js'
export type { FormOptions } from './forms/options.js'
export type { FormField, FormFilePart, FormPart } from './forms/part.js'
export type { Fields, FieldInit } from '../engine/http/fields.js'
export {
  HttpHandler,
  type HttpFunction,
  type HttpHandlerClass,
  type HttpHandlerObject,
  type HttpHandlerSource,
  type ToldOfRefusal,
} from './handlers.js'
export type { HttpOptions } from './options.js'
export type { Refusal, RequestLine } from './refusal.js'
export type { HttpRequest } from './request.js'
export type { RequestBody } from './request-body.js'
export {
  html,
  HttpError,
  HttpResponse,
  json,
  redirect,
  stream,
  text,
  type ProblemExtensions,
  type ResponseBody,
  type ResponseInit,
} from './response.js'
export { parseBySchema, type SchemaIssue, type SchemaResult, type StandardSchema } from './standard-schema.js'
export { Routes, type PathParams, type RouteFunction } from './routes.js'
export { HttpServer, serveHttp, type HttpServerOptions, type PooledHttpServerOptions } from './server.js'
export { formatAccess, onlyHosts, withAccessLog, withFields, type AccessEntry, type AccessFormat } from './wrapping.js'
export { validateFetch, type ValidateFetchOptions } from './validate-fetch.js'
export { withRateLimit, type RateLimitOptions } from './rate-limit.js'
export { withRequestIds, type RequestIds } from './request-ids.js'
export { withTrustedProxies, type TrustedProxies, type XForwardedField } from './trusted-proxies.js'
export { upgradeRequired, UpgradeResponse, type Takeover } from './upgrade.js'
