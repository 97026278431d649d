import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { begin, close, last, ping, ROLES, text, wireOf } from './_frames.js'
import { cutCount, receiveEveryWay, receiveToEnd, receiveWithBehind, type Reading } from './_receive.js'
import { READ, REFUSED } from './rows/all.js'
import type { ReadRow, RefusedRow } from './rows/row.js'

const BEHIND = [ping('behind'), last('behind'), text('behind'), begin(2), close()]

test('every row of frames has a name of its own', () => {
  const names = [...READ, ...REFUSED].map(({ name }) => name)
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
  assert.ok(READ.length >= 200 && REFUSED.length >= 350, `${READ.length} rows are read, ${REFUSED.length} refused`)
})

const readingOf = (row: ReadRow | RefusedRow, role: Reading['role']): Reading => ({
  role,
  deflates: row.deflates ?? false,
  ...(row.limits === undefined ? {} : { limits: row.limits }),
})

function checkRuns(bytes: number, runs: number): void {
  assert.ok(runs >= 5 + 2 * cutCount(bytes), `only ${runs} runs of ${bytes} bytes`)
}

suite('frames that are read', () => {
  for (const row of READ) {
    const { name, section, sent, events, ending = 'need-data', partial = false } = row
    test(`${name} (${section})`, () => {
      for (const role of row.roles ?? ROLES) {
        const reading = readingOf(row, role)
        const { seen, runs } = receiveEveryWay(sent, reading)
        checkRuns(wireOf(sent, role).length, runs)
        assert.deepEqual(seen, { events, ending, section: '' }, role)
        const atEnd = receiveToEnd(sent, reading)
        assert.deepEqual(atEnd, { ...seen, ending: 'end' }, `${role}: the peer ends behind it`)
        if (partial) continue
        const told = ending === 'end' ? events : [...events, 'ping behind']
        const limits = { ...reading.limits, maxControlFramesPerSecond: Infinity, maxFramesPerSecond: Infinity }
        for (const behind of receiveWithBehind(sent, [ping('behind')], { ...reading, limits }))
          assert.deepEqual(behind, { ...seen, events: told }, `${role}: what is behind it is not lost`)
      }
    })
  }
})

suite('frames that are refused', () => {
  for (const row of REFUSED) {
    const { name, section, sent, events = [], refused, decided } = row
    test(`${name} (${section})`, () => {
      for (const role of row.roles ?? ROLES) {
        const reading = readingOf(row, role)
        const { seen, runs, bytesUsed } = receiveEveryWay(sent, reading)
        const { length, starts } = wireOf(sent, role)
        checkRuns(length, runs)
        assert.equal(seen.ending, refused, role)
        assert.deepEqual(seen.events, events, role)
        if (seen.section !== '') assert.equal(seen.section, section)
        const isFromStart = decided > 0
        const expected = isFromStart ? (starts.at(-1) ?? 0) + decided : length + decided
        assert.equal(bytesUsed, expected, `${role}: refused as soon as it is known, and not before`)
        for (const behind of receiveWithBehind(sent, BEHIND, reading))
          assert.deepEqual(behind, seen, `${role}: nothing behind it is delivered`)
      }
    })
  }
})
