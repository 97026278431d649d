// `npm test [file…]`: sets up what is missing, then runs every test (or those whose path contains a given word) with the running Node.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDebianPackages } from './debian-packages.mjs'
import { ensureBun } from './ensure-bun.mjs'
import { root, run, setUp } from './setup.mjs'

const { version } = process
const [major, minor] = version.slice(1).split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`npm test needs Node.js 20.19 or newer; this is ${version}`)
  process.exit(1)
}
ensureDebianPackages()
setUp({ tests: true })
ensureBun()
const words = process.argv.slice(2)
const files = readdirSync(join(root, '.build/test'), { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .map((file) => join('.build/test', file))
  .sort()
if (files.length === 0) {
  console.error('no test file was found: nothing was tested')
  process.exit(1)
}
const { status } = run(process.execPath, [
  '--test',
  // One more than CI has cores: a part of the tests waits.
  '--test-concurrency=3',
  '--test-timeout=480000',
  '--test-reporter=./scripts/reporter.mjs',
  '--test-reporter-destination=stdout',
  ...files,
])
process.exit(status ?? 1)
