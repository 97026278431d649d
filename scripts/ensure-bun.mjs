// Bun, a server that nobody here wrote: a client of WebSockets is tested against it. It stands in .build, of no package.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const folder = join(root, '.build/bun')
const binary = join(folder, 'node_modules/.bin/bun')

export function ensureBun() {
  if (existsSync(binary)) return
  console.error('setup: fetching Bun from npm, for tests that talk to it')
  mkdirSync(folder, { recursive: true })
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
    'bun@1',
  ]
  spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2] })
  if (spawnSync(binary, ['--version']).status !== 0)
    console.error('setup: could not fetch Bun; the tests that need it skip themselves')
}
