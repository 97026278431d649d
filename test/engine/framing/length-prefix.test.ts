import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeFrame,
  LengthPrefixDecoder,
  type FrameEvent,
  type FrameOptions,
  type LengthPrefix,
} from '#src/engine/framing/length-prefix.js'
import { checkWireTable, feed, toBytes, type WireRow } from '#src/testing/splits.js'

interface Options extends FrameOptions {
  readonly prefix: LengthPrefix
}
type Row = WireRow<FrameEvent, Options>

const frame = (text: string): FrameEvent => ({ type: 'frame', bytes: toBytes(text) })
const with2 = (prefix: LengthPrefix): Options => ({ prefix, maxFrameBytes: 2 })
const limited = (prefix: LengthPrefix, bytes: string, name: string): Row => {
  return { name: `${prefix}: ${name}`, bytes, options: with2(prefix), events: [], error: 'ERR_FRAME_LIMIT' }
}
const refused = (prefix: LengthPrefix, bytes: string, name: string): Row => {
  return { name: `${prefix}: ${name}`, bytes, options: { prefix }, events: [], error: 'ERR_LENGTH_PREFIX' }
}
const endless = (prefix: LengthPrefix): Options => ({ prefix, maxFrameBytes: Infinity })

/** For each byte of each prefix a row in which only that byte makes the length too large. */
const FIXED: readonly (readonly [LengthPrefix, string, readonly string[]])[] = [
  ['u8', '\x02', ['\x03', '\xff']],
  ['u16be', '\0\x02', ['\0\x03', '\x01\0']],
  ['u16le', '\x02\0', ['\x03\0', '\0\x01']],
  ['u24be', '\0\0\x02', ['\0\0\x03', '\0\x01\0', '\x01\0\0']],
  ['u24le', '\x02\0\0', ['\x03\0\0', '\0\x01\0', '\0\0\x01']],
  ['u32be', '\0\0\0\x02', ['\0\0\0\x03', '\0\0\x01\0', '\0\x01\0\0', '\x01\0\0\0', '\x80\0\0\0', '\xff\xff\xff\xff']],
  ['u32le', '\x02\0\0\0', ['\x03\0\0\0', '\0\x01\0\0', '\0\0\x01\0', '\0\0\0\x01', '\0\0\0\x80', '\xff\xff\xff\xff']],
  ['u64be', '\0\0\0\0\0\0\0\x02', ['\0\0\0\0\0\0\0\x03', '\0\0\0\x01\0\0\0\0', '\x01\0\0\0\0\0\0\0', '\xff'.repeat(8)]],
  ['u64le', '\x02\0\0\0\0\0\0\0', ['\x03\0\0\0\0\0\0\0', '\0\0\0\0\x01\0\0\0', '\0\0\0\0\0\0\0\x01', '\xff'.repeat(8)]],
  ['varint', '\x02', ['\x03', '\x80\x01', '\x83', '\x80\x80\x01']],
  ['mqtt', '\x02', ['\x03', '\x80\x01', '\x83', '\x80\x80\x01']],
]

const ROWS: readonly Row[] = [
  ...FIXED.flatMap(([prefix, two, past]): Row[] => [
    {
      name: `${prefix}: at the limit`,
      bytes: `${two}ab${two}cd${two}e`,
      options: with2(prefix),
      events: [frame('ab'), frame('cd')],
      rest: `${two}e`,
    },
    {
      name: `${prefix}: empty frames`,
      bytes: two.replace('\x02', '\0').repeat(3),
      options: { prefix },
      events: [frame(''), frame(''), frame('')],
      rest: '',
    },
    { name: `${prefix}: nothing and the end`, bytes: '', options: { prefix }, eof: true, events: [] },
    {
      name: `${prefix}: the end within a frame`,
      bytes: `${two}a`,
      options: { prefix },
      eof: true,
      events: [],
      error: 'ERR_UNEXPECTED_END',
    },
    {
      name: `${prefix}: the end after a prefix`,
      bytes: two,
      options: { prefix },
      eof: true,
      events: [],
      error: 'ERR_UNEXPECTED_END',
    },
    {
      name: `${prefix}: the end after a frame`,
      bytes: `${two}ab`,
      options: { prefix },
      eof: true,
      events: [frame('ab')],
    },
    ...past.map((bytes, i) => limited(prefix, bytes, `past the limit ${i}`)),
  ]),
  {
    name: 'u16be: the end within a prefix',
    bytes: '\0',
    options: { prefix: 'u16be' },
    eof: true,
    events: [],
    error: 'ERR_UNEXPECTED_END',
  },
  {
    name: 'varint: the end within a prefix',
    bytes: '\x80',
    options: { prefix: 'varint' },
    eof: true,
    events: [],
    error: 'ERR_UNEXPECTED_END',
  },
  {
    name: 'varint: two bytes',
    bytes: `\x80\x01${'x'.repeat(128)}`,
    options: { prefix: 'varint' },
    events: [frame('x'.repeat(128))],
  },
  {
    name: 'varint: the lower byte counts',
    bytes: `\x81\x01${'x'.repeat(129)}`,
    options: { prefix: 'varint' },
    events: [frame('x'.repeat(129))],
  },
  refused('varint', '\x80\0', 'zero in two bytes'),
  refused('varint', '\x81\0', 'one in two bytes'),
  refused('mqtt', '\xff\x80\0', '127 in three bytes'),
  refused('mqtt', '\x80\x80\x80\0', 'zero in four bytes'),
  refused('mqtt', '\x80\x80\x80\x80', 'more than four bytes'),
  refused('varint', '\x80'.repeat(8), 'more than eight bytes'),
  { name: 'mqtt: the most', bytes: '\xff\xff\xff\x7f', options: endless('mqtt'), events: [], rest: '\xff\xff\xff\x7f' },
  { name: 'varint: 2^53 - 1', bytes: '\xff\xff\xff\xff\xff\xff\xff\x0f', options: endless('varint'), events: [] },
  {
    name: 'varint: 2^53',
    bytes: '\x80\x80\x80\x80\x80\x80\x80\x10',
    options: endless('varint'),
    events: [],
    error: 'ERR_FRAME_LIMIT',
  },
  { name: 'u64be: 2^53 - 1', bytes: '\0\x1f\xff\xff\xff\xff\xff\xff', options: endless('u64be'), events: [] },
  { name: 'u64be: 2^53', bytes: '\0\x20\0\0\0\0\0\0', options: endless('u64be'), events: [], error: 'ERR_FRAME_LIMIT' },
  {
    name: 'with its prefix counted',
    bytes: '\0\x04ab\0\x02',
    options: { prefix: 'u16be', lengthIncludesPrefix: true },
    events: [frame('ab'), frame('')],
  },
  {
    name: 'with too little counted',
    bytes: '\0\x01',
    options: { prefix: 'u16be', lengthIncludesPrefix: true },
    events: [],
    error: 'ERR_LENGTH_PREFIX',
  },
  {
    name: 'with its prefix counted, at the limit',
    bytes: '\x03ab',
    options: { prefix: 'u8', lengthIncludesPrefix: true, maxFrameBytes: 2 },
    events: [frame('ab')],
  },
  {
    name: 'with its prefix counted, one past',
    bytes: '\x04abc',
    options: { prefix: 'u8', lengthIncludesPrefix: true, maxFrameBytes: 2 },
    events: [],
    error: 'ERR_FRAME_LIMIT',
  },
]

