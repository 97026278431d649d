import { ProtocolError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import type { FieldPair } from '../http/added-fields.js'
import { NORMAL } from '../engine/websocket/close.js'
import { acceptOffer } from '../engine/websocket/deflate-parameters.js'
import { acceptOf, readOpening, type Opening } from '../engine/websocket/handshake.js'
import type { HttpFunction } from '../http/handlers.js'
import type { HttpRequest } from '../http/request.js'
import { DONE } from '../base/deferred.js'
import { HttpError, type HttpResponse } from '../http/response.js'
import { Timeouts } from '../base/timeouts.js'
import { upgradeRequired, UpgradeResponse } from '../http/upgrade.js'
import type { HandlerEnd, ServerContext } from '../server/handlers.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import { MessageCounters, type MessageCounts } from './counters.js'
import { DeflateBudget, PeerDeflate } from './deflate.js'
import { checkSource, isHandlerClass, type WebSocketHandler, type WebSocketSource } from './handlers.js'
import { WebSocketLink, type LinkOwner, type WebSocketReport } from './link.js'
import {
  PEER_SPECS,
  WEBSOCKET_OPTIONS,
  type OriginPolicy,
  type PeerSettings,
  type WebSocketOptions,
  type WebSocketServerSettings,
} from './options.js'
import { WebSocketPeer } from './peer.js'
import { sha1Base64 } from './platform.js'

/** An HTTP handler that upgrades, and what it knows of its peers. */
export interface WebSocketService extends HttpFunction {
  /** What became of the messages to all peers so far, also those that are gone; in this thread. */
  counts(): MessageCounts
  /** How many peers there are, in this thread. */
  peers(): number
}

/** What is agreed on in a handshake. */
interface Agreed {
  readonly protocol: string
  readonly deflate: PeerDeflate | undefined
  readonly end: HandlerEnd
}

/**
 * An HTTP handler for WebSockets (RFC 6455): mount it in a route table beside pages and files, wrap it as other handlers
 * are. Requests that ask for something else are answered with 426, those of pages of other sites with 403 (see the option
 * `origins`). To authenticate, throw an `HttpError` in a handler around it: nothing was upgraded yet.
 * @throws UsageError `ERR_HANDLER`, `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`.
 * @example
 * const echo = websocket(async (peer) => {
 *   for await (const message of peer) await peer.send(message)
 * })
 * await serveHttp('http://127.0.0.1:8000', echo)
 */
export function websocket(handler: WebSocketSource, options?: WebSocketOptions): WebSocketService {
  checkSource(handler)
  const settings = readOptions('WebSocket', WEBSOCKET_OPTIONS, options)
  const service = new Service(handler, settings)
  const handle: HttpFunction = (request, server) => service.handle(request, server)
  return Object.assign(handle, { counts: () => service.countsNow(), peers: () => service.live.size })
}

class Service {
  readonly #handler: WebSocketSource
  readonly #settings: WebSocketServerSettings
  readonly #peerSettings: PeerSettings
  readonly #budget: DeflateBudget | undefined
  #timeouts: Timeouts | undefined
  readonly counts: MessageCounters = new MessageCounters()
  readonly live = new Set<WebSocketLink>()

  constructor(handler: WebSocketSource, settings: WebSocketServerSettings) {
    this.#handler = handler
    this.#settings = settings
    const { origins: _, protocols: __, compression, ...peer } = settings
    this.#peerSettings = readOptions('WebSocket', PEER_SPECS, peer)
    this.#budget = compression === undefined ? undefined : new DeflateBudget(compression)
  }

  /** A peer counts what the system has taken when it is asked. */
  countsNow(): MessageCounts {
    for (const link of this.live) link.settle()
    return this.counts.snapshot()
  }

  handle(request: HttpRequest, server: ServerContext): HttpResponse {
    let opening: Opening
    try {
      opening = readOpening(request)
    } catch (error) {
      return refused(error)
    }
    checkOrigin(request, this.#settings.origins)
    if (request.body !== undefined) throw new HttpError(400, 'A WebSocket is opened by a request without a body')
    if (server.draining.aborted) throw new HttpError(503, '', { headers: { 'Retry-After': '1' } })
    const fields: FieldPair[] = [['Sec-WebSocket-Accept', acceptOf(opening.key, sha1Base64)]]
    const protocol = this.#settings.protocols.find((name) => opening.protocols.includes(name)) ?? ''
    if (protocol !== '') fields.push(['Sec-WebSocket-Protocol', protocol])
    const deflate = this.#agreeOnDeflate(opening, fields)
    return UpgradeResponse.to(
      'websocket',
      (connection, end) => this.#run(connection, request, server, { protocol, deflate, end }),
      fields,
    )
  }

  #agreeOnDeflate({ extensions }: Opening, fields: FieldPair[]): PeerDeflate | undefined {
    if (this.#budget === undefined || extensions === '') return undefined
    const accepted = acceptOffer(extensions, this.#budget.wishes)
    if (accepted === undefined) return undefined
    fields.push(['Sec-WebSocket-Extensions', accepted.answer])
    return new PeerDeflate('server', accepted.parameters, this.#budget)
  }

  #run(
    connection: StreamConnection,
    request: HttpRequest,
    server: ServerContext,
    { protocol, deflate, end }: Agreed,
  ): void {
    const { pingIntervalMs, pongTimeoutMs, closeTimeoutMs } = this.#peerSettings
    this.#timeouts ??= new Timeouts(connection.clock, Math.min(pingIntervalMs, pongTimeoutMs, closeTimeoutMs))
    const link = new WebSocketLink({
      connection,
      role: 'server',
      settings: this.#peerSettings,
      protocol,
      deflate,
      timeouts: this.#timeouts,
      totals: this.counts,
      draining: server.draining,
    })
    this.live.add(link)
    const run = new Run(link, this, end)
    link.begin(run)
    run.start(this.#handler, request, server)
  }
}

/** One handler with its peer: over when both are. */
class Run implements LinkOwner {
  readonly #link: WebSocketLink
  readonly #service: Service
  readonly #end: HandlerEnd
  #object: WebSocketHandler | undefined
  /** Settled when its `open` is, where that takes time; the messages that came meanwhile are given to it then. */
  #opened: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  /** The connection, and the handler. */
  #left = 2

  constructor(link: WebSocketLink, service: Service, end: HandlerEnd) {
    this.#link = link
    this.#service = service
    this.#end = end
  }

  start(source: WebSocketSource, request: HttpRequest, server: ServerContext): void {
    const peer = new WebSocketPeer(this.#link)
    try {
      const begun = isHandlerClass(source)
        ? this.#open(new source(peer, server), request)
        : Promise.resolve(source(peer, request, server)).then(() => this.#leave())
      if (begun !== undefined) begun.catch((error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A function has come to its end. */
  #leave(): void {
    this.#link.leave(NORMAL, '')
    this.#finish()
  }

  #open(handler: WebSocketHandler, request: HttpRequest): Promise<void> | undefined {
    this.#object = handler
    const opened = handler.open(request)
    if (opened !== undefined) {
      this.#opened = Promise.resolve(opened).then(() => this.#link.incoming.consume(handler))
      return this.#opened
    }
    this.#link.incoming.consume(handler)
    return undefined
  }

  #fail(error: unknown): void {
    this.threw(error)
    // The methods of an object have their end when the connection has.
    if (this.#object === undefined) this.#finish()
    this.#link.fail(error)
  }

  threw(error: unknown): void {
    this.#failure ??= { error }
  }

  gone(report: WebSocketReport): void {
    const handler = this.#object
    this.#finish()
    if (handler === undefined) return
    void (this.#opened ?? DONE)
      // What it threw is told by whoever called it.
      .catch(() => undefined)
      .then(() => this.#link.incoming.idle())
      .then(() => handler.close(report))
      .catch((error: unknown) => this.threw(error))
      .finally(() => this.#finish())
      .catch(() => undefined)
  }

  #finish(): void {
    this.#left -= 1
    if (this.#left > 0) return
    this.#service.live.delete(this.#link)
    this.#end.over(this.#failure)
  }
}

/** @throws what is no matter of the handshake. */
function refused(error: unknown): HttpResponse {
  if (!(error instanceof ProtocolError)) throw error
  const { status } = error.details
  if (status === 426) return upgradeRequired('websocket', error.message, [['Sec-WebSocket-Version', '13']])
  throw new HttpError(typeof status === 'number' ? status : 400, error.message, {
    cause: error,
    ...(status === 405 ? { headers: [['Allow', 'GET']] } : {}),
  })
}

/** RFC 6455 §10.2. @throws HttpError 403. */
function checkOrigin(request: HttpRequest, policy: OriginPolicy): void {
  if (policy === 'any') return
  const origins = request.headers.getAll('origin')
  const [origin] = origins
  if (origin === undefined) return
  if (origins.length === 1 && (isSameOrigin(origin, request) || (policy !== 'same' && policy.includes(origin)))) return
  throw new HttpError(403, 'Pages of this origin may not connect here: the option "origins" names those that may')
}

/** The page came from this server, by whatever scheme: a proxy in front may speak TLS for it. */
function isSameOrigin(origin: string, { host }: HttpRequest): boolean {
  const [, scheme, authority = ''] = /^(https?):\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? []
  if (scheme === undefined || host === '') return false
  const plain = (text: string, port: string): string =>
    text.endsWith(`:${port}`) ? text.slice(0, -port.length - 1) : text
  const port = scheme === 'https' ? '443' : '80'
  return plain(authority, port) === plain(host.toLowerCase(), port)
}
