import { readOptions } from '../base/options.js'
import { Timeouts } from '../base/timeouts.js'
import { FieldList } from '../engine/http/field-list.js'
import { fieldPairs, type Fields } from '../engine/http/fields.js'
import { readHttp1ClientOptions } from '../engine/http1/options.js'
import { NetError } from '../base/errors.js'
import { systemClock } from '../transport/system-clock.js'
import { atPlace, formatPlace, noteAltSvc, type Alternative, type AltSvcStore } from './alt-svc.js'
import { identityOf, mayAnswer } from './auth.js'
import { CookieJar } from './cookies.js'
import { download } from './download.js'
import type { DownloadOptions, DownloadReport } from './download-rules.js'
import type { HarRecorder } from './har.js'
import type { HarReplay } from './har-replay.js'
import { HstsStore } from './hsts.js'
import type { CachedIncoming, HttpCache } from './http-cache.js'
import { OriginPace } from './origin-pace.js'
import { SharedRequests } from './shared-requests.js'
import { passOver, type Incoming } from './incoming.js'
import { isForwarded, Pool, routeOf, type Route } from './pool.js'
import { ProxyAuth } from './proxy-auth.js'
import { ProxyRules } from './proxies.js'
import { appendQuery } from './query.js'
import { adviseOnMany, fieldsBehind, redirectOf, wrongRedirect } from './redirects.js'
import { defaultFields, fieldsOfChance, joinCookies, overlay, withCookiesOf, type Pair } from './sent-fields.js'
import { bodyOf } from './request-body.js'
import { ClientResponse } from './response.js'
import { Retries, sleep } from './retries.js'
import { sendOnce } from './send.js'
import {
  mergeRequest,
  SESSION_OPTIONS,
  type RequestOptions,
  type RequestSettings,
  type SessionHooks,
  type SessionOptions,
  type SessionSettings,
} from './session-options.js'
import {
  asFolder,
  authOf,
  challenged,
  encoded,
  hasTime,
  secured,
  withinTime,
  withUser,
  type Journey,
} from './journey.js'
import { pages } from './pages.js'
import { inMemory, parseTarget, type Target } from './target.js'
import { upload, type UploadOptions, type UploadReport } from './upload.js'
import { hideSecrets } from '../transport/hidden-secrets.js'
import type { ProxyServer } from '../transport/proxy-server.js'

/** Timeouts are as exact as a quarter of this. */
const LOOK_MS = 200

/**
 * Requests that share connections, cookies, fields and rules. Without options it does what most want: connections are kept
 * for 30 s, redirects followed, bodies decoded, and everything has its time.
 *
 * @example
 * await using session = new Session({ baseUrl: 'https://api.example/v1/', headers: { 'accept-language': 'en' } })
 * const user = await (await session.get('users/7')).json()
 */
export class Session implements AsyncDisposable {
  readonly #settings: SessionSettings
  readonly #fields: readonly Pair[]
  readonly #baseUrl: string | undefined
  readonly #pool: Pool
  readonly #proxies: ProxyRules
  readonly #proxyAuth: ProxyAuth = new ProxyAuth()
  readonly #hsts: HstsStore | undefined
  readonly #recorder: HarRecorder | undefined
  readonly #replay: HarReplay | undefined
  readonly #cache: HttpCache | undefined
  readonly #hooks: SessionHooks | undefined
  readonly #altSvc: AltSvcStore | undefined
  readonly #shared: SharedRequests | undefined
  readonly #pace: OriginPace | undefined
  readonly #routes = new Map<string, Route>()
  readonly #timeouts: Timeouts
  /** `undefined` where none are kept. */
  readonly cookies: CookieJar | undefined

