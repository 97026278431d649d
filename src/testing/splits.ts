import assert from 'node:assert/strict'
import { concatBytes } from '../base/bytes.js'
import { errorCodeOf } from '../base/errors.js'
import type { Decoder, End, NeedData } from '../engine/decoder.js'

/** What a decoder must make of some bytes, however they are cut. */
export interface WireRow<Event, Options = undefined> {
  /** A sentence part, for the message when the row fails. */
  readonly name: string
  /** A string stands for its characters as bytes (Latin-1). */
  readonly bytes: Uint8Array | string
  /** Whether the peer finishes after the bytes. Default false. */
  readonly eof?: boolean
  readonly options?: Options
  readonly events: readonly Event[]
  /** The code of the error that is thrown after the events. Default: none is thrown. */
  readonly error?: string
  /** What `takeRest` gives when all events were taken, when the row states it. */
  readonly rest?: Uint8Array | string
}

/** What a decoder made of its input. */
export interface Outcome<Event> {
  readonly events: readonly Event[]
  /** `need-data`, `end`, `stopped`, or the code of an error. */
  readonly ending: string
  /** What was not used: the decoder's rest, and the pieces that it was not given any more. */
  readonly rest: Uint8Array
}

export interface FeedOptions {
  /** Whether the peer finishes after the last piece. Default false. */
  readonly eof?: boolean
  /** Stop when so many events were taken. Default: never. */
  readonly maxEvents?: number
}

const SPOILED = 0xaa
const TRAILING = Uint8Array.of(0xff, 0x00, 0x0d, 0x0a, 0x2c)

/**
 * Feeds the pieces to a decoder one after the other, each through one shared buffer that is spoiled as soon as `receive`
 * returns, and takes all events after each.
 */
export function feed<Event extends object>(
  decoder: Decoder<Event>,
  pieces: readonly Uint8Array[],
  { eof = false, maxEvents = Infinity }: FeedOptions = {},
): Outcome<Event> {
  const shared = new Uint8Array(Math.max(0, ...pieces.map((piece) => piece.length)))
  const events: Event[] = []
  let ending = 'need-data'
  let fed = 0
  const pull = (): boolean => {
    const pulled = pullAll(decoder, events, maxEvents)
    ending = pulled
    return pulled === 'need-data'
  }
  let going = true
  while (going && fed < pieces.length) {
    const piece = pieces[fed] ?? shared
    fed += 1
    shared.set(piece)
    decoder.receive(shared.subarray(0, piece.length))
    shared.fill(SPOILED)
    going = pull()
  }
  if (going && eof) {
    decoder.receiveEof()
    pull()
  }
  return { events, ending, rest: concatBytes([decoder.takeRest(), ...pieces.slice(fed)]) }
}

function pullAll<Event extends object>(decoder: Decoder<Event>, events: Event[], maxEvents: number): string {
  for (;;) {
    if (events.length >= maxEvents) return 'stopped'
    try {
      const event = decoder.nextEvent()
      if (isSignal(event)) return event.type
      events.push(event)
    } catch (error) {
      assert.throws(() => decoder.nextEvent(), errorIs(error), 'an error is final: the next call throws it again')
      const code = errorCodeOf(error)
      if (code === undefined) throw error
      return code
    }
  }
}

function isSignal(event: object): event is NeedData | End {
  return 'type' in event && (event.type === 'need-data' || event.type === 'end')
}

function errorIs(expected: unknown): (error: unknown) => boolean {
  return (error) => error === expected
}

/** Cuts bytes at the given places, in any order; places outside and repeated ones give empty pieces or none. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => Math.min(Math.max(place, 0), bytes.length)).sort((left, right) => left - right)
  const ends = [...sorted, bytes.length]
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

/** Every way of cutting that a row is run with: whole, byte by byte, and in two at each place. */
export function everySplit(bytes: Uint8Array): Uint8Array[][] {
  const places = Array.from({ length: bytes.length + 1 }, (_, place) => place)
  return [[bytes], cutAt(bytes, places), ...places.map((place) => cutAt(bytes, [place]))]
}

/**
 * Runs a row whole, byte by byte, and cut in two at every place, and each of these once more for every event, stopping
 * there: the outcome never depends on the cuts, and no byte behind the events is lost.
 *
 * @returns how many runs were made, for a test that counts.
 * @throws AssertionError naming the row and the cut.
 */
export function checkWireRow<Event extends object, Options = undefined>(
  make: (options: Options | undefined) => Decoder<Event>,
  row: WireRow<Event, Options>,
): number {
  const bytes = toBytes(row.bytes)
  const eof = row.eof ?? false
  const start = (): Decoder<Event> => make(row.options)
  const whole = feed(start(), [bytes], { eof })
  assert.deepEqual([whole.events, whole.ending], [row.events, endingOf(row, whole)], `${row.name}: whole`)
  if (row.rest !== undefined) assert.deepEqual(whole.rest, toBytes(row.rest), `${row.name}: rest`)
  let runs = 1
  for (const pieces of everySplit(bytes)) {
    const cut = `${row.name}: cut as ${pieces.map((piece) => piece.length).join('+')}`
    const { events, ending, rest } = feed(start(), pieces, { eof })
    assert.deepEqual([events, ending], [whole.events, whole.ending], cut)
    if (row.error === undefined) assert.deepEqual(rest, whole.rest, `${cut}: rest`)
    runs += 1 + checkStops(start, row, pieces, cut)
  }
  return runs
}

function endingOf<Event>(row: WireRow<Event, unknown>, whole: Outcome<Event>): string {
  if (row.error !== undefined) return row.error
  return row.eof === true || whole.ending === 'end' ? 'end' : 'need-data'
}

/** Stops after each event that came without the end of input, with more bytes behind, and expects all of them back. */
function checkStops<Event extends object>(
  start: () => Decoder<Event>,
  row: WireRow<Event, unknown>,
  pieces: readonly Uint8Array[],
  cut: string,
): number {
  const bytes = toBytes(row.bytes)
  const unfinished = feed(start(), [bytes]).events.length
  for (let maxEvents = 1; maxEvents <= unfinished; maxEvents += 1) {
    const expected = feed(start(), [bytes], { maxEvents })
    const stopped = feed(start(), [...pieces, TRAILING], { maxEvents })
    assert.deepEqual(stopped.events, row.events.slice(0, maxEvents), `${cut}: stopped after ${maxEvents}`)
    assert.deepEqual(stopped.rest, concatBytes([expected.rest, TRAILING]), `${cut}: rest after ${maxEvents}`)
    assert.deepEqual(bytes.subarray(bytes.length - expected.rest.length), expected.rest, `${cut}: rest is the tail`)
  }
  return unfinished
}

/** Runs every row of a table. @returns how many runs were made. @throws AssertionError for an empty table. */
export function checkWireTable<Event extends object, Options = undefined>(
  make: (options: Options | undefined) => Decoder<Event>,
  rows: readonly WireRow<Event, Options>[],
): number {
  assert.notEqual(rows.length, 0, 'a wire table without rows tests nothing')
  assert.equal(new Set(rows.map((row) => row.name)).size, rows.length, 'every row has a name of its own')
  return rows.reduce((runs, row) => runs + checkWireRow(make, row), 0)
}

export function toBytes(bytes: Uint8Array | string): Uint8Array {
  return typeof bytes === 'string' ? Uint8Array.from(bytes, (character) => character.charCodeAt(0)) : bytes
}
