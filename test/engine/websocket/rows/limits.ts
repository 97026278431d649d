// Limits, each at what it allows and one past it. Those by the second count what `nextEvent` is told of the time.
import { at, begin, binary, close, frame, goodbye, last, more, ping, pong, text, type Item } from '../_frames.js'
import type { WebSocketLimits } from '#src/engine/websocket/options.js'
import type { ReadRow, RefusedRow } from './row.js'

const SECTION = 'RFC 6455 §10.4'
const BYTES = 'ERR_WEBSOCKET_MESSAGE_LIMIT 1009'
const FRAGMENTS = 'ERR_WEBSOCKET_FRAGMENT_LIMIT 1009'
const RATE = 'ERR_WEBSOCKET_FRAME_RATE 1008'
const times = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i))

const within = (
  name: string,
  limits: Partial<WebSocketLimits>,
  sent: readonly Item[],
  events: readonly string[],
  more: Partial<ReadRow> = {},
): ReadRow => ({ name, section: SECTION, limits, sent, events, ...more })

const past = (
  name: string,
  limits: Partial<WebSocketLimits>,
  refused: string,
  sent: readonly Item[],
  more: Partial<RefusedRow>,
): RefusedRow => ({ name, section: SECTION, limits, refused, sent, decided: 2, ...more })

const TEN = { maxMessageBytes: 10 }
const LONG = { maxMessageBytes: 200 }
const VERY_LONG = { maxMessageBytes: 70_000 }
const tenTimes = '0123456789'
const THREE = { maxFragments: 3 }
const TWO_FRAMES = { maxFramesPerSecond: 2 }
const TWO_CONTROLS = { maxControlFramesPerSecond: 2 }

export const READ: readonly ReadRow[] = [
  within('a text as long as may be', TEN, [text(tenTimes)], [`text ${tenTimes}`]),
  within(
    'bytes as long as may be, in frames',
    TEN,
    [begin(2, '01234'), more('5678'), last('9')],
    [`binary ${tenTimes}`],
  ),
  within(
    'two messages that are longer together',
    TEN,
    [text(tenTimes), begin(1, '01'), last('23456789'), text('a')],
    [`text ${tenTimes}`, `text ${tenTimes}`, 'text a'],
  ),
  within(
    'a ping that is longer than a message may be',
    TEN,
    [begin(1, 'a'), ping(`${tenTimes}x`), last('b')],
    [`ping ${tenTimes}x`, 'text ab'],
  ),
  within(
    'a message as long as may be, with a length of 16 bits',
    LONG,
    [binary('a'.repeat(200))],
    [`binary ${'a'.repeat(200)}`],
  ),
  within(
    'the header of a message as long as may be, with a length of 64 bits',
    VERY_LONG,
    [frame(2, '', { announced: 70_000n })],
    [],
    { partial: true },
  ),
  within(
    'a compressed message as long as may be',
    TEN,
    [begin(1, '01234', { rsv: 4 }), last('56789')],
    [`compressed text ${tenTimes}`],
    { deflates: true },
  ),
  within(
    'a compressed message of one frame as long as may be',
    TEN,
    [text(tenTimes, { rsv: 4 })],
    [`compressed text ${tenTimes}`],
    { deflates: true },
  ),
  within('the default limit of a message', {}, [frame(2, '', { announced: 1_048_576n })], [], { partial: true }),

  within('as many frames as may be', THREE, [begin(1, 'a'), more('b'), last('c')], ['text abc']),
  within(
    'as many frames as may be, twice',
    THREE,
    [begin(1), more(), last(), begin(2), more(), last()],
    ['text ', 'binary '],
  ),
  within(
    'control frames are no fragments',
    THREE,
    [begin(1), ping(), pong(), more(), ping(), last()],
    ['ping ', 'pong ', 'ping ', 'text '],
  ),
  within(
    'whole messages are no fragments',
    THREE,
    times(5, (i) => text(`${i}`)),
    times(5, (i) => `text ${i}`),
  ),
  within('a message of one frame, where no more may be', { maxFragments: 1 }, [text('a')], ['text a']),

  within('as many frames in a second as may be', TWO_FRAMES, [text('a'), text('b')], ['text a', 'text b']),
  within(
    'more frames in two seconds',
    TWO_FRAMES,
    [text('a'), text('b'), at(1000), text('c'), binary('d')],
    ['text a', 'text b', 'text c', 'binary d'],
  ),
  within(
    'a second begins with a frame',
    TWO_FRAMES,
    [at(500), text('a'), at(1499), text('b'), at(1500), text('c')],
    ['text a', 'text b', 'text c'],
  ),
  within(
    'a close is not counted',
    TWO_FRAMES,
    [text('a'), text('b'), close(goodbye(1000))],
    ['text a', 'text b', 'close 1000 '],
    { ending: 'end' },
  ),
  within('as many control frames in a second as may be', TWO_CONTROLS, [ping('a'), pong('b')], ['ping a', 'pong b']),
  within(
    'messages are no control frames',
    TWO_CONTROLS,
    [ping(), ...times(9, () => text('a')), pong()],
    ['ping ', ...times(9, () => 'text a'), 'pong '],
  ),
  within(
    'more control frames in two seconds',
    TWO_CONTROLS,
    [ping(), ping(), at(1000), ping(), ping()],
    times(4, () => 'ping '),
  ),
  within(
    'as many control frames as the default allows',
    {},
    times(100, () => ping()),
    times(100, () => 'ping '),
  ),
  within(
    'any number of messages, by default',
    {},
    times(300, () => text('')),
    times(300, () => 'text '),
  ),
  within(
    'a clock that begins anywhere',
    TWO_CONTROLS,
    [at(1e12), ping(), ping(), at(1e12 + 1000), ping()],
    times(3, () => 'ping '),
  ),
]

