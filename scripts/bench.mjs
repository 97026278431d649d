// `npm run bench -- <name> [rounds]`: sets up what is missing, then runs a benchmark of bench/.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

const NAMES = [
  'tcp',
  'udp',
  'models',
  'idle',
  'flood',
  'transfer',
  'slow',
  'http',
  'https',
  'static',
  'websocket',
  'client',
  'bulk',
  'game',
]
/** Those whose peers are npm packages. */
const WITH_PEERS = ['http', 'https', 'static', 'websocket', 'client', 'bulk']
const [name, ...args] = process.argv.slice(2)
if (!NAMES.includes(name)) {
  console.error(`usage: npm run bench -- <${NAMES.join('|')}> [rounds]`)
  process.exit(2)
}
setUp({ tests: true })
if (WITH_PEERS.includes(name)) installPeers()
const file = join(root, '.build/bench', `${name}.js`)
const script = existsSync(file) ? file : join(root, 'bench', `${name}.mjs`)
console.log(`machine: ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, Node.js ${process.versions.node}`)
const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' })
process.exit(status ?? 1)

/** They stand in bench/peers alone: no user of the package gets them. */
function installPeers() {
  const folder = join(root, 'bench/peers')
  const marker = join(folder, 'node_modules/.package-lock.json')
  if (existsSync(marker) && statSync(marker).mtimeMs > statSync(join(folder, 'package.json')).mtimeMs) return
  console.error('bench: installing the peers from npm')
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2] })
}
