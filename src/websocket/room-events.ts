import { errorCodeOf } from '../base/errors.js'
import { byteCount, count, readOptions, value, type OptionSpecs } from '../base/options.js'
import { sse } from '../http/event-stream.js'
import type { HttpFunction } from '../http/handlers.js'
import type { HttpRequest } from '../http/request.js'
import { HttpError } from '../http/response.js'
import type { Broker } from '../pubsub/broker.js'
import { tryParsePosition } from '../pubsub/position.js'
import { followRoom } from './room-follower.js'

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
    'Messages that are held for a client that reads slowly. Those behind them it gets from history when it has taken these, and `gap` for what history holds no more.',
  ),
  maxQueuedBytes: byteCount(1024 * 1024, 'The same in bytes.'),
}

/**
 * The messages of a room as server-sent events, for clients between which and the server stands something that breaks
 * WebSockets. Each event has the position of its message as its id, so a client that comes again (browsers do by
 * themselves, with `Last-Event-ID`) misses nothing that history holds; else an event `gap` comes. What is past is read
 * from history at the pace of the client. The data of events is what `connectRooms` reads: JSON.
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
    try {
      return sse(await followRoom(broker.room(name), from, settings, server.draining))
    } catch (error) {
      if (errorCodeOf(error) === 'ERR_ROOM_NAME') throw new HttpError(400, 'There can be no room of this name')
      throw error
    }
  }
}
