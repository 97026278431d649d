// `npm run example -- <name> [arguments]`: sets up what is missing, then runs an example; without a name it lists them.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

const [name, ...args] = process.argv.slice(2)
const names = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
if (name === undefined || !names.includes(name)) {
  console.error(`examples: ${names.join(', ')}`)
  process.exit(name === undefined ? 0 : 2)
}
setUp({ tests: true })
const start = join(root, '.build/examples', name, 'start.js')
if (!existsSync(start)) {
  console.error(`the example ${name} has no start.ts`)
  process.exit(1)
}
const { status } = spawnSync(process.execPath, [start, ...args], { stdio: 'inherit' })
process.exit(status ?? 1)
