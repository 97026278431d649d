import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { within } from '#src/testing/contract-row.js'
import { serveHttp } from '#src/http/server.js'
import { Program } from '../fixtures/program.js'
import { HTTP_CLIENTS, LARGE, siteOf, type ClientProgram } from './_http-clients.js'

const PYTHON = '/usr/bin/python3'
const hasPython = existsSync(PYTHON)
const folder = mkdtempSync(join(tmpdir(), 'moorage-clients-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'notes.txt')
writeFileSync(file, 'twelve bytes')

const LANGUAGES = {
  Python: [PYTHON, fileURLToPath(new URL('../../../docs/from-python/', import.meta.url)), 'py'],
  TypeScript: [process.execPath, fileURLToPath(new URL('../../docs/from-python/', import.meta.url)), 'js'],
} as const

/** A proxy that wants a password, and notes what it was asked for. */
async function proxy(t: TestContext, seen: string[]): Promise<string> {
  const server = createServer((asked, answered) => {
    seen.push(`${asked.method ?? ''} ${asked.url ?? ''} ${asked.headers['proxy-authorization'] ?? ''}`)
    const { 'proxy-authorization': _mine, ...headers } = asked.headers
    asked.pipe(
      forward(asked.url ?? '', { method: asked.method ?? 'GET', headers }, (response) => {
        answered.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(answered)
      }),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://ann:s%40cret@127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
}

async function run(
  t: TestContext,
  language: keyof typeof LANGUAGES,
  { name, more, fields }: ClientProgram,
): Promise<string> {
  const seen: string[] = []
  const [command, place, ending] = LANGUAGES[language]
  await using server = await serveHttp('http://127.0.0.1:0', siteOf(seen, fields))
  const target = join(folder, language)
  const words =
    more === undefined ? [] : more === 'proxy' ? [await proxy(t, seen)] : more === 'file' ? [file] : [target]
  const program = new Program(t, command, [join(place, `${name}.${ending}`), server.endpoint, ...words], {
    env: { NO_PROXY: '', PYTHONIOENCODING: 'utf8' },
  })
  const { code } = await within('its end', program.exited)
  assert.equal(code, 0, program.stderr)
  if (more === 'target') assert.ok(readFileSync(target).equals(LARGE))
  // A request by chance: how often each agent was chosen is not the same twice.
  const unlike = name === 'requests-user-agent' ? new Set(seen).size : seen.join('\n')
  return `${program.stdout}---\n${unlike}`.replaceAll(server.endpoint.replace('http://', ''), 'server')
}

for (const program of HTTP_CLIENTS) {
  test(
    `${program.name} sends and prints the same in Python and in TypeScript`,
    { timeout: 60_000, skip: !hasPython },
    async (t) => {
      const typescript = await run(t, 'TypeScript', program)
      assert.equal(typescript.slice(0, typescript.indexOf('---\n')), program.printed)
      assert.equal(typescript, await run(t, 'Python', program))
    },
  )
}
