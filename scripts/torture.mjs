// `npm run torture -- <name> [args]`: sets up what is missing, then runs a trial of torture/ that is too long for `npm test`.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureDebianPackages } from './debian-packages.mjs'
import { root, setUp } from './setup.mjs'

const NAMES = ['rooms']
const [name, ...args] = process.argv.slice(2)
if (!NAMES.includes(name)) {
  console.error(`usage: npm run torture -- <${NAMES.join('|')}> [redis|nats]`)
  process.exit(2)
}
setUp({ tests: true })
ensureDebianPackages()
const { status } = spawnSync(process.execPath, [join(root, '.build/torture', `${name}.js`), ...args], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