  /** @throws UsageError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`. */
  constructor(options?: SessionOptions) {
    const { cookies, hsts, recorder, replay, cache, hooks, altSvc, ...rest } = options ?? {}
    const settings = readOptions('Session', SESSION_OPTIONS, rest)
    this.#settings = settings
    this.#recorder = recorder
    this.#replay = replay
    this.#cache = cache
    this.#altSvc = altSvc
    this.#hooks = hooks
    this.#shared = settings.deduplicate ? new SharedRequests() : undefined
    const pace = new OriginPace(settings, systemClock)
    this.#pace = pace.isUnlimited ? undefined : pace
    this.#hsts = hsts === false ? undefined : (hsts ?? new HstsStore())
    this.cookies = cookies === false ? undefined : (cookies ?? new CookieJar())
    this.#fields = defaultFields(settings)
    this.#baseUrl = settings.baseUrl === undefined ? undefined : asFolder(settings.baseUrl)
    this.#timeouts = new Timeouts(systemClock, LOOK_MS)
    this.#proxies = new ProxyRules(process.env)
    this.#pool = new Pool({
      settings,
      times: settings,
      engine: readHttp1ClientOptions({ maxBodyBytes: Infinity }),
      timeouts: this.#timeouts,
      connecting: { lookup: settings.lookup, ...(settings.network === undefined ? {} : { network: settings.network }) },
    })
  }

  get(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('GET', url, options)
  }

  head(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('HEAD', url, options)
  }

  options(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('OPTIONS', url, options)
  }

  post(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('POST', url, options)
  }

  put(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('PUT', url, options)
  }

  patch(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('PATCH', url, options)
  }

  delete(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request('DELETE', url, options)
  }

  /**
   * Sends a request, and resolves when the head of the response is there: with any status; `raiseForStatus` makes an error
   * of those from 400 up.
   * @throws UsageError `ERR_URL` and for wrong options; ResolveError, ConnectError, TlsError, ProxyError, ResponseError,
   *   RedirectError, TimeoutError, each with what was tried in `details`; LimitError `ERR_POOL_LIMIT`; the signal's reason.
   */
  request(method: string, url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    let journey: Journey
    try {
      journey = this.#begin(method, url, options)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#travel(journey)
  }

  /** Saves what a URL gives, all of it or nothing; see `DownloadOptions`. */
  download(url: string | URL, path: string, options?: DownloadOptions): Promise<DownloadReport> {
    return download(this, url, path, options)
  }

  /** Sends a file, and goes on where a server can; see `UploadOptions`. */
  upload(url: string | URL, path: string, options?: UploadOptions): Promise<UploadReport> {
    return upload(this, url, path, options)
  }

  /** Page by page, along the links with `rel="next"` (RFC 8288); no page comes twice. @throws as `request` does. */
  pages(url: string | URL, options?: RequestOptions): AsyncGenerator<ClientResponse, void, undefined> {
    return pages(this, url, options)
  }

  /** Lets what is under way end, and ends the connections that idle. */
  close(): Promise<void> {
    this.#pool.close()
    return Promise.resolve()
  }

  /** Ends everything now: what is under way fails. */
  destroy(): void {
    this.#pool.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #begin(method: string, url: string | URL, options: RequestOptions | undefined): Journey {
    const baseUrl = this.#baseUrl
    let target = secured(this.#hsts, parseTarget(url, baseUrl))
    if (options === undefined) {
      const auth = authOf(this.#settings.auth, target)
      return {
        method,
        target,
        fields: fieldsOfChance(this.#fields, this.#settings),
        body: undefined,
        head: undefined,
        settings: this.#settings,
        options,
        auth,
        deadline: this.#deadline(this.#settings),
      }
    }
    const {
      signal: _signal,
      body: _body,
      json: _json,
      form: _form,
      multipart: _multipart,
      query,
      onSent: _onSent,
      onHead: _onHead,
      onInterim: _onInterim,
      head,
      ...own
    } = options
    const settings = mergeRequest(this.#settings, own)
    if (query !== undefined) target = withUser(parseTarget(appendQuery(target.href, query)), target)
    const body = encoded(bodyOf(options), settings.compress)
    const made = overlay(fieldsOfChance(this.#fields, this.#settings), [
      ...(body?.contentType === undefined ? [] : [['Content-Type', body.contentType] as const]),
      ...(settings.compress === undefined || body === undefined
        ? []
        : [['Content-Encoding', settings.compress] as const]),
      ...(settings.decompress ? [] : [['Accept-Encoding', 'identity'] as const]),
    ])
    const fields = options.headers === undefined ? made : overlay(made, fieldPairs(options.headers))
    return {
      method,
      target,
      fields,
      body,
      head,
      settings,
      options,
      auth: authOf(settings.auth, target),
      deadline: this.#deadline(settings),
    }
  }

  #noteHsts(target: Target, received: Fields): void {
    const value = target.isTls ? received.get('strict-transport-security') : undefined
    if (value !== undefined) this.#hsts?.note(target.hostname, value, Date.now(), true)
  }

  #deadline({ timeoutMs }: RequestSettings): number {
    return timeoutMs === Infinity ? Infinity : this.#timeouts.clock.now() + timeoutMs
  }

  /** RFC 9110 §15.4. */
  async #travel(first: Journey): Promise<ClientResponse> {
    const history: ClientResponse[] = []
    let journey = first
    for (;;) {
      const startedAt = this.#recorder === undefined ? undefined : new Date()
      // What a hook adds is for this request: behind a redirect it is asked again.
      const sent = this.#hooks?.beforeRequest === undefined ? journey : await this.#hooked(journey)
      const { incoming, outcome } = await this.#respond(sent)
      const { target, method, settings } = journey
      const response = new ClientResponse({
        incoming,
        method,
        url: target.href,
        history,
        decodes: settings.decompress,
        maxBodyBytes: settings.maxBodyBytes,
        cached: outcome,
      })
      if (startedAt !== undefined) {
        const bodyBytes = typeof journey.body?.length === 'number' ? journey.body.length : 0
        this.#recorder?.record({
          response,
          startedAt,
          fields: [...fieldPairs(incoming.start?.fields ?? [])],
          bodyBytes,
        })
      }
      await this.#hooks?.afterResponse?.(response)
      const redirect = settings.followRedirects ? redirectOf(incoming.head, method) : undefined
      if (redirect === undefined) return response
      if (history.length >= settings.maxRedirects)
        throw wrongRedirect(
          response,
          history,
          `there were ${history.length} before it`,
          adviseOnMany(response, history),
        )
      const next = this.#next(redirect.location, target, response, history)
      if (redirect.keepsBody && journey.body !== undefined && !journey.body.isReplayable) return response
      history.push(response)
      await passOver(incoming, this.#timeouts.clock)
      const isSameOrigin = next.origin === target.origin
      journey = {
        ...journey,
        method: redirect.method,
        target: next,
        head: undefined,
        fields: fieldsBehind(journey.fields, { isSameOrigin, keepsBody: redirect.keepsBody }),
        body: redirect.keepsBody ? journey.body : undefined,
        auth: next.user !== undefined || !isSameOrigin ? authOf(undefined, next) : journey.auth,
      }
    }
  }

  #next(location: string, target: Target, response: ClientResponse, history: readonly ClientResponse[]): Target {
    try {
      return secured(this.#hsts, parseTarget(location, target.href))
    } catch (cause) {
      const shown = JSON.stringify(hideSecrets(location).slice(0, 64))
      throw wrongRedirect(
        response,
        history,
        `${shown} is no URL of HTTP`,
        'have the server redirect to http: or https:',
        cause,
      )
    }
  }

  async #hooked(journey: Journey): Promise<Journey> {
    const { method, target, fields } = journey
    const hooked = this.#hooks?.beforeRequest?.({ method, url: target.href, headers: new FieldList(fields) })
    const added = await withinTime(journey, this.#timeouts.clock, hooked)
    return added === undefined ? journey : { ...journey, fields: overlay(fields, fieldPairs(added)) }
  }

  /** From the cache, from another request that is equal, or from the server. */
  async #respond(journey: Journey): Promise<CachedIncoming> {
    const { method, target, body, head, settings, options } = journey
    if (this.#replay !== undefined) return { incoming: this.#replay.answer(method, target.href), outcome: undefined }
    const shared = body === undefined && (method === 'GET' || method === 'HEAD') ? this.#shared : undefined
    // What a head of its own asks for is not what the URL says.
    if (head !== undefined || (this.#cache === undefined && shared === undefined))
      return { incoming: await this.#paced(journey), outcome: undefined }
    const fields = this.#fieldsOf(journey, undefined)
    const identity = identityOf(journey.auth, fields)
    const send = async (sent: readonly Pair[]): Promise<Incoming> => {
      const next = { ...journey, fields: withCookiesOf(journey.fields, sent) }
      if (shared === undefined || identity === undefined) return this.#paced(next)
      const key = JSON.stringify([method, target.href, identity, sent])
      const sending = shared.send(key, options?.signal, settings.maxBodyBytes, () => this.#paced(next))
      return withinTime(journey, this.#timeouts.clock, sending)
    }
    if (this.#cache === undefined) return { incoming: await send(fields), outcome: undefined }
    const { href: url, host } = target
    return this.#cache.respond({ method, url, host, fields, identity, hasBody: body !== undefined }, send)
  }

  async #paced(journey: Journey): Promise<Incoming> {
    if (this.#pace === undefined) return this.#attempt(journey)
    const release = await this.#turn(journey, this.#pace)
    try {
      const incoming = await this.#attempt(journey)
      incoming.body.whenOver(release)
      return incoming
    } catch (error) {
      release()
      throw error
    }
  }

  /** A turn that comes too late is given back. */
  async #turn(journey: Journey, pace: OriginPace): Promise<() => void> {
    const controller = new AbortController()
    try {
      return await withinTime(journey, this.#timeouts.clock, pace.take(journey.target.origin, controller.signal))
    } catch (error) {
      controller.abort(error)
      throw error
    }
  }

  #authorize(
    journey: Journey,
    wanted: readonly string[] | undefined,
    sent: string | undefined,
  ): string | undefined | Promise<string | undefined> {
    const authorization = journey.auth?.authorize(challenged(journey, wanted, sent))
    return withinTime(journey, this.#timeouts.clock, authorization)
  }

  /** One stage of the journey: with its cookies and credentials, and again where that may help. */
  async #attempt(journey: Journey): Promise<Incoming> {
    const { method, target, settings, auth, options, body } = journey
    const proxy = this.#settings.network === undefined ? this.#proxies.of(settings.proxy, target) : undefined
    const retries = new Retries(settings.retries, method, body)
    const { clock } = this.#timeouts
    let authorization = await this.#authorize(journey, undefined, undefined)
    let answered = 0
    let isProxyAnswered = false
    for (let isFirst = true; ; isFirst = false) {
      if (!isFirst && this.#pace !== undefined)
        await withinTime(journey, clock, this.#pace.takeAgain(target.origin, options?.signal))
      const fields = this.#fieldsOf(journey, authorization)
      let waitMs: number | undefined
      try {
        const incoming = await this.#once(journey, fields, proxy)
        const { status, fields: received } = incoming.head
        const setCookies = this.cookies === undefined ? [] : received.getAll('set-cookie')
        if (setCookies.length > 0) await this.cookies?.store(target.href, setCookies)
        if (this.#hsts !== undefined) this.#noteHsts(target, received)
        if (this.#altSvc !== undefined && target.isTls) noteAltSvc(this.#altSvc, target.origin, received)
        const info = auth?.receiveInfo === undefined ? undefined : received.get('authentication-info')
        if (info !== undefined) auth?.receiveInfo?.(target.origin, info)
        const wanted = status === 401 ? received.getAll('www-authenticate') : undefined
        if (wanted !== undefined && auth !== undefined && mayAnswer(answered, wanted) && body?.isReplayable !== false) {
          authorization = await this.#authorize(journey, wanted, authorization)
          if (authorization === undefined) return incoming
          answered += 1
        } else if (
          status === 407 &&
          !isProxyAnswered &&
          this.#proxyAuth.answers(proxy, received.getAll('proxy-authenticate'))
        ) {
          isProxyAnswered = true
        } else if (status === 421 && this.#placeOf(target, proxy) !== undefined) {
          this.#altSvc?.forget(target.origin)
        } else {
          waitMs = retries.afterStatus(status, received.get('retry-after'))
          // What would be too late is not waited for: the caller gets what there is.
          if (waitMs === undefined || !hasTime(journey, clock, waitMs)) return incoming
        }
        await passOver(incoming, clock)
      } catch (error) {
        const isElsewhere = error instanceof NetError && this.#placeOf(target, proxy) !== undefined
        if (isElsewhere) this.#altSvc?.forget(target.origin)
        const isAnswered: boolean = isElsewhere || (!isProxyAnswered && this.#proxyAuth.answersTunnel(proxy, error))
        isProxyAnswered ||= isAnswered && !isElsewhere
        waitMs = isAnswered ? undefined : retries.afterError(error)
        if (!isAnswered && (waitMs === undefined || !hasTime(journey, clock, waitMs))) throw error
      }
      if (waitMs === undefined) continue
      await sleep(clock, waitMs, options?.signal)
      // Credentials that may be used once are made anew.
      authorization = await this.#authorize(journey, undefined, undefined)
    }
  }

  #fieldsOf({ fields, target }: Journey, authorization: string | undefined): readonly Pair[] {
    const cookie = this.cookies?.cookieHeaderNow(target.href)
    if (cookie === undefined && authorization === undefined) return fields
    const added: Pair[] = []
    if (cookie !== undefined) added.push(['Cookie', joinCookies(fields, cookie)])
    if (authorization !== undefined) added.push(['Authorization', authorization])
    return overlay(fields, added)
  }

  #once(journey: Journey, own: readonly Pair[], proxy: ProxyServer | undefined): Promise<Incoming> {
    const { method, target, settings, body, head, options, deadline } = journey
    const isAbsolute = isForwarded(target, proxy)
    const place = this.#placeOf(target, proxy)
    const fields: readonly Pair[] = place === undefined ? own : [...own, ['Alt-Used', formatPlace(place)]]
    return sendOnce(this.#pool, {
      start: {
        method,
        target: isAbsolute ? target.href : target.path,
        host: target.host,
        fields: isAbsolute && proxy !== undefined ? [...fields, ...proxy.headersOf(method, target.href)] : fields,
        bodyLength: body?.length ?? 0,
        ...head,
      },
      body: body?.length === 0 ? undefined : body,
      url: target.href,
      route: this.#routeOf(target, proxy, place),
      proxy: proxy?.toString(),
      isForwarded: isAbsolute,
      signal: options?.signal,
      deadline,
      timeoutMs: settings.timeoutMs,
      responseTimeoutMs: settings.responseTimeoutMs,
      bodyTimeoutMs: settings.bodyTimeoutMs,
      highWaterBytes: settings.highWaterBytes,
      onInterim: options?.onInterim,
      onSent: options?.onSent,
      onHead: options?.onHead,
    })
  }

  /** RFC 7838: where else the server said that it is. A proxy is not told of it. */
  #placeOf(target: Target, proxy: ProxyServer | undefined): Alternative | undefined {
    return proxy === undefined && target.isTls ? this.#altSvc?.find(target.origin, Date.now()) : undefined
  }

  #routeOf(target: Target, proxy: ProxyServer | undefined, place: Alternative | undefined): Route {
    const { tls, http2 } = this.#settings
    if (proxy !== undefined) return routeOf(target, proxy, tls, http2)
    if (place !== undefined) return routeOf(atPlace(target, place), undefined, tls, http2)
    let route = this.#routes.get(target.origin)
    if (route !== undefined) return route
    const { network } = this.#settings
    route = routeOf(network === undefined ? target : inMemory(target), undefined, tls, http2)
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear()
    this.#routes.set(target.origin, route)
    return route
  }
}

const MAX_ROUTES = 1024
