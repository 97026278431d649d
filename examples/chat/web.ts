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
import { tryParsePosition } from 'moorage/pubsub'
import type { ServerContext } from 'moorage'
import { files } from 'moorage/static'
import { websocket, WebSocketHandler, type Message } from 'moorage/websocket'
import { openChat } from './broker.js'
import { Chatter } from './chatter.js'
import type { ChatEvent } from './events.js'

const PAGE = fileURLToPath(new URL('../../../examples/chat/page/', import.meta.url))
const MAX_LINE_BYTES = 4096
/** Streams of events that may be open, and events that wait for one that does not read. */
const MAX_STREAMS = 1000
const MAX_WAITING = 1000

/** The chat in a browser: each line that is typed is a message, and each event comes as JSON. */
class ChatSocket extends WebSocketHandler {
  #chatter: Chatter | undefined

  override async open({ query }: HttpRequest): Promise<void> {
    const tell = (event: ChatEvent): void => void this.peer.send(JSON.stringify(event))
    this.#chatter = new Chatter(await openChat(this.server.data), tell)
    const from = tryParsePosition(query.get('from') ?? '')
    if (await this.#chatter.introduce(query.get('name') ?? '', from)) return
    void this.peer.close(4000, 'the name is taken, or will not do')
  }

  override async message(message: Message): Promise<void> {
    const goesOn = typeof message === 'string' && (await this.#chatter?.receive(message))
    if (goesOn !== true) void this.peer.close()
  }

  override async close(): Promise<void> {
    await this.#chatter?.leave()
  }
}

/** Those who follow by server-sent events: what they say comes by POST, with the id of their stream. */
const streams = new Map<string, Chatter>()

/** Events of one stream, which waits for nobody. */
class Waiting {
  readonly #events: ServerSentEvent[] = []
  #wake: (() => void) | undefined
  #isOver = false

  push(event: ServerSentEvent): void {
    if (this.#events.push(event) > MAX_WAITING) this.end()
    this.#wake?.()
  }

  end(): void {
    this.#isOver = true
    this.#wake?.()
  }

  async *read(): AsyncGenerator<ServerSentEvent, void, undefined> {
    while (!this.#isOver) {
      const event = this.#events.shift()
      if (event !== undefined) yield event
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

async function follow(request: HttpRequest, server: ServerContext): Promise<HttpResponse> {
  if (streams.size >= MAX_STREAMS) throw new HttpError(503)
  const waiting = new Waiting()
  const tell = (event: ChatEvent): void => waiting.push(toServerSent(event))
  const chatter = new Chatter(await openChat(server.data), tell)
  const from = tryParsePosition(request.headers.get('last-event-id') ?? '')
  const id = randomUUID()
  waiting.push({ event: 'stream', data: id })
  if (!(await chatter.introduce(request.query.get('name') ?? '', from))) {
    await chatter.leave()
    throw new HttpError(409, 'The name is taken, or will not do')
  }
  streams.set(id, chatter)
  const leave = (): void => {
    streams.delete(id)
    waiting.end()
    void chatter.leave()
  }
  if (request.signal.aborted || server.draining.aborted) leave()
  request.signal.addEventListener('abort', leave, { once: true })
  server.draining.addEventListener('abort', leave, { once: true })
  return sse(waiting.read())
}

/** The last thing that was said is where a browser that comes again goes on. */
function toServerSent(event: ChatEvent): ServerSentEvent {
  const last = event.type === 'said' ? event : event.type === 'entered' ? event.past.at(-1) : undefined
  return { data: JSON.stringify(event), ...(last === undefined ? {} : { id: last.position }) }
}

async function say(request: HttpRequest): Promise<HttpResponse> {
  const chatter = streams.get(request.query.get('stream') ?? '')
  if (chatter === undefined) throw new HttpError(404, 'There is no stream of events with this id')
  request.limitBody(MAX_LINE_BYTES)
  if (!(await chatter.receive(await request.text()))) await chatter.leave()
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
