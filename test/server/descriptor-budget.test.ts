import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { DescriptorBudget } from '#src/server/descriptor-budget.js'

test(
  'what was counted in a crowd is counted again when it is over',
  { skip: process.platform !== 'linux' },
  async () => {
    const open = readdirSync('/proc/self/fd').length
    const budget = new DescriptorBudget(open + 60)
    assert.equal(budget.allows(0), true)
    const crowd = Array.from({ length: 60 }, () => openSync('/dev/null', 'r'))
    await new Promise((resolve) => void setTimeout(resolve, 300))
    for (let i = 0; i < 300; i += 1) budget.allows(0)
    assert.equal(budget.allows(0), false)
    for (const descriptor of crowd) closeSync(descriptor)
    await new Promise((resolve) => void setTimeout(resolve, 300))
    assert.equal(budget.allows(0), true)
  },
)
