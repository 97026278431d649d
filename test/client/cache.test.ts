import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { basic, bearer, digest } from '#src/client/auth.js'
import { MemoryCacheStore } from '#src/client/cache-store.js'
import { ProxyError } from '#src/client/errors.js'
import { FileCacheStore } from '#src/client/file-cache-store.js'
import { HarRecorder } from '#src/client/har.js'
import { HttpCache } from '#src/client/http-cache.js'
import type { Session } from '#src/client/session.js'
import { HttpResponse, text, type HttpFunction, type ResponseInit } from '#src/http/index.js'
import { serving, session } from './_servers.js'

const statusOnly = (status: number, init: ResponseInit): HttpResponse => new HttpResponse(null, { ...init, status })

/** A server that counts; each answer has its number. */
async function counted(
  t: TestContext,
  headers: (path: string, count: number) => Record<string, string>,
  answer?: HttpFunction,
): Promise<{ readonly url: string; count(): number }> {
  let count = 0
  const url = await serving(t, (request, ...rest) => {
    count += 1
    return answer?.(request, ...rest) ?? text(`answer ${count}`, { headers: headers(request.path, count) })
  })
  return { url, count: () => count }
}

const read = async (from: Session, url: string, headers: Record<string, string> = {}): Promise<string> => {
  const response = await from.get(url, { headers })
  return `${response.cached ?? 'new'}: ${await response.text()}`
}

