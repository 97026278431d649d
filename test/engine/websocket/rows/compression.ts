// RFC 7692 §6: what RSV1 means where permessage-deflate was agreed on. What is compressed is not looked at here.
import { begin, binary, close, frame, last, more, octets, ping, text } from '../_frames.js'
import { FRAME, type ReadRow, type RefusedRow } from './row.js'

const RSV1 = { rsv: 4 }
const SECTION = 'RFC 7692 §6.1'
const wrongUtf8 = octets(0xc3, 0x28)

const READ_ROWS: readonly Omit<ReadRow, 'section' | 'deflates'>[] = [
  { name: 'a compressed text', sent: [text('abc', RSV1)], events: ['compressed text abc'] },
  { name: 'compressed bytes', sent: [binary('abc', RSV1)], events: ['compressed binary abc'] },
  { name: 'a compressed message of nothing', sent: [text('', RSV1)], events: ['compressed text '] },
  {
    name: 'a compressed text in fragments: the first alone says so',
    sent: [begin(1, 'a', RSV1), more('b'), last('c')],
    events: ['compressed text abc'],
  },
  {
    name: 'compressed bytes in fragments, with a ping between them',
    sent: [begin(2, 'a', RSV1), ping('p'), more(), last('c')],
    events: ['ping p', 'compressed binary ac'],
  },
  {
    name: 'messages that are compressed and others that are not',
    sent: [text('a'), text('b', RSV1), binary('c'), begin(1, 'd', RSV1), last('e'), begin(1, 'f'), last('g')],
    events: ['text a', 'compressed text b', 'binary c', 'compressed text de', 'text fg'],
  },
  {
    name: 'a compressed text of bytes that are no UTF-8: they are not text yet',
    sent: [text(wrongUtf8, RSV1), begin(1, wrongUtf8, RSV1), last(wrongUtf8)],
    events: ['compressed text \xc3\x28', 'compressed text \xc3\x28\xc3\x28'],
  },
  {
    name: 'a text that is not compressed behind half a character that is',
    sent: [begin(1, octets(0xc3), RSV1), last(), text('é')],
    events: ['compressed text \xc3', 'text é'],
  },
  {
    name: 'a long compressed message',
    sent: [binary('a'.repeat(300), RSV1)],
    events: [`compressed binary ${'a'.repeat(300)}`],
  },
]

export const READ: readonly ReadRow[] = READ_ROWS.map((row) => ({ ...row, section: SECTION, deflates: true }))

const refused = (name: string, sent: RefusedRow['sent'], more: Partial<RefusedRow> = {}): RefusedRow => ({
  name,
  section: 'RFC 6455 §5.2',
  deflates: true,
  sent,
  refused: FRAME,
  decided: 2,
  ...more,
})

export const REFUSED: readonly RefusedRow[] = [
  refused('RSV1 on a continuation', [begin(1, 'a', RSV1), frame(0, 'b', RSV1)]),
  refused('RSV1 on a continuation of what is not compressed', [begin(1, 'a'), frame(0, 'b', RSV1)]),
  refused('RSV1 on a fragment in the middle', [begin(2, 'a', RSV1), frame(0, 'b', { ...RSV1, fin: false })]),
  ...[8, 9, 10].map((opcode) => refused(`RSV1 on a control frame 0x${opcode.toString(16)}`, [frame(opcode, '', RSV1)])),
  ...[3, 11].map((opcode) => refused(`RSV1 on the opcode 0x${opcode.toString(16)}`, [frame(opcode, '', RSV1)])),
  ...[1, 2, 3, 5, 6, 7].map((rsv) => refused(`the reserved bits ${rsv} beside compression`, [text('a', { rsv })])),
  refused('a text that is not compressed, and no UTF-8', [text('a', RSV1), text(wrongUtf8)], {
    section: 'RFC 6455 §8.1',
    refused: 'ERR_WEBSOCKET_UTF8 1007',
    decided: -0,
    events: ['compressed text a'],
  }),
  refused('a close with a code that may not be sent, beside compression', [close(octets(0x03, 0xed))], {
    section: 'RFC 6455 §7.4',
    refused: 'ERR_WEBSOCKET_CLOSE 1002',
    decided: -0,
  }),
]
