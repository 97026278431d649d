import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { decodeProbe, encodeProbe, Meter } from '../../examples/jitter/meter.js'
import { example } from '../fixtures/example.js'

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`)

/** What is heard: sequence numbers with their round trips. */
const ROWS: readonly {
  readonly name: string
  readonly sent: number
  readonly heard: readonly (readonly [sequence: number, ms: number])[]
  readonly lost: number
  readonly reordered?: number
  readonly duplicates?: number
  readonly jitterMs?: number
}[] = [
  { name: 'nothing came', sent: 3, heard: [], lost: 3 },
  {
    name: 'all came, evenly',
    sent: 3,
    heard: [
      [0, 5],
      [1, 5],
      [2, 5],
    ],
    lost: 0,
  },
  {
    name: 'one was lost',
    sent: 3,
    heard: [
      [0, 5],
      [2, 5],
    ],
    lost: 1,
  },
  {
    name: 'two changed places',
    sent: 3,
    heard: [
      [0, 5],
      [2, 5],
      [1, 5],
    ],
    lost: 0,
    reordered: 1,
  },
  {
    name: 'one came twice',
    sent: 2,
    heard: [
      [0, 5],
      [0, 9],
      [1, 5],
    ],
    lost: 0,
    duplicates: 1,
  },
  {
    name: 'one is unknown',
    sent: 1,
    heard: [
      [0, 5],
      [7, 5],
    ],
    lost: 0,
  },
  {
    name: 'one difference of 16 ms',
    sent: 2,
    heard: [
      [0, 4],
      [1, 20],
    ],
    lost: 0,
    jitterMs: 1,
  },
  // J = 1, then 1 + (16 − 1) / 16.
  {
    name: 'two differences of 16 ms',
    sent: 3,
    heard: [
      [0, 4],
      [1, 20],
      [2, 4],
    ],
    lost: 0,
    jitterMs: 1.9375,
  },
]

for (const { name, sent, heard, lost, reordered = 0, duplicates = 0, jitterMs = 0 } of ROWS) {
  test(`Meter: ${name}`, () => {
    const meter = new Meter(sent)
    for (const [sequence, ms] of heard) meter.hear(sequence, ms)
    const report = meter.report(sent)
    assert.deepEqual(
      { lost: report.lost, reordered: report.reordered, duplicates: report.duplicates },
      { lost, reordered, duplicates },
    )
    near(report.jitterMs, jitterMs)
  })
}

test('decodeProbe reads what encodeProbe wrote, and refuses what is shorter', () => {
  const bytes = encodeProbe(0xffff_ffff, 2n ** 63n)
  assert.deepEqual(decodeProbe(bytes), { sequence: 0xffff_ffff, atUs: 2n ** 63n })
  assert.equal(decodeProbe(bytes.subarray(1)), undefined)
})

test('jitter measures against its own server', async (context) => {
  const server = example(context, 'jitter/start', ['serve', 'udp://127.0.0.1:0'])
  const client = example(context, 'jitter/start', [await server.endpoint(), '50', '1'])
  assert.deepEqual(await within('its end', client.exited, 20_000), { code: 0, signal: null })
  assert.match(client.stdout, /^50 sent, 50 back, 0 lost \(0\.0 %\), 0 out of order, 0 twice\nround trip .* jitter \d/)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
})