void suite('HttpCache', () => {
  void test('what is fresh is given again without the server, and says so', async (t) => {
    const { url, count } = await counted(t, () => ({ 'cache-control': 'max-age=60', 'x-own': 'kept' }))
    const own = session(t, { cache: new HttpCache() })
    assert.equal(await read(own, url), 'new: answer 1')
    assert.equal(await read(own, url), 'hit: answer 1')
    const response = await own.get(url)
    assert.equal(response.headers.get('x-own'), 'kept')
    assert.ok(response.headers.get('age') !== undefined)
    assert.equal(response.elapsed.totalMs, 0)
    assert.equal(await read(own, `${url}/?other`), 'new: answer 2')
    assert.equal(count(), 2)
  })

  void test('a body that did not come to its end, and one that is too long, are not kept', async (t) => {
    const { url } = await counted(
      t,
      () => ({ 'cache-control': 'max-age=60' }),
      ({ query }) =>
        query.has('long')
          ? text('x'.repeat(4_000_000), { headers: { 'cache-control': 'max-age=60' } })
          : (undefined as never),
    )
    const own = session(t, { cache: new HttpCache({ maxBodyBytes: 8 }) })
    assert.equal(await read(own, `${url}/a`), 'new: answer 1')
    assert.equal(await read(own, `${url}/a`), 'hit: answer 1')
    const short = session(t, { cache: new HttpCache({ maxBodyBytes: 7 }) })
    assert.equal(await read(short, `${url}/a`), 'new: answer 2')
    assert.equal(await read(short, `${url}/a`), 'new: answer 3')
    const large = session(t, { cache: new HttpCache({ maxBodyBytes: 8_000_000 }) })
    ;(await large.get(`${url}/?long`)).discard()
    assert.equal((await large.get(`${url}/?long`)).cached, undefined)
    const exact = session(t, { cache: new HttpCache({ maxBodyBytes: 'answer 6'.length }) })
    assert.equal(await read(exact, `${url}/b`), 'new: answer 6')
    assert.equal(await read(exact, `${url}/b`), 'hit: answer 6')
  })

  void test('what is stale is asked for by its validator, and 304 gives the old one with new fields', async (t) => {
    const { url, count } = await counted(
      t,
      (_path, at) => ({ 'cache-control': 'max-age=0', etag: '"one"', 'x-count': String(at) }),
      ({ headers }) =>
        headers.get('if-none-match') === '"one"'
          ? statusOnly(304, { headers: { etag: '"one"', 'x-count': 'again', 'cache-control': 'max-age=60' } })
          : (undefined as never),
    )
    const own = session(t, { cache: new HttpCache() })
    assert.equal(await read(own, url), 'new: answer 1')
    const second = await own.get(url)
    assert.equal(second.cached, 'revalidated')
    assert.equal(second.headers.get('x-count'), 'again')
    assert.equal(await second.text(), 'answer 1')
    assert.equal(await read(own, url), 'hit: answer 1')
    assert.equal(count(), 2)
  })

  void test('Vary keeps a form for each language, and no-store keeps none', async (t) => {
    const { url } = await counted(t, (path) =>
      path === '/secret' ? { 'cache-control': 'no-store' } : { 'cache-control': 'max-age=60', vary: 'accept-language' },
    )
    const own = session(t, { cache: new HttpCache() })
    assert.equal(await read(own, url, { 'accept-language': 'de' }), 'new: answer 1')
    assert.equal(await read(own, url, { 'accept-language': 'en' }), 'new: answer 2')
    assert.equal(await read(own, url, { 'accept-language': 'de' }), 'hit: answer 1')
    assert.equal(await read(own, url, { 'accept-language': 'en' }), 'hit: answer 2')
    assert.equal(await read(own, `${url}/secret`), 'new: answer 3')
    assert.equal(await read(own, `${url}/secret`), 'new: answer 4')
  })

  void test('a request has its say: no-cache, max-stale, only-if-cached, ranges', async (t) => {
    const { url } = await counted(t, (path) => ({ 'cache-control': path === '/old' ? 'max-age=0' : 'max-age=60' }))
    const own = session(t, { cache: new HttpCache() })
    const only = { 'cache-control': 'only-if-cached' }
    assert.equal((await own.get(url, { headers: only })).status, 504)
    assert.equal(await read(own, url), 'new: answer 1')
    assert.equal(await read(own, url, only), 'hit: answer 1')
    assert.equal(await read(own, url, { 'cache-control': 'no-cache' }), 'new: answer 2')
    assert.equal(await read(own, url), 'hit: answer 2')
    assert.equal(await read(own, url, { range: 'bytes=0-1' }), 'new: answer 3')
    assert.equal(await read(own, `${url}/old`), 'new: answer 4')
    assert.equal(await read(own, `${url}/old`, { 'cache-control': 'max-stale' }), 'hit: answer 4')
  })

  void test('must-revalidate is given while it is fresh, and never when it is stale', async (t) => {
    const { url } = await counted(t, (path) => ({
      'cache-control':
        path === '/fresh' ? 'max-age=60, must-revalidate' : 'max-age=0, must-revalidate, stale-if-error=60',
    }))
    const own = session(t, { cache: new HttpCache() })
    assert.equal(await read(own, `${url}/fresh`), 'new: answer 1')
    assert.equal(await read(own, `${url}/fresh`), 'hit: answer 1')
    assert.equal(await read(own, `${url}/old`), 'new: answer 2')
    assert.equal(await read(own, `${url}/old`, { 'cache-control': 'max-stale' }), 'new: answer 3')
  })

  void test('stale-while-revalidate answers at once and asks behind it; stale-if-error stands in for a server that is gone', async (t) => {
    const { url, count } = await counted(t, (path) => ({
      'cache-control': `max-age=0, ${path === '/while' ? 'stale-while-revalidate=60' : 'stale-if-error=60'}`,
    }))
    const cache = new HttpCache()
    const own = session(t, { cache })
    assert.equal(await read(own, `${url}/while`), 'new: answer 1')
    assert.equal(await read(own, `${url}/while`), 'stale: answer 1')
    await cache.settled()
    assert.equal(count(), 2)
    assert.equal(await read(own, `${url}/while`), 'stale: answer 2')
    await cache.settled()
    assert.equal(await read(own, `${url}/error`), 'new: answer 4')
    const gone = session(t, { cache, proxy: () => 'http://127.0.0.1:1' })
    assert.equal(await read(gone, `${url}/error`), 'stale: answer 4')
    await assert.rejects(gone.get(`${url}/never`), ProxyError)
  })

  void test('what was changed is not given again', async (t) => {
    const { url } = await counted(t, () => ({ 'cache-control': 'max-age=60' }))
    const own = session(t, { cache: new HttpCache() })
    assert.equal(await read(own, `${url}/a`), 'new: answer 1')
    await (await own.post(`${url}/a`, { json: 1 })).text()
    assert.equal(await read(own, `${url}/a`), 'new: answer 3')
    assert.equal(await read(own, `${url}/a`), 'hit: answer 3')
  })

  void test('what one user got is not given to another, and without a name nothing is kept', async (t) => {
    const { url } = await counted(t, () => ({ 'cache-control': 'max-age=60' }))
    const own = session(t, { cache: new HttpCache() })
    const as = async (auth: ReturnType<typeof basic>): Promise<string> => (await own.get(url, { auth })).text()
    assert.equal(await as(basic('ann', 'secret')), 'answer 1')
    assert.equal(await as(basic('bob', 'secret')), 'answer 2')
    assert.equal(await as(basic('ann', 'secret')), 'answer 1')
    assert.equal(await as(bearer('token')), 'answer 3')
    assert.equal(await as(bearer('token')), 'answer 3')
    assert.equal(await as(digest('ann', 'secret')), 'answer 4')
    assert.equal(await as(digest('ann', 'secret')), 'answer 5')
    assert.equal(await read(own, url), 'new: answer 6')
  })

  void test('a redirect that may be kept is', async (t) => {
    const { url, count } = await counted(
      t,
      (path) => (path === '/' ? { 'cache-control': 'max-age=60' } : { 'cache-control': 'max-age=60' }),
      ({ path }) =>
        path === '/moved'
          ? statusOnly(301, { headers: { location: '/', 'cache-control': 'max-age=60' } })
          : (undefined as never),
    )
    const own = session(t, { cache: new HttpCache() })
    for (let i = 0; i < 3; i += 1) assert.equal(await (await own.get(`${url}/moved`)).text(), 'answer 2')
    assert.equal(count(), 2)
  })

  void test('a memory store holds to its bytes and counts, and drops what was used longest ago', () => {
    const stored = (bytes: number) => [
      { policy: {}, status: 200, reason: '', httpVersion: '1.1', body: new Uint8Array(bytes) },
    ]
    const store = new MemoryCacheStore({ maxBytes: 10 * 1024, maxEntries: 3 })
    for (const key of ['a', 'b', 'c']) store.write(key, stored(10))
    assert.equal(store.read('a').length, 1)
    store.write('d', stored(10))
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => store.read(key).length),
      [1, 0, 1, 1],
    )
    store.write('e', stored(9 * 1024))
    assert.equal(store.count, 1)
    store.write('f', stored(9 * 1024 + 1))
    assert.equal(store.read('f').length, 0)
    assert.ok(store.bytes <= 10 * 1024)
  })

  void test('a folder keeps for another process; what is cut counts as nothing, and no credentials are in it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'cache-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const { url } = await counted(t, () => ({ 'cache-control': 'max-age=60' }))
    const cache = new HttpCache({ store: new FileCacheStore(folder) })
    const first = session(t, { cache, auth: basic('ann', 'hush-hush') })
    assert.equal(await read(first, url), 'new: answer 1')
    await cache.settled()
    const other = new HttpCache({ store: new FileCacheStore(folder) })
    const second = session(t, { cache: other, auth: basic('ann', 'hush-hush') })
    assert.equal(await read(second, url), 'hit: answer 1')
    const [name = ''] = await readdir(folder)
    const content = await readFile(join(folder, name), 'utf8')
    assert.ok(!content.includes('hush') && !content.includes(Buffer.from('ann:hush-hush').toString('base64')))
    await truncate(join(folder, name), content.length - 1)
    assert.equal(await read(second, url), 'new: answer 2')
    await other.settled()
  })

  void test('a folder holds to its bounds, also over those of an earlier process', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'cache-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const stored = [{ policy: {}, status: 200, reason: '', httpVersion: '1.1', body: Buffer.from('body') }]
    const store = new FileCacheStore(folder, { maxEntries: 3 })
    for (const key of ['a', 'b', 'c', 'd']) await store.write(key, stored)
    assert.equal((await readdir(folder)).length, 3)
    assert.equal((await store.read('a')).length, 0)
    const later = new FileCacheStore(folder, { maxEntries: 2 })
    await later.write('e', stored)
    assert.equal((await readdir(folder)).length, 2)
    assert.equal(String((await later.read('e'))[0]?.body), 'body')
  })

  void test('whoever is told apart by a cookie or a key gets answers of their own', async (t) => {
    const { url } = await counted(t, () => ({ 'cache-control': 'private, max-age=60' }))
    const own = session(t, { cache: new HttpCache() })
    for (const name of ['cookie', 'x-api-key', 'x-auth-token']) {
      const ann = await read(own, `${url}/${name}`, { [name]: 'user=ann' })
      assert.notEqual(await read(own, `${url}/${name}`, { [name]: 'user=bob' }), ann)
      assert.equal(await read(own, `${url}/${name}`, { [name]: 'user=ann' }), ann.replace('new', 'hit'))
    }
  })

  void test('must-revalidate outlives a 304 that does not name it, and one that does keeps the entry of use', async (t) => {
    let isBroken = false
    const { url } = await counted(
      t,
      () => ({ 'cache-control': 'max-age=0, must-revalidate, stale-if-error=600', etag: '"one"' }),
      ({ headers, path }) => {
        if (isBroken) return text('broken', { status: 500 })
        if (!headers.has('if-none-match')) return undefined as never
        const more = path === '/named' ? { 'cache-control': 'max-age=0, must-revalidate' } : undefined
        return statusOnly(304, { headers: { etag: '"one"', ...more } })
      },
    )
    const own = session(t, { cache: new HttpCache(), retries: 0 })
    assert.equal(await read(own, `${url}/named`), 'new: answer 1')
    for (let i = 0; i < 4; i += 1) assert.equal(await read(own, `${url}/named`), 'revalidated: answer 1')
    assert.match(await read(own, url), /^new: answer/)
    assert.match(await read(own, url), /^revalidated/)
    isBroken = true
    assert.equal(await read(own, url), 'new: broken')
  })

  void test('a recorder of bodies and a cache both have them', async (t) => {
    const { url } = await counted(t, () => ({ 'cache-control': 'max-age=60' }))
    const recorder = new HarRecorder({ maxBodyBytes: 1000 })
    const own = session(t, { cache: new HttpCache(), recorder })
    assert.equal(await read(own, url), 'new: answer 1')
    assert.equal(await read(own, url), 'hit: answer 1')
    assert.equal(recorder.toJSON().log.entries[0]?.response.content.text, 'answer 1')
  })
})
