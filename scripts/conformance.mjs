// `npm run conformance -- serve | connect …`: the two ends that the Autobahn test suite talks to; see conformance/README.md.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp({ tests: true })
const start = join(root, '.build/conformance/start.js')
const { status } = spawnSync(process.execPath, [start, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 1)
