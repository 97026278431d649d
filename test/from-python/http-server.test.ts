import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { until } from '#src/testing/contract-row.js'
import { Program } from '../fixtures/program.js'
import { curl, makeSite } from './_http-pairs.js'

const run = promisify(execFile)
const PYTHON = '/usr/bin/python3'
const TIMEOUT = { timeout: 60_000, skip: existsSync(PYTHON) ? false : `${PYTHON} is not installed` }

const folder = mkdtempSync(join(tmpdir(), 'moorage-http-server-'))
after(() => rmSync(folder, { recursive: true }))
const site = makeSite(folder)

const document = readFileSync(fileURLToPath(new URL('../../../docs/from-python.md', import.meta.url)), 'utf8')
const section = document.slice(document.indexOf('## http.server: servers'), document.indexOf('\n## socket\n'))

/** What the classes of http.server have of their own, by Python's own account. */
const OWN_NAMES = `
import http.server as module
for name in ("HTTPServer", "ThreadingHTTPServer", "BaseHTTPRequestHandler", "SimpleHTTPRequestHandler"):
    print(name)
    for member in vars(getattr(module, name)):
        if not member.startswith("_"):
            print(member)
`

/** What instances have, and versions of Python newer than the one at hand. */
const MORE_NAMES = [
  ...['HTTPSServer', 'ThreadingHTTPSServer', 'server_name', 'server_port', 'index_pages', 'directory', 'timeout'],
  ...['client_address', 'server', 'close_connection', 'requestline', 'command', 'path', 'request_version', 'headers'],
  ...['rfile', 'wfile', 'do_GET', 'do_POST', 'do_HEAD'],
]

test('every class, method and attribute of http.server stands beside its equivalent', TIMEOUT, async () => {
  const { stdout } = await run(PYTHON, ['-c', OWN_NAMES])
  const names = stdout.trim().split('\n')
  assert.ok(names.length > 40, stdout)
  const columns = section.split('\n').flatMap((line) => (line.startsWith('|') ? [line.split(' | ')[0] ?? ''] : []))
  const told = new Set(columns.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name)))
  assert.deepEqual(
    [...names, ...MORE_NAMES].filter((name) => !told.has(name)),
    [],
  )
})

test('every option of python -m http.server stands beside its equivalent', TIMEOUT, async () => {
  const { stdout } = await run(PYTHON, ['-m', 'http.server', '--help'])
  const options = [...new Set(stdout.match(/--[a-z-]+/g))].filter((option) => option !== '--help')
  assert.ok(options.length >= 4, stdout)
  assert.deepEqual(
    options.filter((option) => !section.includes(`\`${option}\``)),
    [],
  )
})

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** The two commands, for the same folder on any port. */
const COMMANDS: readonly (readonly [name: string, start: (context: TestContext) => Program])[] = [
  [
    'python -m http.server',
    (context) => {
      const args = ['-m', 'http.server', '--bind', '127.0.0.1', '--directory', site, '0']
      return new Program(context, PYTHON, args, { env: { PYTHONUNBUFFERED: '1' } })
    },
  ],
  [
    'moorage serve',
    (context) => new Program(context, process.execPath, [main, 'serve', '--host', '127.0.0.1', '--port', '0', site]),
  ],
]

test('python -m http.server and moorage serve answer alike', TIMEOUT, async (context) => {
  const answers: string[] = []
  for (const [name, start] of COMMANDS) {
    const program = start(context)
    const told = /http:\/\/127\.0\.0\.1:(\d+)\//
    const words = (): string => program.stdout + program.stderr
    await until(`the address of ${name}`, () => told.test(words()))
    const url = `http://127.0.0.1:${told.exec(words())?.[1]}`
    const status = ['-w', ' %{http_code}\n']
    answers.push(
      (await curl(...status, `${url}/`)) +
        (await curl(...status, `${url}/notes/c.txt`)) +
        (await curl('-o', '/dev/null', ...status, `${url}/none`)),
    )
    await program.stop('SIGINT')
  }
  assert.equal(answers[0], '<h1>Home</h1>\n 200\nalone\n 200\n 404\n')
  assert.equal(answers[1], answers[0])
})
