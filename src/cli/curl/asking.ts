import { ProxyError, type ClientResponse } from '../../client/index.js'
import type { AbortSignalLike } from '../../base/index.js'
import type { Bearer } from './credentials.js'
import { Credentials } from './credentials.js'
import type { CurlCookies } from './curl-cookies.js'
import { proxyPairs, toExactHead, waitsForContinue, wantsChunks, type HeadParts } from './curl-head.js'
import type { CurlLine } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import type { HeaderLine } from './header-lines.js'
import type { Narration, RawHead } from './narration.js'
import type { Network } from './network.js'
import { proxyOf, type CurlProxy } from './proxy-choice.js'
import type { CurlBody } from './request-body.js'
import type { Tally } from './tally.js'

/** What stays the same over the redirects of one transfer. */
export interface AskingParts {
  readonly line: CurlLine
  readonly network: Network
  readonly cookies: CurlCookies
  readonly narration: Narration
  readonly lines: readonly HeaderLine[]
  readonly proxyLines: readonly HeaderLine[]
  readonly signal: AbortSignalLike
  readonly tally: Tally
  /** By `performance.now()`; Infinity for none. */
  readonly deadline: number
  /** Of the file that is gone on with, or what --range says. */
  readonly range: HeadParts['range']
  readonly condition: HeadParts['condition']
  readonly userAgent: string
  readonly acceptEncoding: string | undefined
}

/** One request of the way, to be asked until credentials are settled. */
export interface Question {
  readonly url: CurlUrl
  readonly method: string
  readonly body: CurlBody
  readonly credentials: Credentials | Bearer | undefined
  readonly isElsewhere: boolean
  readonly referer: string | undefined
}

/** Asks, and answers what server and proxy want to know, once each. */
export class Asking {
  readonly #parts: AskingParts
  readonly #onHead: (head: RawHead) => void
  #proxyCredentials: { readonly proxy: string; readonly credentials: Credentials } | undefined

  constructor(parts: AskingParts, onHead: (head: RawHead) => void) {
    this.#parts = parts
    this.#onHead = onHead
  }

