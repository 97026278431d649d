// `npm run test:matrix [word…]`: the whole test suite (or the files whose path contains a word) under the running Node
// and under each other version that is promised. Ends with a table, and with 1 when a version failed or cannot be had.
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { root, setUp } from './setup.mjs'

const MAJORS = [22, 24, 26]
const PLATFORM = process.platform === 'win32' ? 'win' : process.platform
const PACKAGE = `node-${PLATFORM}-${process.arch}`
const BINARY = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
const SUMMARY = /^(?:#|ℹ) (pass|fail|skipped|todo) (\d+)$/gm
const FAILURES_SHOWN = 40

const words = process.argv.slice(2)
setUp({ tests: true })
mkdirSync(join(root, '.build/matrix'), { recursive: true })

const rows = [await testWith(process.version, process.execPath)]
for (const major of MAJORS) {
  const binary = installed(major)
  const version = binary === undefined ? undefined : versionOf(binary)
  if (version === process.version) continue
  rows.push(version === undefined ? { version: `v${major}`, missing: true } : await testWith(version, binary))
}
printTable(rows)
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)

/** The path of a Node of this major version, installed under .build when it is not there yet. */
function installed(major) {
  const prefix = join(root, '.build/nodes', String(major))
  const binary = join(prefix, 'node_modules', PACKAGE, BINARY)
  if (existsSync(binary) && versionOf(binary) !== undefined) return binary
  console.error(`matrix: installing ${PACKAGE}@${major}`)
  mkdirSync(prefix, { recursive: true })
  const args = [
    'install',
    '--prefix',
    prefix,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${PACKAGE}@${major}`,
  ]
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 2, 2] })
  return status === 0 && existsSync(binary) ? binary : undefined
}

function versionOf(binary) {
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

async function testWith(version, binary) {
  console.error(`matrix: testing with ${version}`)
  const started = performance.now()
  const path = `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}`
  const child = spawn(binary, [join(root, 'scripts/test.mjs'), ...words], {
    cwd: root,
    env: { ...process.env, PATH: path, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(root, `.build/matrix/${version}.log`))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk) => {
      output += chunk
      log.write(chunk)
    })
  }
  const status = await new Promise((resolve) => child.on('close', resolve))
  log.end()
  const counts = Object.fromEntries([...output.matchAll(SUMMARY)].map(([, name, count]) => [name, Number(count)]))
  const ok = status === 0 && counts.pass > 0
  if (!ok) showFailures(version, output)
  return { version, ok, counts, seconds: (performance.now() - started) / 1000 }
}

function showFailures(version, output) {
  const failures = output.split('\n').filter((line) => /^\s*(not ok|✖)/.test(line) && !/# (TODO|SKIP)/.test(line))
  for (const line of failures.slice(0, FAILURES_SHOWN)) console.error(`${version}: ${line.trim()}`)
  console.error(`${version}: all of it is in .build/matrix/${version}.log`)
}

function printTable(results) {
  const head = ['version', 'pass', 'fail', 'skip', 'todo', 'seconds', '']
  const lines = results.map(({ version, missing, ok, counts = {}, seconds }) => {
    if (missing) return [version, '-', '-', '-', '-', '-', 'cannot be had']
    const cells = [counts.pass, counts.fail, counts.skipped, counts.todo].map((count) => String(count ?? '?'))
    return [version, ...cells, seconds.toFixed(1), ok ? 'ok' : 'failed']
  })
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i].length)))
  for (const line of [head, ...lines])
    console.log(
      line
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
}
