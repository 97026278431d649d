import { connect, type Connection } from 'moorage'
import { get } from 'moorage/client'
import { formatPosition, tryParsePosition, type Position } from 'moorage/pubsub'
import { connectRooms, type RoomsClient } from 'moorage/websocket'
import type { RoomRecord } from './room-record.js'

/** Somebody who follows one room, whatever happens to the connection, until it is told to stop. */
export interface Follower {
  readonly kind: 'WebSocket' | 'SSE' | 'TCP'
  readonly record: RoomRecord
  stop(): Promise<void>
}

const PAUSE_MS = 50

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS)
  })

/** The first connection too can meet a server that is just being killed. */
export async function enterRooms(http: string): Promise<RoomsClient> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await connectRooms(`${http.replace('http', 'ws')}/rooms`, {
        reconnect: { minDelayMs: 20, maxDelayMs: 500 },
      })
    } catch (error) {
      if (tries === 20) throw error
      await pause()
    }
  }
}

export async function followByWebSocket(http: string, record: RoomRecord): Promise<Follower> {
  const rooms = await enterRooms(http)
  await rooms.follow(record.room, {
    message: (message) => record.message(message, String(message.data)),
    gap: ({ until, missed }) => {
      if (missed !== 0) record.gap(until)
    },
    ended: (error) => record.fail(`the server follows no more: ${error.message}`),
  })
  return {
    kind: 'WebSocket',
    record,
    async stop() {
      await rooms.close()
    },
  }
}

/** Each try goes on behind what was seen. */
function again(
  record: RoomRecord,
  once: (signal: AbortSignal, at: Position | undefined) => Promise<void>,
): () => Promise<void> {
  const ending = new AbortController()
  const over = (async () => {
    while (!ending.signal.aborted) {
      try {
        await once(ending.signal, record.position)
      } catch {
        // The server was killed: the next one goes on.
      }
      if (!ending.signal.aborted) await pause()
    }
  })()
  return async () => {
    ending.abort()
    await over
  }
}

export function followByEvents(http: string, record: RoomRecord): Follower {
  const stop = again(record, async (signal, at) => {
    const headers = at === undefined ? {} : { 'last-event-id': formatPosition(at) }
    const response = await get(`${http}/events`, { query: { room: record.room }, headers, signal, timeoutMs: Infinity })
    response.raiseForStatus()
    for await (const event of response.events()) {
      const told: unknown = JSON.parse(event.data)
      if (typeof told !== 'object' || told === null || !('type' in told)) continue
      if (told.type === 'gap' && 'until' in told) {
        const until = tryParsePosition(String(told.until))
        if (until !== undefined) record.gap(until)
        continue
      }
      const position = tryParsePosition(event.id ?? '')
      if (position !== undefined && 'data' in told) record.message(position, String(told.data))
    }
  })
  return { kind: 'SSE', record, stop }
}

export function followByLines(tcp: string, record: RoomRecord): Follower {
  const stop = again(record, async (signal, at) => {
    const connection: Connection = await connect(tcp)
    const end = (): void => connection.destroy()
    signal.addEventListener('abort', end)
    try {
      await connection.write(`${record.room} ${at === undefined ? '' : formatPosition(at)}\n`)
      let rest = ''
      for await (const bytes of connection) {
        const lines = (rest + Buffer.from(bytes).toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) takeLine(record, line)
      }
    } finally {
      signal.removeEventListener('abort', end)
      connection.destroy()
    }
  })
  return { kind: 'TCP', record, stop }
}

function takeLine(record: RoomRecord, line: string): void {
  const space = line.indexOf(' ')
  const [first, rest] = [line.slice(0, space), line.slice(space + 1)]
  if (first === 'at') {
    record.begin(tryParsePosition(rest))
    return
  }
  const position = tryParsePosition(first)
  if (position === undefined) record.fail(`a line that nobody understands: ${line}`)
  else if (rest === '') record.gap(position)
  else record.message(position, rest)
}