  async ask(question: Question): Promise<ClientResponse> {
    const { url, method, body, credentials } = question
    const proxy = proxyOf(this.#parts.line, url)
    const isForwarded = proxy !== undefined && !proxy.isSocks && !url.isTls
    const server = { method, target: url.path, origin: url.origin, hostname: url.hostname }
    const asked = isForwarded ? { ...server, target: `http://${url.host}${url.path}` } : connectRequest(url)
    const proxied = this.#credentialsFor(proxy)
    let authorization = await credentials?.authorize(server)
    let proxyAuthorization = await proxied?.authorize(asked)
    let expects = waitsForContinue(body, this.#parts.lines)
    let [isAnswered, isProxyAnswered, isReleased] = [false, false, false]
    for (;;) {
      const isHeld =
        !isReleased &&
        ((credentials?.holdsBody === true && authorization === undefined) ||
          (isForwarded && proxied?.holdsBody === true && proxyAuthorization === undefined))
      const sent = isHeld ? held(body) : body
      const secrets = { authorization, proxyAuthorization, expects: expects && !isHeld }
      const response = await this.#send({ ...question, body: sent }, proxy, secrets).catch((error: unknown) => error)
      if (!isResponse(response)) {
        const wanted = isProxyAnswered ? undefined : wantedByTunnel(response)
        proxyAuthorization = wanted === undefined ? undefined : await proxied?.authorize(asked, wanted)
        if (proxyAuthorization === undefined) throw response
        isProxyAnswered = true
        continue
      }
      const { status, headers } = response
      const mayRepeat = isHeld || body.isReplayable
      if (status === 401 && !isAnswered && mayRepeat && credentials !== undefined) {
        isAnswered = true
        const next = await credentials.authorize(server, headers.getAll('www-authenticate'))
        if (next === undefined) return response
        authorization = next
      } else if (status === 407 && !isProxyAnswered && mayRepeat && isForwarded && proxied !== undefined) {
        isProxyAnswered = true
        const next = await proxied.authorize(asked, headers.getAll('proxy-authenticate'))
        if (next === undefined) return response
        proxyAuthorization = next
      } else if (isHeld && body.kind !== 'none' && status < 300) {
        // It wanted no credentials: now it gets the body.
        isReleased = true
      } else if (status === 417 && expects) {
        expects = false
      } else return response
      await passOver(response)
    }
  }

  #credentialsFor(proxy: CurlProxy | undefined): Credentials | undefined {
    if (proxy?.user === undefined || proxy.isSocks) return undefined
    const way = this.#parts.line.has('proxy-digest') ? 'digest' : 'basic'
    if (this.#proxyCredentials?.proxy !== proxy.url)
      this.#proxyCredentials = { proxy: proxy.url, credentials: new Credentials(proxy.user, proxy.password, way) }
    return this.#proxyCredentials.credentials
  }

  async #send(
    { url, method, body, isElsewhere, referer }: Question,
    proxy: CurlProxy | undefined,
    { authorization, proxyAuthorization, expects }: Secrets,
  ): Promise<ClientResponse> {
    const { line, lines, network, cookies, narration, signal, deadline, tally } = this.#parts
    const isForwarded = proxy !== undefined && !proxy.isSocks && !url.isTls
    const isTunnelled = proxy !== undefined && !proxy.isSocks && url.isTls
    const { userAgent, acceptEncoding, range, condition } = this.#parts
    const head = toExactHead({
      method,
      url,
      requestTarget: line.text('request-target'),
      isForwarded,
      body,
      lines,
      isElsewhere,
      proxyAuthorization: isForwarded ? proxyAuthorization : undefined,
      authorization,
      range,
      userAgent,
      acceptEncoding,
      referer,
      cookie: await cookies.headerFor(url.href),
      condition,
      proxyLines: this.#parts.proxyLines,
      expectsContinue: expects,
    })
    const place = network.placeOf(url)
    const left = deadline - performance.now()
    Object.assign(tally, { url, referer, uploadedBytes: 0 })
    const sending = place.session.request(method, place.url, {
      head,
      ...(body.body === undefined ? {} : { body: chunked(body, lines) }),
      ...(left === Infinity ? {} : { timeoutMs: Math.max(1, Math.round(left)) }),
      proxy: proxy === undefined ? false : this.#proxyOptions(proxy, isForwarded, proxyAuthorization),
      signal,
      onHead: (text) => {
        narration.sent(text)
        tally.requestBytes += text.length + (body.kind === 'data' && !expects ? countOf(body) : 0)
      },
      onInterim: ({ status, reason, httpVersion, fields: headers }) => {
        narration.informed({ status, reason, httpVersion, headers })
        this.#onHead({ status, reason, httpVersion, headers })
      },
      onSent: (count) => (tally.uploadedBytes += count),
    })
    const response = await sending.catch((error: unknown) => {
      tally.failed(error, isTunnelled)
      throw error
    })
    tally.answered(response, isTunnelled)
    // What goes out with its head is not told of.
    if (body.body instanceof Uint8Array && tally.uploadedBytes === 0 && !expects) tally.uploadedBytes = countOf(body)
    await cookies.store(url.href, response.headers.getAll('set-cookie'))
    narration.answered(response)
    this.#onHead(response)
    return response
  }

  /** What CONNECT says is what the request would have said to the proxy. */
  #proxyOptions(
    { url, urlWithUser, isSocks }: CurlProxy,
    isForwarded: boolean,
    authorization: string | undefined,
  ): { readonly url: string; readonly headers?: readonly (readonly [string, string])[] } {
    if (isSocks) return { url: urlWithUser }
    if (isForwarded) return { url }
    const { userAgent } = this.#parts
    return {
      url,
      headers: [
        ...(authorization === undefined ? [] : [['Proxy-Authorization', authorization] as const]),
        ...(userAgent === '' ? [] : [['User-Agent', userAgent] as const]),
        ['Proxy-Connection', 'Keep-Alive'],
        ...proxyPairs(this.#parts.proxyLines),
      ],
    }
  }
}

const countOf = ({ length }: CurlBody): number => (length === 'chunked' ? 0 : length)

interface Secrets {
  readonly authorization: string | undefined
  readonly proxyAuthorization: string | undefined
  readonly expects: boolean
}

/** Its length is told to be 0; what a form would be made of is not known then. */
const held = (body: CurlBody): CurlBody => ({
  ...body,
  body: undefined,
  length: 0,
  contentType: body.kind === 'form' ? undefined : body.contentType,
})

const isResponse = (given: unknown): given is ClientResponse =>
  typeof given === 'object' && given !== null && 'raiseForStatus' in given

const connectRequest = ({ origin, hostname, port }: CurlUrl): Parameters<Credentials['authorize']>[0] => ({
  method: 'CONNECT',
  target: `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`,
  origin,
  hostname,
})

function wantedByTunnel(error: unknown): readonly string[] | undefined {
  if (!(error instanceof ProxyError) || error.code !== 'ERR_PROXY_AUTH') return undefined
  const { authenticate } = error.details
  return typeof authenticate === 'string' ? [authenticate] : undefined
}

/** With `Transfer-Encoding: chunked` among the fields the length is not told. */
function chunked({ body, ...rest }: CurlBody, lines: readonly HeaderLine[]): NonNullable<CurlBody['body']> {
  const given = new Map(lines.map((line) => [line.name.toLowerCase(), line]))
  const isWanted = wantsChunks(given, { body, ...rest })
  return isWanted && body instanceof Uint8Array ? [body] : (body ?? new Uint8Array())
}

/** So that the connection can be used again. */
async function passOver(response: ClientResponse): Promise<void> {
  await response.bytes().catch(() => response.discard())
}
