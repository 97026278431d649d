import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differenceOn, EXPLAINED, explanationOf, fuzz } from './_differential.js'

const INPUTS = 200_000
/** The same inputs each time: new ones are looked for with `npm run fuzz`. */
const seed = Number(process.env['MOORAGE_SEED'] ?? 645_576)

test(`what WebSocketConnection makes of ${INPUTS} mutated streams ws makes of them too (MOORAGE_SEED=${seed})`, () => {
  const { inputs, alike, refused, explained, findings } = fuzz(INPUTS, seed)
  assert.deepEqual(
    findings.slice(0, 5).map(({ input, why }) => `${input.role} ${Buffer.from(input.bytes).toString('hex')}: ${why}`),
    [],
  )
  assert.equal(inputs, INPUTS)
  assert.ok(alike > INPUTS / 4, `only ${alike} events were told by both`)
  assert.ok(refused > INPUTS / 4, `only ${refused} streams were refused by both`)
  for (const { name } of EXPLAINED) assert.ok((explained.get(name) ?? 0) > 0, `no input shows: ${name}`)
})

for (const { name, section, why, example, is } of EXPLAINED) {
  test(`the two differ in ${name}: ${why} (${section})`, () => {
    const difference = differenceOn(example)
    assert.ok(difference !== undefined && is(difference))
    assert.equal(explanationOf(difference)?.name, name)
  })
}