export const REFUSED: readonly RefusedRow[] = [
  past('a text of one byte more', TEN, BYTES, [text(`${tenTimes}x`)], {}),
  past('bytes of one byte more', TEN, BYTES, [binary(`${tenTimes}x`)], {}),
  past('one byte more in the last frame', TEN, BYTES, [begin(2, tenTimes), last('x')], {}),
  past('one byte more in the second frame', TEN, BYTES, [begin(1, '01234'), more('56789x')], {}),
  past('one byte more behind a message', TEN, BYTES, [text(tenTimes), text(`${tenTimes}x`)], {
    events: [`text ${tenTimes}`],
  }),
  past('one byte more with a length of 16 bits', LONG, BYTES, [binary('a'.repeat(201))], { decided: 4 }),
  past('one byte more with a length of 64 bits', VERY_LONG, BYTES, [frame(2, '', { announced: 70_001n })], {
    decided: 10,
  }),
  past('a length that cannot be counted exactly', VERY_LONG, BYTES, [frame(2, '', { announced: (1n << 63n) - 1n })], {
    decided: 10,
  }),
  past('a compressed message of one byte more', TEN, BYTES, [begin(1, tenTimes, { rsv: 4 }), last('x')], {
    deflates: true,
  }),
  past('one byte more than the default limit', {}, BYTES, [frame(2, '', { announced: 1_048_577n })], { decided: 10 }),

  past('one frame more', THREE, FRAGMENTS, [begin(1, 'a'), more('b'), more('c'), last('d')], {}),
  past('one frame more of nothing', THREE, FRAGMENTS, [begin(2), more(), more(), last()], {}),
  past(
    'one frame more in the second message',
    THREE,
    FRAGMENTS,
    [begin(1), more(), last(), begin(1), more(), more(), more()],
    { events: ['text '] },
  ),
  past('a second frame, where one may be', { maxFragments: 1 }, FRAGMENTS, [begin(1, 'a'), last()], {}),

  past('one frame more in a second', TWO_FRAMES, RATE, [text('a'), text('b'), text('c')], {
    events: ['text a', 'text b'],
    decided: -1,
    roles: ['client'],
  }),
  past('one frame more at the end of the second', TWO_FRAMES, RATE, [text(), at(999), text(), text()], {
    events: ['text ', 'text '],
    decided: -0,
  }),
  past('one frame more in the next second', TWO_FRAMES, RATE, [text(), at(1000), text(), text(), text()], {
    events: ['text ', 'text ', 'text '],
    decided: -0,
  }),
  past('fragments are frames', TWO_FRAMES, RATE, [begin(1), more(), last()], { decided: -0 }),
  past('control frames are frames', TWO_FRAMES, RATE, [text(), ping(), pong()], {
    events: ['text ', 'ping '],
    decided: -0,
  }),
  past('one control frame more in a second', TWO_CONTROLS, RATE, [ping(), pong(), ping()], {
    events: ['ping ', 'pong '],
    decided: -0,
  }),
  past('one control frame more within a message', TWO_CONTROLS, RATE, [begin(1), ping(), pong(), pong()], {
    events: ['ping ', 'pong '],
    decided: -0,
  }),
  past('one control frame more in the next second', TWO_CONTROLS, RATE, [ping(), at(1500), ping(), ping(), ping()], {
    events: ['ping ', 'ping ', 'ping '],
    decided: -0,
  }),
  past(
    'one control frame more than the default allows',
    {},
    RATE,
    times(101, () => ping()),
    {
      events: times(100, () => 'ping '),
      decided: -0,
    },
  ),
]
