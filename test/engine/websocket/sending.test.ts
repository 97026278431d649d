import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ClosedError, UsageError } from '#src/base/errors.js'
import { closePayload, isCloseCode } from '#src/engine/websocket/close.js'
import { encodeFrame, WebSocketConnection } from '#src/engine/websocket/connection.js'
import {
  BINARY,
  CLOSE,
  FIN,
  headerLength,
  PING,
  PONG,
  RSV1,
  TEXT,
  writeHeader,
} from '#src/engine/websocket/frame-header.js'
import { applyMask, maskCopy, type MaskCopy } from '#src/engine/websocket/mask.js'
import { readWebSocketLimits } from '#src/engine/websocket/options.js'
import { Utf8Checker } from '#src/engine/websocket/utf8-messages.js'
import { NODE_PORTS } from '#src/websocket/platform.js'
import { encode, frame, goodbye, octets, readFrames } from './_frames.js'

const MASK = octets(0x37, 0xfa, 0x21, 0x3d)
const LENGTHS = [0, 1, 2, 3, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537]

suite('encodeFrame', () => {
  for (const length of LENGTHS)
    test(`writes ${length} bytes as the standard has it, with and without a mask`, () => {
      const payload = Buffer.alloc(length, 'abcdefg')
      assert.deepEqual(Buffer.from(encodeFrame(FIN | BINARY, payload)), encode(frame(2, payload), 'client'))
      const masked = encodeFrame(FIN | BINARY, payload, MASK)
      assert.deepEqual(Buffer.from(masked), encode(frame(2, payload), 'server'))
      assert.equal(masked.length, headerLength(length, true) + length)
      assert.deepEqual(payload, Buffer.alloc(length, 'abcdefg'), 'the payload is not changed')
    })
  test('writes every first byte as it is given', () => {
    for (const first of [TEXT, BINARY, FIN | TEXT, FIN | RSV1 | BINARY, FIN | PING, FIN | PONG, FIN | CLOSE])
      assert.equal(encodeFrame(first, octets())[0], first)
  })
})

test('writeHeader writes lengths of more than 32 bits', () => {
  const header = Buffer.alloc(14)
  assert.equal(writeHeader(header, 0, FIN | BINARY, 2 ** 53 - 1, MASK), 14)
  assert.equal(header.readBigUInt64BE(2), 2n ** 53n - 1n)
  assert.deepEqual([header[0], header[1]], [0x82, 0xff])
  assert.equal(writeHeader(header, 2, FIN | BINARY, 2 ** 32, undefined), 12)
  assert.equal(header.readBigUInt64BE(4), 2n ** 32n)
})

suite('masks', () => {
  const copies: readonly (readonly [name: string, copy: MaskCopy])[] = [
    ['maskCopy', maskCopy],
    ["maskCopy of Node's ports", NODE_PORTS.maskCopy],
  ]
  for (const [name, copy] of copies)
    test(`${name} masks bytes wherever they stand, from any place of the mask on`, () => {
      const source = Uint8Array.from({ length: 700 }, (_, i) => (i * 31) & 0xff)
      for (const length of [0, 1, 3, 4, 47, 48, 49, 63, 64, 65, 67, 130, 511, 512, 513, 600])
        for (const from of [0, 1, 2, 3, 5])
          for (const [at, phase] of [
            [0, 0],
            [1, 1],
            [2, 2],
            [3, 3],
            [4, 7],
          ] as const) {
            const target = new Uint8Array(720).fill(0xee)
            const seen = copy(target, at, source, from, from + length, MASK, phase)
            const expected = source.slice(from, from + length).map((byte, i) => byte ^ (MASK[(i + phase) & 3] ?? 0))
            assert.deepEqual(target.subarray(at, at + length), expected)
            assert.ok(target.subarray(0, at).every((byte) => byte === 0xee))
            assert.ok(
              target.subarray(at + length).every((byte) => byte === 0xee),
              'nothing behind it is written',
            )
            assert.equal(seen & 0x80, expected.some((byte) => byte >= 0x80) ? 0x80 : 0, 'whether all of it is ASCII')
          }
    })
  test('applyMask sees the one byte that is not ASCII, wherever it stands', () => {
    for (let at = 0; at < 140; at += 1) {
      const bytes = new Uint8Array(140).fill(0x61)
      bytes[at] = 0xc3
      assert.equal(applyMask(bytes, 0, 140, octets(0, 0, 0, 0), 0) & 0x80, 0x80)
    }
  })
})

const make = (role: 'server' | 'client'): WebSocketConnection => new WebSocketConnection(role, readWebSocketLimits())
const refused = (error: unknown): boolean => error instanceof UsageError && error.code === 'ERR_ARGUMENT'
const tooEarly = (error: unknown): boolean => error instanceof UsageError && error.code === 'ERR_STATE'
const closed = (error: unknown): boolean => error instanceof ClosedError && error.code === 'ERR_CLOSED'

