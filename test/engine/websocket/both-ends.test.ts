import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LIMIT_CODES, PROTOCOL_CODES } from '#src/base/codes.js'
import { LimitError, ProtocolError } from '#src/base/errors.js'
import { isCloseCode } from '#src/engine/websocket/close.js'
import { PLAIN_PORTS, WebSocketConnection, type WebSocketPorts } from '#src/engine/websocket/connection.js'
import { readWebSocketLimits } from '#src/engine/websocket/options.js'
import { countBytesTouched } from '../framing/_bytes-touched.js'
import { End, shakeHands, type Setup, type Told } from './_both-ends.js'
import { binary, encode, fragmented, frame, ping, ROLES, text, type Role, type Sent } from './_frames.js'

const payload = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 120, max: 300 }).map((length) => Buffer.alloc(length, 'moor ') as Uint8Array),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(65_535, 65_536, 70_000).map((length) => Buffer.alloc(length, 'keel ') as Uint8Array),
  },
)
const words = fc.string({ unit: 'binary', maxLength: 60 }).map((value): Uint8Array => Buffer.from(value))
const told: fc.Arbitrary<Told> = fc
  .record({
    kind: fc.constantFrom('text', 'binary', 'ping', 'pong'),
    bytes: payload,
    words,
    cuts: fc.array(fc.nat({ max: 80 }), { maxLength: 4 }),
    interleaved: fc.boolean(),
    compressed: fc.boolean(),
  })
  .map(({ bytes, words: value, ...rest }) => {
    const isControl = rest.kind === 'ping' || rest.kind === 'pong'
    return { ...rest, payload: rest.kind === 'text' ? value : isControl ? bytes.subarray(0, 125) : bytes }
  })
const wishes = fc.option(fc.record({ ownContextTakeover: fc.boolean(), peerContextTakeover: fc.boolean() }), {
  nil: undefined,
})
const setup: fc.Arbitrary<Setup> = fc.record({
  server: wishes,
  client: wishes,
  piece: fc.constantFrom(1, 7, 64, 100_000),
})
const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 })

function* inPieces(bytes: Uint8Array, pieceSizes: readonly number[]): Generator<Uint8Array> {
  for (let from = 0, i = 0; from < bytes.length; i += 1) {
    const size = (pieceSizes[i % pieceSizes.length] ?? 1) * (bytes.length > 10_000 ? 97 : 1)
    yield bytes.subarray(from, from + size)
    from += size
  }
}

/** Through a buffer that is spoiled behind each piece. */
function pass(bytes: Uint8Array, pieceSizes: readonly number[], to: End): void {
  const shared = Buffer.alloc(200_000)
  for (const piece of inPieces(bytes, pieceSizes)) {
    shared.set(piece)
    to.hear(shared.subarray(0, piece.length))
    shared.fill(0xaa, 0, piece.length)
  }
}

test('two ends hear what they tell each other, from the handshake to the goodbye, however it is cut', () => {
  const conversation = fc.array(fc.tuple(fc.boolean(), told), { maxLength: 8 })
  const goodbye = fc.tuple(fc.constantFrom(1000, 1001, 3000, 4999), fc.string({ maxLength: 40 }))
  fc.assert(
    fc.property(setup, fc.array(told, { maxLength: 3 }), conversation, goodbye, sizes, (made, early, all, bye, cut) => {
      const { server, client } = shakeHands(made, (end) => Buffer.concat(early.map((each) => end.tell(each))))
      const expected = { server: [] as string[], client: early.flatMap((each) => End.expected(each)) }
      for (const [toServer, each] of all) {
        const [from, to] = toServer ? [client, server] : [server, client]
        pass(from.tell(each), cut, to)
        expected[toServer ? 'server' : 'client'].push(...End.expected(each))
      }
      assert.deepEqual(client.heard, expected.client)
      assert.deepEqual(server.heard, expected.server)
      const [code, reason] = bye
      pass(client.close(code, reason), cut, server)
      assert.deepEqual(server.closed, { code, reason })
      pass(server.close(code, ''), cut, client)
      assert.deepEqual(client.closed, { code, reason: '' })
      assert.ok(client.engine.isOver && client.engine.hasClosed && server.engine.isOver && server.engine.hasClosed)
    }),
    { numRuns: 300 },
  )
})

const CODES = new Set<string>([...Object.keys(PROTOCOL_CODES), ...Object.keys(LIMIT_CODES)])

