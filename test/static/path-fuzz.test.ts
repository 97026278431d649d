import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzPaths } from './_path-fuzz.js'

const REQUESTS = 6000
/** The same targets each time: new ones are looked for with `npm run fuzz -- paths`. */
const seed = Number(process.env['MOORAGE_SEED'] ?? 121_947)

test(`no secret is answered to ${REQUESTS} made up paths while links are swapped (MOORAGE_SEED=${seed})`, async () => {
  const { requests, statuses, swaps, findings } = await fuzzPaths({ requests: REQUESTS }, seed)
  assert.deepEqual(findings.slice(0, 3), [])
  assert.ok(requests >= REQUESTS && swaps > 0)
  for (const status of ['200', '206', '304', '308', '400', '404', '416'].filter(
    (each) => each !== '304' && each !== '416',
  ))
    assert.ok((statuses.get(status) ?? 0) > 0, `no answer was ${status}`)
})
test('the same paths find secrets where links may lead anywhere, and where hidden names are served', async () => {
  const followed = await fuzzPaths({ requests: 2000 }, seed, [{ symlinks: 'follow' }])
  assert.ok(followed.findings.length > 0)
  const shown = await fuzzPaths({ requests: 2000 }, seed, [{ dotfiles: 'serve' }])
  assert.ok(shown.findings.length > 0)
})
