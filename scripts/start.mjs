// `npm start [-- <folder> <options>]`: sets up what is missing, then runs `moorage serve` where npm was started.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp()
const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'serve', ...process.argv.slice(2)], {
  // npm runs its scripts in the folder of the package, and says here where it was called.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: 'inherit',
})
// The terminal sends Ctrl-C to both: the server ends in order, and this one after it.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
