import assert from 'node:assert/strict'
import { MoorageError } from '#src/base/errors.js'
import {
  PLAIN_PORTS,
  WebSocketConnection,
  type WebSocketEvent,
  type WebSocketPorts,
} from '#src/engine/websocket/connection.js'
import { readWebSocketLimits, type WebSocketLimits } from '#src/engine/websocket/options.js'
import { NODE_PORTS } from '#src/websocket/platform.js'
import { cutWire, wireOf, type Item, type Role, type Segment, type Wire } from './_frames.js'

/** What an engine made of some bytes. */
export interface Seen {
  /** As `say` writes them. */
  readonly events: readonly string[]
  /** `need-data`, `end`, or what was refused and the code that it is closed with: `ERR_WEBSOCKET_FRAME 1002`. */
  readonly ending: string
  /** Of the standard: what was broken; '' for limits. */
  readonly section: string
}

export interface Reading {
  readonly role: Role
  readonly limits?: Partial<WebSocketLimits>
  readonly deflates?: boolean
  readonly ports?: WebSocketPorts
  /** The peer ends behind the bytes. Default: false. */
  readonly eof?: boolean
  /** Ask to hold what is left behind each event, as one does who cannot take more now. */
  readonly holds?: boolean
}

const SPOILED = 0xaa

const characters = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1')

/** Bytes as characters, text as it is. */
export function say(event: WebSocketEvent): string {
  switch (event.type) {
    case 'text':
      return `text ${event.text}`
    case 'binary':
    case 'ping':
    case 'pong':
      return `${event.type} ${characters(event.bytes)}`
    case 'compressed':
      return `compressed ${event.isText ? 'text' : 'binary'} ${characters(event.bytes)}`
    case 'close':
      return `close ${event.code} ${event.reason}`
    case 'need-data':
    case 'end':
      return event.type
  }
}

/** Feeds pieces through one buffer that is spoiled as soon as the engine has said that it is done with it. */
export function receive(pieces: readonly Segment[], reading: Reading): Seen & { readonly piecesUsed: number } {
  const { role, limits, deflates = false, ports = PLAIN_PORTS, eof = false, holds = false } = reading
  const engine = new WebSocketConnection(role, readWebSocketLimits(limits), deflates, ports)
  const shared = new Uint8Array(Math.max(1, ...pieces.map(({ bytes }) => bytes.length)))
  const events: string[] = []
  const taken: Uint8Array[] = []
  let ending = 'need-data'
  let section = ''
  let piecesUsed = 0
  // Each event has two bytes at least, and each piece is asked for once more.
  let left = pieces.reduce((sum, { bytes }) => sum + bytes.length / 2 + 1, 2)
  const pull = (nowMs: number): boolean => {
    for (;;) {
      assert.ok((left -= 1) > 0, 'an engine that does not come to an end')
      try {
        const event = engine.nextEvent(nowMs)
        if (event.type === 'need-data') return true
        if (event.type === 'end') {
          ending = 'end'
          return false
        }
        events.push(say(event))
        if ('bytes' in event) taken.push(event.bytes)
      } catch (error) {
        if (!(error instanceof MoorageError)) throw error
        assert.throws(
          () => engine.nextEvent(nowMs),
          (again) => again === error,
          'a refusal is final',
        )
        ending = `${error.code} ${String(error.details['closeCode'])}`
        const broken = error.details['section']
        section = typeof broken === 'string' ? broken : ''
        return false
      }
      if (!holds) continue
      engine.hold()
      shared.fill(SPOILED)
    }
  }
  let goesOn = true
  for (const { bytes, nowMs } of pieces) {
    shared.set(bytes)
    engine.receive(shared.subarray(0, bytes.length))
    const wasOver = !goesOn
    const [count, before] = [events.length, ending]
    goesOn = pull(nowMs)
    if (wasOver) assert.deepEqual([goesOn, events.length, ending], [false, count, before], 'what is over stays so')
    else piecesUsed += 1
    shared.fill(SPOILED)
  }
  if (goesOn && eof) {
    engine.receiveEof()
    pull(0)
  }
  assert.equal(engine.isOver, ending !== 'need-data')
  // Bytes of events are the caller's: none of them may have been spoiled since.
  let at = 0
  for (const told of events) {
    if (!/^(?:binary|ping|pong|compressed) /.test(told)) continue
    assert.ok(told.endsWith(characters(taken[at] ?? assert.fail())), 'bytes of an event changed behind it')
    at += 1
  }
  return { events, ending, section, piecesUsed }
}

