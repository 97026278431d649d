import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, suite, test } from 'node:test'
import { until } from '#src/testing/contract-row.js'
import { missing, moorage, start, stopAll, type Program } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-serve-'))
const state = mkdtempSync(join(tmpdir(), 'moorage-state-'))
mkdirSync(join(folder, 'sub'))
writeFileSync(join(folder, 'hello.txt'), 'hello from a file\n')
writeFileSync(join(folder, 'index.html'), '<p>the index')
writeFileSync(join(folder, 'sub', '.secret'), 'secret\n')
writeFileSync(join(folder, 'sub', 'start.htm'), '<p>start')
const skip = missing('curl')
const TIMEOUT = { timeout: 30_000, skip }

async function curl(...args: readonly string[]): Promise<string> {
  const program = start('curl', ['-sS', '--max-time', '10', ...args])
  assert.equal(await program.ends(), 0, program.err)
  return program.out
}

async function serve(...options: readonly string[]): Promise<{ readonly url: string; readonly program: Program }> {
  const program = moorage(['serve', folder, '--port', '0', ...options], { env: { XDG_STATE_HOME: state } })
  return { url: await program.listening(), program }
}

const statusOf = (url: string, ...options: readonly string[]): Promise<string> =>
  curl('-o', join(folder, '..', 'ignored'), '-w', '%{http_code}', ...options, url)

