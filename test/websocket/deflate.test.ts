// RFC 7692 §7.2: what a message becomes, and what may be sent for one.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { LimitError, ProtocolError } from '#src/base/errors.js'
import type { DeflateParameters } from '#src/engine/websocket/deflate-parameters.js'
import { DeflateBudget, deflateMessage, PeerDeflate } from '#src/websocket/deflate.js'

const KEEP: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}
const FORGET: DeflateParameters = { ...KEEP, serverNoContextTakeover: true, clientNoContextTakeover: true }
const make = (role: 'server' | 'client', parameters: DeflateParameters = KEEP): PeerDeflate =>
  new PeerDeflate(role, parameters, new DeflateBudget({ thresholdBytes: 0 }))
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const inflate = (peer: PeerDeflate, compressed: Uint8Array, maxBytes: number = 1000): string =>
  Buffer.from(peer.inflate(compressed, maxBytes)).toString()
const isRefused = (error: unknown): boolean =>
  error instanceof ProtocolError && error.code === 'ERR_WEBSOCKET_DEFLATE' && error.details['closeCode'] === 1007
const isTooLong = (error: unknown): boolean =>
  error instanceof LimitError && error.code === 'ERR_WEBSOCKET_MESSAGE_LIMIT' && error.details['closeCode'] === 1009

const HELLO = 'f2 48 cd c9 c9 07 00'
const LAST_HELLO = 'f3 48 cd c9 c9 07 00'

suite('PeerDeflate inflates', () => {
  const rows: readonly (readonly [name: string, messages: readonly string[], told: readonly string[]])[] = [
    ['one block (§7.2.3.1)', [HELLO], ['Hello']],
    ['a message that refers to the one before (§7.2.3.2)', [HELLO, 'f2 00 11 00 00'], ['Hello', 'Hello']],
    ['a block that is not compressed (§7.2.3.3)', ['00 05 00 fa ff 48 65 6c 6c 6f 00'], ['Hello']],
    ['a block that says it is the last (§7.2.3.4)', [`${LAST_HELLO} 00`], ['Hello']],
    ['such a block without the header behind it', [LAST_HELLO], ['Hello']],
    ['two blocks (§7.2.3.5)', ['f2 48 05 00 00 00 ff ff ca c9 c9 07 00'], ['Hello']],
    ['nothing (§7.2.3.6)', ['00'], ['']],
    ['nothing as zlib has it', ['02 00'], ['']],
    ['nothing at all', ['', HELLO], ['', 'Hello']],
    ['an empty block that says it is the last', ['01'], ['']],
    ['a block behind one that says it is the last', [`${LAST_HELLO} ${HELLO}`], ['HelloHello']],
    ['three blocks that say they are the last', [`${LAST_HELLO} ${LAST_HELLO} ${LAST_HELLO} 00`], ['HelloHelloHello']],
    ['a message behind one that says it is the last', [`${LAST_HELLO} 00`, 'f2 00 11 00 00'], ['Hello', 'Hello']],
    ['sixteen blocks that say they are the last', [LAST_HELLO.repeat(16)], ['Hello'.repeat(16)]],
  ]
  for (const [name, messages, told] of rows)
    test(name, () => {
      const peer = make('server')
      assert.deepEqual(
        messages.map((message) => inflate(peer, hex(message))),
        told,
      )
    })
})

suite('PeerDeflate refuses', () => {
  const rows: readonly (readonly [name: string, message: string, parameters?: DeflateParameters])[] = [
    ['a block of a kind that there is none of', '07 00'],
    ['a block that ends in the middle', 'f2 48 cd c9'],
    ['a block without its last byte', 'f2 48 cd c9 c9 07'],
    ['a stored block that ends in the middle', '00 05 00 fa ff 48 65'],
    ['a stored block that says it is the last, and ends in the middle', '01 05 00 fa ff 48 65 6c'],
    ['a stored block whose lengths do not agree', '00 05 00 fa fe 48 65 6c 6c 6f 00'],
    ['bytes behind the last block', `${HELLO} aa bb`],
    ['half a block behind one that says it is the last', `${LAST_HELLO} f2 48 cd`],
    ['what a flush ends with', `${HELLO} 00 00 ff`],
    ['a reference to what never was', 'f2 00 11 00 00'],
    ['seventeen blocks that say they are the last', LAST_HELLO.repeat(17)],
  ]
  for (const [name, message] of rows)
    test(name, () => assert.throws(() => make('server').inflate(hex(message), 1000), isRefused))

  test('a reference to the message before, where nothing may be kept', () => {
    for (const role of ['server', 'client'] as const) {
      const peer = make(role, FORGET)
      assert.equal(inflate(peer, hex(HELLO)), 'Hello')
      assert.throws(() => peer.inflate(hex('f2 00 11 00 00'), 1000), isRefused)
    }
  })
})

suite('PeerDeflate stops', () => {
  const bomb = deflateMessage(Buffer.alloc(100_000), 9)
  test('at as many bytes as a message may have', () => {
    assert.equal(make('server').inflate(bomb, 100_000).length, 100_000)
    assert.equal(inflate(make('server'), hex(HELLO), 5), 'Hello')
    assert.equal(inflate(make('server'), hex(`${LAST_HELLO} ${HELLO}`), 10), 'HelloHello')
  })
  test('one past it', () => {
    assert.throws(() => make('server').inflate(bomb, 99_999), isTooLong)
    assert.throws(() => make('server').inflate(hex(HELLO), 4), isTooLong)
    assert.throws(() => make('server').inflate(hex(`${LAST_HELLO} ${HELLO}`), 9), isTooLong)
    assert.throws(() => make('server').inflate(hex(`${LAST_HELLO} ${HELLO}`), 5), isTooLong)
  })
})

suite('deflateMessage', () => {
  test('leaves out what each message would end with', () => {
    assert.deepEqual(Buffer.from(deflateMessage(Buffer.from('Hello'), 1)), Buffer.from(hex(HELLO)))
    assert.deepEqual(Buffer.from(deflateMessage(new Uint8Array(0), 1)), Buffer.from(hex('00')))
  })
})

test('two ends of PeerDeflate understand each other, whatever was agreed on, also with another zlib behind one', () => {
  const bits = fc.integer({ min: 9, max: 15 })
  const parameters: fc.Arbitrary<DeflateParameters> = fc.record({
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  })
  const message = fc
    .tuple(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(1, 2, 20, 400))
    .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)))
  fc.assert(
    fc.property(parameters, fc.array(fc.tuple(fc.boolean(), message), { maxLength: 8 }), (agreed, messages) => {
      const [server, client] = [make('server', agreed), make('client', agreed)]
      for (const [toServer, bytes] of messages) {
        const [from, to] = toServer ? [client, server] : [server, client]
        assert.ok(Buffer.compare(to.inflate(from.deflate(bytes), 100_000), bytes) === 0)
      }
      for (const [, bytes] of messages) {
        const flushed = deflateRawSync(bytes, { finishFlush: constants.Z_FULL_FLUSH })
        const whole = deflateRawSync(bytes)
        const end = make('server', agreed)
        assert.ok(Buffer.compare(end.inflate(flushed.subarray(0, -4), 100_000), bytes) === 0)
        assert.ok(Buffer.compare(end.inflate(whole, 100_000), bytes) === 0)
      }
    }),
    { numRuns: 200 },
  )
})
