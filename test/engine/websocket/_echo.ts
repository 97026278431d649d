// The end that sends every message back, answers pings, and says goodbye in order: what the suite talks to.
import assert from 'node:assert/strict'
import { MoorageError } from '#src/base/errors.js'
import { WebSocketConnection, type WebSocketEvent } from '#src/engine/websocket/connection.js'
import { NO_STATUS } from '#src/engine/websocket/close.js'
import { BINARY, FIN, PONG, RSV1, TEXT } from '#src/engine/websocket/frame-header.js'
import { readWebSocketLimits, type WebSocketLimits } from '#src/engine/websocket/options.js'
import type { PeerDeflate } from '#src/websocket/deflate.js'
import { nextMask, NODE_PORTS } from '#src/websocket/platform.js'
import { readFrames, type ReadFrame, type Role, type Segment } from './_frames.js'

/** What an end may raise its limits to for the longest messages of the suite. */
export const RAISED: Partial<WebSocketLimits> = { maxMessageBytes: 64 * 1024 * 1024, maxFragments: 1_000_000 }

const MAX_INFLATED = 64 * 1024 * 1024

export class Echo {
  readonly #engine: WebSocketConnection
  readonly #role: Role
  readonly #deflate: PeerDeflate | undefined
  #isOver = false
  /** The code of what was refused; '' while nothing was. */
  refused: string = ''

  constructor(role: Role, limits: Partial<WebSocketLimits> = {}, deflate?: PeerDeflate) {
    this.#role = role
    this.#deflate = deflate
    this.#engine = new WebSocketConnection(role, readWebSocketLimits(limits), deflate !== undefined, NODE_PORTS)
  }

  /** Reads a piece, which may be spoiled afterwards, and gives what it sends for it. */
  take({ bytes, nowMs }: Segment): Uint8Array[] {
    this.#engine.receive(bytes)
    const sent: Uint8Array[] = []
    while (!this.#isOver) {
      try {
        const event = this.#engine.nextEvent(nowMs)
        if (event.type === 'need-data') return sent
        const frame = this.#answer(event)
        if (frame !== undefined) sent.push(frame)
      } catch (error) {
        if (!(error instanceof MoorageError)) throw error
        this.refused = error.code
        this.#isOver = true
        const code = error.details['closeCode']
        assert.ok(typeof code === 'number')
        sent.push(this.#engine.close(code, '', this.#mask))
      }
    }
    return sent
  }

  get #mask(): Uint8Array | undefined {
    return this.#role === 'client' ? nextMask() : undefined
  }

  #answer(event: WebSocketEvent): Uint8Array | undefined {
    switch (event.type) {
      case 'text':
        return this.#message(TEXT, Buffer.from(event.text))
      case 'binary':
        return this.#message(BINARY, event.bytes)
      case 'compressed':
        return this.#message(event.isText ? TEXT : BINARY, this.#inflate(event.bytes, event.isText))
      case 'ping':
        return this.#engine.send(FIN | PONG, event.bytes, this.#mask)
      case 'close':
        this.#isOver = true
        return this.#engine.close(event.code, event.code === NO_STATUS ? '' : event.reason, this.#mask)
      case 'pong':
      case 'need-data':
      case 'end':
        return undefined
    }
  }

  #inflate(bytes: Uint8Array, isText: boolean): Uint8Array {
    const message = this.#deflate?.inflate(bytes, MAX_INFLATED) ?? assert.fail('nothing was agreed on')
    if (isText) assert.ok(NODE_PORTS.decodeText(message, 0, message.length, false) !== undefined)
    return message
  }

  #message(opcode: number, payload: Uint8Array): Uint8Array {
    const deflate = this.#deflate
    return deflate === undefined
      ? this.#engine.send(FIN | opcode, payload, this.#mask)
      : this.#engine.send(FIN | RSV1 | opcode, deflate.deflate(payload), this.#mask)
  }
}

/** The frames of an answer: each is whole, and masked where a client sent it. */
export function framesOf(sent: readonly Uint8Array[], sender: Role): ReadFrame[] {
  return sent.flatMap((bytes) => {
    const frames = readFrames(bytes)
    for (const { masked, fin } of frames) assert.deepEqual([masked, fin], [sender === 'client', true])
    return frames
  })
}

const SPOILED = 0xaa

/** Feeds pieces to an echo through one buffer that is spoiled behind each, and checks what is known at each. */
export function feed(echo: Echo, pieces: readonly Segment[], sender: Role): ReadFrame[] {
  const shared = Buffer.alloc(Math.max(1, ...pieces.map(({ bytes }) => bytes.length)))
  const sent: Uint8Array[] = []
  for (const { bytes, nowMs, answered } of pieces) {
    shared.set(bytes)
    sent.push(...echo.take({ bytes: shared.subarray(0, bytes.length), nowMs, answered }))
    shared.fill(SPOILED, 0, bytes.length)
    if (answered !== undefined) assert.equal(sent.length, answered, 'answers so far')
  }
  return framesOf(sent, sender)
}
