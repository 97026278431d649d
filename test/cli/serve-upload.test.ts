import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { missing, moorage, start, stopAll, type Program, type RunOptions } from './_programs.js'

const skip = missing('curl')
const TIMEOUT = { timeout: 30_000, skip }
let folder = ''

async function serve(
  args: readonly string[],
  options?: RunOptions,
): Promise<{ readonly url: string; readonly program: Program }> {
  const program = moorage(['serve', folder, '--port', '0', ...args], options)
  return { url: await program.listening(), program }
}

/** The status, and what was answered. */
async function curl(...args: readonly string[]): Promise<string> {
  const program = start('curl', ['-sS', '--max-time', '10', '-w', '%{http_code} ', ...args])
  assert.equal(await program.ends(), 0, program.err)
  return program.out.trim()
}

const put = (url: string, body: string, ...args: readonly string[]): Promise<string> =>
  curl('-o', join(folder, '..', 'ignored'), '-X', 'PUT', '--data-binary', body, ...args, url)

suite('moorage serve --upload', () => {
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'moorage-serve-upload-')), 'root')
    mkdirSync(folder)
  })
  afterEach(async () => {
    await stopAll()
    rmSync(join(folder, '..'), { recursive: true, force: true })
  })

  for (const model of ['concurrent', 'threads', 'processes']) {
    test(`takes files under ${model}, and replaces them only with --overwrite`, TIMEOUT, async () => {
      const { url } = await serve(['--upload', '--model', model])
      assert.equal(await put(`${url}a.txt`, 'one'), '201')
      assert.equal(await put(`${url}a.txt`, 'two'), '409')
      assert.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), 'one')
      const other = await serve(['--upload', '--overwrite', '--model', model])
      assert.equal(await put(`${other.url}a.txt`, 'two'), '204')
      assert.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), 'two')
      assert.deepEqual(readdirSync(folder), ['a.txt'])
    })
  }
  for (const model of ['threads', 'processes']) {
    test(`of several workers under ${model} that get a file of one name, one stores it`, TIMEOUT, async () => {
      const { url } = await serve(['--upload', '--model', model])
      for (let round = 0; round < 20; round += 1) {
        const bodies = Array.from({ length: 8 }, (_, i) => String(i).repeat(10_000))
        const answers = await Promise.all(bodies.map((body) => fetch(`${url}file-${round}`, { method: 'PUT', body })))
        const statuses = answers.map(({ status }) => status)
        assert.deepEqual(statuses.toSorted(), [201, 409, 409, 409, 409, 409, 409, 409])
        assert.equal(readFileSync(join(folder, `file-${round}`), 'latin1'), bodies[statuses.indexOf(201)])
      }
      assert.equal(readdirSync(folder).length, 20)
    })
  }
  test('--max-upload bounds a file', TIMEOUT, async () => {
    const { url } = await serve(['--upload', '--max-upload', '1k'])
    assert.equal(await put(`${url}a`, 'x'.repeat(1024)), '201')
    assert.equal(await put(`${url}b`, 'x'.repeat(1025)), '413')
    assert.deepEqual(readdirSync(folder), ['a'])
  })
  test('without --upload nothing is taken', TIMEOUT, async () => {
    const { url } = await serve([])
    assert.equal(await put(`${url}a`, 'x'), '405')
    assert.deepEqual(readdirSync(folder), [])
  })
  test('--auth guards everything, and the list of processes does not show its password', TIMEOUT, async () => {
    writeFileSync(join(folder, 'a.txt'), 'content')
    const { url, program } = await serve(['--upload', '--auth', 'ann:secret:1'])
    assert.equal(await curl('-o', join(folder, '..', 'ignored'), `${url}a.txt`), '401')
    assert.equal(await put(`${url}b.txt`, 'x'), '401')
    assert.equal(await put(`${url}b.txt`, 'x', '-u', 'ann:secret'), '401')
    assert.equal(await curl('-u', 'ann:secret:1', `${url}a.txt`), 'content200')
    assert.equal(await put(`${url}b.txt`, 'x', '-u', 'ann:secret:1'), '201')
    assert.match(program.err, /command line/)
    const shown = readFileSync(`/proc/${program.child.pid}/cmdline`, 'latin1')
    assert.ok(shown.startsWith('moorage serve') && !shown.includes('secret'), shown)
    assert.ok(!program.err.includes('secret'))
  })
  test('the password may come from MOORAGE_PASSWORD or --auth-file, under every model', TIMEOUT, async () => {
    writeFileSync(join(folder, 'a.txt'), 'content')
    const file = join(folder, '..', 'accounts')
    writeFileSync(file, '# who may\nann:one\nbob:two\n')
    const named = await serve(['--auth', 'ann'], { env: { MOORAGE_PASSWORD: 'from here' } })
    assert.equal(await curl('-u', 'ann:from here', `${named.url}a.txt`), 'content200')
    assert.ok(!named.program.err.includes('command line'))
    for (const model of ['threads', 'processes']) {
      const { url } = await serve(['--auth-file', file, '--model', model])
      assert.equal(await curl('-u', 'ann:one', `${url}a.txt`), 'content200')
      assert.equal(await curl('-u', 'bob:two', `${url}a.txt`), 'content200')
      assert.equal(await curl('-o', join(folder, '..', 'ignored'), '-u', 'bob:one', `${url}a.txt`), '401')
    }
  })
  test('who listens for everybody without --auth is warned', TIMEOUT, async () => {
    const open = await serve(['--upload', '--host', '0.0.0.0'])
    assert.match(open.program.err, /warning: whoever reaches this server may put files here/)
    const guarded = await serve(['--upload', '--host', '0.0.0.0', '--auth', 'ann'], { env: { MOORAGE_PASSWORD: 'x' } })
    const local = await serve(['--upload'])
    const reading = await serve(['--host', '0.0.0.0'])
    for (const { program } of [guarded, local, reading]) assert.ok(!program.err.includes('warning'))
  })
  const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['--overwrite'], /--upload/],
    [['--max-upload', '1k'], /--upload/],
    [['--upload', '--max-upload', 'many'], /--max-upload/],
    [['--auth', 'ann'], /MOORAGE_PASSWORD/],
    [['--auth', ':secret'], /a user, a colon and a password/],
    [['--auth', 'ann:'], /a user, a colon and a password/],
    [['--auth-file', '/no/such/file'], /--auth-file/],
  ]
  for (const [args, says] of wrong) {
    test(`serve ${args.join(' ')} is refused in one line that does not show a password`, TIMEOUT, async () => {
      const program = moorage(['serve', folder, '--port', '0', ...args], { env: { MOORAGE_PASSWORD: '' } })
      assert.equal(await program.ends(), 2, program.err)
      assert.match(program.err, says)
      assert.ok(!/\n\s+at |secret/.test(program.err))
    })
  }
})
