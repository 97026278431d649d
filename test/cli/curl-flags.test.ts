import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test, type TestContext } from 'node:test'
import { CURL_EXIT, CURL_EXIT_WORDS } from '#src/cli/curl/exit-codes.js'
import { parseCurlLines, type CurlLine } from '#src/cli/curl/curl-line.js'
import { CURL_FLAGS, isFlagName } from '#src/cli/curl/flags.js'
import { readConfigFile } from '#src/cli/curl/config-file.js'
import { UNSUPPORTED } from '#src/cli/curl/unsupported.js'
import { Program } from '../fixtures/program.js'
import { MAIN } from './_curl-judge.js'

const none = (): readonly string[] => []
function parse(...words: readonly string[]): CurlLine {
  const [line] = parseCurlLines(words, none)
  assert.ok(line)
  return line
}

void suite('parseCurlLines', () => {
  void test('reads short flags that are joined, with a value in the same word or in the next', () => {
    const line = parse('-sSLo', 'file', '-XPOST', '-d', 'a', 'http://a')
    assert.ok(line.has('silent') && line.has('show-error') && line.has('location'))
    assert.deepEqual([line.text('output'), line.text('request'), line.text('data')], ['file', 'POST', 'a'])
    assert.deepEqual(line.texts('url'), ['http://a'])
  })

  void test('takes as many letters of a flag as no other begins with', () => {
    const line = parse('--sil', '--max-t', '3', '--netrc-o', '--data-b', 'x')
    assert.ok(line.has('silent') && line.has('netrc-optional'))
    assert.deepEqual([line.text('max-time'), line.text('data-binary')], ['3', 'x'])
  })

  void test('begins a line of its own behind --next, but for what is for all', () => {
    const [first, second, ...more] = parseCurlLines(['-d', 'a', 'http://a', '--next', '-s', '-L', 'http://b'], none)
    assert.ok(first && second)
    assert.deepEqual([first.texts('url'), second.texts('url'), more], [['http://a'], ['http://b'], []])
    assert.deepEqual([first.has('location'), second.has('location'), second.has('data')], [false, true, false])
    assert.ok(first.has('silent') && second.has('silent'))
  })

  void test('takes a flag back by --no-, and gives it again', () => {
    assert.equal(parse('-L', '--no-location').has('location'), false)
    assert.equal(parse('--no-location', '-L').has('location'), true)
    assert.equal(parse('-N', '--buffer').has('no-buffer'), false)
  })

  void test('keeps the order of flags that belong together', () => {
    const line = parse('-d', 'a', '-F', 'x=y', '--data-raw', 'b')
    assert.deepEqual(
      line.ordered('data', 'data-raw').map(({ value }) => value),
      ['a', 'b'],
    )
  })

  void test('takes all behind -- for URLs, and - for one', () => {
    assert.deepEqual(parse('-', '--', '-x').texts('url'), ['-', '-x'])
  })

  void test('reads numbers and seconds', () => {
    assert.deepEqual([parse('-m', '.5').seconds('max-time'), parse('--retry', '3').number('retry')], [500, 3])
    assert.throws(() => parse('-m', 'soon').seconds('max-time'), { code: 'ERR_OPTION_VALUE' })
    assert.throws(() => parse('--retry', '1.5').number('retry'), { code: 'ERR_OPTION_VALUE' })
  })

  const wrong: readonly (readonly [words: readonly string[], code: string, says: RegExp])[] = [
    [['--locaton'], 'ERR_OPTION_UNKNOWN', /did you mean --location\?/],
    [['--data=x'], 'ERR_OPTION_UNKNOWN', /--data=: .*write the value behind a space, as in --data value/],
    [['-9'], 'ERR_OPTION_UNKNOWN', /-9/],
    [['--no-data'], 'ERR_OPTION_UNKNOWN', /--no-data/],
    [['-d'], 'ERR_OPTION_VALUE', /without a value/],
    [['--fai'], 'ERR_OPTION_UNKNOWN', /it may be --fail, --fail-early, --fail-with-body/],
    [['--no-loc'], 'ERR_OPTION_UNKNOWN', /--no-loc/],
    [['--limit', '1'], 'ERR_OPTION_VALUE', /pv -L/],

    [['-s0'], 'ERR_OPTION_VALUE', /-0: HTTP\/1\.1 is spoken/],
    [['-p'], 'ERR_OPTION_VALUE', /through a tunnel/],
  ]
  for (const [words, code, says] of wrong)
    void test(`refuses ${words.join(' ')}, and says what to do`, () => {
      assert.throws(() => parse(...words), { code, message: says })
    })
})

