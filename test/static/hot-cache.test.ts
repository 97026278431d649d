import assert from 'node:assert/strict'
import {
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { HttpServer } from '#src/http/server.js'
import { filesAt } from '#src/static/files.js'
import { readAll } from '#src/testing/connection-pair.js'
import type { FilesOptions } from '#src/static/options.js'
import { connect } from '#src/transport/connect.js'
import { ask, bodyOf, fieldOf, serving, statusOf } from './_asking.js'
import { later, temporaryFolder, untilSeen } from './_tree.js'

const TIMEOUT = { timeout: 20_000 }
const base = temporaryFolder()
let made = 0

interface Site {
  readonly server: HttpServer
  readonly root: string
  readonly outside: string
  /** What is asked for, and whether it was answered in the same turn: from memory. */
  get(target: string, fields?: string, method?: string): Promise<{ readonly answer: string; readonly atOnce: boolean }>
  put(name: string, content: string): void
}

/** A tree of its own: `letters.txt`, `sub/file.txt`, and `secret` outside of it. */
async function withSite(
  body: (site: Site) => Promise<void>,
  options: FilesOptions = {},
  now: () => number = later,
): Promise<void> {
  const folder = join(base, String((made += 1)))
  const [root, outside] = [join(folder, 'root'), join(folder, 'outside')]
  const put = (name: string, content: string): void => writeFileSync(join(root, name), content)
  for (const each of [folder, root, outside, join(root, 'sub')]) mkdirSync(each)
  writeFileSync(join(outside, 'secret'), 'secret!')
  put('letters.txt', 'letters')
  put('sub/file.txt', 'in sub')
  let atOnce = false
  const handler = filesAt(root, options, now)
  await serving(
    (request, context) => {
      const answer = handler.handle(request, context)
      atOnce = !(answer instanceof Promise)
      return answer
    },
    (server) =>
      body({
        ...{ server, root, outside, put },
        get: async (target, fields, method) => {
          atOnce = false
          return { answer: await ask(server, target, fields, method), atOnce }
        },
      }),
  )
}

/** Asks until the file is held, which the first time makes it. */
async function hold(site: Site, target: string, fields?: string): Promise<void> {
  await site.get(target, fields)
  assert.equal((await site.get(target, fields)).atOnce, true, `${target} is held`)
}

suite('HotCache', () => {
  for (const target of ['/letters.txt', '/sub/file.txt', '/sub/', '/link.txt', '/linked/file.txt']) {
    test(`${target} is answered in the same turn, with the same fields, when it is held`, TIMEOUT, () =>
      withSite(async (site) => {
        site.put('sub/index.html', 'index')
        symlinkSync('letters.txt', join(site.root, 'link.txt'))
        symlinkSync('sub', join(site.root, 'linked'))
        const dateless = (answer: string): string => answer.replace(/^Date: .*\r\n/m, '')
        for (const method of ['GET', 'HEAD']) {
          const first = await site.get(target, '', method)
          const again = await site.get(target, '', method)
          assert.deepEqual([first.atOnce, again.atOnce], [method === 'HEAD', true])
          assert.equal(dateless(again.answer), dateless(first.answer))
          assert.equal(statusOf(again.answer), 200)
        }
      }),
    )
  }
  test('conditions and ranges are answered from memory', TIMEOUT, () =>
    withSite(async (site) => {
      await hold(site, '/letters.txt')
      const tag = fieldOf((await site.get('/letters.txt')).answer, 'ETag') ?? ''
      const rows: readonly (readonly [fields: string, status: number, body: string])[] = [
        [`If-None-Match: ${tag}\r\n`, 304, ''],
        ['If-None-Match: "other"\r\n', 200, 'letters'],
        ['If-Match: "other"\r\n', 412, 'Precondition Failed\n'],
        ['Range: bytes=1-2\r\n', 206, 'et'],
        [`Range: bytes=1-2\r\nIf-Range: ${tag}\r\n`, 206, 'et'],
        ['Range: bytes=1-2\r\nIf-Range: "other"\r\n', 200, 'letters'],
        ['Range: bytes=7-\r\n', 416, 'Range Not Satisfiable\n'],
      ]
      for (const [fields, status, body] of rows) {
        const { answer, atOnce } = await site.get('/letters.txt', fields)
        assert.deepEqual([statusOf(answer), bodyOf(answer)], [status, body], fields)
        // What is thrown is no promise either, but is not seen by the one who looks.
        if (status < 400) assert.equal(atOnce, true, fields)
      }
      const several = (await site.get('/letters.txt', 'Range: bytes=0-0,3-4\r\n')).answer
      assert.ok(
        statusOf(several) === 206 && several.includes('\r\n\r\nl\r\n--') && several.includes('\r\n\r\nte\r\n--'),
      )
      assert.equal(fieldOf(several, 'Content-Length'), String(bodyOf(several).length))
    }),
  )

  /** What is done to a file that is held, and what is answered then. */
  const changes: readonly (readonly [
    what: string,
    target: string,
    change: (site: Site) => void,
    status: number,
    body: string,
  ])[] = [
    ['other bytes of the same length', '/letters.txt', ({ put }) => put('letters.txt', 'LETTERS'), 200, 'LETTERS'],
    [
      'other bytes, and the times set back',
      '/letters.txt',
      ({ put, root }) => {
        put('letters.txt', 'LETTERS')
        utimesSync(join(root, 'letters.txt'), 1, 1)
      },
      200,
      'LETTERS',
    ],
    [
      'another file under its name',
      '/letters.txt',
      ({ put, root }) => {
        put('new', 'renamed')
        renameSync(join(root, 'new'), join(root, 'letters.txt'))
      },
      200,
      'renamed',
    ],
    ['it is removed', '/letters.txt', ({ root }) => unlinkSync(join(root, 'letters.txt')), 404, 'Not Found\n'],
    [
      'it becomes a link that leads outside',
      '/letters.txt',
      ({ root, outside }) => {
        unlinkSync(join(root, 'letters.txt'))
        symlinkSync(join(outside, 'secret'), join(root, 'letters.txt'))
      },
      404,
      'Not Found\n',
    ],
    [
      'it is moved outside, and linked to',
      '/letters.txt',
      ({ root, outside }) => {
        renameSync(join(root, 'letters.txt'), join(outside, 'moved'))
        symlinkSync(join(outside, 'moved'), join(root, 'letters.txt'))
      },
      404,
      'Not Found\n',
    ],
    [
      'its folder is moved outside, and linked to',
      '/sub/file.txt',
      ({ root, outside }) => {
        renameSync(join(root, 'sub'), join(outside, 'sub'))
        symlinkSync(join(outside, 'sub'), join(root, 'sub'))
      },
      404,
      'Not Found\n',
    ],
    [
      'its folder becomes another one',
      '/sub/file.txt',
      ({ root, put }) => {
        rmSync(join(root, 'sub'), { recursive: true })
        mkdirSync(join(root, 'sub'))
        put('sub/file.txt', 'of another folder')
      },
      200,
      'of another folder',
    ],
    [
      'its folder is removed',
      '/sub/file.txt',
      ({ root }) => rmSync(join(root, 'sub'), { recursive: true }),
      404,
      'Not Found\n',
    ],
    [
      'it becomes a folder',
      '/letters.txt',
      ({ root }) => {
        unlinkSync(join(root, 'letters.txt'))
        mkdirSync(join(root, 'letters.txt'))
      },
      308,
      '',
    ],
    [
      'a hard link to another file takes its place',
      '/letters.txt',
      ({ root }) => {
        unlinkSync(join(root, 'letters.txt'))
        linkSync(join(root, 'sub/file.txt'), join(root, 'letters.txt'))
      },
      200,
      'in sub',
    ],
  ]
  for (const [what, target, change, status, body] of changes) {
    test(`what is held is not sent any more when ${what}`, TIMEOUT, () =>
      withSite(async (site) => {
        await hold(site, target)
        const path = join(site.root, target)
        if (what.startsWith('other bytes')) untilSeen(path, () => change(site))
        else change(site)
        const { answer } = await site.get(target)
        assert.deepEqual([statusOf(answer), bodyOf(answer)], [status, body])
        assert.ok(!answer.includes('secret!'))
      }),
    )
  }
  test('a link within is followed anew when it leads elsewhere', TIMEOUT, () =>
    withSite(async (site) => {
      symlinkSync('letters.txt', join(site.root, 'link.txt'))
      await hold(site, '/link.txt')
      unlinkSync(join(site.root, 'link.txt'))
      symlinkSync('sub/file.txt', join(site.root, 'link.txt'))
      assert.equal(bodyOf((await site.get('/link.txt')).answer), 'in sub')
    }),
  )
  test('links that may lead anywhere are followed anew too', TIMEOUT, () =>
    withSite(
      async (site) => {
        symlinkSync(join(site.outside, 'secret'), join(site.root, 'link.txt'))
        await hold(site, '/link.txt')
        assert.equal(bodyOf((await site.get('/link.txt')).answer), 'secret!')
        unlinkSync(join(site.root, 'link.txt'))
        symlinkSync('letters.txt', join(site.root, 'link.txt'))
        assert.equal(bodyOf((await site.get('/link.txt')).answer), 'letters')
      },
      { symlinks: 'follow' },
    ),
  )
  test('a file that changed just now is not held: the next change may leave the same times', TIMEOUT, () =>
    withSite(
      async (site) => {
        await site.get('/letters.txt')
        assert.equal((await site.get('/letters.txt')).atOnce, false)
      },
      {},
      Date.now,
    ),
  )
  test('twins are answered from memory, and one that comes, changes, becomes old or goes is seen', TIMEOUT, () =>
    withSite(async (site) => {
      const { put, root } = site
      const both = 'Accept-Encoding: gzip, br\r\n'
      const body = async (): Promise<string> => bodyOf((await site.get('/letters.txt', both)).answer)
      await hold(site, '/letters.txt', both)
      assert.equal(await body(), 'letters')
      untilSeen(root, () => {
        rmSync(join(root, 'letters.txt.gz'), { force: true })
        put('letters.txt.gz', 'gzipped')
      })
      assert.equal(await body(), 'gzipped')
      await hold(site, '/letters.txt', both)
      untilSeen(join(root, 'letters.txt.gz'), () => put('letters.txt.gz', 'GZIPPED'))
      assert.equal(await body(), 'GZIPPED')
      await hold(site, '/letters.txt', both)
      utimesSync(join(root, 'letters.txt.gz'), 1, 1)
      assert.equal(await body(), 'letters')
      unlinkSync(join(root, 'letters.txt.gz'))
      untilSeen(root, () => {
        rmSync(join(root, 'letters.txt.br'), { force: true })
        put('letters.txt.br', 'brotlied')
      })
      assert.equal(await body(), 'brotlied')
      await hold(site, '/letters.txt', both)
      assert.equal(bodyOf((await site.get('/letters.txt')).answer), 'letters')
    }),
  )
  test('holds as many files, and as many bytes, as it may, and lets those go that were not asked for', TIMEOUT, () =>
    withSite(
      async (site) => {
        for (const name of ['a', 'b', 'c']) site.put(name, name)
        for (const name of ['a', 'b']) await hold(site, `/${name}`)
        await hold(site, '/a')
        await hold(site, '/c')
        assert.deepEqual(
          [(await site.get('/a')).atOnce, (await site.get('/c')).atOnce, (await site.get('/b')).atOnce],
          [true, true, false],
        )
      },
      { maxCachedFiles: 2 },
    ),
  )
  test('a file of the largest size is held, and one of a byte more is not', TIMEOUT, () =>
    withSite(
      async (site) => {
        site.put('largest', 'x'.repeat(100))
        site.put('larger', 'x'.repeat(101))
        for (const name of ['largest', 'larger']) await site.get(`/${name}`)
        assert.deepEqual([(await site.get('/largest')).atOnce, (await site.get('/larger')).atOnce], [true, false])
      },
      { maxCachedFileBytes: 100 },
    ),
  )
  test('large and small answers to requests that come together are whole, and in their order', TIMEOUT, () =>
    withSite(async ({ server, put }) => {
      const bodies = [100_000, 5, 20_000, 64 * 1024, 1].map((size, i) => String(i).repeat(size))
      for (const [i, body] of bodies.entries()) put(`body-${i}`, body)
      const ROUNDS = 10
      const order = Array.from({ length: ROUNDS * bodies.length }, (_, i) => (i * 3) % bodies.length)
      const head = (i: number): string => `GET /body-${i} HTTP/1.1\r\nHost: a\r\n`
      const expected = order.map((i) => bodies[i] ?? '').join('')
      // From the disk at first, then from memory.
      for (let time = 0; time < 2; time += 1) {
        const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
        await connection.write(
          order.map((i, at) => `${head(i)}${at === order.length - 1 ? 'Connection: close\r\n' : ''}\r\n`).join(''),
        )
        const answer = Buffer.from(await readAll(connection)).toString('latin1')
        await connection.close()
        assert.ok(answer.replaceAll(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/g, '') === expected, `time ${time}`)
      }
    }),
  )
  test('a hidden page of a folder is held, and stays hidden by its own name', TIMEOUT, () =>
    withSite(
      async (site) => {
        site.put('.index', 'the page')
        await hold(site, '/')
        assert.equal(statusOf((await site.get('/.index')).answer), 404)
      },
      { index: ['.index'] },
    ),
  )
  test('without memory nothing is held', TIMEOUT, () =>
    withSite(
      async (site) => {
        await site.get('/letters.txt')
        assert.equal((await site.get('/letters.txt')).atOnce, false)
      },
      { maxCachedBytes: 0 },
    ),
  )
  test('what is held has no descriptor open', TIMEOUT, () =>
    withSite(async (site) => {
      await hold(site, '/letters.txt')
      const before = readdirSync('/proc/self/fd').length
      for (let i = 0; i < 20; i += 1) {
        site.put(`file-${i}`, 'x')
        await hold(site, `/file-${i}`)
      }
      assert.ok(readdirSync('/proc/self/fd').length <= before + 2)
    }),
  )
})
