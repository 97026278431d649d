import { nothingToUnlink, onAbort } from '../base/cancellation.js'
import { errorCodeOf } from '../base/errors.js'
import { byteCount, count, readOptions, value, type OptionSpecs } from '../base/options.js'
import { sse, type ServerSentEvent } from '../http/event-stream.js'
import type { HttpFunction } from '../http/handlers.js'
import type { HttpRequest } from '../http/request.js'
import { HttpError } from '../http/response.js'
import type { Broker } from '../pubsub/broker.js'
import { formatPosition, tryParsePosition } from '../pubsub/position.js'
import type { Gap, RoomListener, RoomMessage, Subscription } from '../pubsub/room.js'
import { eventOfGap, eventOfMessage } from './rooms-protocol.js'

export interface RoomEventsSettings {
  readonly room: (request: HttpRequest) => string | undefined | Promise<string | undefined>
  readonly last: number
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
}
export type RoomEventsOptions = Partial<RoomEventsSettings>

export const ROOM_EVENTS_OPTIONS: OptionSpecs<RoomEventsSettings> = {
  room: value(
    'a function',
    (request: HttpRequest) => request.query.get('room') ?? undefined,
    'the parameter `room` of the query',
    'Which room a request may follow; without one it is answered with 403. Here is the place to authorize.',
    (given): given is RoomEventsSettings['room'] => typeof given === 'function',
  ),
  last: count(0, 'How many of the newest messages a client gets first that comes without `Last-Event-ID`.', { min: 0 }),
  maxQueuedMessages: count(
    1024,
    'Messages that are held for a client that does not read; then its stream ends. It comes again by itself, and goes on behind the last message that it had.',
  ),
  maxQueuedBytes: byteCount(1024 * 1024, 'The same in bytes.'),
}

/**
 * The messages of a room as server-sent events, for clients between which and the server stands something that breaks
 * WebSockets. Each event has the position of its message as its id, so a client that comes again (browsers do by
 * themselves, with `Last-Event-ID`) misses nothing that history holds; else an event `gap` comes. The data of events is
 * what `connectRooms` reads: JSON.
 * @throws UsageError `ERR_OPTION_…`.
 * @example
 * routes.get('/rooms/:room/events', roomEvents(broker, { room: ({ params }) => params['room'] }))
 */
export function roomEvents(broker: Broker, options?: RoomEventsOptions): HttpFunction {
  const settings = readOptions('room events', ROOM_EVENTS_OPTIONS, options)
  return async (request, server) => {
    const name = await settings.room(request)
    if (name === undefined) throw new HttpError(403)
    const seen = request.headers.get('last-event-id') ?? request.query.get('lastEventId') ?? ''
    const from = tryParsePosition(seen)
    const queue = new EventQueue(settings)
    try {
      const past = from === undefined ? (settings.last === 0 ? {} : { last: settings.last }) : { from }
      queue.subscription = await broker.room(name).subscribe(queue, past)
    } catch (error) {
      if (errorCodeOf(error) === 'ERR_ROOM_NAME') throw new HttpError(400, 'There can be no room of this name')
      throw error
    }
    queue.endWith(server.draining)
    return sse(queue)
  }
}

/** Events between a room, which does not wait, and a client, which reads as fast as it likes. */
class EventQueue implements RoomListener, AsyncIterator<ServerSentEvent>, AsyncIterable<ServerSentEvent> {
  readonly #settings: RoomEventsSettings
  #events: { readonly event: ServerSentEvent; readonly bytes: number }[] = []
  #bytes = 0
  #isOver = false
  #unlink: () => void = nothingToUnlink
  #wake: (() => void) | undefined
  subscription: Subscription | undefined

  constructor(settings: RoomEventsSettings) {
    this.#settings = settings
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  message(message: RoomMessage): void {
    this.#push({ id: formatPosition(message), data: JSON.stringify(eventOfMessage(message)) })
  }

  gap(gap: Gap): void {
    this.#push({ event: 'gap', id: formatPosition(gap.until), data: JSON.stringify(eventOfGap(gap)) })
  }

  ended(): void {
    this.#isOver = true
    this.#wake?.()
  }

  /** A server that drains waits for no client: it comes again, to the next one. */
  endWith(draining: AbortSignal): void {
    this.#unlink = onAbort(draining, () => this.ended())
  }

  #push(event: ServerSentEvent): void {
    const bytes = event.data?.length ?? 0
    this.#events.push({ event, bytes })
    this.#bytes += bytes
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings
    // What it has not read it asks for when it comes again.
    if (this.#events.length > maxQueuedMessages || (this.#events.length > 1 && this.#bytes > maxQueuedBytes))
      this.#cut()
    this.#wake?.()
  }

  #cut(): void {
    this.#events = []
    this.#bytes = 0
    this.#isOver = true
    this.#unlink()
    void this.subscription?.close()
  }

  async next(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    while (this.#events.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    const next = this.#events.shift()
    if (next === undefined) return { done: true, value: undefined }
    this.#bytes -= next.bytes
    return { done: false, value: next.event }
  }

  async return(): Promise<IteratorResult<ServerSentEvent, undefined>> {
    this.#cut()
    this.#wake?.()
    await this.subscription?.close()
    return { done: true, value: undefined }
  }
}
