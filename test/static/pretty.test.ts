import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { filesAt } from '#src/static/files.js'
import { ask, bodyOf, fieldOf, serving, statusOf } from './_asking.js'
import { later, temporaryFolder, untilSeen } from './_tree.js'

const TIMEOUT = { timeout: 20_000 }
const root = temporaryFolder()

suite('pretty addresses', () => {
  const put = (name: string, content: string): void => writeFileSync(join(root, name), content)
  for (const folder of ['sub', 'both']) mkdirSync(join(root, folder))
  for (const name of ['about.html', 'index.html', 'both.html', 'sub/page.html', 'sub/index.html', 'ö b.html'])
    put(name, `of ${name}`)
  put('plain', 'plain')
  put('plain.html', 'of plain.html')

  const rows: readonly (readonly [target: string, status: number, bodyOrLocation: string])[] = [
    ['/about', 200, 'of about.html'],
    ['/about?a=b', 200, 'of about.html'],
    ['/about.html', 308, './about'],
    ['/about.html?a=b', 308, './about?a=b'],
    ['/about.html/', 404, 'Not Found\n'],
    ['/about/', 404, 'Not Found\n'],
    ['/', 200, 'of index.html'],
    ['/index.html', 308, './'],
    ['/index', 200, 'of index.html'],
    ['/sub/page', 200, 'of sub/page.html'],
    ['/sub/index.html', 308, './'],
    ['/sub/', 200, 'of sub/index.html'],
    ['/sub', 308, './sub/'],
    ['/both', 308, './both/'],
    ['/plain', 200, 'plain'],
    ['/%C3%B6%20b', 200, 'of ö b.html'],
    ['/%C3%B6%20b.html', 308, './%C3%B6%20b'],
    ['/missing', 404, 'Not Found\n'],
    ['/missing.html', 404, 'Not Found\n'],
  ]
  for (const [target, status, expected] of rows) {
    test(`GET ${target} is ${status}, the first time and the next`, TIMEOUT, () =>
      serving(filesAt(root, { pretty: true }, later), async (server) => {
        for (const time of ['first', 'next']) {
          const answer = await ask(server, target)
          const found = status === 308 ? fieldOf(answer, 'Location') : Buffer.from(bodyOf(answer), 'latin1').toString()
          assert.deepEqual([statusOf(answer), found], [status, expected], time)
        }
      }),
    )
  }
  test('a file of just that name comes first as soon as it is there', TIMEOUT, () =>
    serving(filesAt(root, { pretty: true }, later), async (server) => {
      for (let time = 0; time < 3; time += 1) assert.equal(bodyOf(await ask(server, '/about')), 'of about.html')
      untilSeen(root, () => {
        rmSync(join(root, 'about'), { force: true })
        put('about', 'the file itself')
      })
      assert.equal(bodyOf(await ask(server, '/about')), 'the file itself')
      rmSync(join(root, 'about'))
      assert.equal(bodyOf(await ask(server, '/about')), 'of about.html')
    }),
  )
  test('without the option pages have their own names', TIMEOUT, () =>
    serving(filesAt(root, {}, later), async (server) => {
      assert.deepEqual([statusOf(await ask(server, '/about')), statusOf(await ask(server, '/about.html'))], [404, 200])
    }),
  )
})
