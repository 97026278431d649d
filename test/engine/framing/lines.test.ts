import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '#src/base/errors.js'
import { encodeLine, LineDecoder, type LineEvent, type LineOptions } from '#src/engine/framing/lines.js'
import { checkWireTable, feed, toBytes, type WireRow } from '#src/testing/splits.js'

const line = (text: string, complete: boolean = true): LineEvent => ({ type: 'line', bytes: toBytes(text), complete })

const crlf: LineOptions = { ending: 'crlf' }
const max3: LineOptions = { maxLineBytes: 3 }
const strict3: LineOptions = { maxLineBytes: 3, ending: 'crlf' }
const kept: LineOptions = { keepEnd: true }

const ROWS: readonly WireRow<LineEvent, LineOptions>[] = [
  { name: 'nothing', bytes: '', events: [] },
  { name: 'nothing and the end', bytes: '', eof: true, events: [] },
  {
    name: 'LF and CR LF mixed',
    bytes: 'a\nbc\r\n\n\r\nd',
    events: [line('a'), line('bc'), line(''), line('')],
    rest: 'd',
  },
  { name: 'a last line without an ending', bytes: 'a\nbc', eof: true, events: [line('a'), line('bc', false)] },
  { name: 'a last line that ends in CR', bytes: 'a\r', eof: true, events: [line('a\r', false)] },
  { name: 'CR within a line is data', bytes: 'a\rb\r\r\n', events: [line('a\rb\r')] },
  { name: 'endings kept', bytes: 'a\nb\r\n\n', options: kept, events: [line('a\n'), line('b\r\n'), line('\n')] },
  { name: 'all byte values but LF', bytes: '\0\x80\xff\n', events: [line('\0\x80\xff')] },
  { name: 'at the limit, LF', bytes: 'abc\nd\n', options: max3, events: [line('abc'), line('d')] },
  { name: 'at the limit, CR LF', bytes: 'abc\r\nd\n', options: max3, events: [line('abc'), line('d')] },
  { name: 'one past the limit', bytes: 'abcd\n', options: max3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'one past the limit, CR LF', bytes: 'abcd\r\n', options: max3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'one past the limit by a CR', bytes: 'abc\rd\n', options: max3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'one past the limit by CR CR LF', bytes: 'abc\r\r\n', options: max3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'past the limit without an ending', bytes: 'abcd', options: max3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'perhaps at the limit', bytes: 'abc\r', options: max3, events: [], rest: 'abc\r' },
  {
    name: 'CR at the end past the limit',
    bytes: 'abc\r',
    options: max3,
    eof: true,
    events: [],
    error: 'ERR_LINE_LIMIT',
  },
  { name: 'at the limit at the end', bytes: 'abc', options: max3, eof: true, events: [line('abc', false)] },
  {
    name: 'an error after good lines',
    bytes: 'a\nabcd\n',
    options: max3,
    events: [line('a')],
    error: 'ERR_LINE_LIMIT',
  },
  { name: 'strict: CR LF', bytes: 'a\r\n\r\nb\r', options: crlf, events: [line('a'), line('')], rest: 'b\r' },
  { name: 'strict: LF alone', bytes: 'a\nb\r\n', options: crlf, events: [], error: 'ERR_LINE_ENDING' },
  { name: 'strict: LF first', bytes: '\n', options: crlf, events: [], error: 'ERR_LINE_ENDING' },
  { name: 'strict: CR alone', bytes: 'a\rb\r\n', options: crlf, events: [], error: 'ERR_LINE_ENDING' },
  { name: 'strict: CR CR LF', bytes: 'a\r\r\n', options: crlf, events: [], error: 'ERR_LINE_ENDING' },
  { name: 'strict: LF CR', bytes: 'a\n\r', options: crlf, events: [], error: 'ERR_LINE_ENDING' },
  { name: 'strict: the end after CR', bytes: 'a\r', options: crlf, eof: true, events: [line('a\r', false)] },
  { name: 'strict: at the limit', bytes: 'abc\r\n', options: strict3, events: [line('abc')] },
  { name: 'strict: one past the limit', bytes: 'abcd\r\n', options: strict3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'strict: LF past the limit', bytes: 'abcd\n', options: strict3, events: [], error: 'ERR_LINE_LIMIT' },
  { name: 'strict: LF at the limit', bytes: 'abc\n', options: strict3, events: [], error: 'ERR_LINE_ENDING' },
  { name: 'strict: CR before the limit', bytes: 'ab\rde', options: strict3, events: [], error: 'ERR_LINE_ENDING' },
  {
    name: 'strict: at the limit, end after CR',
    bytes: 'abc\r',
    options: strict3,
    eof: true,
    events: [],
    error: 'ERR_LINE_LIMIT',
  },
]

test('LineDecoder reads its wire table, however it is cut', () => {
  const runs = checkWireTable((options) => new LineDecoder(options), ROWS)
  assert.ok(runs > ROWS.length * 3)
})

test('LineDecoder stops at 65,536 bytes by default, and one less passes', () => {
  const longest = new Uint8Array(65_537).fill(0x61)
  longest[65_536] = 0x0a
  assert.equal(feed(new LineDecoder(), [longest]).events[0]?.bytes.length, 65_536)
  assert.equal(feed(new LineDecoder(), [longest.fill(0x61)]).ending, 'ERR_LINE_LIMIT')
})

test('LineDecoder.receive refuses bytes after the end', () => {
  const decoder = new LineDecoder()
  decoder.receiveEof()
  decoder.receiveEof()
  assert.throws(() => decoder.receive(Uint8Array.of(1)), { code: 'ERR_STATE' })
})

test('LineDecoder.takeRest leaves a decoder that is as new', () => {
  const decoder = new LineDecoder(crlf)
  decoder.receive(toBytes('abc\r'))
  assert.deepEqual(decoder.nextEvent(), { type: 'need-data' })
  assert.deepEqual(decoder.takeRest(), toBytes('abc\r'))
  decoder.receive(toBytes('d\r\n'))
  assert.deepEqual(decoder.nextEvent(), line('d'))
})

test('LineDecoder names the option that it does not know', () => {
  const options: object = { maxLineByte: 1 }
  assert.throws(() => new LineDecoder(options), { code: 'ERR_OPTION_UNKNOWN' })
})

test('encodeLine adds the ending, and refuses what would be read as something else', () => {
  assert.deepEqual(encodeLine(toBytes('a')), toBytes('a\n'))
  assert.deepEqual(encodeLine(toBytes('a\rb')), toBytes('a\rb\n'))
  assert.deepEqual(encodeLine(toBytes(''), 'crlf'), toBytes('\r\n'))
  for (const text of ['a\nb', '\n', 'a\r']) assert.throws(() => encodeLine(toBytes(text)), UsageError)
  for (const text of ['a\nb', '\r', 'a\rb']) assert.throws(() => encodeLine(toBytes(text), 'crlf'), UsageError)
})