/** Of shorter wires it is every place at which they are cut in two. */
export const MAX_CUTS = 400
/** What is longer than this takes its time to be read; then the places near both ends are, and a few others. */
const LONG_BYTES = 5000
const LONG_CUTS = 16

export const cutCount = (length: number): number =>
  Math.max(0, Math.min(length - 1, length > LONG_BYTES ? LONG_CUTS : MAX_CUTS))

/** All places; or half of them near both ends, and the other half evenly between. */
export function cutPlaces(length: number): number[] {
  const count = cutCount(length)
  if (count === length - 1) return Array.from({ length: count }, (_, i) => i + 1)
  const near = count / 4
  const step = (length - 2 * near - 1) / (count - 2 * near)
  return Array.from({ length: count }, (_, i) =>
    i < near ? i + 1 : i >= count - near ? length - count + i : Math.floor(near + 1 + (i - near) * step),
  )
}

export interface SeenEveryWay {
  readonly seen: Seen
  readonly runs: number
  /** How many bytes had come when it was over, one by one. */
  readonly bytesUsed: number
}

/** Reads a wire whole, byte by byte, and cut in two at every place, with all ports: the outcome must be the same. */
export function receiveEveryWay(items: readonly Item[], reading: Reading): SeenEveryWay {
  const wire = wireOf(items, reading.role)
  const { piecesUsed: _, ...seen } = receive(cutWire(wire, []), reading)
  const same = (pieces: readonly Segment[], other: Reading, how: string): number => {
    const { piecesUsed, ...again } = receive(pieces, other)
    assert.deepEqual(again, seen, how)
    return piecesUsed
  }
  const everyByte = Array.from({ length: wire.length }, (_byte, i) => i)
  const bytesUsed = same(cutWire(wire, everyByte), reading, 'byte by byte')
  same(cutWire(wire, []), { ...reading, ports: NODE_PORTS }, "whole, with Node's ports")
  same(cutWire(wire, everyByte), { ...reading, ports: NODE_PORTS }, "byte by byte, with Node's ports")
  same(cutWire(wire, []), { ...reading, holds: true }, 'held behind each event')
  let runs = 5
  for (const place of cutPlaces(wire.length)) {
    same(
      cutWire(wire, [place]),
      wire.length > LONG_BYTES ? { ...reading, ports: NODE_PORTS } : reading,
      `cut at ${place}`,
    )
    same(cutWire(wire, [place]), { ...reading, ports: NODE_PORTS, holds: true }, `cut at ${place}, held`)
    runs += 2
  }
  return { seen, runs, bytesUsed }
}

/** Reads a wire whole and byte by byte, and the end of the peer behind it. */
export function receiveToEnd(items: readonly Item[], reading: Reading): Seen {
  const wire = wireOf(items, reading.role)
  const { piecesUsed: _, ...seen } = receive(cutWire(wire, []), { ...reading, eof: true })
  const single = cutWire(
    wire,
    Array.from({ length: wire.length }, (_byte, i) => i),
  )
  const { piecesUsed: __, ...again } = receive(single, { ...reading, eof: true })
  assert.deepEqual(again, seen, 'byte by byte, and the end')
  return seen
}

/** The wire and what is behind it, in one piece and in two. */
export function receiveWithBehind(items: readonly Item[], behind: readonly Item[], reading: Reading): Seen[] {
  const [wire, rest] = [wireOf(items, reading.role), wireOf(behind, reading.role)]
  const joined: Wire = wireOf([...items, ...behind], reading.role)
  return [[...cutWire(wire, []), ...cutWire(rest, [])], cutWire(joined, [])].map((pieces) => {
    const { piecesUsed: _, ...seen } = receive(pieces, reading)
    return seen
  })
}
