import assert from 'node:assert/strict'
import { Chance } from '../http1/_differential.js'
import { Echo, feed, RAISED } from './_echo.js'
import { cutWire, wireOf, type Role, type Segment, type Wire } from './_frames.js'
import { cutPlaces } from './_receive.js'
import { leave, type Case } from './cases/case.js'

/** Up to here every byte is fed alone. */
const MAX_SINGLE = 70_000

const steps = (length: number, size: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil(length / size) - 1) }, (_, i) => (i + 1) * size)

/** The cuts that a case is run with: as the suite sends it, whole, byte by byte, and at many places. */
function* waysToCut({ length, starts }: Wire, chop: Case['chop']): Generator<readonly number[]> {
  yield []
  if (chop === 'frame') yield starts.slice(1)
  else if (chop !== undefined) yield steps(length, chop)
  if (length <= MAX_SINGLE) {
    yield steps(length, 1)
    for (const place of cutPlaces(length)) yield [place]
    return
  }
  const chance = new Chance(length)
  const places = [...steps(20, 1), ...Array.from({ length: 12 }, () => 20 + chance.below(length - 20))]
  yield places.toSorted((left, right) => left - right)
}

/** @returns how many ways of cutting it was run in. */
export function checkCase(row: Case, role: Role): number {
  const { sent, answers, ends = [1000], refused = '' } = row
  const wire = wireOf(row.ends === undefined ? [...sent, leave()] : sent, role)
  let ways = 0
  for (const places of waysToCut(wire, row.chop)) {
    ways += 1
    checkRun(cutWire(wire, places), row, role)
  }
  function checkRun(pieces: readonly Segment[], { name }: Case, reader: Role): void {
    const echo = new Echo(reader, RAISED)
    const frames = feed(echo, pieces, reader)
    const how = `${name}, ${reader}, in ${pieces.length} pieces`
    assert.equal(frames.length, answers.length + 1, how)
    for (const [i, { opcode, payload }] of answers.entries()) {
      assert.equal(frames[i]?.opcode, opcode, how)
      assert.ok(Buffer.compare(frames[i].payload, payload) === 0, `${how}: another payload came back`)
    }
    const { opcode, payload = Buffer.alloc(0) } = frames.at(-1) ?? {}
    assert.equal(opcode, 8, how)
    const code = payload.length === 0 ? 1005 : Buffer.from(payload).readUInt16BE()
    assert.ok(ends[0] === code, `${how}: closed with ${code}, not with ${ends.join(' or ')}`)
    assert.equal(echo.refused, refused, how)
  }
  return ways
}
