// Our servers under load: `node servers.js <kind>`, which prints its port.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bindDatagram,
  concurrent,
  processes,
  serve,
  threads,
  type Connection,
  type DatagramSocket,
  type StreamFunction,
} from 'moorage'
import { json, serveHttp, stream, text, type HttpFunction, type HttpResponse } from 'moorage/http'
import { openBroker } from 'moorage/pubsub'
import { files } from 'moorage/static'
import { Groups, websocket, WebSocketHandler, type Message, type WebSocketOptions } from 'moorage/websocket'
import { StreamConnection } from '#src/transport/stream-connection.js'

const echo: StreamFunction = async (connection) => {
  for await (const bytes of connection) await connection.write(bytes)
}

/** The synchronous sink that engines read by. */
function sinkEcho(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    if (!(connection instanceof StreamConnection)) throw new Error('no sink on this connection')
    connection.sinkTo({
      data(bytes) {
        if (!connection.writeNow(bytes, true)) connection.pauseSink()
      },
      drain: () => connection.resumeSink(),
      end: () => void connection.close(),
      close: () => resolve(),
    })
  })
}

async function udpSink(native: 'auto' | 'never'): Promise<DatagramSocket> {
  const socket = await bindDatagram('udp://127.0.0.1:0', { native })
  socket.sinkTo((data, remote) => void socket.send(data, remote))
  return socket
}

const hello = (): HttpResponse => text('Hello, world!\n')
/** What a handler does that is more than the least: it is async, reads a field and makes JSON. */
const helloJson: HttpFunction = async ({ headers }) =>
  Promise.resolve(json({ agent: headers.get('user-agent') ?? '', hello: 'world' }))

/** For clients that are slow: with limits that they meet soon. */
const IMPATIENCE = { headerTimeoutMs: 3000, bodyTimeoutMs: 3000, writeTimeoutMs: 3000, keepAliveTimeoutMs: 60_000 }
async function* flood(): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(64 * 1024)
  for (;;) yield piece
}
const impatient: HttpFunction = (request, server) =>
  request.path === '/flood' ? stream(flood()) : request.body === undefined ? hello() : size(request, server)

/** Reads a body as it comes. */
const size: HttpFunction = async ({ body }) => {
  let count = 0
  for await (const bytes of body ?? []) count += bytes.length
  return text(`${count}\n`)
}

/** The certificate and the key in a folder that is given. */
function pair(): { readonly cert: string; readonly key: string } {
  const read = (name: string): string => readFileSync(join(process.argv[3] ?? '.', name), 'utf8')
  return { cert: read('cert.pem'), key: read('key.pem') }
}

class Echo extends WebSocketHandler {
  override message(message: Message): void {
    void this.peer.send(message)
  }
}

/** Echo at /; at /all what one sends goes to all others. */
async function webSockets(options?: WebSocketOptions): ReturnType<typeof serveHttp> {
  const groups = new Groups(await openBroker('memory:'))
  let clients = 0
  class All extends WebSocketHandler {
    readonly #publisher: string = String((clients += 1))
    override async open(): Promise<void> {
      await groups.group('all').join(this.peer, { except: this.#publisher })
    }
    override message(message: Message): void {
      void groups.group('all').publish(message, { publisher: this.#publisher })
    }
  }
  const [echo, all] = [websocket(Echo, options), websocket(All, { ...options, slowReader: 'drop' })]
  return serveHttp('http://127.0.0.1:0', (request, server) =>
    request.path === '/all' ? all(request, server) : echo(request, server),
  )
}

const iterating = websocket(async (peer) => {
  for await (const message of peer) await peer.send(message)
})

const MODULE = new URL('./handler.js', import.meta.url)
const UDP_MODULE = new URL('./udp-handler.js', import.meta.url)

const KINDS: Readonly<Record<string, () => Promise<{ readonly local: { readonly kind: string } }>>> = {
  sink: () => serve('tcp://127.0.0.1:0', sinkEcho),
  async: () => serve('tcp://127.0.0.1:0', echo),
  'sink-fallback': () => serve('tcp://127.0.0.1:0', sinkEcho, { fastReceive: false }),
  'async-fallback': () => serve('tcp://127.0.0.1:0', echo, { fastReceive: false }),
  concurrent: () => serve('tcp://127.0.0.1:0', MODULE, { model: concurrent() }),
  'threads-2': () => serve('tcp://127.0.0.1:0', MODULE, { model: threads({ size: 2 }) }),
  'processes-2': () => serve('tcp://127.0.0.1:0', MODULE, { model: processes({ size: 2 }) }),
  'threads-shared-1': () => serve('tcp://127.0.0.1:0', MODULE, { model: threads({ size: 1, accept: 'shared' }) }),
  'threads-shared-2': () => serve('tcp://127.0.0.1:0', MODULE, { model: threads({ size: 2, accept: 'shared' }) }),
  'processes-shared-1': () => serve('tcp://127.0.0.1:0', MODULE, { model: processes({ size: 1, accept: 'shared' }) }),
  'processes-shared-2': () => serve('tcp://127.0.0.1:0', MODULE, { model: processes({ size: 2, accept: 'shared' }) }),
  http: () => serveHttp('http://127.0.0.1:0', hello),
  'http-json': () => serveHttp('http://127.0.0.1:0', helloJson),
  'http-size': () => serveHttp('http://127.0.0.1:0', size, { maxBodyBytes: 1e12 }),
  'http-impatient': () => serveHttp('http://127.0.0.1:0', impatient, IMPATIENCE),
  https: () => serveHttp('https://127.0.0.1:0', hello, { tls: pair() }),
  static: () => serveHttp('http://127.0.0.1:0', files(process.argv[3] ?? '.')),
  websocket: () => webSockets(),
  'websocket-deflate': () => webSockets({ compression: { thresholdBytes: 0 } }),
  'websocket-async': () => serveHttp('http://127.0.0.1:0', iterating),
  udp: () => serve('udp://127.0.0.1:0', (datagram) => datagram.reply(datagram.data)),
  'udp-fallback': () => serve('udp://127.0.0.1:0', (datagram) => datagram.reply(datagram.data), { native: 'never' }),
  'udp-sink': () => udpSink('auto'),
  'udp-sink-fallback': () => udpSink('never'),
  'udp-module': () => serve('udp://127.0.0.1:0', UDP_MODULE),
}

const kind = process.argv[2] ?? ''
const start = KINDS[kind]
if (start === undefined) throw new Error(`no server of the kind "${kind}"; there are ${Object.keys(KINDS).join(', ')}`)
const { local } = await start()
console.log('port' in local ? local.port : '')