void suite('the flags of curl', () => {
  void test('are known once: none is refused and supported, and no short one is there twice', () => {
    const shorts = [...Object.values(CURL_FLAGS), ...Object.values(UNSUPPORTED)].flatMap(({ short }) => short ?? [])
    assert.equal(new Set(shorts).size, shorts.length)
    assert.deepEqual(Object.keys(UNSUPPORTED).filter(isFlagName), [])
  })

  void test('exit codes are each told in words, and none twice', () => {
    assert.deepEqual(Object.keys(CURL_EXIT_WORDS), Object.keys(CURL_EXIT))
    assert.equal(new Set(Object.values(CURL_EXIT)).size, Object.keys(CURL_EXIT).length)
  })
})

void suite('readConfigFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'curl-config-'))
  after(() => rmSync(folder, { recursive: true }))

  void test('reads flags with and without dashes, quotes and comments', () => {
    const path = join(folder, 'flags')
    writeFileSync(path, '# a comment\n\nurl = "http://a/b c"\n-s\n--header: "X: \\"y\\"\\tz"\nmax-time 5 # later\n')
    assert.deepEqual(readConfigFile(path), [
      ...['--url', 'http://a/b c', '-s', '--header', 'X: "y"\tz', '--max-time', '5'],
    ])
    assert.throws(() => readConfigFile(join(folder, 'none')), { exit: CURL_EXIT.read })
  })
})

