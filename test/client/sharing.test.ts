import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { LimitError, TimeoutError, UsageError } from '#src/base/errors.js'
import { basic, bearer } from '#src/client/auth.js'
import { RedirectError } from '#src/client/errors.js'
import { HarRecorder } from '#src/client/har.js'
import { HarReplay } from '#src/client/har-replay.js'
import { OriginPace } from '#src/client/origin-pace.js'
import { redirect, text } from '#src/http/index.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { serving, session } from './_servers.js'

void suite('requests that know of each other', () => {
  void test('deduplicate sends equal requests once, and each gets bytes of its own', async (t) => {
    let count = 0
    let answer = (): void => undefined
    const asked = new Promise<void>((resolve) => (answer = resolve))
    const url = await serving(t, async ({ path }) => {
      count += 1
      await asked
      return text(`answer to ${path}`)
    })
    const own = session(t, { deduplicate: true })
    const all = [
      own.get(`${url}/a`),
      own.get(`${url}/a`),
      own.get(`${url}/b`),
      own.get(`${url}/a`, { headers: { 'x-own': '1' } }),
    ]
    const controller = new AbortController()
    const left = own.get(`${url}/a`, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await assert.rejects(left, /enough/)
    answer()
    const [first, second, third, fourth] = await Promise.all(all.map(async (one) => (await one).bytes()))
    assert.ok(first !== undefined && second !== undefined)
    first[0] = 0
    assert.equal(String(second), 'answer to /a')
    assert.equal(String(third), 'answer to /b')
    assert.equal(String(fourth), 'answer to /a')
    assert.equal(count, 3)
    assert.equal(await (await own.get(`${url}/a`)).text(), 'answer to /a')
    assert.equal(count, 4)
  })

  void test('one that sent for others and is aborted is followed by one of them', async (t) => {
    let count = 0
    const url = await serving(t, async ({ signal }) => {
      count += 1
      if (count === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return text('answer')
    })
    const own = session(t, { deduplicate: true })
    const controller = new AbortController()
    const first = own.get(url, { signal: controller.signal })
    const second = own.get(url)
    setImmediate(() => controller.abort(new Error('enough')))
    await assert.rejects(first, /enough/)
    assert.equal(await (await second).text(), 'answer')
    assert.equal(count, 2)
  })

  void test('maxRequestsPerOrigin lets so many go at a time, until their bodies are over', async (t) => {
    let running = 0
    let most = 0
    const url = await serving(t, async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return text('answer')
    })
    const own = session(t, { maxRequestsPerOrigin: 2 })
    const texts = await Promise.all(Array.from({ length: 20 }, async () => (await own.get(url)).text()))
    assert.equal(texts.length, 20)
    assert.ok(most <= 2, `${most} at a time`)
  })

  void test('OriginPace spaces the requests to each origin evenly, and refuses above maxWaiting', async () => {
    const clock = new FakeClock()
    const pace = new OriginPace({ maxRequestsPerSecond: 10, maxRequestsPerOrigin: Infinity, maxWaiting: 10 }, clock)
    const began = clock.now()
    const times: number[] = []
    const take = async (origin: string): Promise<void> => {
      ;(await pace.take(origin, undefined))()
      times.push(clock.now() - began)
    }
    const all = [take('a'), take('a'), take('a'), take('b')]
    await clock.advance(1000)
    await Promise.all(all)
    assert.deepEqual(
      times.toSorted((left, right) => left - right),
      [0, 0, 100, 200],
    )
    const narrow = new OriginPace({ maxRequestsPerSecond: Infinity, maxRequestsPerOrigin: 1, maxWaiting: 1 }, clock)
    const release = await narrow.take('a', undefined)
    const controller = new AbortController()
    const waiting = narrow.take('a', controller.signal)
    await assert.rejects(narrow.take('a', undefined), LimitError)
    controller.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    release()
    release()
    ;(await narrow.take('a', undefined))()
  })

  void test('compress codes what is sent: at once what is short, in chunks what is streamed', async (t) => {
    const url = await serving(t, async ({ headers, body }) => {
      const bytes = (await body?.bytes()) ?? new Uint8Array()
      const coding = headers.get('content-encoding')
      const decoded = coding === 'gzip' ? gunzipSync(bytes) : coding === 'br' ? brotliDecompressSync(bytes) : bytes
      return text(`${coding} ${headers.get('content-length') ?? 'chunked'} ${decoded.length}`)
    })
    const own = session(t, { compress: 'gzip' })
    const short = await (await own.post(url, { body: 'a'.repeat(10_000) })).text()
    assert.match(short, /^gzip \d\d 10000$/)
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 10; i += 1) yield Buffer.alloc(100_000, 'b')
    }
    assert.equal(await (await own.post(url, { body: pieces() })).text(), 'gzip chunked 1000000')
    assert.match(await (await own.post(url, { body: 'x', compress: 'br' })).text(), /^br \d+ 1$/)
    assert.equal(await (await own.post(url)).text(), 'undefined 0 0')
  })

  void test('hooks add fields and see each response, those of redirects too', async (t) => {
    const url = await serving(t, ({ path, headers }) =>
      path === '/' ? redirect('/end') : text(headers.get('x-signed') ?? ''),
    )
    const seen: string[] = []
    const own = session(t, {
      hooks: {
        beforeRequest: ({ method, url: asked }) => ({ 'x-signed': `${method} ${new URL(asked).pathname}` }),
        afterResponse: ({ status }) => void seen.push(String(status)),
      },
    })
    assert.equal(await (await own.get(url)).text(), 'GET /end')
    assert.deepEqual(seen, ['302', '200'])
  })

  void test('pages goes along rel="next", and ends where it has been', async (t) => {
    const url = await serving(t, ({ query }) => {
      const page = Number(query.get('page') ?? 1)
      const next = page === 3 ? 2 : page + 1
      return text(`page ${page}`, { headers: { link: `</?page=${next}>; rel="next"` } })
    })
    const pages: string[] = []
    for await (const page of session(t).pages(`${url}/?page=1`)) pages.push(await page.text())
    assert.deepEqual(pages, ['page 1', 'page 2', 'page 3'])
  })

  void test('what a HarRecorder wrote answers a session without a network', async (t) => {
    let count = 0
    const url = await serving(t, ({ path }) => {
      count += 1
      return path === '/' ? redirect('/end') : text(`answer ${count}`, { headers: { 'x-own': 'kept' } })
    })
    const recorder = new HarRecorder({ maxBodyBytes: 1000 })
    const own = session(t, { recorder })
    for (const path of ['/', '/end']) await (await own.get(url + path)).text()
    const replay = new HarReplay(JSON.stringify(recorder))
    const again = session(t, { replay })
    const first = await again.get(`${url}/`)
    assert.equal(first.url, `${url}/end`)
    assert.equal(await first.text(), 'answer 2')
    const second = await again.get(`${url}/end`)
    assert.equal(second.headers.get('x-own'), 'kept')
    assert.equal(await second.text(), 'answer 3')
    assert.equal(await (await again.get(`${url}/end`)).text(), 'answer 3')
    await assert.rejects(again.get(`${url}/never`), UsageError)
    assert.throws(() => new HarReplay('{}'), UsageError)
    assert.equal(count, 3)
  })

  void test('OriginPace gives a turn on when whoever got it no longer wants it, and two that end at once free two', async () => {
    const pace = new OriginPace(
      { maxRequestsPerSecond: Infinity, maxRequestsPerOrigin: 2, maxWaiting: 10 },
      new FakeClock(),
    )
    const [first, second] = await Promise.all([pace.take('a', undefined), pace.take('a', undefined)])
    const controller = new AbortController()
    const left = pace.take('a', controller.signal)
    const third = pace.take('a', undefined)
    const fourth = pace.take('a', undefined)
    controller.abort(new Error('enough'))
    first?.()
    second?.()
    await assert.rejects(left, /enough/)
    const releases = await Promise.all([third, fourth])
    const fifth = pace.take('a', undefined)
    for (const release of releases) release()
    ;(await fifth)()
  })

  void test('OriginPace: those that leave cost no turn, and what is sent again has one', async () => {
    const clock = new FakeClock()
    const pace = new OriginPace({ maxRequestsPerSecond: 1, maxRequestsPerOrigin: Infinity, maxWaiting: 100 }, clock)
    ;(await pace.take('a', undefined))()
    const controller = new AbortController()
    const left = Array.from({ length: 50 }, () => pace.take('a', controller.signal))
    controller.abort(new Error('enough'))
    for (const one of left) await assert.rejects(one, /enough/)
    let isOver = false
    const again = pace.takeAgain('a', undefined).then(() => (isOver = true))
    await clock.advance(999)
    assert.equal(isOver, false)
    await clock.advance(1)
    await again
  })

  void test('timeoutMs bounds turns, callbacks and waits for a Retry-After', async (t) => {
    const url = await serving(t, ({ path }) =>
      path === '/busy' ? text('later', { status: 503, headers: { 'retry-after': '30' } }) : text('answer'),
    )
    const slow = session(t, { maxRequestsPerSecond: 0.01, timeoutMs: 200 })
    assert.equal(await (await slow.get(url)).text(), 'answer')
    await assert.rejects(slow.get(url), TimeoutError)
    const never = new Promise<never>(() => undefined)
    const own = session(t, { timeoutMs: 200, retries: 2 })
    await assert.rejects(own.get(url, { auth: bearer(() => never) }), TimeoutError)
    await assert.rejects(session(t, { timeoutMs: 200, hooks: { beforeRequest: () => never } }).get(url), TimeoutError)
    assert.equal((await own.get(`${url}/busy`)).status, 503)
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(session(t).get(url, { auth: bearer(() => never), signal }), /enough/)
  })

  void test('pages does not go to another origin, which would be told the credentials', async (t) => {
    let asked = 0
    const other = await serving(t, () => {
      asked += 1
      return text('other')
    })
    const url = await serving(t, () => text('first', { headers: { link: `<${other}/next>; rel="next"` } }))
    const seen: string[] = []
    await assert.rejects(async () => {
      for await (const page of session(t, { auth: basic('ann', 'secret') }).pages(url)) seen.push(await page.text())
    }, RedirectError)
    assert.deepEqual([seen, asked], [['first'], 0])
  })

  void test('what is sent again waits for a turn of its own', async (t) => {
    const times: number[] = []
    const url = await serving(t, () => {
      times.push(performance.now())
      return text('busy', { status: times.length < 4 ? 503 : 200, headers: { 'retry-after': '0' } })
    })
    const response = await session(t, { maxRequestsPerSecond: 20, retries: 5 }).get(url)
    assert.equal(response.status, 200)
    await response.text()
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    // Less what the timers and the way to the server may take off.
    assert.ok(gaps.length === 3 && gaps.every((gap) => gap > 35), gaps.join(' '))
  })

  void test('what says who asks, and what a hook added, does not follow a redirect to another origin', async (t) => {
    const seen: string[] = []
    const other = await serving(t, ({ headers }) => {
      seen.push([...headers].map(([name]) => name.toLowerCase()).join(' '))
      return text('other')
    })
    const url = await serving(t, () => redirect(`${other}/`))
    const hooks = {
      beforeRequest: ({ url: asked }: { readonly url: string }) =>
        asked.startsWith(url) ? { 'x-hooked': 'yes' } : undefined,
    }
    const headers = { 'x-api-key': 'hush', 'x-auth-token': 'hush', 'x-plain': 'yes' }
    assert.equal(await (await session(t, { hooks, headers }).get(url)).text(), 'other')
    assert.match(seen[0] ?? '', /x-plain/)
    assert.doesNotMatch(seen[0] ?? '', /x-hooked|x-api-key|x-auth-token/)
  })
})
