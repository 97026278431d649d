// Compiles native/*.c to native/build/moorage.node. Run by npm's "install" script and by our set-up; needs no network
// where the running Node has its headers beside it. The package works without the addon, so any failure leaves its
// reason in native/build/failed.txt and ends with 0.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const native = fileURLToPath(new URL('../native/', import.meta.url))
const output = join(native, 'build')
const addon = join(output, 'moorage.node')
const note = join(output, 'failed.txt')
/** What the addon was made of: times say little of a folder that was copied. */
const stamp = join(output, 'sources.sha256')

class Failure extends Error {}

function runOrFail(command, args, what) {
  const { status, error, stderr, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: native,
    timeout: 300_000,
  })
  if (error) throw new Failure(`${what}: ${command} cannot be run (${error.code ?? error.message})`)
  if (status !== 0) throw new Failure(`${what} failed with ${status}:\n${`${stdout}${stderr}`.slice(0, 4000)}`)
  return stdout
}

function sources() {
  return readdirSync(native).filter((name) => /\.[ch]$/.test(name))
}

function digestOf(files) {
  const hash = createHash('sha256')
  for (const name of files.toSorted()) hash.update(`${name}\n`).update(readFileSync(join(native, name)))
  return hash.digest('hex')
}

const isBuiltFrom = (digest) => existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === digest

/** The headers of the running Node, or of one that is installed beside it: the addon uses only stable interfaces. */
function findHeaders() {
  const prefix = join(dirname(process.execPath), '..')
  const candidates = [
    join(process.env.npm_config_nodedir ?? prefix, 'include/node'),
    join(prefix, 'include/node'),
    '/usr/include/node',
    '/usr/include/nodejs/src',
    '/usr/local/include/node',
  ]
  return candidates.find((folder) => existsSync(join(folder, 'node_api.h')) && existsSync(join(folder, 'uv.h')))
}

/** Where node-gyp keeps headers: it fetches them when they are not there, so it is only asked as the last way. */
function headersByNodeGyp() {
  const bundled = join(dirname(process.execPath), '../lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js')
  const ways = [process.env.npm_config_node_gyp, bundled].filter((path) => path && existsSync(path))
  const [command, ...args] = ways.length > 0 ? [process.execPath, ways[0]] : ['node-gyp']
  runOrFail(command, [...args, 'install', '--ensure'], 'node-gyp')
  const cache =
    process.env.npm_config_devdir ??
    join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/', '.cache'), 'node-gyp')
  const headers = join(cache, process.version.slice(1), 'include/node')
  if (!existsSync(join(headers, 'node_api.h'))) throw new Failure(`node-gyp left no headers in ${headers}`)
  return headers
}

function compile(files) {
  const headers = findHeaders() ?? headersByNodeGyp()
  const unfinished = `${addon}.${process.pid}`
  const flags = [
    '-std=c11',
    '-O2',
    '-g1',
    '-fPIC',
    '-shared',
    // A symbol that is missing is found when it is tried, not when it is called.
    '-Wl,-z,now',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-D_GNU_SOURCE',
    '-DNAPI_VERSION=8',
  ]
  try {
    const compiled = files.filter((name) => name.endsWith('.c'))
    runOrFail(process.env.CC || 'cc', [...flags, `-I${headers}`, '-o', unfinished, ...compiled], 'the C compiler')
    // A binary that does not load is worth nothing: it is tried in another process, which may crash.
    runOrFail(
      process.execPath,
      ['-e', 'process.dlopen({ exports: {} }, process.argv[1])', unfinished],
      'loading the addon',
    )
    renameSync(unfinished, addon)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

try {
  const files = sources()
  const digest = digestOf(files)
  if (!isBuiltFrom(digest)) {
    mkdirSync(output, { recursive: true })
    if (process.platform !== 'linux') throw new Failure(`it is for Linux only, and this is ${process.platform}`)
    compile(files)
    writeFileSync(stamp, `${digest}\n`)
    rmSync(note, { force: true })
  }
} catch (error) {
  const reason = error instanceof Failure ? error.message : String(error?.stack ?? error)
  try {
    rmSync(addon, { force: true })
    writeFileSync(note, `${reason}\n`)
  } catch {
    // A read-only package folder: there is nowhere to leave the reason, and nothing else depends on it.
  }
  console.error(`moorage: built without its native addon: ${reason.split('\n')[0]}`)
}
