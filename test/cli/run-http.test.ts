import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '#src/testing/contract-row.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { missing, moorage, start, stopAll } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-run-http-'))
const { cert, key } = await localhostCertificate()
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const web = fileURLToPath(new URL('../fixtures/web.js', import.meta.url))
const app = file(
  'app.mjs',
  `export default { fetch: (request) => new Response('app at ' + new URL(request.url).pathname) }\n`,
)
const certificate = file('cert.pem', cert)
const tls = ['--tls-cert', certificate, '--tls-key', file('key.pem', key)]
const skip = missing('curl')
const TIMEOUT = { timeout: 40_000, skip }

async function curl(...args: readonly string[]): Promise<string> {
  const program = start('curl', ['-sS', '--max-time', '10', ...args])
  assert.equal(await program.ends(), 0, program.err)
  return program.out
}

suite('moorage run on http: endpoints', () => {
  afterEach(stopAll)

  for (const model of ['concurrent', 'threads', 'processes']) {
    test(`serves http:, https: and http+unix: at once under ${model}, and curl reads all three`, TIMEOUT, async () => {
      const socket = join(folder, `${model}.sock`)
      const endpoints = ['http://127.0.0.1:0', 'https://127.0.0.1:0', `http+unix:${socket}`]
      const program = moorage(['run', web, ...endpoints, '--model', model, ...tls])
      await until('all to listen', () => program.out.split('\n').length > endpoints.length)
      const [plain = '', secured = ''] = [...program.out.matchAll(/^listening on (\S+)$/gm)].map(
        ([, shown = '']) => shown,
      )
      assert.match(plain, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.match(secured, /^https:\/\/127\.0\.0\.1:\d+$/)
      assert.equal(await curl(plain), 'Hello, world!\n')
      const port = new URL(secured).port
      const about = await curl(
        '--cacert',
        certificate,
        `https://localhost:${port}/about?a=1`,
        '--resolve',
        `localhost:${port}:127.0.0.1`,
      )
      assert.deepEqual(JSON.parse(about).secure, true)
      assert.equal(await curl('--unix-socket', socket, 'http://name.example/late'), 'late\n')
      program.child.kill('SIGTERM')
      assert.equal(await program.ends(), 0, program.err)
    })
  }

  test('takes a module whose default export is an application with fetch', TIMEOUT, async () => {
    const program = moorage(['run', app, 'http://127.0.0.1:0'])
    const endpoint = await program.listening()
    assert.equal(await curl(`${endpoint}/here`), 'app at /here')
  })

  test('makes a certificate for https: on first use', TIMEOUT, async () => {
    const program = moorage(['run', web, 'https://127.0.0.1:0'], { env: { XDG_STATE_HOME: folder } })
    const endpoint = await program.listening()
    assert.equal(await curl('--cacert', join(folder, 'moorage/cert.pem'), endpoint), 'Hello, world!\n')
  })
})
after(() => rmSync(folder, { recursive: true, force: true }))