const make = (options: Options = { prefix: 'u8' }): LengthPrefixDecoder => {
  const { prefix, ...rest } = options
  return new LengthPrefixDecoder(prefix, rest)
}

test('LengthPrefixDecoder reads its wire table, however it is cut', () => {
  checkWireTable(make, ROWS)
})

test('LengthPrefixDecoder stops at 1 MiB by default, and holds nothing for what it refuses', () => {
  const decoder = new LengthPrefixDecoder('u32be')
  assert.equal(feed(decoder, [toBytes('\0\x10\0\0')]).ending, 'need-data')
  const refusing = feed(new LengthPrefixDecoder('u32be'), [toBytes('\0\x10\0\x01')])
  assert.equal(refusing.ending, 'ERR_FRAME_LIMIT')
  const frames = feed(new LengthPrefixDecoder('u32be'), [encodeFrame('u32be', new Uint8Array(1_048_576))])
  assert.equal(frames.events[0]?.bytes.length, 1_048_576)
})

test('LengthPrefixDecoder and encodeFrame refuse a prefix that they do not know', () => {
  const unknown: unknown = 'u128'
  assert.throws(() => new LengthPrefixDecoder(unknown as LengthPrefix), { code: 'ERR_ARGUMENT' })
  assert.throws(() => encodeFrame('toString' as LengthPrefix, toBytes('')), { code: 'ERR_ARGUMENT' })
})

test('lengthIncludesPrefix is refused for a prefix whose size varies', () => {
  assert.throws(() => new LengthPrefixDecoder('varint', { lengthIncludesPrefix: true }), { code: 'ERR_OPTION_VALUE' })
  assert.throws(() => encodeFrame('mqtt', toBytes(''), { lengthIncludesPrefix: true }), { code: 'ERR_OPTION_VALUE' })
})

test('encodeFrame writes each form, and refuses what does not fit', () => {
  const expected: readonly (readonly [LengthPrefix, string])[] = [
    ['u8', '\x03'],
    ['u16be', '\0\x03'],
    ['u16le', '\x03\0'],
    ['u24be', '\0\0\x03'],
    ['u24le', '\x03\0\0'],
    ['u32be', '\0\0\0\x03'],
    ['u32le', '\x03\0\0\0'],
    ['u64be', '\0\0\0\0\0\0\0\x03'],
    ['u64le', '\x03\0\0\0\0\0\0\0'],
    ['varint', '\x03'],
    ['mqtt', '\x03'],
  ]
  for (const [prefix, bytes] of expected) assert.deepEqual(encodeFrame(prefix, toBytes('abc')), toBytes(`${bytes}abc`))
  const sizes: readonly (readonly [number, string])[] = [
    [127, '\x7f'],
    [128, '\x80\x01'],
    [16_383, '\xff\x7f'],
    [16_384, '\x80\x80\x01'],
  ]
  for (const [size, bytes] of sizes) {
    const written = encodeFrame('varint', new Uint8Array(size))
    assert.deepEqual(written.subarray(0, written.length - size), toBytes(bytes))
  }
  assert.deepEqual(encodeFrame('varint', new Uint8Array(300)).subarray(0, 2), Uint8Array.of(0xac, 0x02))
  assert.deepEqual(encodeFrame('u8', toBytes('abc'), { lengthIncludesPrefix: true }), toBytes('\x04abc'))
  assert.equal(encodeFrame('u8', new Uint8Array(255)).length, 256)
  assert.throws(() => encodeFrame('u8', new Uint8Array(256)), { code: 'ERR_ARGUMENT' })
  assert.equal(encodeFrame('u8', new Uint8Array(254), { lengthIncludesPrefix: true }).length, 255)
  assert.throws(() => encodeFrame('u8', new Uint8Array(255), { lengthIncludesPrefix: true }), { code: 'ERR_ARGUMENT' })
  assert.throws(() => encodeFrame('u16be', new Uint8Array(65_536)), { code: 'ERR_ARGUMENT' })
})
