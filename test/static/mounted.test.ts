import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { text } from '#src/http/response.js'
import { Routes } from '#src/http/routes.js'
import { withFields } from '#src/http/wrapping.js'
import { file, files } from '#src/static/files.js'
import { ask, bodyOf, fieldOf, serving, statusOf } from './_asking.js'
import { temporaryFolder } from './_tree.js'

const TIMEOUT = { timeout: 20_000 }
const root = temporaryFolder()
mkdirSync(join(root, 'site'))
writeFileSync(join(root, 'a.txt'), 'of a')
writeFileSync(join(root, 'site', 'index.html'), 'the index')

const routes = new Routes()
  .mount('/files', withFields(files(root), { 'X-Own': '1' }))
  .mount('/site/', files(join(root, 'site'), { pretty: true, spa: 'index.html' }))
  .mount('/deep', new Routes().mount('/er', files(root)))
  .mount('/of/:who/files', files(root))
  .mount(
    '/told/:who',
    new Routes().get('/:what', ({ params, base }) => text(`${base} ${JSON.stringify(params)}`)),
  )
  .mount('/one', file(join(root, 'a.txt')))
  .mount('/code', ({ path, lacksSlash }) => text(`${path} ${lacksSlash}`))

const rows: readonly (readonly [target: string, status: number, bodyOrLocation: RegExp])[] = [
  ['/files', 308, /^\.\/files\/$/],
  ['/files?sort=size&q=a%2Fb', 308, /^\.\/files\/\?sort=size&q=a%2Fb$/],
  ['/files/', 200, /a\.txt/],
  ['/files/?sort=size', 200, /a\.txt/],
  ['/files/a.txt', 200, /^of a$/],
  ['/files/site', 308, /^\.\/site\/$/],
  ['http://a/files', 308, /^\.\/files\/$/],
  ['/site', 308, /^\.\/site\/$/],
  ['/site/', 200, /^the index$/],
  ['/deep/er', 308, /^\.\/er\/$/],
  ['/deep/er/a.txt', 200, /^of a$/],
  ['/of/ann/files', 308, /^\.\/files\/$/],
  ['/of/ann/files/a.txt', 200, /^of a$/],
  ['/of/somebody%20else/files/a.txt', 200, /^of a$/],
  ['/told/ann/it', 200, /^\/told\/ann \{"who":"ann","what":"it"\}$/],
  ['/one', 200, /^of a$/],
  ['/code', 200, /^\/ true$/],
  ['/code/', 200, /^\/ false$/],
]

suite('what is mounted under a path', () => {
  for (const [target, status, expected] of rows) {
    test(`GET ${target} is ${status}`, TIMEOUT, () =>
      serving(routes, async (server) => {
        const answer = await ask(server, target, 'Accept: text/html\r\n')
        assert.equal(statusOf(answer), status)
        assert.match(status === 308 ? (fieldOf(answer, 'Location') ?? '') : bodyOf(answer), expected)
      }),
    )
  }
  test('HEAD of a folder without its slash is sent there too, with the fields of what stands around it', TIMEOUT, () =>
    serving(routes, async (server) => {
      const answer = await ask(server, '/files', '', 'HEAD')
      assert.deepEqual([statusOf(answer), fieldOf(answer, 'X-Own')], [308, '1'])
    }),
  )
})