suite('WebSocketConnection', () => {
  test('closes with a code and a reason, and sends nothing behind it', () => {
    const engine = make('client')
    assert.equal(engine.hasClosed, false)
    const [sent] = readFrames(engine.close(1001, 'leaving', MASK))
    assert.deepEqual([sent?.opcode, sent?.masked], [8, true])
    assert.deepEqual(Buffer.from(sent?.payload ?? []), goodbye(1001, 'leaving'))
    assert.equal(engine.hasClosed, true)
    assert.throws(() => engine.send(FIN | TEXT, octets()), closed)
    assert.throws(() => engine.close(1000, ''), closed)
  })
  test('says goodbye to one that has said so, and reads nothing more', () => {
    const engine = make('client')
    engine.receive(encode(frame(8, goodbye(1000)), 'client'))
    assert.deepEqual(engine.nextEvent(), { type: 'close', code: 1000, reason: '' })
    assert.ok(engine.isOver && !engine.hasClosed)
    assert.equal(readFrames(engine.close(1000, ''))[0]?.opcode, 8)
    engine.receive(encode(frame(1, 'a'), 'client'))
    assert.equal(engine.nextEvent().type, 'end')
  })
  test('goes on reading behind its own goodbye', () => {
    const engine = make('client')
    engine.close(1000, '')
    engine.receive(encode(frame(1, 'a'), 'client'))
    assert.deepEqual(engine.nextEvent(), { type: 'text', text: 'a' })
  })
  test('tells how much it holds of a message, and lets go of it when it is over', () => {
    const engine = make('client')
    engine.receive(encode(frame(2, 'abc', { fin: false }), 'client'))
    assert.equal(engine.nextEvent().type, 'need-data')
    assert.equal(engine.heldBytes, 3)
    engine.receive(encode(frame(0, 'd', { fin: false }), 'client'))
    assert.equal(engine.nextEvent().type, 'need-data')
    assert.equal(engine.heldBytes, 4)
    engine.receive(encode(frame(3), 'client'))
    assert.throws(() => engine.nextEvent())
    assert.equal(engine.heldBytes, 0)
  })
  test('refuses to receive while something was not taken', () => {
    const engine = make('client')
    engine.receive(encode(frame(1, 'a'), 'client'))
    assert.throws(() => engine.receive(octets(0)), tooEarly)
    engine.hold()
    engine.receive(encode(frame(1, 'b'), 'client'))
    assert.deepEqual(
      [engine.nextEvent(), engine.nextEvent()],
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    )
  })
})

suite('closePayload', () => {
  test('is nothing for 1005, and else a code with its reason', () => {
    assert.deepEqual(closePayload(1005, ''), new Uint8Array(0))
    assert.deepEqual(Buffer.from(closePayload(4999, 'é'.repeat(61))), goodbye(4999, 'é'.repeat(61)))
    assert.equal(closePayload(1000, 'a'.repeat(123)).length, 125)
  })
  const rows: readonly (readonly [name: string, code: number, reason: string])[] = [
    ['a reason of 124 bytes', 1000, 'a'.repeat(124)],
    ['a reason of 62 characters of two bytes', 1000, 'é'.repeat(62)],
    ['half a surrogate pair', 1000, 'a\ud800'],
    ['a reason without a code', 1005, 'a'],
    ...[0, 999, 1004, 1006, 1015, 1016, 2999, 5000, 65_536, 1000.5, Number.NaN].map(
      (code) => [`the code ${code}`, code, ''] as const,
    ),
  ]
  for (const [name, code, reason] of rows)
    test(`refuses ${name}`, () => assert.throws(() => closePayload(code, reason), refused))
})

test('isCloseCode knows 1000 to 1014 but for three, and 3000 to 4999', () => {
  const all = Array.from({ length: 65_536 }, (_, code) => code).filter(isCloseCode)
  assert.deepEqual(all.slice(0, 12), [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014])
  assert.deepEqual([all[12], all.at(-1), all.length], [3000, 4999, 2012])
})

test('Utf8Checker refuses a byte exactly where no text can go on, after every one and two bytes', () => {
  // Everything that a text may begin with, up to three bytes: out of the characters themselves.
  const beginnings = new Set<number>()
  for (let code = 0; code <= 0x10ffff; code += code < 0x800 ? 1 : 0x40) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const bytes = Buffer.from(String.fromCodePoint(code))
    let key = 0
    for (const byte of bytes.subarray(0, 3)) beginnings.add((key = key * 256 + byte))
  }
  let refusals = 0
  const checker = new Utf8Checker()
  for (let first = 0x80; first < 256; first += 1) {
    checker.restart()
    const canBegin = beginnings.has(first)
    assert.equal(checker.check(octets(first), 0, 1), canBegin ? -1 : 0)
    if (!canBegin) continue
    for (let second = 0; second < 256; second += 1) {
      checker.restart()
      const goesOn = beginnings.has(first * 256 + second)
      assert.equal(checker.check(octets(first, second), 0, 2), goesOn ? -1 : 1, `${first} ${second}`)
      if (!goesOn) refusals += 1
      else if (!checker.isWhole)
        for (let third = 0; third < 256; third += 1) {
          checker.restart()
          const isRight = (third & 0xc0) === 0x80
          assert.equal(checker.check(octets(first, second, third), 0, 3), isRight ? -1 : 2)
        }
    }
  }
  assert.ok(refusals > 9000)
})
