import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Program } from '../fixtures/program.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'moorage-start-'))
mkdirSync(join(folder, 'inner'))
writeFileSync(join(folder, 'here.txt'), 'here\n')
writeFileSync(join(folder, 'inner', 'there.txt'), 'there\n')
after(() => rmSync(folder, { recursive: true }))

const TIMEOUT = { timeout: 120_000 }
const answer = async (url: string): Promise<string> => (await fetch(url)).text()

const script = join(root, 'scripts/start.mjs')

test('npm start serves the folder that it was called in, and ends in order', TIMEOUT, async (t) => {
  // npm itself keeps the signals of whoever is no terminal from its scripts: the script is run as npm runs it.
  const { scripts }: { readonly scripts: { readonly start: string } } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  assert.equal(scripts.start, 'node scripts/start.mjs')
  const args = [script, '--port', '0']
  const program = new Program(t, process.execPath, args, { cwd: root, env: { INIT_CWD: folder } })
  assert.equal(await answer(`${await program.endpoint()}here.txt`), 'here\n')
  assert.equal((await program.stop()).code, 0, program.stderr)
})

test('npm start passes a folder and options on', TIMEOUT, async (t) => {
  const args = [script, 'inner', '--port', '0', '--header', 'X-From: start']
  const program = new Program(t, process.execPath, args, { cwd: root, env: { INIT_CWD: folder } })
  const response = await fetch(`${await program.endpoint()}there.txt`)
  assert.deepEqual([await response.text(), response.headers.get('x-from')], ['there\n', 'start'])
  assert.equal((await program.stop()).code, 0, program.stderr)
})