void suite('moorage curl as a program', () => {
  async function run(t: TestContext, ...words: readonly string[]): Promise<Program & { readonly code: number | null }> {
    const program = new Program(t, process.execPath, [MAIN, 'curl', ...words])
    program.end()
    const { code } = await program.exited
    return Object.assign(program, { code })
  }

  async function serving(t: TestContext, at?: string): Promise<string> {
    const server = createServer((request, response) =>
      response.end(`${request.headers.host ?? ''} ${request.url ?? ''}`),
    )
    server.listen(at ?? { port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
  }

  void test('--unix-socket connects there, and keeps the host', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'curl-unix-'))
    t.after(() => rmSync(folder, { recursive: true }))
    await serving(t, join(folder, 's'))
    const { stdout, stderr } = await run(t, '-sS', '--unix-socket', join(folder, 's'), 'http://far.example/x?y')
    assert.equal(stdout, 'far.example /x?y', stderr)
  })

  void test('-v tells the heads on stderr', async (t) => {
    const url = await serving(t)
    const { stdout, stderr } = await run(t, '-sv', `${url}/a`)
    assert.match(stdout, / \/a$/)
    assert.match(
      stderr,
      /^> GET \/a HTTP\/1\.1\n> Host: [^]*\n> \n\* Connected to 127\.0\.0\.1 port \d+\n< HTTP\/1\.1 200 OK\n/,
    )
  })

  void test('-s keeps errors back, -S shows them, each in one line with its number', async (t) => {
    const quiet = await run(t, '-s', 'http://127.0.0.1:1/')
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [7, '', ''])
    const loud = await run(t, '-sS', 'http://ann:secret@127.0.0.1:1/')
    assert.equal(loud.code, 7)
    assert.match(loud.stderr, /^moorage: \(7\) .*127\.0\.0\.1:1.*\n$/)
    assert.ok(!loud.stderr.includes('secret'))
  })

  const secret: readonly (readonly [name: string, words: readonly string[]])[] = [
    ['a pattern', ['http://u:secretpw@h:99999/[1']],
    ['a URL', ['-g', 'http://u:s@cretpw@h o/']],
    ['a URL without a scheme', ['u:cretpw@h o/']],
    ['a port', ['http://u:secretpw@127.0.0.1:99999/']],
    ['a form', ['-F', 'password=secretpw;x=cretpw', 'http://127.0.0.1:1/']],
    ['a form without a name', ['-F', 'secretpw', 'http://127.0.0.1:1/']],
    ['a flag', ['--user=ann:secretpw', 'http://127.0.0.1:1/']],
    ['a proxy', ['-x', 'http://u:secretpw@127.0.0.1:1:1', 'http://127.0.0.1:1/']],
  ]
  for (const [name, words] of secret)
    void test(`says what is wrong with ${name}, and no password`, async (t) => {
      const { code, stderr } = await run(t, '-sS', ...words)
      assert.notEqual(code, 0)
      assert.match(stderr, /^moorage: .+/)
      assert.ok(!stderr.includes('cretpw'), stderr)
    })

  void test('a reader that goes ends one URL with 23; others go on, and cookies are saved', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'curl-pipe-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const large = Buffer.alloc(4 * 1024 * 1024)
    const server = createServer((_, response) => response.setHeader('set-cookie', 'a=b; Path=/').end(large))
    server.listen({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`
    const words = [MAIN, 'curl', '-sS', '-c', 'jar', url, '-o', 'whole', url, url]
    // The first is written to the file: what is left goes to a reader that has gone.
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let said = ''
    child.stderr.on('data', (bytes) => (said += String(bytes)))
    const [code]: unknown[] = await once(child, 'close')
    assert.equal(code, CURL_EXIT.write, said)
    assert.match(said, /^(?:moorage: \(23\) .*\n){2}$/)
    assert.equal(statSync(join(folder, 'whole')).size, large.length)
    assert.match(readFileSync(join(folder, 'jar'), 'utf8'), /\ta\tb$/m)
  })

  void test('-R gives the file the time that the server tells', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'curl-time-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const changed = new Date(Date.UTC(2020, 1, 29, 12))
    const server = createServer((_, response) => response.setHeader('last-modified', changed.toUTCString()).end('x'))
    server.listen({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { code, stderr } = await run(t, '-sSR', '-o', join(folder, 'x'), `http://127.0.0.1:${port}/`)
    assert.equal(code, 0, stderr)
    assert.equal(statSync(join(folder, 'x')).mtimeMs, changed.getTime())
  })

  void test('-D that cannot be written fails each URL with 23, and nothing is asked for', async (t) => {
    const url = await serving(t)
    const { code, stdout, stderr } = await run(t, '-sS', '-D', '/nonexistent/heads', `${url}/a`, `${url}/b`)
    assert.deepEqual([code, stdout], [CURL_EXIT.write, ''])
    assert.match(stderr, /^(?:moorage: \(23\) .*\/nonexistent\/heads.*\n){2}$/)
  })

  void test('SIGTERM ends the wait before another try', async (t) => {
    const server = createServer((_, response) => response.writeHead(503, { 'retry-after': '100000' }).end())
    server.listen({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const url = `http://127.0.0.1:${port}/`
    const program = new Program(t, process.execPath, [MAIN, 'curl', '-v', '--stderr', '-', '--retry', '2', url])
    await program.printed(/trying again in 100000 s/)
    assert.equal((await program.stop()).code, CURL_EXIT.interrupted)
  })

  void test('--write-out tells times that grow, and all of it as JSON', async (t) => {
    const url = await serving(t)
    const format = '%{time_namelookup} %{time_connect} %{time_starttransfer} %{time_total}\n%{json}'
    const { stdout } = await run(t, '-s', '-o', '/dev/null', '-w', format, url)
    const [times = '', json = ''] = stdout.split('\n')
    const seconds = times.split(' ').map(Number)
    assert.deepEqual(
      seconds,
      [...seconds].sort((left, right) => left - right),
    )
    const told: Record<string, unknown> = JSON.parse(json)
    assert.deepEqual([told['http_code'], told['exitcode'], told['method']], [200, 0, 'GET'])
  })

  void test('--help shows the flags, and a wrong one exits with 2 and says where to look', async (t) => {
    const help = await run(t, '--help')
    assert.equal(help.code, 0)
    assert.match(help.stdout, /-X, --request <method>/)
    const wrong = await run(t, '--unheard', 'http://127.0.0.1:1/')
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /moorage: try "moorage curl --help"/)
  })
})
