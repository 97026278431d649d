import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, indexOfBytes } from '#src/base/bytes.js'
import { CODES } from '#src/base/codes.js'
import type { Decoder } from '#src/engine/framing/index.js'
import { DelimiterDecoder, encodeDelimited } from '#src/engine/framing/delimiter.js'
import { encodeFrame, LengthPrefixDecoder, type LengthPrefix } from '#src/engine/framing/length-prefix.js'
import { encodeLine, LineDecoder } from '#src/engine/framing/lines.js'
import { encodeNetstring, NetstringDecoder } from '#src/engine/framing/netstring.js'
import { ProxyHeaderDecoder } from '#src/engine/proxy-protocol/decoder.js'
import { cutAt, feed, toBytes } from '#src/testing/splits.js'
import { countBytesTouched } from './_bytes-touched.js'

const PREFIXES: readonly LengthPrefix[] = [
  'u8',
  'u16be',
  'u16le',
  'u24be',
  'u24le',
  'u32be',
  'u32le',
  'u64be',
  'u64le',
  'varint',
  'mqtt',
]
const limits = { maxFrameBytes: 40 }
const MAKERS: Readonly<Record<string, () => Decoder<object>>> = {
  lines: () => new LineDecoder({ maxLineBytes: 10 }),
  'strict lines': () => new LineDecoder({ maxLineBytes: 10, ending: 'crlf' }),
  'delimiter aab': () => new DelimiterDecoder(toBytes('aab'), limits),
  netstring: () => new NetstringDecoder(limits),
  'PROXY header': () => new ProxyHeaderDecoder(),
  ...Object.fromEntries(PREFIXES.map((prefix) => [prefix, () => new LengthPrefixDecoder(prefix, limits)])),
}

/** Bytes that mean something to one decoder or another, and now and then any. */
const telling = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...toBytes('\r\n\r\naab0123:,\0\0\x01\x02\x80')) },
      { weight: 1, arbitrary: fc.nat({ max: 255 }) },
    ),
    { maxLength: 60 },
  )
  .map((bytes) => Uint8Array.from(bytes))
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 })

for (const [name, make] of Object.entries(MAKERS)) {
  test(`the outcome of ${name} never depends on the cuts, and its errors are documented`, () => {
    fc.assert(
      fc.property(telling, cuts, fc.boolean(), (bytes, places, eof) => {
        const whole = feed(make(), [bytes], { eof })
        const cut = feed(make(), cutAt(bytes, places), { eof })
        assert.deepEqual([cut.events, cut.ending], [whole.events, whole.ending])
        if (whole.ending.startsWith('ERR_')) assert.ok(whole.ending in CODES)
        else assert.deepEqual(cut.rest, whole.rest)
      }),
      { numRuns: 300 },
    )
  })
}

const payloads = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 })

function roundTrip(
  make: () => Decoder<{ readonly bytes: Uint8Array }>,
  encode: (bytes: Uint8Array) => Uint8Array,
): void {
  fc.assert(
    fc.property(payloads, cuts, (sent, places) => {
      const { events, rest } = feed(make(), cutAt(concatBytes(sent.map(encode)), places))
      assert.deepEqual(
        events.map(({ bytes }) => bytes),
        sent,
      )
      assert.equal(rest.length, 0)
    }),
    { numRuns: 100 },
  )
}

test('what encodeFrame writes with any prefix, LengthPrefixDecoder reads', () => {
  for (const prefix of PREFIXES) {
    roundTrip(
      () => new LengthPrefixDecoder(prefix),
      (bytes) => encodeFrame(prefix, bytes),
    )
  }
})

test('what encodeNetstring writes, NetstringDecoder reads', () => {
  roundTrip(() => new NetstringDecoder(), encodeNetstring)
})

test('what encodeLine writes, LineDecoder reads, and what it refuses would read differently', () => {
  for (const ending of ['lf', 'crlf'] as const) {
    fc.assert(
      fc.property(telling, (bytes) => {
        const decoder = new LineDecoder({ ending: ending === 'crlf' ? 'crlf' : 'any' })
        const plain = concatBytes([bytes, toBytes(ending === 'crlf' ? '\r\n' : '\n')])
        const { events, ending: outcome } = feed(decoder, [plain])
        const same = events.length === 1 && events[0]?.bytes.length === bytes.length && outcome === 'need-data'
        if (same) assert.deepEqual(encodeLine(bytes, ending), plain)
        else assert.throws(() => encodeLine(bytes, ending), { code: 'ERR_ARGUMENT' })
      }),
    )
  }
})

test('DelimiterDecoder finds each delimiter where a plain search finds it', () => {
  const delimiter = fc.array(fc.constantFrom(0x61, 0x62), { minLength: 1, maxLength: 5 })
  const text = fc.array(fc.constantFrom(0x61, 0x62), { maxLength: 40 })
  fc.assert(
    fc.property(delimiter, text, cuts, (pattern, letters, places) => {
      const [mark, bytes] = [Uint8Array.from(pattern), Uint8Array.from(letters)]
      const expected: Uint8Array[] = []
      let from = 0
      for (let at = indexOfBytes(bytes, mark); at !== -1; at = indexOfBytes(bytes, mark, from)) {
        expected.push(bytes.subarray(from, at))
        from = at + mark.length
      }
      const { events, rest } = feed(new DelimiterDecoder(mark), cutAt(bytes, places))
      assert.deepEqual(
        events.map((event) => event.bytes),
        expected,
      )
      assert.deepEqual(rest, bytes.subarray(from))
      if (expected[0] !== undefined)
        assert.equal(encodeDelimited(mark, expected[0]).length, expected[0].length + mark.length)
    }),
  )
})

const LONG = 20_000
const letters = new Uint8Array(LONG).fill(0x61)
const unlimited = { maxFrameBytes: Infinity }
const WORK: Readonly<Record<string, readonly [() => Decoder<object>, Uint8Array]>> = {
  'one long line': [() => new LineDecoder(), encodeLine(letters)],
  'one long strict line': [() => new LineDecoder({ ending: 'crlf' }), encodeLine(letters, 'crlf')],
  'many short lines': [() => new LineDecoder(), concatBytes(Array.from({ length: LONG / 4 }, () => toBytes('abc\n')))],
  'almost a delimiter again and again': [() => new DelimiterDecoder(toBytes('aaaaaaaab'), unlimited), letters],
  'one long frame': [() => new LengthPrefixDecoder('u32be'), encodeFrame('u32be', letters)],
  'one long netstring': [() => new NetstringDecoder(), encodeNetstring(letters)],
}

for (const [name, [make, bytes]] of Object.entries(WORK)) {
  test(`the bytes moved and searched for ${name} grow with the input, byte by byte as well as whole`, () => {
    const places = Array.from(bytes, (_, place) => place)
    for (const pieces of [[bytes], cutAt(bytes, places)]) {
      const decoder = make()
      const touched = countBytesTouched(() => {
        for (const piece of pieces) {
          decoder.receive(piece)
          while (!['need-data', 'end'].includes(String(Reflect.get(decoder.nextEvent(), 'type')))) continue
        }
      })
      assert.ok(touched >= bytes.length, `counted ${touched}: less than was given`)
      assert.ok(touched <= bytes.length * 6, `${touched} bytes touched for ${bytes.length} given`)
    }
  })
}
