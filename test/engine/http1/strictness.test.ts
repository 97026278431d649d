import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REFUSED } from './rows/all.js'

const DOCUMENT = join(import.meta.dirname, '../../../../docs/http-strictness.md')
const ROW = /^\| `(ERR_[A-Z_0-9]+)` +\| (\d{3}) +\| (RFC \d+ §[\d.]+) +\| \S/gm

test('docs/http-strictness.md lists what the rows are refused with, and nothing else', () => {
  const documented = [...readFileSync(DOCUMENT, 'utf8').matchAll(ROW)].map(([, ...parts]) => parts.join(' '))
  const used = new Set(REFUSED.map(({ refused, section }) => `${refused} ${section}`))
  assert.ok(used.size > 20)
  assert.deepEqual(documented.toSorted(), [...used].toSorted())
})
