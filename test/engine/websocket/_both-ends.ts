import assert from 'node:assert/strict'
import { WebSocketConnection, type WebSocketEvent } from '#src/engine/websocket/connection.js'
import { BINARY, FIN, PING, PONG, RSV1, TEXT } from '#src/engine/websocket/frame-header.js'
import { acceptOffer, offerDeflate, readAnswer, type DeflateWishes } from '#src/engine/websocket/deflate-parameters.js'
import { readWebSocketLimits, type WebSocketLimits } from '#src/engine/websocket/options.js'
import { DeflateBudget, PeerDeflate } from '#src/websocket/deflate.js'
import { nextMask, NODE_PORTS } from '#src/websocket/platform.js'
import { toBytes } from '../http1/_requests.js'
import type { Role } from './_frames.js'
import { ClientHandshake, ServerHandshake } from './_handshake.js'

/** What one end tells the other. */
export interface Told {
  readonly kind: 'text' | 'binary' | 'ping' | 'pong'
  readonly payload: Uint8Array
  /** Where a message is cut into frames; control frames are never. */
  readonly cuts: readonly number[]
  /** A ping between the frames of a message. */
  readonly interleaved: boolean
  readonly compressed: boolean
}

const OPCODES = { text: TEXT, binary: BINARY, ping: PING, pong: PONG } as const

/** One end behind its handshake: frames out, and what was heard. */
export class End {
  readonly engine: WebSocketConnection
  readonly #role: Role
  readonly #deflate: PeerDeflate | undefined
  readonly heard: string[] = []
  closed: { readonly code: number; readonly reason: string } | undefined

  constructor(role: Role, deflate: PeerDeflate | undefined, limits: Partial<WebSocketLimits> = {}) {
    this.#role = role
    this.#deflate = deflate
    const settings = readWebSocketLimits({ maxControlFramesPerSecond: Infinity, ...limits })
    this.engine = new WebSocketConnection(role, settings, deflate !== undefined, NODE_PORTS)
  }

  #frame(first: number, payload: Uint8Array): Uint8Array {
    return this.engine.send(first, payload, this.#role === 'client' ? nextMask() : undefined)
  }

  tell({ kind, payload, cuts, interleaved, compressed }: Told): Uint8Array {
    const opcode = OPCODES[kind]
    if (kind === 'ping' || kind === 'pong') return this.#frame(FIN | opcode, payload)
    const deflate = compressed ? this.#deflate : undefined
    const body = deflate === undefined ? payload : deflate.deflate(payload)
    const first = opcode | (deflate === undefined ? 0 : RSV1)
    const places = cuts.map((place) => Math.min(place, body.length)).toSorted((left, right) => left - right)
    const ends = [...places, body.length]
    const frames = ends.flatMap((end, i) => {
      const piece = body.subarray(ends[i - 1] ?? 0, end)
      const isLast = i === ends.length - 1
      const frame = this.#frame((i === 0 ? first : 0) | (isLast ? FIN : 0), piece)
      return interleaved && !isLast ? [frame, this.#frame(FIN | PING, Buffer.from('between'))] : [frame]
    })
    return Buffer.concat(frames)
  }

  /** Everything that was told, as `heard` has it. */
  static expected({ kind, payload, cuts, interleaved }: Told): string[] {
    const isMessage = kind === 'text' || kind === 'binary'
    const between = isMessage && interleaved ? cuts.map(() => 'ping between') : []
    return [...between, `${kind} ${textOf(kind, payload)}`]
  }

  close(code: number, reason: string): Uint8Array {
    return this.engine.close(code, reason, this.#role === 'client' ? nextMask() : undefined)
  }

  hear(bytes: Uint8Array): void {
    this.engine.receive(bytes)
    for (let event = this.engine.nextEvent(); event.type !== 'need-data'; event = this.engine.nextEvent()) {
      if (event.type === 'end') return
      this.#take(event)
    }
  }

  #take(event: WebSocketEvent): void {
    switch (event.type) {
      case 'text':
        this.heard.push(`text ${event.text}`)
        break
      case 'binary':
      case 'ping':
      case 'pong':
        this.heard.push(`${event.type} ${textOf(event.type, event.bytes)}`)
        break
      case 'compressed': {
        const kind = event.isText ? 'text' : 'binary'
        const message = this.#deflate?.inflate(event.bytes, 2 ** 24) ?? assert.fail('nothing was agreed on')
        this.heard.push(`${kind} ${textOf(kind, message)}`)
        break
      }
      case 'close':
        this.closed = { code: event.code, reason: event.reason }
        break
      case 'need-data':
      case 'end':
        assert.fail(event.type)
    }
  }
}

const textOf = (kind: Told['kind'], bytes: Uint8Array): string =>
  Buffer.from(bytes).toString(kind === 'text' ? 'utf8' : 'latin1')

/** What a handshake is made with: wishes of both sides where they compress. */
export interface Setup {
  readonly server: DeflateWishes | undefined
  readonly client: DeflateWishes | undefined
  /** In how many bytes each time the two read what the other sent. */
  readonly piece: number
}

const budget = (wishes: DeflateWishes): DeflateBudget =>
  new DeflateBudget({ contextTakeover: wishes.ownContextTakeover, peerContextTakeover: wishes.peerContextTakeover })

function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/**
 * Two ends that have shaken hands over HTTP/1. `early` is what the server sends in the same piece as its answer: it is
 * left in the client's rest.
 */
export function shakeHands(setup: Setup, early: (server: End) => Uint8Array): { server: End; client: End } {
  const { client: asks, server: answers, piece } = setup
  const extensions = asks === undefined ? '' : offerDeflate(asks)
  const [clientHead, serverHead] = [new ClientHandshake({ extensions }), new ServerHandshake()]
  for (const bytes of inPieces(toBytes(clientHead.ask()), piece)) assert.equal(serverHead.read(bytes), '')
  const accepted =
    answers === undefined ? undefined : acceptOffer(serverHead.opening?.extensions ?? assert.fail(), answers)
  const fields = accepted === undefined ? '' : `Sec-WebSocket-Extensions: ${accepted.answer}\r\n`
  const head = toBytes(serverHead.answer(fields))
  const server = new End(
    'server',
    accepted === undefined || answers === undefined
      ? undefined
      : new PeerDeflate('server', accepted.parameters, budget(answers)),
  )
  const all = Buffer.concat([head, early(server)])
  let client: End | undefined
  for (const bytes of inPieces(all, piece)) {
    if (client !== undefined) {
      client.hear(bytes)
      continue
    }
    assert.equal(clientHead.read(bytes), '')
    const { opened } = clientHead
    if (opened === undefined) continue
    assert.equal(opened.extensions === undefined, accepted === undefined)
    const parameters =
      opened.extensions === undefined || asks === undefined ? undefined : readAnswer(opened.extensions, asks)
    assert.deepEqual(parameters, accepted?.parameters)
    client = new End(
      'client',
      parameters === undefined || asks === undefined ? undefined : new PeerDeflate('client', parameters, budget(asks)),
    )
    client.hear(clientHead.engine.takeRest())
  }
  return { server, client: client ?? assert.fail('no answer was read') }
}
