import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the snippets of the documents compile, and those marked "ts run" run and end with success', () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const script = join(root, 'scripts/snippets.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--run'], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout + stderr)
})
