import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { RedirectError } from '#src/client/errors.js'
import { HttpCache } from '#src/client/http-cache.js'
import { originOf, resolveUrl } from '#src/client/target.js'
import { redirect, text, type HttpFunction } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { serving, session } from './_servers.js'

async function onSockets(t: TestContext, ...handlers: readonly HttpFunction[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sockets-'))
  t.after(() => rm(folder, { recursive: true }))
  return Promise.all(
    handlers.map(async (handler, at) => {
      const path = join(folder, `${at}.sock`)
      const server = await serveHttp(`http+unix:${path}`, handler)
      t.after(() => server.close({ graceMs: 0 }))
      return `http+unix:${path}:`
    }),
  )
}

void suite('URLs of Unix sockets', () => {
  void test('originOf tells one socket from another', () => {
    assert.equal(originOf('http+unix:/run/a.sock:/x'), originOf('http+unix:/run/a.sock:/y?z'))
    assert.notEqual(originOf('http+unix:/run/a.sock:/x'), originOf('http+unix:/run/b.sock:/x'))
    assert.equal(originOf('http://a:80/x'), 'http://a')
  })

  void test('resolveUrl stays on the socket, and leaves it where a host is named', () => {
    const base = 'http+unix:/run/a.sock:/x/y?q'
    const rows = {
      z: 'http+unix:/run/a.sock:/x/z',
      '/z?q': 'http+unix:/run/a.sock:/z?q',
      '../../../b.sock:/z': 'http+unix:/run/a.sock:/b.sock:/z',
      'http://a/z': 'http://a/z',
    }
    for (const [given, resolved] of Object.entries(rows)) assert.equal(resolveUrl(given, base), resolved)
  })

  void test('a redirect stays on its socket, with its credentials, and no server sends anybody to another one', async (t) => {
    const told: HttpFunction = ({ target, headers }) => text(`${target} ${headers.get('authorization') ?? 'nobody'}`)
    const [here = '', there = ''] = await onSockets(
      t,
      (request, context) => {
        if (request.path === '/far') return redirect(`${there}/end`)
        return request.path === '/near' ? redirect('/end') : told(request, context)
      },
      told,
    )
    const own = session(t, { auth: { authorize: () => 'Bearer one' } })
    assert.equal(await (await own.get(`${here}/near`)).text(), '/end Bearer one')
    await assert.rejects(own.get(`${here}/far`), RedirectError)
    const web = await serving(t, () => redirect(`${there}/end`))
    await assert.rejects(own.get(web), RedirectError)
  })

  void test('pages go on along a socket, and to no other one', async (t) => {
    const page: HttpFunction = ({ path }) =>
      text(path, { headers: { link: path === '/1' ? '</2>; rel="next"' : `<${there}/3>; rel="next"` } })
    const [here = '', there = ''] = await onSockets(t, page, page)
    const seen: string[] = []
    await assert.rejects(async () => {
      for await (const each of session(t).pages(`${here}/1`)) seen.push(await each.text())
    }, /another origin/)
    assert.deepEqual(seen, ['/1', '/2'])
  })

  void test('what is changed behind one socket is asked for again there, and not behind another', async (t) => {
    const asked: string[] = []
    const kept =
      (name: string): HttpFunction =>
      ({ method, path }) => {
        asked.push(`${name} ${method} ${path}`)
        const location = method === 'POST' ? { location: `${there}/x` } : {}
        return text('kept', { headers: { 'cache-control': 'max-age=60', ...location } })
      }
    const [here = '', there = ''] = await onSockets(t, kept('here'), kept('there'))
    const own = session(t, { cache: new HttpCache() })
    const get = async (url: string): Promise<unknown> => (await own.get(url)).text()
    for (const url of [`${here}/x`, `${there}/x`]) await get(url)
    await (await own.post(`${here}/x`)).text()
    for (const url of [`${here}/x`, `${there}/x`]) await get(url)
    assert.deepEqual(asked, ['here GET /x', 'there GET /x', 'here POST /x', 'here GET /x'])
  })
})
