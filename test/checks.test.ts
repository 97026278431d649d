import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allFaults, countedFaults, QUICK, root, runCheck, testFaults, Tree } from './_checks.js'

testFaults(QUICK)

test('every planted fault is in one of the two files', () => {
  assert.equal(countedFaults, allFaults)
})

test('a file of 500 lines passes', () => {
  const tree = new Tree()
  try {
    tree.write('src/base/planted.ts', '// line\n'.repeat(500))
    assert.doesNotMatch(tree.check('floors').output, /planted/)
  } finally {
    tree.remove()
  }
})

test('npm run check finds nothing on this tree', () => {
  const { status, output } = runCheck(root, [])
  assert.equal(status, 0, output)
})

test('npm run check refuses a name that it does not know', () => {
  assert.equal(runCheck(root, ['flors']).status, 2)
})
