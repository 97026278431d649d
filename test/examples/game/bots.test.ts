import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runBots } from '../../../examples/game/bots.js'
import { replay } from '../../../examples/game/recording.js'
import { example } from '../../fixtures/example.js'

test(
  'twenty bots play for three seconds, and the replay of their game ends as it did',
  { timeout: 60_000 },
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'moorage-game-'))
    context.after(() => rmSync(folder, { recursive: true }))
    const record = join(folder, 'game.jsonl')
    const program = example(context, 'game/start', ['http://127.0.0.1:0', '--record', record, '--seed', '9'])
    const endpoint = await program.endpoint()
    const { inputs, messages, bytes } = await runBots(endpoint, { count: 20, seed: 3, durationMs: 3000 })
    // 20 bots, 3 s, 30 a second: less on a machine that is busy.
    assert.ok(inputs > 300 && messages > 300, `${inputs} inputs, ${messages} messages`)
    assert.ok(bytes / messages > 20)
    const answer = await fetch(`${endpoint}/report`)
    const report = (await answer.json()) as {
      readonly players: number
      readonly messages: { readonly dropped: number }
    }
    assert.equal(report.messages.dropped, 0)
    assert.deepEqual(await program.stop(), { code: 0, signal: null })
    let last
    for await (const replayed of replay(record, 30)) last = replayed
    assert.ok(last !== undefined && last.recorded !== undefined && last.tick >= 80)
    assert.equal(last.hash, last.recorded)
  },
)
