import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TestContext } from 'node:test'

/** A request as a raw server read it. */
export interface Asked {
  readonly method: string
  readonly target: string
  /** By lower-case names; several of one name with ", " between. */
  readonly headers: Readonly<Record<string, string>>
  readonly head: string
  readonly body: string
  /** Which connection it came on, from 1 up. */
  readonly connection: number
  /** How many requests had come before. */
  readonly index: number
  readonly place: Place
  /** The origins of this server and of others of the same row. */
  readonly origins: Readonly<Record<Place, string>>
}

export type Place = 'here' | 'elsewhere' | 'tls'
export type Bytes = string | Uint8Array

export interface Reply {
  readonly bytes: Bytes
  /** What comes of the connection then: it stays by default. */
  readonly ending?: 'end' | 'reset'
}

export interface Behaviour {
  /** Says what is answered, once the request is whole. */
  readonly answer: (asked: Asked) => Bytes | Reply
  /** Says what is answered once the head is there, before the body. */
  readonly early?: ((asked: Asked) => Bytes | Reply | undefined) | undefined
  /** Byte by byte. */
  readonly isSlow: boolean
}

const CHUNKED = /^transfer-encoding: *chunked/im
/** Longer answers are sent byte by byte only so far: a turn for each would take too long. */
const SINGLE_BYTES = 600

/** A server of bytes: it says what it is told to say, right or wrong. */
export class RawServer {
  readonly #behaviour: Behaviour
  readonly #sockets = new Set<Socket>()
  readonly asked: Asked[] = []
  readonly origins: Record<Place, string> = { here: '', elsewhere: '', tls: '' }
  connections = 0
  /** How many of them are over. */
  ended = 0

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour
  }

  async listen(t: TestContext, place: Place, tls?: { readonly cert: string; readonly key: string }): Promise<void> {
    const serve = (socket: Socket): void => this.#serve(socket, place)
    const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      for (const socket of this.#sockets) socket.destroy()
      server.close()
    })
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    this.origins[place] = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  }

  #serve(socket: Socket, place: Place): void {
    this.connections += 1
    const connection = this.connections
    let [received, isAnswered] = ['', false]
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => (this.ended += 1))
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      for (;;) {
        const end = received.indexOf('\r\n\r\n')
        if (end === -1) return
        const head = received.slice(0, end)
        const asked = this.#parse(head, { connection, place })
        const early = isAnswered ? undefined : this.#behaviour.early?.(asked)
        if (early !== undefined) {
          isAnswered = true
          this.asked.push(asked)
          void this.#send(socket, early)
        }
        const length = bodyLength(head, received.slice(end + 4))
        if (length === undefined) return
        const body = received.slice(end + 4, end + 4 + length)
        received = received.slice(end + 4 + length)
        if (isAnswered) {
          isAnswered = false
          continue
        }
        const whole = { ...asked, body: CHUNKED.test(head) ? unchunked(body) : body }
        this.asked.push(whole)
        void this.#send(socket, this.#behaviour.answer(whole))
      }
    })
  }

  #parse(head: string, { connection, place }: { readonly connection: number; readonly place: Place }): Asked {
    const [line = '', ...lines] = head.split('\r\n')
    const [method = '', target = ''] = line.split(' ')
    const headers: Record<string, string> = {}
    for (const text of lines) {
      const colon = text.indexOf(':')
      const name = text.slice(0, colon).toLowerCase()
      const value = text.slice(colon + 1).trim()
      headers[name] = name in headers ? `${headers[name] ?? ''}, ${value}` : value
    }
    return {
      ...{ method, target, headers, head, connection, place },
      ...{ body: '', index: this.asked.length, origins: this.origins },
    }
  }

  async #send(socket: Socket, reply: Bytes | Reply): Promise<void> {
    const { bytes, ending } = typeof reply === 'string' || reply instanceof Uint8Array ? { bytes: reply } : reply
    const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    let at = 0
    while (this.#behaviour.isSlow && at < Math.min(all.length, SINGLE_BYTES) && !socket.destroyed) {
      await new Promise<void>((resolve) => {
        socket.write(all.subarray(at, at + 1), () => setImmediate(resolve))
      })
      at += 1
    }
    if (socket.destroyed) return
    if (at < all.length) socket.write(all.subarray(at))
    if (ending === 'end') socket.end()
    if (ending === 'reset') socket.resetAndDestroy()
  }
}

/** `undefined` until all of it is there. */
function bodyLength(head: string, received: string): number | undefined {
  if (CHUNKED.test(head)) {
    const end = received.startsWith('0\r\n\r\n') ? 0 : received.indexOf('\r\n0\r\n\r\n')
    return end === -1 ? undefined : end + (end === 0 && received.startsWith('0') ? 5 : 7)
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  return received.length < length ? undefined : length
}

function unchunked(body: string): string {
  let [text, rest] = ['', body]
  for (;;) {
    const size = Number.parseInt(rest, 16)
    if (!(size > 0)) return text
    const start = rest.indexOf('\r\n') + 2
    text += rest.slice(start, start + size)
    rest = rest.slice(start + size + 2)
  }
}
