import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { redirect, stream, text, type HttpFunction } from '#src/http/index.js'
import { MAIN, moorage, serving, temporaryFolder, type Ended } from './_moorage.js'

const answer: HttpFunction = ({ path }) => {
  const [, status] = /^\/(\d{3})$/.exec(path) ?? []
  const headers = { 'set-cookie': 'a=1; Max-Age=60' }
  if (status !== undefined) return text('the page of an error', { status: Number(status), headers })
  return path === '/endless' ? stream(endless(), { headers }) : text('content', { headers })
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield new Uint8Array(64 * 1024).fill(0x78)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** With a stdout that takes nothing: of a reader that goes behind the first bytes, or a disk that is full. */
async function cut(args: readonly string[], how: 'reader' | 'disk'): Promise<Omit<Ended, 'out'>> {
  const full = how === 'disk' ? openSync('/dev/full', 'w') : undefined
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', full ?? 'pipe', 'pipe'],
    timeout: 30_000,
  })
  if (full !== undefined) closeSync(full)
  let err = ''
  child.stderr?.on('data', (bytes) => (err += String(bytes)))
  child.stdout?.once('data', () => child.stdout?.destroy())
  const [code]: unknown[] = await once(child, 'close')
  return { code, err }
}

const oneLine = /^moorage: [^\n]+\n$/

void suite('files and stdout of requests', () => {
  void test('post, put and patch -o keep what stood there when the server answers with an error', async (t) => {
    const url = await serving(t, answer)
    const file = join(await temporaryFolder(t), 'file')
    await writeFile(file, 'before')
    for (const [method, status, exit] of [
      ['post', 500, 25],
      ['put', 404, 24],
      ['patch', 503, 25],
    ] as const) {
      const { code, err } = await moorage([method, '-o', file, `${url}/${status}`, '--retry', '0', 'a=1'])
      assert.equal(code, exit, err)
      assert.match(err, oneLine)
      assert.equal(await readFile(file, 'utf8'), 'before')
    }
    assert.equal((await moorage(['post', '-o', file, url, 'a=1'])).code, 0)
    assert.equal(await readFile(file, 'utf8'), 'content')
  })

  void test('get -i -o shows the head on stdout, of an error too', async (t) => {
    const url = await serving(t, answer)
    const file = join(await temporaryFolder(t), 'file')
    const got = await moorage(['get', '-i', '-o', file, url])
    assert.match(got.out, /^HTTP\/1\.1 200 OK\n[^]*\n\n$/)
    assert.equal(await readFile(file, 'utf8'), 'content')
    const failed = await moorage(['get', '-i', '-o', file, `${url}/404`])
    assert.equal(failed.code, 24)
    assert.match(failed.out, /^HTTP\/1\.1 404 Not Found\n[^]*\n\n$/)
    assert.equal(await readFile(file, 'utf8'), 'content')
  })

  void test('a full disk behind stdout is one line and exit 1, with the flags of curl 23', async (t) => {
    const url = await serving(t, answer)
    const lines: readonly (readonly [exit: number, ...line: string[]])[] = [
      [1, 'get', url],
      [1, 'get', '-i', '--json', url],
      [1, 'why', url],
      [1, '--help'],
      [1, 'serve', '--help'],
      [23, 'curl', '-sS', url],
      [23, 'curl', '--help'],
    ]
    for (const [exit, ...line] of lines) {
      const { code, err } = await cut(line, 'disk')
      assert.equal(code, exit, `${line.join(' ')}: ${err}`)
      if (exit === 1 && !line.includes('--json'))
        assert.match(err, /^moorage: Cannot write to stdout: [^\n]*full[^\n]*\n$/)
      else assert.equal(err.trimEnd().split('\n').length, 1, err)
      assert.doesNotMatch(err, /^\s+at /m)
    }
  })

  void test('a reader that goes is no error, and what is kept for later is kept; to curl it is 23', async (t) => {
    const url = await serving(t, answer)
    const folder = await temporaryFolder(t)
    const [cookies, session, har, jar] = ['c.txt', 's.json', 'h.har', 'jar'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ]
    const kept = ['--cookies', cookies, '--session', session, '--har', har]
    assert.deepEqual(await cut(['get', ...kept, `${url}/endless`], 'reader'), { code: 0, err: '' })
    assert.match(await readFile(cookies, 'utf8'), /\ta\t1\n/)
    assert.match(await readFile(session, 'utf8'), /"name": "a"/)
    assert.match(await readFile(har, 'utf8'), /"status": 200/)
    assert.equal((await cut(['curl', '-sS', '-c', jar, `${url}/endless`], 'reader')).code, 23)
    assert.match(await readFile(jar, 'utf8'), /\ta\t1\n/)
  })

  void test('what cannot be kept is told, hides no worse outcome, and leaves what stood there', async (t) => {
    const url = await serving(t, answer)
    const folder = await temporaryFolder(t)
    const nowhere = join(folder, 'nowhere/h.har')
    for (const [path, exit] of [
      ['/404', 24],
      ['/', 1],
    ] as const) {
      const { code, err, out } = await moorage(['get', '--fail', '--har', nowhere, url + path])
      assert.equal(code, exit)
      assert.match(err, /^moorage: Cannot keep the record in "[^\n]*\n$/)
      assert.ok(out.length > 0)
    }
    const names = ['c.txt', 's.json', 'h.har']
    const [cookies = '', session = '', har = ''] = names.map((name) => join(folder, name))
    await writeFile(cookies, '# Netscape HTTP Cookie File\n')
    await writeFile(session, '{}')
    await writeFile(har, 'an older record')
    const words = ['get', '-b', cookies, '--session', session, '--har', har, url]
    // No file may be longer than nothing: as on a disk that is full.
    const program = spawn('sh', ['-c', `trap '' XFSZ; ulimit -f 0; exec "$@"`, 'sh', process.execPath, MAIN, ...words])
    let err = ''
    program.stderr.on('data', (bytes) => (err += String(bytes)))
    const [code]: unknown[] = await once(program, 'close')
    assert.equal(code, 1, err)
    for (const what of ['cookies', 'session', 'record']) assert.match(err, new RegExp(`Cannot keep the ${what} in`))
    assert.equal(await readFile(har, 'utf8'), 'an older record')
    assert.equal(await readFile(session, 'utf8'), '{}')
    assert.deepEqual((await readdir(folder)).sort(), [...names].sort())
  })

  void test('a link to a file of cookies stays, and what it leads to is replaced', async (t) => {
    const url = await serving(t, answer)
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'real'), '')
    await symlink('real', join(folder, 'link'))
    assert.equal((await moorage(['get', '-b', join(folder, 'link'), url])).code, 0)
    assert.match(await readFile(join(folder, 'real'), 'utf8'), /\ta\t1\n/)
  })

  void test('--timing has a line for each redirect, and in all is all of it', async (t) => {
    const url = await serving(t, async ({ path }) => {
      if (path === '/') return text('there')
      await new Promise((resolve) => setTimeout(resolve, 300))
      return redirect('/')
    })
    for (const more of [[], ['-o', join(await temporaryFolder(t), 'file')]]) {
      const { err } = await moorage(['get', '--timing', ...more, `${url}/first`])
      const [, hop = ''] = /^302 +([\d.]+) ms .*\/first$/m.exec(err) ?? []
      const [, all = ''] = /^in all +([\d.]+) ms$/m.exec(err) ?? []
      assert.ok(Number(hop) >= 290 && Number(all) >= Number(hop), err)
    }
  })
})
