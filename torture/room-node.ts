// One server of a cluster, for `npm run torture -- rooms`: `node room-node.js <http port> <tcp port> <broker url>`. Its rooms are there
// over WebSocket (/rooms), as server-sent events (/events?room=…) and as lines over TCP; /counts tells what became of messages.
import { MoorageError, serve, type Connection } from 'moorage'
import { json, Routes, serveHttp, text } from 'moorage/http'
import { formatPosition, openBroker, tryParsePosition, type Broker, type RoomListener } from 'moorage/pubsub'
import { roomEvents, roomsHandler, ROOMS_PROTOCOL, websocket } from 'moorage/websocket'

const [httpPort = '0', tcpPort = '0', url = ''] = process.argv.slice(2)
/** A client that is so far behind is dropped, and comes back to where it was. */
const MAX_BEHIND_BYTES = 1024 * 1024
const broker = await openPatiently()
const rooms = websocket(roomsHandler(broker), { protocols: [ROOMS_PROTOCOL] })

await serveHttp(
  `http://127.0.0.1:${httpPort}`,
  new Routes()
    .get('/rooms', rooms)
    .get('/events', roomEvents(broker))
    .get('/counts', () => json({ messages: rooms.counts(), broker: broker.metrics }))
    .get('/', () => text('ready')),
)

await serve(`tcp://127.0.0.1:${tcpPort}`, async (connection: Connection) => {
  // The first line: a room, and where to go on.
  const [room = '', position = ''] = (await firstLine(connection)).split(' ')
  const tell = (line: string): void => {
    void connection.write(`${line}\n`)
    if (connection.bufferedBytes > MAX_BEHIND_BYTES) connection.destroy()
  }
  const listener: RoomListener = {
    message: (message) => tell(`${formatPosition(message)} ${String(message.data)}`),
    gap: ({ until, missed }) => {
      if (missed !== 0) tell(`${formatPosition(until)} `)
    },
    ended: () => connection.destroy(),
  }
  const from = tryParsePosition(position)
  await using subscription = await broker.room(room).subscribe(listener, from === undefined ? {} : { from })
  tell(`at ${formatPosition(subscription.position)}`)
  for await (const _bytes of connection);
})
console.log('ready')

/** It may be started while the broker is away. */
async function openPatiently(): Promise<Broker> {
  for (;;) {
    try {
      return await openBroker(url, { historyMessages: 2000 })
    } catch (error) {
      if (!(error instanceof MoorageError) || error.code !== 'ERR_BROKER_AWAY') throw error
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 100)
      })
    }
  }
}

async function firstLine(connection: Connection): Promise<string> {
  let line = ''
  for (;;) {
    const bytes = await connection.read()
    if (bytes === null) return line
    line += Buffer.from(bytes).toString()
    if (line.endsWith('\n')) return line.trim()
  }
}
