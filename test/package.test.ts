import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'moorage-package-'))

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}
const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const isBuilt = (target: string): boolean => existsSync(join(root, target))

/** `moorage`, `moorage/engine/framing`, …, as a user writes them; those that are there: the tree grows. */
const doors = Object.entries(manifest.exports).flatMap(([entry, target]) =>
  typeof target === 'string' || !isBuilt(target.default) ? [] : [entry.replace(/^\./, 'moorage')],
)

function run(command: string, args: readonly string[], cwd: string): string {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

before(() => {
  run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], root)
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** An empty project of the given kind, with the tarball installed as a user installs it, and without a network. */
function installIn(name: string, type: 'module' | 'commonjs'): string {
  const project = join(folder, name)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name, version: '1.0.0', type, private: true }))
  const tarball = readdirSync(folder).find((entry) => entry.endsWith('.tgz')) ?? 'no tarball'
  run(
    'npm',
    ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', join(folder, tarball)],
    project,
  )
  return project
}

const EXPECTED = doors.map((door) => `${door} ok`)
const linesOf = (output: string): string[] => output.trim().split('\n')

/** The compiler must find the types of each door; without lib checks and without Node's own types it would not. */
function checkTypes(project: string, source: string): void {
  symlinkSync(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'))
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'NodeNext',
    target: 'ES2022',
    types: ['node'],
    lib: ['ES2023', 'ESNext.Disposable'],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [source] }))
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], project)
}

const typed = (imports: string): string => `${imports}
const bytes: Uint8Array = encodeLine(new Uint8Array(1))
const decoder = new LineDecoder({ maxLineBytes: 10 })
decoder.receive(bytes)
const event = decoder.nextEvent()
if (event.type === 'line') console.log(event.bytes.length, event.complete)
// @ts-expect-error: an option that does not exist
new LineDecoder({ maxLineByte: 10 })
`

test('the tarball installs into an empty ESM project, each of its doors opens, and its types are found', () => {
  const project = installIn('esm', 'module')
  const program = doors.map(
    (door, i) => `import * as door${i} from '${door}'\nif (Object.keys(door${i}).length > 0) console.log('${door} ok')`,
  )
  writeFileSync(join(project, 'main.js'), program.join('\n'))
  assert.deepEqual(linesOf(run(process.execPath, ['main.js'], project)), EXPECTED)
  const everything = doors.map((door, i) => `import * as door${i} from '${door}'\nexport { door${i} }`).join('\n')
  writeFileSync(
    join(project, 'typed.ts'),
    `${everything}\n${typed("import { encodeLine, LineDecoder } from 'moorage/engine/framing'")}`,
  )
  checkTypes(project, 'typed.ts')
})

test('the tarball installs into an empty CommonJS project, each of its doors opens by require, and its types are found', () => {
  const project = installIn('commonjs', 'commonjs')
  const program = doors.map((door) => `if (Object.keys(require('${door}')).length > 0) console.log('${door} ok')`)
  writeFileSync(join(project, 'main.js'), program.join('\n'))
  assert.deepEqual(linesOf(run(process.execPath, ['main.js'], project)), EXPECTED)
  const everything = doors.map((door, i) => `import door${i} = require('${door}')\ndoor${i}`).join('\n')
  writeFileSync(
    join(project, 'typed.cts'),
    `${everything}\n${typed("import { encodeLine, LineDecoder } from 'moorage/engine/framing'")}`,
  )
  checkTypes(project, 'typed.cts')
})

test('the tarball has nothing in it that a user does not need', () => {
  const list = linesOf(
    run('tar', ['-tzf', join(folder, readdirSync(folder).find((entry) => entry.endsWith('.tgz')) ?? '')], folder),
  )
  const needed =
    /^package\/(dist\/.*\.(js|d\.ts)|native\/[^/]+\.[ch]|scripts\/install-native\.mjs|docs\/.*\.(md|ts|py)|bench\/RESULTS\.md|package\.json|[A-Z]+\.md|LICENSE)$/
  assert.deepEqual(
    list.filter((path) => !needed.test(path)),
    [],
  )
})

test('every door of package.json is built', () => {
  assert.equal(doors.length, Object.keys(manifest.exports).length - 1)
})
