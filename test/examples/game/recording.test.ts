import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { Recording, replay, type Replayed } from '../../../examples/game/recording.js'
import { createState, step } from '../../../examples/game/rules/simulation.js'
import { hash, type GameState } from '../../../examples/game/rules/state.js'
import { example } from '../../fixtures/example.js'
import { madeUp } from './_played.js'

function file(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-game-'))
  context.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'game.jsonl')
}

/** A game of 30 ships, recorded; gives what it ended with, and its hash by tick. */
async function record(path: string, ticks: number, maxBytes?: number) {
  const ended: string[] = []
  const recording = new Recording(path, 77, {
    ended: (why) => ended.push(why),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  })
  const state: GameState = createState(77)
  const hashes = new Map<number, string>()
  for (let tick = 1; tick <= ticks; tick += 1) {
    const commands = madeUp(77, 30, tick)
    step(state, commands)
    recording.add(commands, state)
    hashes.set(tick, hash(state))
  }
  await recording.close(state)
  return { hashes, ended }
}

async function all(path: string, everyTicks: number): Promise<Replayed[]> {
  const list: Replayed[] = []
  for await (const replayed of replay(path, everyTicks)) list.push(replayed)
  return list
}

test('replay of a record has the hashes that the game had', async (context) => {
  const path = file(context)
  const { hashes, ended } = await record(path, 1000)
  const replayed = await all(path, 50)
  assert.deepEqual(
    replayed.map(({ tick }) => tick),
    Array.from({ length: 20 }, (_, index) => 50 * (index + 1)),
  )
  for (const { tick, hash: made } of replayed) assert.equal(made, hashes.get(tick), `tick ${tick}`)
  assert.deepEqual(
    replayed.filter(({ recorded }) => recorded !== undefined).map(({ tick, recorded }) => [tick, recorded]),
    [300, 600, 900, 1000].map((tick) => [tick, hashes.get(tick)]),
  )
  assert.deepEqual(ended, [])
})

test('a record ends at its limit, and says so; what is in it can be replayed', async (context) => {
  const path = file(context)
  const { hashes, ended } = await record(path, 1000, 10_000)
  assert.equal(ended.length, 1)
  assert.ok(readFileSync(path).length < 12_000)
  const replayed = await all(path, 10)
  assert.ok(replayed.length > 5)
  for (const { tick, hash: made } of replayed) assert.equal(made, hashes.get(tick))
})

test('a record whose file cannot be written ends at once, and says so', async (context) => {
  const { ended } = await record(join(file(context), 'not', 'there'), 10)
  assert.equal(ended.length, 1)
})

for (const [name, line] of [
  ['no JSON', 'x'],
  ['no object', '7'],
  ['a second seed', '{"game":1,"seed":1}'],
  ['a tick that was', '{"tick":1,"commands":[]}'],
  ['a tick far ahead', '{"tick":1000000,"commands":[]}'],
  ['a tick that is none', '{"tick":1001.5,"commands":[]}'],
  ['an unknown command', '{"tick":1001,"commands":[["sink",1]]}'],
  ['a command without a ship', '{"tick":1001,"commands":[["join"]]}'],
] as const) {
  test(`replay refuses a record with a line that is ${name}`, async (context) => {
    const path = file(context)
    await record(path, 1000)
    appendFileSync(path, `${line}\n`)
    await assert.rejects(all(path, 100), TypeError)
  })
}

test('replay refuses a record of other rules', async (context) => {
  const path = file(context)
  writeFileSync(path, '{"game":2,"seed":1}\n')
  await assert.rejects(all(path, 100), TypeError)
})

test('the command replays a record, and exits with 1 where a hash is another', async (context) => {
  const path = file(context)
  const { hashes } = await record(path, 400)
  const good = example(context, 'game/start', ['replay', path, '200'])
  assert.deepEqual(await within('its end', good.exited), { code: 0, signal: null })
  assert.deepEqual(good.stdout.trimEnd().split('\n'), [
    `tick 200 ${hashes.get(200)}`,
    `tick 300 ${hashes.get(300)} as recorded`,
    `tick 400 ${hashes.get(400)} as recorded`,
  ])
  writeFileSync(path, readFileSync(path, 'utf8').replace('"seed":77', '"seed":78'))
  const bad = example(context, 'game/start', ['replay', path])
  assert.deepEqual(await within('its end', bad.exited), { code: 1, signal: null })
  assert.match(bad.stdout, / not /)
})
