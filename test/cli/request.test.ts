import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { json, redirect, text, type HttpFunction } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { files } from '#src/static/index.js'
import { until } from '#src/testing/contract-row.js'
import { MAIN, moorage, serving } from './_moorage.js'

/** Answers with what it was asked. */
const mirror: HttpFunction = async (request) =>
  json({
    method: request.method,
    target: request.target,
    type: request.headers.get('content-type') ?? '',
    extra: request.headers.get('x-extra') ?? '',
    authorization: request.headers.get('authorization') ?? '',
    body: (await request.body?.text()) ?? '',
  })

void suite('moorage get, post and the others', () => {
  void test('items are fields, queries, JSON, forms and files', async (t) => {
    const url = await serving(t, mirror)
    const sent = async (...args: string[]): Promise<Record<string, string>> => {
      const { code, out, err } = await moorage(args)
      assert.equal(code, 0, err)
      return JSON.parse(out)
    }
    const got = await sent('get', `${url}/a`, 'x==1', 'X-Extra: yes', '-a', 'me:secret')
    assert.deepEqual(
      [got['method'], got['target'], got['extra'], got['authorization']],
      ['GET', '/a?x=1', 'yes', `Basic ${btoa('me:secret')}`],
    )
    const posted = await sent('post', url, 'name=Ann', 'age:=30', 'tags:=["a"]')
    assert.deepEqual([posted['type'], posted['body']], ['application/json', '{"name":"Ann","age":30,"tags":["a"]}'])
    const form = await sent('put', '-f', url, 'a=1 2')
    assert.deepEqual(
      [form['method'], form['type'], form['body']],
      ['PUT', 'application/x-www-form-urlencoded', 'a=1+2'],
    )
    const folder = await mkdtemp(join(tmpdir(), 'request-'))
    t.after(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'a.txt'), 'from a file')
    const upload = await sent('post', url, 'note=new', `file@${folder}/a.txt;type=text/plain`)
    assert.match(
      upload['body'] ?? '',
      /name="note"\r\n\r\nnew\r\n[^]*filename="a.txt"\r\nContent-Type: text\/plain\r\n\r\nfrom a file\r\n/,
    )
    assert.equal((await sent('post', url, '-d', `@${folder}/a.txt`))['body'], 'from a file')
    const { out } = await moorage(['post', url, '-d', '@-'], 'from stdin')
    assert.match(out, /"body":"from stdin"/)
  })

  void test('head shows the head, get the body, -i both; -o saves', async (t) => {
    const url = await serving(t, ({ path }) => (path === '/old' ? redirect('/new') : text('hello')))
    assert.match((await moorage(['head', url])).out, /^HTTP\/1\.1 200 OK\n/)
    assert.equal((await moorage(['get', `${url}/old`])).out, 'hello')
    assert.match(
      (await moorage(['get', '-i', '--no-follow', `${url}/old`])).out,
      /^HTTP\/1\.1 30\d .*\n[^]*Location: \/new\n/,
    )
    const folder = await mkdtemp(join(tmpdir(), 'request-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'saved')
    const { code, err } = await moorage(['get', '-o', file, `${url}/x`])
    assert.deepEqual([code, await readFile(file, 'utf8')], [0, 'hello'], err)
  })

  void test('each kind of failure has its exit code, one line, and no secret', async (t) => {
    const url = await serving(t, ({ path }) => (path === '/missing' ? text('no', { status: 404 }) : redirect('/again')))
    const rows: readonly (readonly [args: readonly string[], code: number])[] = [
      [['get', 'http://me:secret@no-such-host.invalid/'], 10],
      [['get', 'http://me:secret@127.0.0.1:1/'], 11],
      [['get', url.replace('http:', 'https:')], 12],
      [['get', '-x', 'http://me:secret@127.0.0.1:1', url], 13],
      [['get', '--max-redirects', '2', `${url}/round`], 17],
      [['get', '--fail', `${url}/missing`], 24],
      [['get'], 2],
      [['get', url, 'nonsense'], 2],
      [['get', url, '--nonsense'], 2],
      [['post', url, 'a=1', '-d', 'b'], 2],
    ]
    for (const [args, code] of rows) {
      const { code: found, err } = await moorage([...args, '--retry', '0'])
      assert.equal(found, code, `${args.join(' ')}: ${err}`)
      assert.ok(!/secret|\n\s+at /.test(err), err)
    }
  })

  void test('--curl prints what curl sends as we do', async (t) => {
    const url = await serving(t, mirror)
    for (const args of [
      ['get', `${url}/a`, 'x==1 2', 'X-Extra:yes'],
      ['post', url, "name=it's", 'n:=[1]'],
      ['put', '-f', url, 'a=1'],
      ['delete', url],
    ]) {
      const line = await moorage([...args, '--curl'])
      assert.equal(line.code, 0, line.err)
      const byCurl = spawn('sh', ['-c', line.out.replace(/^curl/, 'curl -s --noproxy "*"')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let out = ''
      byCurl.stdout.on('data', (bytes) => (out += String(bytes)))
      await once(byCurl, 'close')
      assert.deepEqual(JSON.parse(out), JSON.parse((await moorage(args)).out), line.out)
    }
  })

  void test('--cookies keeps them between two commands, --har writes all but credentials, --verbose shows the heads', async (t) => {
    const url = await serving(t, ({ headers }) =>
      text(headers.get('cookie') ?? 'none', { headers: { 'set-cookie': 'a=secret; Max-Age=1000' } }),
    )
    const folder = await mkdtemp(join(tmpdir(), 'request-'))
    t.after(() => rm(folder, { recursive: true }))
    const [jar, har] = [join(folder, 'cookies.txt'), join(folder, 'a.har')]
    assert.equal((await moorage(['get', url, '-b', jar])).out, 'none')
    const again = await moorage(['get', url, '-b', jar, '--har', har, '-v', '-a', 'me:secret'])
    assert.equal(again.out, 'a=secret')
    assert.match(again.err, /^> GET \/ HTTP\/1\.1\n> Host: /)
    assert.match(again.err, /\n< HTTP\/1\.1 200 OK\n/)
    const written = await readFile(har, 'utf8')
    const {
      log,
    }: { readonly log: { readonly entries: readonly { readonly response: { readonly status: number } }[] } } =
      JSON.parse(written)
    assert.deepEqual(
      log.entries.map(({ response }) => response.status),
      [200],
    )
    assert.ok(!written.includes('secret'))
  })

  void test('--session keeps cookies and credentials for its host, in a file for this user alone', async (t) => {
    const url = await serving(t, (request) =>
      text(`${request.headers.get('authorization') ?? 'nobody'} ${request.headers.get('cookie') ?? 'nothing'}`, {
        headers: request.query.has('set') ? { 'set-cookie': 'a=1; Max-Age=60' } : {},
      }),
    )
    const folder = await mkdtemp(join(tmpdir(), 'session-'))
    t.after(() => rm(folder, { recursive: true }))
    const env = { XDG_CONFIG_HOME: folder }
    const credentials = `Basic ${btoa('ann:secret')}`
    const get = async (...args: string[]): Promise<string> => (await moorage(['get', ...args], '', env)).out
    assert.equal(await get('--session', 'one', '-a', 'ann:secret', `${url}/?set`), `${credentials} nothing`)
    assert.equal(await get('--session', 'one', url), `${credentials} a=1`)
    assert.equal(await get('--session', 'two', url), 'nobody nothing')
    assert.equal(await get('--session', 'one', '-a', 'bob:other', url), `Basic ${btoa('bob:other')} a=1`)
    assert.equal(await get('--session', 'one', url), `Basic ${btoa('bob:other')} a=1`)
    const [host = ''] = await readdir(join(folder, 'moorage/sessions'))
    const file = join(folder, 'moorage/sessions', host, 'one.json')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal(await get('--session', file, url), `Basic ${btoa('bob:other')} a=1`)
    assert.equal((await moorage(['get', '--session', '..', url], '', env)).code, 2)
    await writeFile(file, 'no JSON')
    assert.equal((await moorage(['get', '--session', 'one', url], '', env)).code, 2)
  })

  void test('put --resume -d @file goes on with an upload that was ended', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'resume-'))
    t.after(() => rm(folder, { recursive: true }))
    await mkdir(join(folder, 'inbox'))
    const content = randomBytes(40 * 1024 * 1024)
    await writeFile(join(folder, 'source'), content)
    const { endpoint, close } = await (async () => {
      const server = await serveHttp('http://127.0.0.1:0', files(join(folder, 'inbox'), { upload: true }))
      return { endpoint: server.endpoint.replace(/\/$/, ''), close: () => server.close({ graceMs: 0 }) }
    })()
    t.after(close)
    const env = { XDG_STATE_HOME: join(folder, 'state') }
    const args = ['put', '--resume', `${endpoint}/file`, '-d', `@${join(folder, 'source')}`]
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore', env: { ...process.env, ...env } })
    const uploads = join(folder, 'state/moorage/uploads')
    const states = (): number =>
      existsSync(uploads) ? readdirSync(uploads).filter((name) => name.endsWith('.json')).length : 0
    const exited = once(child, 'exit')
    await until('the address of the upload is kept', () => states() > 0)
    child.kill('SIGKILL')
    await exited
    const { code, err } = await moorage(args, '', env)
    assert.equal(code, 0, err)
    assert.ok(content.equals(await readFile(join(folder, 'inbox/file'))))
    assert.equal(states(), 0)
  })
})
