import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { files } from '#src/static/files.js'
import type { FilesOptions } from '#src/static/options.js'
import { until, withCode, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { ask, bodyOf, fieldOf, statusOf } from './_asking.js'

const TIMEOUT = { timeout: 20_000 }
const root = realpathSync(mkdtempSync(join(tmpdir(), 'moorage-files-')))
const outside = realpathSync(mkdtempSync(join(tmpdir(), 'moorage-outside-')))
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const BIG = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7) & 0xff))

function fill(): void {
  const put = (name: string, content: string | Buffer): void => writeFileSync(join(root, name), content)
  for (const folder of ['sub', 'empty', 'ünïcode', '.hidden', '.well-known', 'pages']) mkdirSync(join(root, folder))
  put('letters.txt', LETTERS)
  put('big.bin', BIG)
  put('empty.txt', '')
  put('page.html', '<p>page</p>')
  put('sub/index.html', 'index of sub')
  put('sub/other.txt', 'other')
  put('ünïcode/ö.txt', 'ö')
  put('a b&c.txt', 'odd')
  put('.secret', 'hidden')
  put('.hidden/file', 'hidden')
  put('.well-known/known', 'known')
  put('app.js', 'let a')
  put('app.js.gz', 'gzipped')
  put('app.js.br', 'brotlied')
  put('old.js', 'let b')
  put('old.js.gz', 'stale')
  utimesSync(join(root, 'old.js.gz'), 1, 1)
  writeFileSync(join(outside, 'secret'), 'outside')
  symlinkSync(join(root, 'letters.txt'), join(root, 'inner-link'))
  symlinkSync(join(outside, 'secret'), join(root, 'outer-link'))
  symlinkSync(outside, join(root, 'outer-folder'))
  symlinkSync('loop', join(root, 'loop'))
  spawnSync('mkfifo', [join(root, 'pipe')])
  symlinkSync('/dev/zero', join(root, 'zero'))
}

async function withFiles(options: FilesOptions, body: (server: HttpServer) => Promise<void>): Promise<void> {
  const server = await serveHttp('http://127.0.0.1:0', files(root, options))
  try {
    await body(server)
  } finally {
    await server.close({ graceMs: 100 })
  }
}

