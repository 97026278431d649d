// Sections 12 and 13 of the Autobahn test suite: compressed messages under each agreement, on both ends.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  acceptOffer,
  offerDeflate,
  readAnswer,
  type DeflateParameters,
} from '#src/engine/websocket/deflate-parameters.js'
import { DeflateBudget, PeerDeflate } from '#src/websocket/deflate.js'
import { Chance } from '../http1/_differential.js'
import { Echo, feed, RAISED } from './_echo.js'
import { cutWire, fragmented, ROLES, wireOf, type Role } from './_frames.js'
import { COMPRESSED } from './cases/all.js'
import { leave } from './cases/case.js'
import type { Agreement, CompressedCase } from './cases/compression.js'

/** What the suite understands by an answer. */
function parametersOf(answer: string): DeflateParameters {
  const bits = (name: string): number => Number(new RegExp(`${name}_max_window_bits=(\\d+)`).exec(answer)?.[1] ?? 15)
  return {
    serverNoContextTakeover: answer.includes('server_no_context_takeover'),
    clientNoContextTakeover: answer.includes('client_no_context_takeover'),
    serverMaxWindowBits: bits('server'),
    clientMaxWindowBits: bits('client'),
  }
}

interface Ends {
  readonly ours: PeerDeflate
  readonly suites: PeerDeflate
}

function agree(role: Role, { offers, answer, answered }: Agreement): Ends {
  const budget = new DeflateBudget({ thresholdBytes: 0 })
  const others = new DeflateBudget({ thresholdBytes: 0 })
  if (role === 'server') {
    const accepted = acceptOffer(offers, budget.wishes) ?? assert.fail('no offer was taken')
    assert.equal(accepted.answer, answer)
    return {
      ours: new PeerDeflate('server', accepted.parameters, budget),
      suites: new PeerDeflate('client', parametersOf(answer), others),
    }
  }
  assert.equal(offerDeflate(budget.wishes), 'permessage-deflate; client_max_window_bits')
  const parameters = readAnswer(answered, budget.wishes) ?? assert.fail('the answer was not taken')
  return {
    ours: new PeerDeflate('client', parameters, budget),
    suites: new PeerDeflate('server', parametersOf(answered), others),
  }
}

/** Messages out of the source, one behind the other, and from its beginning again. */
function* messagesOf({ source, length, count }: CompressedCase): Generator<Uint8Array> {
  for (let turn = 0, from = 0; turn < count; turn += 1) {
    const to = (from + length) % source.length
    if (typeof source === 'string')
      yield Buffer.from(to > from ? source.slice(from, to) : source.slice(from) + source.slice(0, to))
    else yield to > from ? source.subarray(from, to) : Buffer.concat([source.subarray(from), source.subarray(0, to)])
    from = to
  }
}

function checkCompressed(row: CompressedCase, role: Role): void {
  const { ours, suites } = agree(role, row.agreement)
  const echo = new Echo(role, RAISED, ours)
  const chance = new Chance(row.length + row.fragment)
  for (const message of messagesOf(row)) {
    const compressed = suites.deflate(message)
    const frames = fragmented(row.opcode, compressed, row.fragment === 0 ? Infinity : row.fragment, 4)
    const wire = wireOf(frames, role)
    const places = Array.from({ length: chance.below(4) }, () => chance.below(wire.length))
    const [answer, ...others] = feed(
      echo,
      cutWire(
        wire,
        places.toSorted((left, right) => left - right),
      ),
      role,
    )
    assert.deepEqual([answer?.opcode, answer?.rsv, others.length], [row.opcode, 4, 0])
    const back = suites.inflate(answer?.payload ?? assert.fail(), Infinity)
    assert.ok(Buffer.compare(back, message) === 0, 'another message came back')
  }
  assert.equal(feed(echo, cutWire(wireOf([leave()], role), []), role)[0]?.opcode, 8)
  assert.equal(echo.refused, '')
}

suite('an end that echoes compressed messages', () => {
  for (const row of COMPRESSED) {
    const { id, count, length, fragment, agreement } = row
    const frames = fragment === 0 ? 'one frame' : `frames of ${fragment}`
    test(`case ${id}: ${count} times ${length} bytes in ${frames}, where ${agreement.name}`, () => {
      for (const role of ROLES) checkCompressed(row, role)
    })
  }
})
