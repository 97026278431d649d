// The behaviours of the Autobahn test suite, by its numbers, on both ends of the engine.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Echo, feed, framesOf, RAISED } from './_echo.js'
import { cutWire, encode, frame, ROLES, wireOf, type Role } from './_frames.js'
import { checkCase } from './_run-case.js'
import { CASES, IDS, LONG, SUITE, TURNS } from './cases/all.js'
import { leave } from './cases/case.js'

test('the table has each of the 517 cases of the suite once', () => {
  const expected = Object.entries(SUITE).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, i) => `${part}.${i + 1}`),
  )
  assert.equal(expected.length, 517)
  assert.equal(new Set(IDS).size, 517)
  assert.deepEqual(IDS.toSorted(), expected.toSorted())
})

suite('an end that echoes', () => {
  for (const row of CASES) {
    test(`case ${row.id}: ${row.name}`, () => {
      for (const role of ROLES) assert.ok(checkCase(row, role) >= 2)
    })
  }
  for (const { id, name, make } of LONG) {
    test(`case ${id}: ${name}`, () => {
      const row = make()
      for (const role of ROLES) assert.ok(checkCase(row, role) >= 2)
    })
  }
  for (const { id, opcode, payload, count } of TURNS) {
    test(`case ${id}: ${count} times ${payload.length} bytes of opcode ${opcode}, one behind the other`, () => {
      for (const role of ROLES) {
        const echo = new Echo(role, RAISED)
        for (let turn = 0; turn < count; turn += 1) {
          const wire = wireOf([frame(opcode, payload)], role)
          const [answer, ...others] = feed(echo, cutWire(wire, turn % 3 === 0 ? [turn % 11] : []), role)
          assert.deepEqual([answer?.opcode, others.length], [opcode, 0])
          assert.ok(Buffer.compare(answer?.payload ?? assert.fail(), payload) === 0)
        }
        assert.equal(feed(echo, cutWire(wireOf([leave()], role), []), role)[0]?.opcode, 8)
      }
    })
  }
})

/** Where the byte stands after which the text of a case cannot be UTF-8: in which frame, and in its payload. */
const BAD: Readonly<Record<string, readonly [frame: number, index: number]>> = {
  '6.4.1': [1, 1],
  '6.4.2': [1, 0],
  '6.4.3': [0, 12],
  '6.4.4': [0, 12],
}

for (const [id, [index, at]] of Object.entries(BAD)) {
  test(`case ${id}: the failure comes with the bad octet, and with none before it`, () => {
    const row = CASES.find((each) => each.id === id) ?? assert.fail()
    for (const role of ROLES) {
      const { length, starts } = wireOf(row.sent, role)
      const bad = (starts[index] ?? assert.fail()) + 2 + (role === 'server' ? 4 : 0) + at
      assert.ok(bad < length)
      assert.deepEqual(bytesUntilRefused(row.sent, role), { bytes: bad + 1, refused: 'ERR_WEBSOCKET_UTF8' })
    }
  })
}

function bytesUntilRefused(
  sent: Parameters<typeof wireOf>[0],
  role: Role,
): { readonly bytes: number; readonly refused: string } {
  const { segments } = wireOf(sent, role)
  const echo = new Echo(role)
  let bytes = 0
  for (const byte of Buffer.concat(segments.map((segment) => segment.bytes))) {
    bytes += 1
    const answers = framesOf(echo.take({ bytes: Uint8Array.of(byte), nowMs: 0, answered: undefined }), role)
    if (answers.length > 0) return { bytes, refused: echo.refused }
  }
  return { bytes, refused: '' }
}

test('4 MiB in frames of 64 bytes are accepted under a raised limit, and refused under the default one', () => {
  const wire = wireOf(LONG.find(({ id }) => id === '9.3.1')?.make().sent ?? assert.fail(), 'server')
  assert.equal(wire.starts.length, 65_536)
  assert.equal(feed(new Echo('server', RAISED), cutWire(wire, []), 'server')[0]?.payload.length, 4 * 1024 * 1024)
  const refusing = new Echo('server', { maxMessageBytes: 8 * 1024 * 1024 })
  assert.equal(feed(refusing, cutWire(wire, []), 'server')[0]?.opcode, 8)
  assert.equal(refusing.refused, 'ERR_WEBSOCKET_FRAGMENT_LIMIT')
})

test('what the suite sends is what its number stands for', () => {
  // Frames are made by hand here, so a few are looked at byte by byte.
  assert.deepEqual([...encode(frame(1, 'Hello'), 'client')], [0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
  assert.deepEqual(
    [...encode(frame(1, 'Hello'), 'server')],
    [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
  )
  assert.deepEqual([...encode(frame(2, Buffer.alloc(256)), 'client').subarray(0, 4)], [0x82, 0x7e, 0x01, 0x00])
  assert.deepEqual(
    [...encode(frame(2, Buffer.alloc(65_536)), 'client').subarray(0, 10)],
    [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0],
  )
})