suite('files', () => {
  let server: HttpServer
  before(async () => {
    fill()
    server = await serveHttp('http://127.0.0.1:0', files(root))
  })
  after(async () => {
    await server.close({ graceMs: 100 })
    for (const folder of [root, outside]) rmSync(folder, { recursive: true, force: true })
  })

  const reads: readonly (readonly [target: string, body: string, type: string])[] = [
    ['/letters.txt', LETTERS, 'text/plain; charset=utf-8'],
    ['/letters.txt?a=/../b', LETTERS, 'text/plain; charset=utf-8'],
    ['/empty.txt', '', 'text/plain; charset=utf-8'],
    ['/page.html', '<p>page</p>', 'text/html; charset=utf-8'],
    ['/sub/', 'index of sub', 'text/html; charset=utf-8'],
    ['/%C3%BCn%C3%AFcode/%C3%B6.txt', 'Ã¶', 'text/plain; charset=utf-8'],
    ['/a%20b&c.txt', 'odd', 'text/plain; charset=utf-8'],
    ['/.well-known/known', 'known', 'application/octet-stream'],
    ['/inner-link', LETTERS, 'application/octet-stream'],
    ['/app.js', 'let a', 'text/javascript; charset=utf-8'],
  ]
  for (const [target, body, type] of reads) {
    test(`GET ${target} is its file`, TIMEOUT, async () => {
      const answer = await ask(server, target)
      assert.deepEqual([statusOf(answer), bodyOf(answer), fieldOf(answer, 'Content-Type')], [200, body, type])
      const head = await ask(server, target, '', 'HEAD')
      assert.deepEqual([statusOf(head), bodyOf(head), fieldOf(head, 'Content-Length')], [200, '', String(body.length)])
    })
  }

  const refused: readonly (readonly [target: string, status: number])[] = [
    ['/missing', 404],
    ['/letters.txt/', 404],
    ['/letters.txt/x', 404],
    ['/../letters.txt', 404],
    ['/sub/../letters.txt', 404],
    ['/%2e%2e/letters.txt', 404],
    ['/%2E./letters.txt', 404],
    ['/sub/..%2fletters.txt', 404],
    ['/sub%2fother.txt', 404],
    ['/sub%5cother.txt', 404],
    ['/sub\\other.txt', 400],
    ['/..%5c..%5cetc%5cpasswd', 404],
    ['//letters.txt', 404],
    ['/sub//other.txt', 404],
    ['/./letters.txt', 404],
    ['/letters.txt%00', 404],
    ['/letters.txt%00.html', 404],
    ['/%252e%252e/letters.txt', 404],
    ['/%c0%ae%c0%ae/letters.txt', 400],
    ['/%e0%80%ae/letters.txt', 400],
    ['/%', 400],
    ['/%zz', 400],
    ['/.secret', 404],
    ['/%2esecret', 404],
    ['/.hidden/file', 404],
    ['/sub/.hidden', 404],
    ['/outer-link', 404],
    ['/outer-folder/', 404],
    ['/outer-folder/secret', 404],
    ['/loop', 404],
    ['/pipe', 404],
    ['/zero', 404],
    [`/${'a'.repeat(300)}`, 404],
    [`/${'a/'.repeat(200)}`, 404],
  ]
  for (const [target, status] of refused) {
    test(`GET ${target.slice(0, 40)} is ${status}`, TIMEOUT, async () => {
      const answer = await ask(server, target)
      assert.equal(statusOf(answer), status)
      assert.ok(!answer.includes('outside') && !answer.includes(LETTERS) && !answer.includes('hidden'))
    })
  }

  const ranges: readonly (readonly [range: string, status: number, body: string, contentRange: string | undefined])[] =
    [
      ['bytes=0-0', 206, 'a', 'bytes 0-0/26'],
      ['bytes=0-25', 206, LETTERS, 'bytes 0-25/26'],
      ['bytes=0-26', 206, LETTERS, 'bytes 0-25/26'],
      ['bytes=24-', 206, 'yz', 'bytes 24-25/26'],
      ['bytes=-3', 206, 'xyz', 'bytes 23-25/26'],
      ['bytes=-99', 206, LETTERS, 'bytes 0-25/26'],
      ['bytes=0-3,2-5', 206, 'abcdef', 'bytes 0-5/26'],
      ['bytes=26-', 416, 'Range Not Satisfiable\n', 'bytes */26'],
      ['bytes=-0', 416, 'Range Not Satisfiable\n', 'bytes */26'],
      ['bytes=5-2', 200, LETTERS, undefined],
      ['bytes=a-b', 200, LETTERS, undefined],
      ['lines=1-2', 200, LETTERS, undefined],
      [`bytes=${Array.from({ length: 40 }, (_, i) => `${i}-${i}`).join(',')}`, 206, LETTERS, 'bytes 0-25/26'],
      [`bytes=${'0-,'.repeat(1000)}0-`, 200, LETTERS, undefined],
    ]
  for (const [range, status, body, contentRange] of ranges) {
    test(`Range: ${range.slice(0, 40)} is ${status}`, TIMEOUT, async () => {
      const answer = await ask(server, '/letters.txt', `Range: ${range}\r\n`)
      assert.deepEqual(
        [statusOf(answer), bodyOf(answer), fieldOf(answer, 'Content-Range')],
        [status, body, contentRange],
      )
    })
  }
  test('several ranges come as multipart/byteranges, as long as was announced', TIMEOUT, async () => {
    const answer = await ask(server, '/letters.txt', 'Range: bytes=0-1,5-6,-1\r\n')
    const [, boundary = ''] = /boundary=(\S+)/.exec(fieldOf(answer, 'Content-Type') ?? '') ?? []
    const parts = bodyOf(answer).split(`\r\n--${boundary}`)
    assert.equal(Number(fieldOf(answer, 'Content-Length')), bodyOf(answer).length)
    assert.deepEqual(
      parts.slice(1, -1).map((part) => [fieldOf(part, 'Content-Range'), bodyOf(part)]),
      [
        ['bytes 0-1/26', 'ab'],
        ['bytes 5-6/26', 'fg'],
        ['bytes 25-25/26', 'z'],
      ],
    )
    assert.equal(parts.at(-1), '--\r\n')
  })
  test('a large file comes whole, and in any part', TIMEOUT, async () => {
    const whole = await fetch(`${server.endpoint}/big.bin`)
    assert.equal(Buffer.compare(Buffer.from(await whole.arrayBuffer()), BIG), 0)
    const part = await fetch(`${server.endpoint}/big.bin`, { headers: { Range: 'bytes=300001-900002' } })
    assert.equal(Buffer.compare(Buffer.from(await part.arrayBuffer()), BIG.subarray(300_001, 900_003)), 0)
  })
  test('validators make the second answer short, and changes are seen', TIMEOUT, async () => {
    const url = `${server.endpoint}/changing.txt`
    writeFileSync(join(root, 'changing.txt'), 'one')
    const first = await fetch(url)
    assert.deepEqual([await first.text(), first.headers.get('cache-control')], ['one', 'no-cache'])
    const tag = first.headers.get('etag') ?? ''
    const same = await fetch(url, { headers: { 'If-None-Match': tag } })
    assert.deepEqual([same.status, await same.text(), same.headers.get('etag')], [304, '', tag])
    const date = first.headers.get('last-modified') ?? ''
    assert.equal((await fetch(url, { headers: { 'If-Modified-Since': date } })).status, 304)
    assert.equal((await fetch(url, { headers: { 'If-Match': '"other"' } })).status, 412)
    writeFileSync(join(root, 'changing.txt'), 'two')
    const changed = await fetch(url, { headers: { 'If-None-Match': tag } })
    assert.deepEqual([changed.status, await changed.text()], [200, 'two'])
    const resumed = await fetch(url, { headers: { Range: 'bytes=1-', 'If-Range': tag } })
    assert.deepEqual([resumed.status, await resumed.text()], [200, 'two'])
  })
  test('a compressed twin is sent to those who take it, unless it is older than its file', TIMEOUT, async () => {
    const asked = async (path: string, accept: string): Promise<unknown> => {
      const answer = await ask(server, path, `Accept-Encoding: ${accept}\r\n`)
      return [bodyOf(answer), fieldOf(answer, 'Content-Encoding'), fieldOf(answer, 'Vary')]
    }
    assert.deepEqual(await asked('/app.js', 'gzip, deflate, br'), ['brotlied', 'br', 'Accept-Encoding'])
    assert.deepEqual(await asked('/app.js', 'gzip'), ['gzipped', 'gzip', 'Accept-Encoding'])
    assert.deepEqual(await asked('/app.js', 'br;q=0'), ['let a', undefined, 'Accept-Encoding'])
    assert.deepEqual(await asked('/old.js', 'gzip'), ['let b', undefined, 'Accept-Encoding'])
  })
  test('a folder is listed as a page, as JSON and as text, with links that lead there', TIMEOUT, async () => {
    const page = await (await fetch(server.endpoint, { headers: { Accept: 'text/html' } })).text()
    assert.ok(
      page.includes('<a href="./a%20b%26c.txt">a b&amp;c.txt</a>') && page.includes('<a href="./sub/">sub/</a>'),
    )
    assert.ok(!page.includes('.secret') && !page.includes('<script'))
    const listed: {
      readonly entries: readonly { readonly name: string; readonly type: string; readonly size?: number }[]
    } = JSON.parse(await (await fetch(server.endpoint, { headers: { Accept: 'application/json' } })).text())
    const names = readdirSync(root).filter((name) => !name.startsWith('.'))
    assert.ok(listed.entries.every(({ name }) => names.includes(name)))
    assert.deepEqual(listed.entries.find(({ name }) => name === 'letters.txt')?.size, 26)
    const lines = await (await fetch(`${server.endpoint}/?q=LETT`, { headers: { Accept: 'text/plain' } })).text()
    assert.equal(lines, 'letters.txt\n')
    const bySize = await (
      await fetch(`${server.endpoint}/?sort=size&order=desc`, { headers: { Accept: 'text/plain' } })
    ).text()
    assert.ok(
      bySize.indexOf('big.bin') < bySize.indexOf('letters.txt') && bySize.indexOf('sub/') < bySize.indexOf('big.bin'),
    )
  })
  test('a folder without its slash is sent there', TIMEOUT, async () => {
    const answer = await ask(server, '/sub?a=1')
    assert.deepEqual([statusOf(answer), fieldOf(answer, 'Location')], [308, './sub/?a=1'])
  })
  test('other methods are 405 with what there is', TIMEOUT, async () => {
    for (const method of ['POST', 'PUT', 'DELETE'])
      assert.equal(
        (await fetch(`${server.endpoint}/letters.txt`, { method })).headers.get('allow'),
        'GET, HEAD, OPTIONS',
      )
  })
  const left: readonly (readonly [what: string, target: string, fields: string])[] = [
    ['a large file', '/big.bin', ''],
    ['a part', '/big.bin', 'Range: bytes=5-\r\n'],
    ['several parts', '/big.bin', 'Range: bytes=0-400000,500000-\r\n'],
    ['a twin', '/app.js', 'Accept-Encoding: br\r\n'],
    ['a listing', '/', 'Accept: text/html\r\n'],
    ['what has not changed', '/big.bin', 'If-None-Match: *\r\n'],
    ['what cannot be given', '/big.bin', 'Range: bytes=9999999-\r\n'],
    ['what is not there', '/missing', ''],
  ]
  for (const [what, target, fields] of left) {
    test(`clients that leave in the middle of ${what} leave no descriptor behind`, TIMEOUT, async () => {
      const count = (): number => readdirSync('/proc/self/fd').length
      const before = count()
      for (let i = 0; i < 20; i += 1) {
        const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
        const request = `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
        // Some ask for more than they ever read.
        await connection.write(i % 4 === 1 ? request.repeat(20) : request)
        if (i % 2 === 0) await within('the beginning', connection.read())
        connection.destroy()
      }
      await until('all to be closed', () => count() <= before)
    })
  }
  test('a listing has no links that lead outside, and tells nothing of what they lead to', TIMEOUT, async () => {
    for (const [symlinks, inner, outer] of [
      ['inside', true, false],
      ['follow', true, true],
      ['never', false, false],
    ] as const)
      await withFiles({ symlinks }, async (other) => {
        const names = bodyOf(await ask(other, '/', 'Accept: text/plain\r\n')).split('\n')
        assert.deepEqual(
          [names.includes('inner-link'), names.includes('outer-link'), names.includes('outer-folder/')],
          [inner, outer, outer],
          symlinks,
        )
        assert.ok(names.includes('letters.txt') && !names.includes('pipe') && !names.includes('zero'))
      })
  })
  test('options change what is served', TIMEOUT, async () => {
    await withFiles({ listing: false }, async (other) => assert.equal(statusOf(await ask(other, '/')), 404))
    await withFiles({ dotfiles: 'serve' }, async (other) =>
      assert.equal(bodyOf(await ask(other, '/.secret')), 'hidden'),
    )
    await withFiles({ symlinks: 'follow' }, async (other) =>
      assert.equal(bodyOf(await ask(other, '/outer-link')), 'outside'),
    )
    await withFiles({ symlinks: 'never' }, async (other) =>
      assert.equal(statusOf(await ask(other, '/inner-link')), 404),
    )
    await withFiles({ spa: 'page.html' }, async (other) => {
      assert.equal(bodyOf(await ask(other, '/some/route', 'Accept: text/html\r\n')), '<p>page</p>')
      assert.equal(statusOf(await ask(other, '/some/part.js', 'Accept: */*\r\n')), 404)
    })
    assert.throws(() => files(join(root, 'nowhere')), withCode('ERR_ARGUMENT'))
    assert.throws(() => files(join(root, 'letters.txt')), withCode('ERR_ARGUMENT'))
  })
})
