import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkWireTable, cutAt, feed } from '#src/testing/splits.js'
import { concatBytes } from '#src/base/bytes.js'
import { TransferDecoder } from '#src/transfer/decoder.js'
import { encodeMessage } from '#src/transfer/encode.js'
import {
  MAX_DATA_BYTES,
  MAX_NAME_BYTES,
  MAX_TEXT_BYTES,
  REASONS,
  STATUSES,
  type Message,
} from '#src/transfer/messages.js'

const PREAMBLE: Message = { type: 'preamble', version: 1 }
const START = 'MOORAGE\x01'
const make = (): TransferDecoder => new TransferDecoder()
const zeros = (count: number): string => '\0'.repeat(count)
const after = (text: string): string => START + text

const offer = (name: string): Message => ({
  type: 'offer',
  id: 7,
  kind: 'file',
  hasDigest: true,
  mode: 0o644,
  size: 258,
  mtimeNs: -2n,
  name,
})
const offerBytes = (name: string): string => {
  const length = 24 + name.length
  return `\x03\0\0${String.fromCharCode(length >> 8, length & 255)}\0\0\0\x07\0\x01\x01\xa4${zeros(6)}\x01\x02${'\xff'.repeat(7)}\xfe${name}`
}

test('TransferDecoder reads each message and refuses what is not one', () => {
  const runs = checkWireTable<Message>(make, [
    { name: 'the preamble', bytes: START, events: [PREAMBLE] },
    ...Array.from({ length: 7 }, (_, i) => ({
      name: `another magic, wrong at ${i}`,
      bytes: `${'MOORAGE'.slice(0, i)}x`,
      events: [],
      error: 'ERR_TRANSFER',
    })),
    { name: 'version 0', bytes: 'MOORAGE\0', events: [], error: 'ERR_TRANSFER' },
    { name: 'version 2', bytes: 'MOORAGE\x02', events: [], error: 'ERR_TRANSFER' },
    { name: 'an HTTP request', bytes: 'GET / HTTP/1.1\r\n', events: [], error: 'ERR_TRANSFER' },
    { name: 'half a preamble', bytes: 'MOOR', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
    { name: 'nothing but the preamble', bytes: START, eof: true, events: [PREAMBLE] },
    { name: 'type 0', bytes: after('\0'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    { name: 'type 15', bytes: after('\x0f'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    {
      name: 'a challenge',
      bytes: after(`\x01\0\0\0\x20${'n'.repeat(32)}`),
      events: [PREAMBLE, { type: 'challenge', nonce: new Uint8Array(32).fill(110) }],
    },
    { name: 'a challenge one short', bytes: after('\x01\0\0\0\x1f'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    { name: 'a challenge one long', bytes: after('\x01\0\0\0\x21'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    {
      name: 'begin without a proof',
      bytes: after(`\x02\0\0\0\x0c\0\0\0\x02${zeros(6)}\x01\0`),
      events: [PREAMBLE, { type: 'begin', files: 2, bytes: 256, proof: new Uint8Array(0) }],
    },
    {
      name: 'begin with half a proof',
      bytes: after(`\x02\0\0\0\x1c${zeros(28)}`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    { name: 'an offer', bytes: after(offerBytes('a/b')), events: [PREAMBLE, offer('a/b')] },
    { name: 'an offer without a name', bytes: after('\x03\0\0\0\x18'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    {
      name: 'a name one too long',
      bytes: after(`\x03\0\0${String.fromCharCode((25 + MAX_NAME_BYTES) >> 8, (25 + MAX_NAME_BYTES) & 255)}`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    {
      name: 'a name that is not UTF-8',
      bytes: after(offerBytes('\xff')),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER_NAME',
    },
    {
      name: 'a kind 2',
      bytes: after(`\x03\0\0\0\x19\0\0\0\x01\x02${zeros(19)}a`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    {
      name: 'a flag 2',
      bytes: after(`\x03\0\0\0\x19\0\0\0\x01\0\x02${zeros(18)}a`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    {
      name: 'go at the largest offset',
      bytes: after('\x06\0\0\0\x0c\0\0\0\x01\0\x1f\xff\xff\xff\xff\xff\xff'),
      events: [PREAMBLE, { type: 'go', id: 1, offset: Number.MAX_SAFE_INTEGER }],
    },
    {
      name: 'go one past it',
      bytes: after(`\x06\0\0\0\x0c\0\0\0\x01\0\x20${zeros(6)}`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    {
      name: 'ask and ack',
      bytes: after(`\x04\0\0\0\x0c\0\0\0\x01${zeros(7)}\x05\x09\0\0\0\x0c\0\0\0\x01${zeros(7)}\x06`),
      events: [PREAMBLE, { type: 'ask', id: 1, length: 5 }, { type: 'ack', id: 1, offset: 6 }],
    },
    { name: 'data of no bytes', bytes: after('\x07\0\0\0\0'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    {
      name: 'data at the limit',
      bytes: after('\x07\0\x10\0\0'),
      events: [PREAMBLE, { type: 'data', length: MAX_DATA_BYTES }],
    },
    { name: 'data one past it', bytes: after('\x07\0\x10\0\x01'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    {
      name: 'complete without a digest, then done',
      bytes: after('\x08\0\0\0\x04\0\0\0\x09\x0d\0\0\0\0'),
      events: [PREAMBLE, { type: 'complete', id: 9, digest: new Uint8Array(0) }, { type: 'done' }],
    },
    { name: 'done with a byte', bytes: after('\x0d\0\0\0\x01'), events: [PREAMBLE], error: 'ERR_TRANSFER' },
    {
      name: 'a result whose text would steer a terminal',
      bytes: after('\x0a\0\0\0\x08\0\0\0\x01\x02\x01\x1b['),
      events: [PREAMBLE, { type: 'result', id: 1, status: 'refused', reason: 'name', text: '\u{fffd}[' }],
    },
    {
      name: 'a status too high',
      bytes: after(`\x0a\0\0\0\x06\0\0\0\x01${String.fromCharCode(STATUSES.length)}\0`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    {
      name: 'a reason too high',
      bytes: after(`\x0e\0\0\0\x01${String.fromCharCode(REASONS.length)}`),
      events: [PREAMBLE],
      error: 'ERR_TRANSFER',
    },
    {
      name: 'cut within a message',
      bytes: after('\x0d\0'),
      eof: true,
      events: [PREAMBLE],
      error: 'ERR_UNEXPECTED_END',
    },
  ])
  assert.ok(runs > 1000)
})

const id = fc.integer({ min: 0, max: 0xffff_ffff })
const size = fc.maxSafeNat()
const text = fc.string({ maxLength: 200 }).map((value) => value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ''))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const digest = fc.oneof(bytes32, fc.constant(new Uint8Array(0)))
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant('challenge' as const), nonce: bytes32 }),
  fc.record({ type: fc.constant('begin' as const), files: id, bytes: size, proof: digest }),
  fc.record({
    type: fc.constant('offer' as const),
    id,
    kind: fc.constantFrom('file' as const, 'folder' as const),
    hasDigest: fc.boolean(),
    mode: fc.integer({ min: 0, max: 0o777 }),
    size,
    mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
  }),
  fc.record({ type: fc.constant('ask' as const), id, length: size }),
  fc.record({ type: fc.constant('digest' as const), id, digest: bytes32 }),
  fc.record({ type: fc.constantFrom('go' as const, 'ack' as const), id, offset: size }),
  fc.record({ type: fc.constant('complete' as const), id, digest }),
  fc.record({
    type: fc.constant('result' as const),
    id,
    status: fc.constantFrom(...STATUSES),
    reason: fc.constantFrom(...REASONS),
    text,
  }),
  fc.record({ type: fc.constantFrom('alive' as const, 'done' as const) }),
  fc.record({ type: fc.constant('abort' as const), id, text }),
  fc.record({ type: fc.constant('refuse' as const), reason: fc.constantFrom(...REASONS), text }),
  fc.record({ type: fc.constant('data' as const), length: fc.integer({ min: 1, max: MAX_DATA_BYTES }) }),
)

test('encodeMessage and TransferDecoder are each other’s inverse, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 8 }), fc.array(fc.nat(2000), { maxLength: 6 }), (sent, places) => {
      const bytes = concatBytes([PREAMBLE, ...sent].map(encodeMessage))
      assert.deepEqual(feed(make(), cutAt(bytes, places)).events.map(plain), [PREAMBLE, ...sent].map(plain))
    }),
  )
})

/** Buffers and plain arrays of bytes are alike. */
const plain = (message: Message): object =>
  Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value]),
  )

test('TransferDecoder throws only documented errors for whatever comes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(200), { maxLength: 4 }), (bytes, places) => {
      const { ending } = feed(make(), cutAt(concatBytes([encodeMessage(PREAMBLE), bytes]), places), { eof: true })
      assert.match(ending, /^(end|ERR_TRANSFER|ERR_TRANSFER_NAME|ERR_UNEXPECTED_END)$/)
    }),
    { numRuns: 500 },
  )
})

test('encodeMessage cuts a long text between characters', () => {
  const [, event] = feed(make(), [
    concatBytes([encodeMessage(PREAMBLE), encodeMessage({ type: 'refuse', reason: 'token', text: '€'.repeat(1000) })]),
  ]).events
  assert.deepEqual(event, { type: 'refuse', reason: 'token', text: '€'.repeat(Math.floor(MAX_TEXT_BYTES / 3)) })
})
