import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  HttpError,
  HttpResponse,
  Routes,
  sse,
  withFields,
  type HttpFunction,
  type HttpRequest,
  type ServerSentEvent,
} from 'moorage/http'
import type { Broker } from 'moorage/pubsub'
import type { ServerContext } from 'moorage'
import { files } from 'moorage/static'
import { websocket, WebSocketHandler, type Message } from 'moorage/websocket'
import { openChat } from './broker.js'
import type { ChatEvent } from './events.js'
import { Visit } from './visit.js'

const PAGE = fileURLToPath(new URL('../../../examples/chat/page/', import.meta.url))
const MAX_LINE_BYTES = 4096
/** Streams of events that may be open, and events that wait for one that does not read. */
const MAX_STREAMS = 1000
const MAX_WAITING = 1000
const NOT_TAKEN = 'the name is taken, or will not do'

/** The chat in a browser: each line that is typed is a message, and each event comes as JSON. */
class ChatSocket extends WebSocketHandler {
  #visit: Visit | undefined

  override async open({ query }: HttpRequest): Promise<void> {
    const tell = (event: ChatEvent): void => void this.peer.send(JSON.stringify(event))
    this.#visit = new Visit(await openChat(this.server.data), tell, (why) => void this.peer.close(4001, why))
    if (await this.#visit.begin(query)) return
    void this.peer.close(4000, NOT_TAKEN)
  }

  override async message(message: Message): Promise<void> {
    const goesOn = typeof message === 'string' && (await this.#visit?.receive(message))
    if (goesOn !== true) void this.peer.close()
  }

  override async close(): Promise<void> {
    await this.#visit?.end()
  }
}

/** One who follows by server-sent events, which wait for nobody: a stream, and the visit that it is of. */
class EventsOfVisit implements AsyncIterableIterator<ServerSentEvent, undefined> {
  readonly id = randomUUID()
  readonly visit: Visit
  readonly #left: () => void
  #events: ServerSentEvent[] = []
  #wake: (() => void) | undefined
  #isOver = false

  constructor(broker: Broker, left: () => void) {
    this.visit = new Visit(
      broker,
      (event) => this.#push(toServerSent(event)),
      (why) => this.over(why),
    )
    this.#left = left
    this.#push({ event: 'stream', data: this.id })
  }

  /** The last event; a page that is told it does not come again. */
  over(why: string): void {
    this.#push({ event: 'over', data: why })
    this.end()
  }

  /** What is there is sent, and then the stream ends: a page comes again. */
  end(): void {
    this.#isOver = true
    this.#wake?.()
  }

  #push(event: ServerSentEvent): void {
    if (this.#isOver) return
    // What it has not read it asks for when it comes again.
    if (this.#events.push(event) > MAX_WAITING) {
      this.#events = []
      this.end()
    }
    this.#wake?.()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    while (this.#events.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve))
    const value = this.#events.shift()
    return value === undefined ? this.return() : { done: false, value }
  }

  /** Also when the page is gone. */
  async return(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    this.end()
    this.#left()
    await this.visit.end()
    return { done: true, value: undefined }
  }
}

/** What they say comes by POST, with the id of their stream. */
const streams = new Map<string, EventsOfVisit>()

async function follow({ query, headers }: HttpRequest, server: ServerContext): Promise<HttpResponse> {
  if (streams.size >= MAX_STREAMS) throw new HttpError(503)
  const broker = await openChat(server.data)
  const drain = (): void => events.end()
  const events: EventsOfVisit = new EventsOfVisit(broker, () => {
    streams.delete(events.id)
    server.draining.removeEventListener('abort', drain)
  })
  streams.set(events.id, events)
  server.draining.addEventListener('abort', drain, { once: true })
  if (server.draining.aborted) drain()
  try {
    if (!(await events.visit.begin(query, headers.get('last-event-id')))) events.over(NOT_TAKEN)
  } catch (error) {
    await events.return()
    throw error
  }
  return sse(events)
}

/** The last thing that was said is where a client that comes again goes on. */
function toServerSent(event: ChatEvent): ServerSentEvent {
  const at = event.type === 'said' || event.type === 'entered' ? { id: event.position } : {}
  return { data: JSON.stringify(event), ...at }
}

async function say(request: HttpRequest): Promise<HttpResponse> {
  const events = streams.get(request.query.get('stream') ?? '')
  if (events === undefined) throw new HttpError(404, 'There is no stream of events with this id')
  request.limitBody(MAX_LINE_BYTES)
  if (!(await events.visit.receive(await request.text()))) {
    streams.delete(events.id)
    events.over('you have left')
  }
  return new HttpResponse(null, { status: 204 })
}

const socket = websocket(ChatSocket, { maxMessageBytes: MAX_LINE_BYTES, slowReader: 'close' })
const page = files(PAGE)
const routes = new Routes()
  .get('/socket', socket)
  .get('/events', follow)
  .post('/say', say)
  .get('/*', (request, server) => page.handle(request, server))

const POLICY = { 'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:" }
const handler: HttpFunction = withFields((request, server) => routes.handle(request, server), POLICY)
export default handler
