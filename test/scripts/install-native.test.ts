import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tryLoadNative } from '#src/transport/node/native.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'moorage-install-'))
after(() => rmSync(folder, { recursive: true, force: true }))

// What the packed package has of it: sources, and the script.
mkdirSync(join(folder, 'native'))
for (const name of readdirSync(join(root, 'native'))) {
  if (/\.[ch]$/.test(name)) cpSync(join(root, 'native', name), join(folder, 'native', name))
}
cpSync(join(root, 'scripts/install-native.mjs'), join(folder, 'scripts/install-native.mjs'))
const addon = join(folder, 'native/build/moorage.node')
const note = join(folder, 'native/build/failed.txt')

function install(environment: Readonly<Record<string, string>> = {}): string {
  const env = { ...process.env, ...environment }
  const script = join(folder, 'scripts/install-native.mjs')
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', env })
  assert.equal(status, 0, stderr)
  return stderr
}

test('install-native notes why it failed, ends with 0, and prints one line', () => {
  const output = install({ CC: '/nonexistent/cc' })
  assert.equal(output.trim().split('\n').length, 1)
  assert.equal(existsSync(addon), false)
  assert.match(readFileSync(note, 'utf8'), /./)
})

test('install-native builds once, removes the note, and does nothing while the addon is newer', (t) => {
  if (tryLoadNative() === undefined) {
    t.skip('the addon cannot be built here')
    return
  }
  install()
  assert.equal(existsSync(note), false)
  const built = statSync(addon).mtimeMs
  assert.equal(install({ CC: '/nonexistent/cc' }), '')
  assert.equal(statSync(addon).mtimeMs, built)
})
