import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../../examples/game/rules/bytes.js'
import {
  encodeInput,
  encodeResync,
  MAX_CLIENT_MESSAGE_BYTES,
  tryParseClientMessage,
} from '../../../examples/game/rules/client-messages.js'
import { applyDelta, encodeDelta, tickOf } from '../../../examples/game/rules/delta.js'
import { createState, step } from '../../../examples/game/rules/simulation.js'
import { decodeSnapshot, encodeSnapshot } from '../../../examples/game/rules/snapshot.js'
import { emptyState, hash } from '../../../examples/game/rules/state.js'
import { cloneView, type View } from '../../../examples/game/rules/view.js'
import { madeUp } from './_played.js'

/** One tick of a made up game, with players as a server has them. */
function goOn(view: View, seed: number, ships: number): void {
  const { state, players } = view
  const tick = state.tick + 1
  step(state, madeUp(seed, ships, tick))
  for (const [number, ship] of state.ships.entries()) {
    if (ship === undefined) players[number] = undefined
    else {
      const player = (players[number] ??= { name: `ship ${number} ⚓`, ack: 0, latencyMs: 0 })
      // Most inputs come in time, some do not, and some are passed over.
      player.ack += tick % 5 === number % 5 ? (number % 3) * 2 : 1
      if ((tick + number) % 30 === 0) player.latencyMs = tick + number
    }
  }
}

const known = ({ state, players }: View): unknown => [
  hash(state),
  state.ships.map((ship, number) => (ship === undefined ? undefined : { ...ship, ...players[number] })),
]

test('whoever begins with a snapshot and applies each delta knows all that the server does', () => {
  const server: View = { state: createState(11), players: [] }
  for (let tick = 0; tick < 30; tick += 1) goOn(server, 11, 60)
  const client = decodeSnapshot(encodeSnapshot(server))
  assert.deepEqual(known(client), known(server))
  let bytes = 0
  for (let tick = 0; tick < 600; tick += 1) {
    const before = cloneView(server)
    goOn(server, 11, 60)
    const delta = encodeDelta(before, server)
    bytes += delta.length
    assert.equal(tickOf(delta), server.state.tick)
    applyDelta(client, delta)
    assert.deepEqual(known(client), known(server))
  }
  // Some bytes for each ship and tick: a snapshot has fifteen or more.
  assert.ok(bytes / 600 / 60 < 7, `${bytes / 600 / 60}`)
})

test('applyDelta refuses the delta of another tick', () => {
  const server: View = { state: createState(1), players: [] }
  const [first, second] = [0, 1].map(() => {
    const before = cloneView(server)
    goOn(server, 1, 3)
    return encodeDelta(before, server)
  })
  const client: View = { state: createState(1), players: [] }
  assert.ok(first !== undefined && second !== undefined)
  assert.throws(() => applyDelta(client, second), RangeError)
  applyDelta(client, first)
  assert.throws(() => applyDelta(client, first), RangeError)
  applyDelta(client, second)
})

test('decodeSnapshot refuses one whose state has another hash than it says', () => {
  const view: View = { state: createState(1), players: [] }
  const bytes = encodeSnapshot(view)
  // The worth of the last pearl of which one is there.
  const last = bytes.length - 1
  bytes[last] = 1
  assert.throws(() => decodeSnapshot(bytes), RangeError)
})

test('messages that are cut, changed or made up end with a RangeError, and nothing else', () => {
  const server: View = { state: createState(2), players: [] }
  for (let tick = 0; tick < 20; tick += 1) goOn(server, 2, 10)
  const before = cloneView(server)
  goOn(server, 2, 10)
  const good = [encodeSnapshot(server), encodeDelta(before, server)] as const
  const read = (index: number, bytes: Uint8Array): void => {
    try {
      if (index === 0) decodeSnapshot(bytes)
      else applyDelta(cloneView(before), bytes)
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error))
    }
  }
  for (const [index, bytes] of good.entries())
    for (let length = 0; length < bytes.length; length += 1) read(index, bytes.subarray(0, length))
  fc.assert(
    fc.property(fc.constantFrom(0, 1), fc.nat(), fc.nat({ max: 255 }), (index, place, value) => {
      const bytes = (good[index] ?? good[0]).slice()
      bytes[place % bytes.length] = value
      read(index, bytes)
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.constantFrom(0, 1), fc.uint8Array({ maxLength: 200 }), read), { numRuns: 2000 })
})

test('tryParseClientMessage gives what was encoded, and nothing for anything else', () => {
  for (const number of [0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1])
    for (const steer of [0, 1, 255]) {
      const bytes = encodeInput(number, steer)
      assert.ok(bytes.length <= MAX_CLIENT_MESSAGE_BYTES)
      assert.deepEqual(tryParseClientMessage(bytes), { type: 'input', number, steer })
    }
  assert.deepEqual(tryParseClientMessage(encodeResync()), { type: 'resync' })
  for (const bytes of [[], [0], [1], [1, 1], [1, 1, 1, 1], [2, 0], [3], [1, 255, 255, 255, 255, 16, 1]])
    assert.equal(tryParseClientMessage(Uint8Array.from(bytes)), undefined, String(bytes))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9 }), (bytes) => {
      tryParseClientMessage(bytes)
    }),
  )
})

test('ByteReader reads what ByteWriter wrote', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer(), fc.nat(2 ** 32 - 1), fc.string({ maxLength: 60 }))), (list) => {
      const writer = new ByteWriter()
      for (const [signed, count, text] of list) {
        writer.signed(signed)
        writer.count(count)
        writer.text(text)
      }
      const reader = new ByteReader(writer.finish())
      for (const item of list) assert.deepEqual([reader.signed(), reader.count(), reader.text()], item)
      reader.end()
    }),
  )
})

test('ByteReader refuses counts at their limit and beyond, and those of too many bytes', () => {
  const reader = (...bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes))
  assert.equal(reader(9).count(10), 9)
  assert.throws(() => reader(10).count(10), RangeError)
  assert.equal(reader(255, 255, 255, 255, 15).count(), 2 ** 32 - 1)
  assert.throws(() => reader(255, 255, 255, 255, 16).count(), RangeError)
  assert.throws(() => reader(128, 128, 128, 128, 128, 0).count(), RangeError)
  assert.throws(() => reader(1, 1).end(), RangeError)
})

test('an empty state is a snapshot, too', () => {
  const view: View = { state: emptyState(9), players: [] }
  assert.deepEqual(decodeSnapshot(encodeSnapshot(view)), view)
})
