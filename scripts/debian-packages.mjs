// The Debian packages whose programs the tests talk to. Where they are missing and may be installed (Debian, as root),
// they are; else the reason is printed, and the tests that need them skip themselves, counted.
import { spawnSync } from 'node:child_process'

const PROGRAMS = [
  ['nc', 'netcat-openbsd'],
  ['socat', 'socat'],
  ['openssl', 'openssl'],
  ['/usr/bin/python3', 'python3'],
  ['cc', 'gcc'],
  ['curl', 'curl'],
  ['wget', 'wget'],
  ['go', 'golang-go'],
  ['chromium', 'chromium'],
  ['nginx', 'nginx-light'],
  ['haproxy', 'haproxy'],
  ['/usr/sbin/danted', 'dante-server'],
  ['/usr/sbin/squid', 'squid-openssl'],
  ['/usr/bin/redis-server', 'redis-server'],
  ['/usr/sbin/nats-server', 'nats-server'],
  ['microsocks', 'microsocks'],
  ['tinyproxy', 'tinyproxy-bin'],
]
const PYTHON_MODULES = [
  ['requests', 'python3-requests'],
  ['websockets', 'python3-websockets'],
]

const succeeds = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const has = (program) =>
  PYTHON_MODULES.some(([name]) => name === program)
    ? succeeds('/usr/bin/python3', '-c', `import ${program}`)
    : succeeds('sh', '-c', `command -v ${program}`)

export function ensureDebianPackages() {
  const missing = [...PROGRAMS, ...PYTHON_MODULES].filter(([program]) => !has(program))
  if (missing.length === 0) return
  const names = missing.map(([, name]) => name)
  const skip = (why) =>
    console.error(`setup: ${names.length} Debian packages are missing (${names.join(', ')}): ${why}`)
  if (process.env.MOORAGE_APT === 'off') return skip('MOORAGE_APT=off; the tests that need them skip themselves')
  if (!has('apt-get')) return skip('this is no Debian; the tests that need them skip themselves')
  if (process.getuid?.() !== 0) return skip(`only root may install them: sudo apt-get install ${names.join(' ')}`)
  console.error(`setup: installing ${names.join(', ')} with apt-get, for tests that talk to them`)
  const options = { stdio: ['ignore', 'ignore', 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  spawnSync('apt-get', ['update', '-qq'], options)
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], options)
  const left = missing.filter(([program]) => !has(program)).map(([, name]) => name)
  if (left.length > 0)
    console.error(`setup: could not install ${left.join(', ')}; the tests that need them skip themselves`)
}
