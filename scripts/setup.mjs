// What `npm start` and `npm test` need before they can run: npm packages, the native addon, compiled code.
// Each step is skipped when its result is newer than what it is made from.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

export function run(command, args, { quiet = false, ...options } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    ...options,
  })
  if (result.error) throw result.error
  return result
}

function newestIn(folder, ending) {
  let newest = 0
  if (!existsSync(folder)) return newest
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(ending)) continue
    newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
  }
  return newest
}

const timeOf = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

/**
 * `npm install` and not `npm ci`: it takes the versions and digests of the lock as well and leaves the lock alone, but
 * it does without the binaries of other platforms, which a registry need not have. `npm ci` refuses the lock for them.
 */
export function installPackages() {
  const marker = join(root, 'node_modules/.package-lock.json')
  if (timeOf(marker) >= timeOf(join(root, 'package-lock.json'))) return
  console.error('setup: installing npm packages')
  const { status } = run(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      stdio: ['ignore', 2, 2],
    },
  )
  if (status !== 0) process.exit(status ?? 1)
}

/** `outputs` are emptied first: what was compiled from a file that is gone must not run. */
function compile(project, sources, output, outputs) {
  const newestSource = Math.max(
    ...sources.map((folder) => newestIn(join(root, folder), '.ts')),
    timeOf(join(root, 'tsconfig.base.json')),
  )
  const marker = join(root, output)
  if (timeOf(marker) > newestSource) return
  console.error(`setup: compiling ${sources.join(', ')}`)
  for (const folder of outputs) rmSync(join(root, folder), { recursive: true, force: true })
  const { status } = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.exit(status ?? 1)
  run('touch', [marker])
}

export function buildPackage() {
  compile('src', ['src'], 'dist/.built', ['dist'])
}

export function buildTests() {
  compile('.', ['src', 'test', 'examples', 'bench', 'conformance', 'torture', 'docs'], '.build/.built', [
    '.build/test',
    '.build/examples',
    '.build/bench',
    '.build/conformance',
    '.build/torture',
    '.build/docs',
  ])
}

export function buildNative() {
  const script = join(root, 'scripts/install-native.mjs')
  if (existsSync(script)) run(process.execPath, [script], { stdio: ['ignore', 2, 2] })
}

export function setUp({ tests = false } = {}) {
  installPackages()
  buildNative()
  buildPackage()
  if (tests) buildTests()
}