/** Reads bytes to their end, or to a refusal, which must be one that is documented and can be told. */
function readAll(bytes: Uint8Array, role: Role, deflates: boolean, pieceSizes: readonly number[]): string {
  const limits = readWebSocketLimits({ maxMessageBytes: 1000, maxFragments: 10, maxControlFramesPerSecond: 20 })
  const engine = new WebSocketConnection(role, limits, deflates)
  let outcome = ''
  try {
    for (const piece of inPieces(bytes, pieceSizes)) {
      engine.receive(piece)
      for (let event = engine.nextEvent(); event.type !== 'need-data'; event = engine.nextEvent()) {
        if (event.type === 'end') return `${outcome} end`
        outcome += `${event.type} ${'bytes' in event ? Buffer.from(event.bytes).toString('hex') : JSON.stringify(event)};`
      }
    }
    return `${outcome} need-data`
  } catch (error) {
    assert.ok(error instanceof ProtocolError || error instanceof LimitError, String(error))
    assert.ok(CODES.has(error.code), error.code)
    const { closeCode } = error.details
    assert.ok(typeof closeCode === 'number' && isCloseCode(closeCode))
    return `${outcome} ${error.code} ${closeCode}`
  }
}

const anyFrame: fc.Arbitrary<Sent> = fc
  .record({
    opcode: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(0, 1, 2, 8, 9, 10) },
      { weight: 1, arbitrary: fc.nat({ max: 15 }) },
    ),
    payload: fc.uint8Array({ maxLength: 20 }),
    fin: fc.boolean(),
    rsv: fc.oneof(
      { weight: 12, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.constant(4) },
      { weight: 1, arbitrary: fc.nat({ max: 7 }) },
    ),
  })
  .map(({ opcode, payload: bytes, ...rest }) => frame(opcode, bytes, rest))

test('whatever comes is read or refused with a documented code, the same however it is cut', () => {
  const frames = (role: Role): fc.Arbitrary<Uint8Array> =>
    fc.array(anyFrame, { maxLength: 6 }).map((all) => Buffer.concat(all.map((each, i) => encode(each, role, i))))
  for (const role of ROLES)
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 80 }), frames(role)),
        fc.boolean(),
        sizes,
        (bytes, deflates, cut) => {
          const whole = readAll(bytes, role, deflates, [100_000])
          assert.equal(readAll(bytes, role, deflates, [1]), whole)
          assert.equal(readAll(bytes, role, deflates, cut), whole)
        },
      ),
      { numRuns: 1500 },
    )
})

const LETTERS = Buffer.alloc(100_000, 'abcdefgh')
const WORK: Readonly<Record<string, readonly Sent[]>> = {
  'one long message': [binary(LETTERS)],
  'one long text': [text(LETTERS)],
  'a long message in frames of 64 bytes': fragmented(2, LETTERS, 64),
  'a long text in frames of one byte': fragmented(1, LETTERS.subarray(0, 6000), 1),
  'a long compressed message in frames of 100 bytes': fragmented(2, LETTERS, 100, 4),
  'frames of nothing in one message': [
    ...fragmented(2, LETTERS.subarray(0, 10_000), 10_000).map((each) => ({ ...each, fin: false })),
    ...Array.from({ length: 4000 }, () => frame(0, '', { fin: false })),
    frame(0),
  ],
  'many short messages': Array.from({ length: 5000 }, () => text('hello')),
  'many pings': Array.from({ length: 4000 }, () => ping('ping')),
  'long pings': Array.from({ length: 1000 }, () => ping(LETTERS.subarray(0, 125))),
}

for (const [name, frames] of Object.entries(WORK))
  test(`the bytes that are moved for ${name} grow with the input, however it is cut`, () => {
    for (const role of ROLES) {
      const bytes = Buffer.concat(frames.map((each, i) => encode(each, role, i)))
      for (const size of [1, 64, 1000, bytes.length]) checkWork(bytes, role, size, frames.length)
    }
  })

function checkWork(bytes: Uint8Array, role: Role, size: number, frames: number): void {
  let [counted, made, calls] = [0, 0, 0]
  const ports: WebSocketPorts = {
    decodeText(source, from, to) {
      counted += to - from
      return Buffer.from(source.buffer, source.byteOffset, source.length).toString('utf8', from, to)
    },
    allocate(length) {
      made += length
      return new Uint8Array(length)
    },
    maskCopy(target, ...rest) {
      counted += rest[3] - rest[2]
      return PLAIN_PORTS.maskCopy(target, ...rest)
    },
  }
  const limits = readWebSocketLimits({ maxFragments: 1_000_000, maxControlFramesPerSecond: Infinity })
  const engine = new WebSocketConnection(role, limits, true, ports)
  const touched = countBytesTouched(() => {
    for (let at = 0; at < bytes.length; at += size) {
      engine.receive(bytes.subarray(at, at + size))
      for (let type = ''; type !== 'need-data'; calls += 1) type = engine.nextEvent().type
    }
  })
  const all = touched + counted + made
  assert.ok(all <= bytes.length * 8 + 10_000, `${all} bytes moved for ${bytes.length}, in pieces of ${size}`)
  assert.ok(calls <= Math.ceil(bytes.length / size) + frames, `${calls} events`)
  assert.equal(engine.heldBytes, 0)
}
