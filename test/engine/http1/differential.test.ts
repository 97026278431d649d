import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differenceOn, EXPLAINED, fuzz } from './_differential.js'

const INPUTS = 200_000
/** The same inputs each time: new ones are looked for with `npm run fuzz`. */
const seed = Number(process.env['MOORAGE_SEED'] ?? 121_947)

test(`what ServerConnection reads of ${INPUTS} mutated requests llhttp reads alike (MOORAGE_SEED=${seed})`, () => {
  const { inputs, alike, findings } = fuzz(INPUTS, seed)
  assert.deepEqual(findings.slice(0, 5), [])
  assert.equal(inputs, INPUTS)
  assert.ok(alike > INPUTS / 10, `only ${alike} requests were read by both`)
})

for (const { name, section, why, example, is } of EXPLAINED) {
  test(`the two differ in ${name}: ${why} (${section})`, () => {
    const difference = differenceOn(example)
    assert.ok(difference !== undefined && is(difference))
  })
}
