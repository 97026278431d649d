export { basic, bearer, digest, netrc, type Auth, type Challenged } from './auth.js'
export { decodeText } from './charset.js'
export { CookieJar } from './cookies.js'
export { ACCEPT_ENCODING } from './codings.js'
export { diagnose } from './diagnosis/diagnose.js'
export type { DiagnoseOptions } from './diagnosis/options.js'
export type {
  AddressAttempt,
  BodyFacts,
  ConnectFacts,
  DiagnosisStep,
  HttpFacts,
  ProxyFacts,
  ResolveFacts,
  RouteFacts,
  StepName,
  StepOutcome,
  TlsFacts,
  TunnelFacts,
  UrlFacts,
  WebSocketFacts,
} from './diagnosis/steps.js'
export type { CertificateFacts, CertificateProblem } from './diagnosis/certificate.js'
export type { DownloadOptions, DownloadProgress, DownloadReport } from './download-rules.js'
export {
  BodyError,
  ConnectError,
  ProxyError,
  RedirectError,
  ResolveError,
  ResponseError,
  StatusError,
  TlsError,
} from './errors.js'
export { MemoryCacheStore, type CacheLimits, type CacheStore, type StoredResponse } from './cache-store.js'
export { proxyFor, type Environment } from './environment.js'
export { FileCacheStore } from './file-cache-store.js'
export { HarReplay } from './har-replay.js'
export { HttpCache, type CacheOutcome, type HttpCacheOptions } from './http-cache.js'
export { HarRecorder, type Har, type HarEntry, type HarOptions } from './har.js'
export { HstsStore } from './hsts.js'
export { parseLinks, type Link } from './link.js'
export type { MultipartInit } from './multipart.js'
export { Netrc, readNetrc, type NetrcEntry } from './netrc.js'
export { filePart, streamPart, type FilePart, type PartValue, type StreamPart } from './parts.js'
export { appendQuery, encodeForm, type QueryInit } from './query.js'
export { suggestTo, type Asker } from './option-words.js'
export { request, type PlainRequestOptions } from './request.js'
export type { BodyInit } from './request-body.js'
export type { ClientResponse, Elapsed } from './response.js'
export { tryParseRetryAfter } from './retry-after.js'
export { Session } from './session.js'
export type {
  ExactHead,
  HookedRequest,
  ProxyChoice,
  RequestOptions,
  SessionHooks,
  SessionOptions,
} from './session-options.js'
export { del, get, head, options, patch, post, put } from './verbs.js'
export type { UploadOptions, UploadProgress, UploadReport } from './upload.js'
export type { ReceivedEvent } from './event-stream.js'
export type { TextLineOptions } from './text-lines.js'
export { AltSvcStore } from './alt-svc.js'
export { dnsOverHttps, type DnsOverHttpsOptions } from './dns-over-https.js'
export { parseTarget, type Target } from './target.js'
export { replaceWhole } from './whole-file.js'
