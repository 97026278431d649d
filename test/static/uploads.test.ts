import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { files } from '#src/static/files.js'
import type { UploadOptions } from '#src/static/upload/options.js'
import { until, withCode } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import {
  ask,
  base,
  content,
  digestOf,
  fill,
  names,
  outside,
  root,
  START,
  withUploads,
  type Answer,
} from './_uploads.js'

const TIMEOUT = { timeout: 20_000 }

suite('uploads', () => {
  let server: HttpServer
  before(async () => {
    fill()
    server = await serveHttp('http://127.0.0.1:0', files(root, { upload: { minFreeBytes: 0 } }))
  })
  beforeEach(fill)
  after(async () => {
    await server.close({ graceMs: 100 })
    rmSync(base, { recursive: true, force: true })
  })

  test('are off unless they are asked for', TIMEOUT, async () => {
    await using plain = await serveHttp('http://127.0.0.1:0', files(root))
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE'])
      assert.equal((await ask(plain, method, '/sub/')).status, 405)
    assert.equal((await ask(plain, 'PUT', '/new.txt', {}, 'x')).status, 405)
    assert.ok(!(await ask(plain, 'GET', '/', { Accept: 'text/html' })).body.includes('type="file"'))
    assert.deepEqual(names(), START)
    assert.throws(() => files(root, { upload: { maxFilez: 1 } as UploadOptions }), withCode('ERR_OPTION_UNKNOWN'))
    assert.throws(() => files(root, { upload: 'yes' as unknown as true }), withCode('ERR_OPTION_VALUE'))
  })

  suite('PUT', () => {
    test(
      'stores a new file with 201, whole, with the mode of new files and the tag that it is read with',
      TIMEOUT,
      async () => {
        const answer = await ask(server, 'PUT', '/sub/a%20%C3%BC.txt', {}, 'hello')
        assert.equal(answer.status, 201)
        assert.equal(content('sub/a ü.txt'), 'hello')
        assert.deepEqual(names('sub'), ['a ü.txt'])
        assert.equal(statSync(join(root, 'sub/a ü.txt')).mode & 0o777, 0o666 & ~process.umask())
        const read = await ask(server, 'GET', '/sub/a%20%C3%BC.txt')
        assert.deepEqual([read.body, read.field('ETag')], ['hello', answer.field('ETag')])
        assert.equal((await ask(server, 'PUT', '/empty')).status, 201)
        assert.equal(content('empty'), '')
        const chunked = await ask(
          server,
          'PUT',
          '/chunked',
          { 'Transfer-Encoding': 'chunked' },
          '5\r\nhello\r\n0\r\n\r\n',
        )
        assert.deepEqual([chunked.status, content('chunked')], [201, 'hello'])
        assert.equal((await ask(server, 'PUT', '/inner/through-a-link', {}, 'x')).status, 201)
        assert.equal(content('sub/through-a-link'), 'x')
      },
    )

    const refused: readonly (readonly [target: string, status: number, fields?: Readonly<Record<string, string>>])[] = [
      ['/old.txt', 409],
      ['/old.txt', 412, { 'If-None-Match': '*' }],
      ['/old.txt', 412, { 'If-Match': '"other"' }],
      ['/old.txt', 412, { 'If-Unmodified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT' }],
      ['/new.txt', 412, { 'If-Match': '*' }],
      ['/sub', 409],
      ['/sub/', 409],
      ['/', 409],
      ['/missing/new.txt', 409],
      ['/old.txt/new.txt', 409],
      ['/../new.txt', 403],
      ['/sub/../new.txt', 403],
      ['/..%2fnew.txt', 403],
      ['/sub%2f..%2f..%2fnew.txt', 403],
      ['/%2e%2e/new.txt', 403],
      ['/..', 403],
      ['/.', 403],
      ['//new.txt', 403],
      ['/sub%5c..%5cnew.txt', 403],
      ['/new.txt%00', 403],
      ['/new%0a.txt', 403],
      ['/new.txt%E2%80%AEgpj', 403],
      ['/new.', 403],
      ['/new%20', 403],
      [`/${'x'.repeat(256)}`, 403],
      ['/.new', 403],
      ['/.hidden/new.txt', 403],
      ['/.moorage-upload-x', 403],
      ['/outer/new.txt', 409],
      ['/%zz', 400],
      ['/new.txt', 400, { 'Content-Range': 'bytes 0-3/4' }],
      ['/new.txt', 415, { 'Content-Encoding': 'gzip' }],
      ['/new.txt', 403, { Origin: 'http://evil.example' }],
      ['/new.txt', 403, { Origin: 'null' }],
      ['/new.txt', 403, { 'Sec-Fetch-Site': 'cross-site' }],
      ['/new.txt', 400, { 'Repr-Digest': digestOf('another') }],
      ['/new.txt', 400, { 'Repr-Digest': `${digestOf('body')}, ${digestOf('another', 'sha512')}` }],
      ['/new.txt', 400, { 'Repr-Digest': 'sha-256=:AAAA:' }],
      ['/new.txt', 400, { 'Repr-Digest': 'sha-256' }],
    ]
    for (const [target, status, fields = {}] of refused) {
      test(
        `of ${target.slice(0, 40)} ${JSON.stringify(fields).slice(0, 80)} is ${status}, and nothing changes`,
        TIMEOUT,
        async () => {
          assert.equal((await ask(server, 'PUT', target, fields, 'body')).status, status)
          assert.deepEqual([names(), names('sub'), readdirSync(outside)], [START, [], []])
          assert.equal(content('old.txt'), 'the old one')
        },
      )
    }
    const taken: readonly Readonly<Record<string, string>>[] = [
      { 'If-None-Match': '*' },
      { 'If-None-Match': '"other"' },
      { Origin: 'http://a' },
      { 'Sec-Fetch-Site': 'same-origin' },
      { 'Repr-Digest': digestOf('body') },
      { 'Repr-Digest': `${digestOf('body', 'sha512')}, md5=:AAAA:` },
      { 'Content-Encoding': 'identity' },
      { Expect: '100-continue' },
    ]
    for (const fields of taken) {
      test(`with ${JSON.stringify(fields).slice(0, 60)} is taken`, TIMEOUT, async () => {
        assert.equal((await ask(server, 'PUT', '/new.txt', fields, 'body')).status, 201)
        assert.equal(content('new.txt'), 'body')
        assert.deepEqual(names(), [...START, 'new.txt'].toSorted())
      })
    }
    test('with overwrite replaces what is there with 204, if the conditions hold', TIMEOUT, async () => {
      await withUploads({ overwrite: true, minFreeBytes: 0 }, async (other) => {
        const tag = (await ask(other, 'HEAD', '/old.txt')).field('ETag') ?? ''
        assert.equal((await ask(other, 'PUT', '/old.txt', { 'If-None-Match': '*' }, 'new')).status, 412)
        assert.equal((await ask(other, 'PUT', '/old.txt', { 'If-Match': '"other"' }, 'new')).status, 412)
        assert.equal(content('old.txt'), 'the old one')
        const answer = await ask(other, 'PUT', '/old.txt', { 'If-Match': tag }, 'new')
        assert.deepEqual([answer.status, content('old.txt')], [204, 'new'])
        assert.equal((await ask(other, 'PUT', '/old.txt', { 'If-Match': tag }, 'newer')).status, 412)
        assert.equal((await ask(other, 'PUT', '/sub', {}, 'x')).status, 409)
        symlinkSync(join(outside, 'target'), join(root, 'link'))
        assert.equal((await ask(other, 'PUT', '/link', {}, 'x')).status, 409)
        assert.deepEqual(readdirSync(outside), [])
      })
    })
    test('of a file at its limit is stored, one byte more is 413, and the limit is told', TIMEOUT, async () => {
      await withUploads({ maxFileBytes: 5, minFreeBytes: 0 }, async (other) => {
        assert.equal((await ask(other, 'PUT', '/five', {}, '12345')).status, 201)
        for (const fields of [{}, { Expect: '100-continue' }]) {
          const answer = await ask(other, 'PUT', '/six', fields, '123456')
          assert.deepEqual([answer.status, answer.field('Upload-Limit')], [413, 'max-size=5, max-age=86400'])
          assert.ok(!answer.all.includes('100 Continue'))
        }
        const chunked = await ask(other, 'PUT', '/six', { 'Transfer-Encoding': 'chunked' }, '6\r\n123456\r\n0\r\n\r\n')
        assert.equal(chunked.status, 413)
        assert.deepEqual(names(), [...START, 'five'].toSorted())
      })
    })
    test('may be longer than maxBodyBytes of the server', TIMEOUT, async () => {
      const small = await serveHttp('http://127.0.0.1:0', files(root, { upload: { minFreeBytes: 0 } }), {
        maxBodyBytes: 10,
      })
      try {
        assert.equal((await ask(small, 'PUT', '/long', {}, 'x'.repeat(100_000))).status, 201)
        assert.equal(content('long').length, 100_000)
      } finally {
        await small.close({ graceMs: 100 })
      }
    })
    test('that leaves less free than is to be left is 507', TIMEOUT, async () => {
      await withUploads({ minFreeBytes: 2 ** 52 }, async (other) => {
        assert.equal((await ask(other, 'PUT', '/new.txt', {}, 'x')).status, 507)
        assert.deepEqual(names(), START)
      })
    })
    test('that its client gives up leaves nothing', TIMEOUT, async () => {
      const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
      await connection.write('PUT /new.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello')
      await until('what has come of it', () => names().some((name) => name.startsWith('.moorage-upload-')))
      const hidden = names().find((name) => name.startsWith('.moorage-upload-')) ?? ''
      assert.equal((await ask(server, 'GET', `/${hidden}`)).status, 404)
      connection.destroy()
      await until('nothing left', () => !names().some((name) => name.startsWith('.moorage-upload-')))
      assert.deepEqual(names(), START)
    })
    test(
      'of two at the same time: one is stored, the other is refused, and what is there is whole',
      TIMEOUT,
      async () => {
        const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000))
        const answers = await Promise.all(
          bodies.map((body) => ask(server, 'PUT', '/new.txt', { 'If-None-Match': '*' }, body)),
        )
        assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 412, 412, 412])
        assert.equal(content('new.txt'), bodies[answers.findIndex(({ status }) => status === 201)])
        assert.deepEqual(names(), [...START, 'new.txt'].toSorted())
      },
    )
  })

  suite('a form', () => {
    const form = (...parts: readonly (readonly [name: string, body: string])[]): string =>
      `${parts.map(([name, body]) => `--B\r\nContent-Disposition: form-data; name="files"; filename="${name}"\r\n\r\n${body}\r\n`).join('')}--B--\r\n`
    const post = (
      to: HttpServer,
      target: string,
      body: string,
      fields: Readonly<Record<string, string>> = {},
    ): Promise<Answer> =>
      ask(to, 'POST', target, { 'Content-Type': 'multipart/form-data; boundary=B', ...fields }, body)

    test('of several files is stored, and answered with what became of each', TIMEOUT, async () => {
      const answer = await post(server, '/sub/', form(['a.txt', 'one'], ['b.txt', 'two']))
      assert.equal(answer.status, 201)
      assert.deepEqual(JSON.parse(answer.body), {
        files: [
          { name: 'a.txt', status: 201, size: 3 },
          { name: 'b.txt', status: 201, size: 3 },
        ],
      })
      assert.deepEqual([names('sub'), content('sub/a.txt'), content('sub/b.txt')], [['a.txt', 'b.txt'], 'one', 'two'])
    })
    test('is answered with a page where one is asked for, in which nothing of a name is markup', TIMEOUT, async () => {
      const answer = await post(server, '/', form(['<b>.txt', 'one'], ['old.txt', 'two']), { Accept: 'text/html' })
      assert.equal(answer.status, 409)
      assert.match(answer.body, /Received<\/strong> &lt;b&gt;\.txt/)
      assert.match(answer.body, /Not received<\/strong> old\.txt/)
      assert.equal(content('old.txt'), 'the old one')
    })
    test('has names that leave the folder or are hidden refused, and the others stored', TIMEOUT, async () => {
      const bad = [
        '../up.txt',
        '/abs.txt',
        String.raw`..\up.txt`,
        '.hidden.txt',
        '..',
        'sub/in.txt',
        '.moorage-upload-x',
      ]
      const answer = await post(server, '/sub/', form(...bad.map((name) => [name, 'x'] as const), ['good.txt', 'x']))
      assert.equal(answer.status, 403)
      const { files: results } = JSON.parse(answer.body) as { files: { name: string; status: number }[] }
      assert.deepEqual(
        results.map(({ status }) => status),
        [...bad.map(() => 403), 201],
      )
      assert.deepEqual([names('sub'), names(), readdirSync(base)], [['good.txt'], START, ['outside', 'root']])
    })
    const refused: readonly (readonly [
      name: string,
      status: number,
      target: string,
      body: string,
      fields?: Readonly<Record<string, string>>,
    ])[] = [
      ['without files', 400, '/sub/', form()],
      ['that is cut', 400, '/sub/', form(['a.txt', 'one']).slice(0, -10)],
      ['without a boundary', 400, '/sub/', form(['a.txt', 'one']), { 'Content-Type': 'multipart/form-data' }],
      ['that is none', 415, '/sub/', '{}', { 'Content-Type': 'application/json' }],
      ['to a file', 405, '/old.txt', form(['a.txt', 'one'])],
      ['to no folder', 409, '/missing/', form(['a.txt', 'one'])],
      ['to a folder outside', 409, '/outer/', form(['a.txt', 'one'])],
      ['from a page of another site', 403, '/sub/', form(['a.txt', 'one']), { Origin: 'http://evil.example' }],
      ['with a file that is too long', 413, '/sub/', form(['a.txt', '123456'])],
      ['with too many files', 413, '/sub/', form(['a.txt', '1'], ['b.txt', '1'], ['c.txt', '1'])],
    ]
    for (const [name, status, target, body, fields] of refused) {
      test(`${name} is ${status}, and no half of a file is left`, TIMEOUT, async () => {
        await withUploads({ maxFileBytes: 5, maxFiles: 2, minFreeBytes: 0 }, async (other) => {
          assert.equal((await post(other, target, body, fields)).status, status)
          assert.deepEqual(names(), START)
          for (const stored of names('sub')) assert.equal(content(`sub/${stored}`), '1')
        })
      })
    }
  })

  test('OPTIONS tells what may be sent, and how much', TIMEOUT, async () => {
    const folder = await ask(server, 'OPTIONS', '/sub/')
    assert.deepEqual(
      [folder.status, folder.field('Allow'), folder.field('Accept-Patch')],
      [204, 'GET, POST, HEAD, OPTIONS', 'application/partial-upload'],
    )
    assert.equal(folder.field('Upload-Limit'), `max-size=${4 * 1024 ** 3}, max-age=86400`)
    assert.equal((await ask(server, 'OPTIONS', '/sub/new')).field('Allow'), 'GET, PUT, HEAD, OPTIONS')
    assert.equal((await ask(server, 'DELETE', '/old.txt')).status, 405)
    assert.equal((await ask(server, 'BREW', '/old.txt')).status, 501)
  })
  test(
    'the page of a folder has a form that works without script, and a policy that allows its script alone',
    TIMEOUT,
    async () => {
      const page = await ask(server, 'GET', '/sub/', { Accept: 'text/html' })
      assert.match(page.body, /<form [^>]*method="post"[^>]*enctype="multipart\/form-data"/)
      const script = /<script>([^]*)<\/script>/.exec(page.body)?.[1] ?? ''
      const hash = createHash('sha256').update(script).digest('base64')
      assert.match(
        page.field('Content-Security-Policy') ?? '',
        new RegExp(`script-src 'sha256-${hash.replaceAll('+', String.raw`\+`)}'; connect-src 'self'`),
      )
      assert.match(page.field('Content-Security-Policy') ?? '', /default-src 'none'/)
    },
  )
  test('what is being received is never listed nor served, also where hidden names are', TIMEOUT, async () => {
    await withUploads(
      { minFreeBytes: 0 },
      async (other) => {
        const made = await ask(other, 'PUT', '/sub/big.bin', { 'Upload-Complete': '?0' }, 'abc')
        const hidden = names('sub').filter((name) => name.startsWith('.moorage-upload-'))
        assert.equal(hidden.length, 2)
        for (const name of hidden) assert.equal((await ask(other, 'GET', `/sub/${name}`)).status, 404)
        assert.ok(!(await ask(other, 'GET', '/sub/', { Accept: 'text/plain' })).body.includes('moorage'))
        assert.equal((await ask(other, 'PUT', '/sub/.visible', {}, 'x')).status, 201)
        assert.equal((await ask(other, 'DELETE', made.field('Location') ?? '')).status, 204)
      },
      { dotfiles: 'serve' },
    )
  })
})

test('a compressed twin that somebody sent does not replace what is served', { timeout: 20_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-twin-'))
  try {
    writeFileSync(join(folder, 'app.js'), 'the real one')
    writeFileSync(join(folder, 'app.js.gz'), gzipSync('another'))
    for (const [upload, body] of [
      [false, 'another'],
      [true, 'the real one'],
    ] as const) {
      await using server = await serveHttp('http://127.0.0.1:0', files(folder, { upload }))
      assert.equal(await (await fetch(`${server.endpoint}/app.js`)).text(), body)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
