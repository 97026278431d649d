// `npm start`: sets up what is missing, then runs the echo server on five transports.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp({ tests: true })
const child = spawn(process.execPath, [join(root, '.build/examples/echo/start.js')], { stdio: 'inherit' })
// The terminal sends Ctrl-C to both: the example ends in order, and this one after it.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
