import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DelimiterDecoder,
  encodeDelimited,
  type DelimitedEvent,
  type DelimiterOptions,
} from '#src/engine/framing/delimiter.js'
import { checkWireTable, toBytes, type WireRow } from '#src/testing/splits.js'

interface Options extends DelimiterOptions {
  readonly delimiter: string
}

const frame = (text: string, complete: boolean = true): DelimitedEvent => {
  return { type: 'frame', bytes: toBytes(text), complete }
}
const nul: Options = { delimiter: '\0' }
const two: Options = { delimiter: '\r\n' }
const repeated: Options = { delimiter: 'aab' }
const nested: Options = { delimiter: 'ababac' }

const ROWS: readonly WireRow<DelimitedEvent, Options>[] = [
  { name: 'nothing and the end', bytes: '', options: nul, eof: true, events: [] },
  { name: 'one byte', bytes: 'a\0\0bc\0d', options: nul, events: [frame('a'), frame(''), frame('bc')], rest: 'd' },
  { name: 'unfinished at the end', bytes: 'a\0b', options: nul, eof: true, events: [frame('a'), frame('b', false)] },
  { name: 'two bytes', bytes: 'a\r\n\r\nb\r', options: two, events: [frame('a'), frame('')], rest: 'b\r' },
  { name: 'only the first of two', bytes: 'a\rb\r\n', options: two, events: [frame('a\rb')] },
  { name: 'only the second of two', bytes: 'a\nb\r\n', options: two, events: [frame('a\nb')] },
  { name: 'the first of two twice', bytes: '\r\r\n', options: two, events: [frame('\r')] },
  { name: 'half of two at the end', bytes: 'a\r', options: two, eof: true, events: [frame('a\r', false)] },
  { name: 'begins again within itself', bytes: 'aaaab', options: repeated, events: [frame('aa')] },
  { name: 'falls back twice', bytes: 'abababac', options: nested, events: [frame('ab')] },
  { name: 'falls back to nothing', bytes: 'ababxababac', options: nested, events: [frame('ababx')] },
  { name: 'side by side', bytes: 'ababacababac', options: nested, events: [frame(''), frame('')] },
  { name: 'kept', bytes: 'a\r\n', options: { ...two, keepDelimiter: true }, events: [frame('a\r\n')] },
  { name: 'at the limit', bytes: 'aaa\r\n', options: { ...two, maxFrameBytes: 3 }, events: [frame('aaa')] },
  { name: 'one past', bytes: 'aaaa\r\n', options: { ...two, maxFrameBytes: 3 }, events: [], error: 'ERR_FRAME_LIMIT' },
  {
    name: 'one past unfinished',
    bytes: 'aaaa',
    options: { ...two, maxFrameBytes: 3 },
    events: [],
    error: 'ERR_FRAME_LIMIT',
  },
  { name: 'perhaps at the limit', bytes: 'aaa\r', options: { ...two, maxFrameBytes: 3 }, events: [], rest: 'aaa\r' },
  {
    name: 'past it at the end',
    bytes: 'aaa\r',
    options: { ...two, maxFrameBytes: 3 },
    eof: true,
    events: [],
    error: 'ERR_FRAME_LIMIT',
  },
  {
    name: 'at it at the end',
    bytes: 'aaa',
    options: { ...two, maxFrameBytes: 3 },
    eof: true,
    events: [frame('aaa', false)],
  },
]

const make = (options: Options = nul): DelimiterDecoder => {
  const { delimiter, ...rest } = options
  return new DelimiterDecoder(toBytes(delimiter), rest)
}

test('DelimiterDecoder reads its wire table, however it is cut', () => {
  checkWireTable(make, ROWS)
})

test('DelimiterDecoder keeps its own copy of the delimiter', () => {
  const delimiter = toBytes('\n')
  const decoder = new DelimiterDecoder(delimiter)
  delimiter[0] = 0
  decoder.receive(toBytes('a\n'))
  assert.deepEqual(decoder.nextEvent(), frame('a'))
})

test('DelimiterDecoder and encodeDelimited refuse an empty delimiter', () => {
  assert.throws(() => new DelimiterDecoder(toBytes('')), { code: 'ERR_ARGUMENT' })
  assert.throws(() => encodeDelimited(toBytes(''), toBytes('a')), { code: 'ERR_ARGUMENT' })
})

test('encodeDelimited refuses bytes in which the delimiter would be found too early', () => {
  assert.deepEqual(encodeDelimited(toBytes('aab'), toBytes('aa')), toBytes('aaaab'))
  for (const text of ['aab', 'xaaby', 'aaba']) {
    assert.throws(() => encodeDelimited(toBytes('aab'), toBytes(text)), { code: 'ERR_ARGUMENT' })
  }
  assert.throws(() => encodeDelimited(toBytes('aa'), toBytes('a')), { code: 'ERR_ARGUMENT' })
})