suite('moorage serve', () => {
  afterEach(stopAll)
  after(() => {
    for (const each of [folder, state]) rmSync(each, { recursive: true, force: true })
  })

  for (const model of ['concurrent', 'serial', 'threads', 'processes']) {
    test(`serves files under ${model}, and ends in order at SIGTERM`, TIMEOUT, async () => {
      const { url, program } = await serve('--model', model)
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/)
      assert.equal(await curl(`${url}hello.txt`), 'hello from a file\n')
      assert.equal(await curl('-r', '6-9', `${url}hello.txt`), 'from')
      assert.equal(await curl(url), '<p>the index')
      assert.equal(await statusOf(`${url}nothing`), '404')
      program.child.kill('SIGTERM')
      assert.equal(await program.ends(), 0, program.err)
    })
  }
  test('--index, --no-listing, --dotfiles and --spa say what an address is', TIMEOUT, async () => {
    const plain = await serve('--index', 'start.htm')
    assert.equal(await curl(`${plain.url}sub/`), '<p>start')
    assert.equal(await statusOf(`${plain.url}sub/.secret`), '404')
    const listed = await serve()
    assert.match(await curl('-H', 'Accept: text/plain', `${listed.url}sub/`), /^start\.htm\n$/)
    const closed = await serve('--no-listing', '--dotfiles', '--spa')
    assert.equal(await statusOf(`${closed.url}sub/`), '404')
    assert.equal(await curl(`${closed.url}sub/.secret`), 'secret\n')
    assert.equal(await curl('-H', 'Accept: text/html', `${closed.url}some/route`), '<p>the index')
  })
  test('--header, --cors and --cache are in the answers', TIMEOUT, async () => {
    const { url } = await serve('--header', 'X-Frame-Options: DENY', '--cors', '--cache', 'max-age=60')
    const head = await curl('-I', `${url}hello.txt`)
    for (const field of ['X-Frame-Options: DENY', 'Access-Control-Allow-Origin: *', 'Cache-Control: max-age=60'])
      assert.ok(head.includes(`${field}\r\n`), `${field} in ${head}`)
    assert.match(await curl('-I', `${url}nothing`), /^X-Frame-Options: DENY\r$/m)
  })
  test('a field of --header takes the place of the one that a file, a preset or an error has', TIMEOUT, async () => {
    const given = [
      'Cache-Control: max-age=9',
      'content-type: text/x-own',
      'Access-Control-Allow-Origin: https://a.example',
    ]
    const { url } = await serve('--cors', '--cache', 'max-age=60', ...given.flatMap((field) => ['--header', field]))
    const head = await curl('-I', `${url}hello.txt`)
    for (const field of given) {
      const [name] = field.split(':')
      assert.deepEqual(
        head.match(new RegExp(`^${name}: .*$`, 'gim'))?.map((line) => line.trim()),
        [field],
      )
    }
    assert.match(await curl('-I', `${url}nothing`), /^Content-Type: text\/plain; charset=utf-8\r$/m)
  })
  test('--isolated, --compress and --pretty do what they say', TIMEOUT, async () => {
    writeFileSync(join(folder, 'about.html'), '<p>about '.repeat(500))
    const { url } = await serve('--isolated', '--compress', '--pretty')
    const head = await curl('-I', `${url}about`)
    assert.match(head, /^HTTP\/1\.1 200 /)
    for (const field of ['Cross-Origin-Opener-Policy: same-origin', 'Cross-Origin-Embedder-Policy: require-corp'])
      assert.ok(head.includes(`${field}\r\n`), `${field} in ${head}`)
    assert.match(await curl('-I', `${url}about.html`), /^Location: \.\/about\r$/m)
    // What has changed just now is sent as it is: until then, it is asked for again.
    const asked = (): Promise<string> => curl('-I', '-H', 'Accept-Encoding: gzip', `${url}about`)
    while (!(await asked()).includes('Content-Encoding: gzip\r\n'));
    assert.equal(await curl('--compressed', `${url}about`), '<p>about '.repeat(500))
  })
  test('a host that it does not serve is refused, unless --name has it', TIMEOUT, async () => {
    const { url } = await serve('--name', 'files.example')
    assert.equal(await statusOf(url, '-H', 'Host: evil.example'), '421')
    assert.equal(await statusOf(url, '-H', 'Host: files.example'), '200')
    assert.equal(await statusOf(url, '-H', 'Host: LOCALHOST:1'), '200')
    const any = await serve('--name', '*')
    assert.equal(await statusOf(any.url, '-H', 'Host: evil.example'), '200')
  })
  test('--log tells of each request in a line, in which nothing begins another', TIMEOUT, async () => {
    for (const model of ['concurrent', 'threads']) {
      const { url, program } = await serve('--log', 'combined', '--model', model)
      await curl('-A', 'agent "x"', '-e', 'http://from/', `${url}hello.txt?a=%0ab`)
      await until('its line', () => program.err.includes('hello.txt'))
      assert.match(
        program.err,
        /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:[\d:]{8} \+0000\] "GET \/hello\.txt\?a=%0ab HTTP\/1\.1" 200 18 "http:\/\/from\/" "agent \\x22x\\x22"$/m,
      )
    }
  })
  test('--log tells of what is no request, and not of the request of the command itself', TIMEOUT, async () => {
    for (const model of ['concurrent', 'threads']) {
      const { url, program } = await serve('--log', 'common', '--model', model)
      const connection = connect(Number(new URL(url).port), '127.0.0.1')
      connection.end('nonsense\r\n\r\n')
      connection.resume()
      await program.says('"-" 400 12')
      await curl('-A', 'moorage (its own check)', '-H', 'Moorage-Check: 1', `${url}hello.txt`)
      await program.says('"GET /hello.txt HTTP/1.1" 200 18')
      assert.doesNotMatch(program.err, /HEAD/)
      await program.stop()
    }
  })
  test('--tls makes a certificate on first use', TIMEOUT, async () => {
    const { url } = await serve('--tls')
    assert.match(url, /^https:/)
    assert.equal(await curl('--cacert', join(state, 'moorage/cert.pem'), `${url}hello.txt`), 'hello from a file\n')
  })
  test('without --port a port that is taken is passed over; with it, it is an error', TIMEOUT, async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => {
      holder.once('error', () => resolve())
      holder.listen(8000, '127.0.0.1', resolve)
    })
    try {
      const program = moorage(['serve', folder])
      assert.match(await program.listening(), /:80[0-2]\d\/$/)
      assert.match(program.err, /port 8000 is taken; trying 8001/)
      const refused = moorage(['serve', folder, '--port', '8000'])
      assert.equal(await refused.ends(), 1)
      assert.match(refused.err, /in use/)
    } finally {
      holder.close()
    }
  })
  const wrong: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
    [['/no/such/folder'], 2, /no such|ENOENT/],
    [['a', 'b'], 2, /one folder/],
    [['.', '--header', 'no colon'], 2, /colon/],
    [['.', '--header', 'a: b\nc: d'], 2, /colon/],
    [['.', '--log', 'fancy'], 2, /common/],
    [['.', '--model', 'fancy'], 2, /threads/],
    [['.', '--prot', '1'], 2, /--port/],
    [['.', '--host', 'no.such.host.invalid'], 1, /host/],
  ]
  for (const [args, code, says] of wrong) {
    test(`serve ${JSON.stringify(args).slice(0, 60)} is refused in one line`, TIMEOUT, async () => {
      const program = moorage(['serve', ...args])
      assert.equal(await program.ends(), code, program.err)
      assert.match(program.err, says)
      assert.ok(!/\n\s+at /.test(program.err))
    })
  }
})
