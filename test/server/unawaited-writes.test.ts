import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../fixtures/never-awaits.js', import.meta.url))

for (const mode of ['strict', 'throw']) {
  test(
    `a handler that never awaits write to a peer that never reads ends with a code, nothing unhandled (${mode})`,
    { timeout: 60_000 },
    async () => {
      const child = spawn(process.execPath, [`--unhandled-rejections=${mode}`, program], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
      assert.equal(code, 0, errors)
      assert.equal(errors, '')
      const said = JSON.parse(out)
      assert.deepEqual(said.errors, ['ERR_WRITE_BUFFER_LIMIT'])
      assert.ok(said.echoes > 0, 'other clients are served meanwhile')
      assert.ok(said.peakMib < 64, `memory grew by ${said.peakMib} MiB, with a cap of 4 MiB`)
    },
  )
}
