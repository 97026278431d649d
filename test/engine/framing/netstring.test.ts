import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeNetstring,
  NetstringDecoder,
  type NetstringEvent,
  type NetstringOptions,
} from '#src/engine/framing/netstring.js'
import { checkWireTable, feed, toBytes, type WireRow } from '#src/testing/splits.js'

const frame = (text: string): NetstringEvent => ({ type: 'frame', bytes: toBytes(text) })
const refused = (bytes: string, name: string): WireRow<NetstringEvent, NetstringOptions> => {
  return { name, bytes, events: [], error: 'ERR_NETSTRING' }
}
const max12: NetstringOptions = { maxFrameBytes: 12 }
const endless: NetstringOptions = { maxFrameBytes: Infinity }

const ROWS: readonly WireRow<NetstringEvent, NetstringOptions>[] = [
  { name: 'the example of its description', bytes: '12:hello world!,', events: [frame('hello world!')] },
  { name: 'empty', bytes: '0:,0:,', events: [frame(''), frame('')], rest: '' },
  { name: 'commas and colons inside', bytes: '4:,:,:,1:,,', events: [frame(',:,:'), frame(',')] },
  { name: 'incomplete', bytes: '3:abc,12', events: [frame('abc')], rest: '12' },
  { name: 'nothing and the end', bytes: '', eof: true, events: [] },
  { name: 'the end after one', bytes: '1:a,', eof: true, events: [frame('a')] },
  { name: 'the end within digits', bytes: '1', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
  { name: 'the end within bytes', bytes: '2:a', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
  { name: 'the end before the comma', bytes: '1:a', eof: true, events: [], error: 'ERR_UNEXPECTED_END' },
  refused(':a,', 'no digits'),
  refused('01:a,', 'a leading zero'),
  refused('00:,', 'two zeros'),
  refused('-1:,', 'a sign'),
  refused('+1:a,', 'a plus sign'),
  refused(' 1:a,', 'a space before'),
  refused('1 :a,', 'a space after'),
  refused('1/', 'the byte before 0'),
  refused('1;', 'the byte after the colon, which is after 9'),
  refused('1:a;', 'another byte for the comma'),
  refused('1:ab,', 'more bytes than it says'),
  refused('1:a\n', 'a line feed for the comma'),
  { name: 'an error after a good one', bytes: '1:a,x', events: [frame('a')], error: 'ERR_NETSTRING' },
  { name: 'at the limit', bytes: '12:hello world!,', options: max12, events: [frame('hello world!')] },
  { name: 'one past the limit', bytes: '13', options: max12, events: [], error: 'ERR_FRAME_LIMIT' },
  { name: 'a digit too many', bytes: '120', options: max12, events: [], error: 'ERR_FRAME_LIMIT' },
  { name: '2^53 - 1', bytes: '9007199254740991:', options: endless, events: [], rest: '9007199254740991:' },
  { name: '2^53', bytes: '9007199254740992', options: endless, events: [], error: 'ERR_FRAME_LIMIT' },
  { name: 'endless digits', bytes: '9'.repeat(40), options: endless, events: [], error: 'ERR_FRAME_LIMIT' },
]

test('NetstringDecoder reads its wire table, however it is cut', () => {
  checkWireTable((options) => new NetstringDecoder(options), ROWS)
})

test('NetstringDecoder stops at 1 MiB by default', () => {
  assert.equal(feed(new NetstringDecoder(), [toBytes('1048576:')]).ending, 'need-data')
  assert.equal(feed(new NetstringDecoder(), [toBytes('1048577')]).ending, 'ERR_FRAME_LIMIT')
})

test('encodeNetstring writes what its description shows', () => {
  assert.deepEqual(encodeNetstring(toBytes('hello world!')), toBytes('12:hello world!,'))
  assert.deepEqual(encodeNetstring(toBytes('')), toBytes('0:,'))
})
