import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { LimitError, TimeoutError, UsageError } from '#src/base/errors.js'
import { diagnose } from '#src/client/diagnosis/diagnose.js'
import type { DiagnoseOptions } from '#src/client/diagnosis/options.js'
import type { DiagnosisStep, StepName } from '#src/client/diagnosis/steps.js'
import { redirect, Routes, stream, text } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'
import { listen } from '#src/transport/listen.js'
import { websocket } from '#src/websocket/index.js'
import { TestProxy } from '../fixtures/proxy.js'
import { certificate } from './_certificates.js'
import { doing, rightCertificate, securing } from './_faulty-servers.js'
import { serving, session } from './_servers.js'

async function walked(url: string, options: DiagnoseOptions = {}): Promise<Map<StepName, DiagnosisStep>> {
  const steps = new Map<StepName, DiagnosisStep>()
  for await (const step of diagnose(url, { proxy: false, ...options })) steps.set(step.name, step)
  assert.equal(steps.size, 10)
  return steps
}

function outcomes(steps: ReadonlyMap<StepName, DiagnosisStep>): Readonly<Record<string, string>> {
  return Object.fromEntries([...steps.values()].map(({ name, outcome }) => [name, outcome]))
}

const SKIPPED = 'skipped'

void suite('diagnose', () => {
  void test('walks every step of a request that is well, and tells what it found', async (t) => {
    const url = await serving(t, ({ path }) => (path === '/old' ? redirect('/new') : text('hello')))
    const steps = await walked(`${url}/old`)
    assert.deepEqual(outcomes(steps), {
      url: 'ok',
      proxy: SKIPPED,
      resolve: SKIPPED,
      route: 'ok',
      connect: 'ok',
      tunnel: SKIPPED,
      tls: SKIPPED,
      http: 'ok',
      body: 'ok',
      websocket: SKIPPED,
    })
    const [way, http, body] = [steps.get('route'), steps.get('http'), steps.get('body')]
    assert.ok(way?.name === 'route' && http?.name === 'http' && body?.name === 'body')
    assert.equal(way.facts.routes?.[0]?.local, '127.0.0.1')
    assert.deepEqual(http.facts.redirects, [{ status: 302, url: `${url}/old` }])
    assert.equal(http.facts.status, 200)
    assert.deepEqual(body.facts, { receivedBytes: 5, decodedBytes: 5, isWhole: true })
  })

  void test('one family of addresses that fails beside one that works is a warning', async (t) => {
    const url = new URL(await serving(t, () => text('hello')))
    const lookup = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])
    const steps = await walked(`http://a.example:${url.port}/`, { lookup })
    const connect = steps.get('connect')
    assert.ok(connect?.name === 'connect')
    assert.equal(connect.outcome, 'warning')
    assert.match(connect.summary, /^IPv6 fails, the other family works: \[::1\]:\d+ \(E\w+\)/)
    assert.match(connect.suggestion ?? '', /listen on IPv6/)
    assert.equal(connect.facts.connected, `127.0.0.1:${url.port}`)
    assert.equal(steps.get('http')?.outcome, 'ok')
  })

  void test('a certificate is shown, and one that ends soon is a warning', async (t) => {
    const authority = await certificate({ name: 'The authority', names: [] })
    for (const [to, outcome] of [
      [60, 'ok'],
      [5, 'warning'],
    ] as const) {
      const { cert, key } = await certificate({ to, by: authority })
      const tls = (await walked(await securing(t, { cert, key }), { tls: { ca: authority.cert } })).get('tls')
      assert.ok(tls?.name === 'tls')
      assert.equal(tls.outcome, outcome)
      const found = tls.facts.certificate
      assert.deepEqual(found?.names, ['localhost', '127.0.0.1'])
      assert.equal(found?.issuer, 'CN=The authority')
      assert.equal(found?.daysLeft, to - 1)
      assert.equal(tls.facts.alpn, undefined)
      assert.match(tls.facts.version ?? '', /^TLSv1\.[23]$/)
    }
  })

  void test('a certificate that is not verified is looked at all the same', async (t) => {
    const { cert, key } = await certificate({ name: 'other.example', names: ['other.example'] })
    const steps = await walked(await securing(t, { cert, key }), { tls: { verify: false } })
    const tls = steps.get('tls')
    assert.equal(tls?.outcome, 'warning')
    assert.match(
      tls.summary,
      /not verified: it is for other\.example, and not for 127\.0\.0\.1; it is signed by itself/,
    )
    assert.equal(steps.get('http')?.outcome, 'ok')
  })

  void test('a tunnel is opened, TLS goes through it, and a proxy that is sent the request itself is named', async (t) => {
    const proxy = await TestProxy.start()
    t.after(() => proxy[Symbol.asyncDispose]())
    const { cert, key } = await rightCertificate()
    const url = await securing(t, { cert, key })
    const steps = await walked(url, { proxy: `socks5h://127.0.0.1:${proxy.port}`, tls: { ca: cert } })
    assert.deepEqual(
      [steps.get('tunnel')?.outcome, steps.get('tls')?.outcome, steps.get('body')?.outcome],
      ['ok', 'ok', 'ok'],
    )
    const forward = await serving(t, ({ target }) => text(target))
    const sent = await walked('http://a.example/', { proxy: forward })
    assert.deepEqual(sent.get('proxy')?.facts, { proxy: forward, source: 'options', mode: 'forward' })
    assert.equal(sent.get('tunnel')?.outcome, SKIPPED)
    assert.equal(sent.get('http')?.outcome, 'ok')
  })

  void test('a WebSocket is opened at ws:, and at http: where it is asked for', async (t) => {
    const routes = new Routes()
      .get(
        '/chat',
        websocket(() => undefined),
      )
      .get('/page', () => text('page'))
    const server = await serveHttp('http://127.0.0.1:0', routes)
    t.after(() => server.close({ graceMs: 0 }))
    const url = server.endpoint.replace(/\/$/, '')
    const opened = await walked(`${url.replace('http', 'ws')}/chat`)
    assert.deepEqual([opened.get('http')?.outcome, opened.get('websocket')?.outcome], [SKIPPED, 'ok'])
    assert.equal((await walked(`${url}/page`)).get('websocket')?.outcome, SKIPPED)
    const asked = await walked(`${url}/page`, { websocket: true })
    assert.deepEqual([asked.get('http')?.outcome, asked.get('websocket')?.outcome], ['ok', 'failed'])
  })

  void test('no more of a body is read than maxReadBytes, and no more addresses are tried than maxAddresses', async (t) => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(16 * 1024, 'x')
    }
    const { port } = new URL(await serving(t, () => stream(endless())))
    const addresses = Array.from({ length: 9 }, (_, i) => ({ address: `127.0.0.${i + 1}`, family: 4 }))
    const steps = await walked(`http://a.example:${port}/`, {
      lookup: () => Promise.resolve(addresses),
      maxAddresses: 1,
      maxReadBytes: 100_000,
    })
    const [resolve, body] = [steps.get('resolve'), steps.get('body')]
    assert.ok(resolve?.name === 'resolve' && body?.name === 'body')
    assert.deepEqual([resolve.facts.addresses?.length, resolve.facts.left], [1, 8])
    assert.deepEqual([body.outcome, body.facts.isWhole], ['ok', false])
    assert.ok((body.facts.receivedBytes ?? 0) < 100_000 + 512 * 1024)
  })

  void test('a signal ends it with its reason, and timeoutMs all of it', async (t) => {
    const url = await doing(t, (socket) => void socket.resume())
    const reason = new Error('enough')
    const controller = new AbortController()
    await assert.rejects(async () => {
      for await (const { name } of diagnose(url, { proxy: false, signal: controller.signal }))
        if (name === 'tls') controller.abort(reason)
    }, reason)
    const late = (await walked(url, { timeoutMs: 300 })).get('http')
    assert.ok(late?.error instanceof TimeoutError && late.error.code === 'ERR_TOTAL_TIMEOUT')
    assert.throws(() => diagnose(url, JSON.parse('{"timeout":1}')), UsageError)
  })

  void test('a Unix socket has no address and no route, and is asked', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'diagnose-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const server = await serveHttp(`http+unix:${folder}/s.sock`, () => text('hello'))
    t.after(() => server.close({ graceMs: 0 }))
    const steps = await walked(`http+unix:${folder}/s.sock:/status`, { proxy: 'http://127.0.0.1:1' })
    assert.deepEqual([steps.get('resolve')?.outcome, steps.get('route')?.outcome], [SKIPPED, SKIPPED])
    assert.deepEqual([steps.get('connect')?.outcome, steps.get('body')?.outcome], ['ok', 'ok'])
  })

  void test('a network in memory is where a session looks for its origins, and a diagnosis too', async (t) => {
    const network = new MemoryNetwork()
    const listener = await listen('memory:a.example', { network })
    t.after(() => listener.close())
    const serve = async (): Promise<void> => {
      for (let one = await listener.accept(); one !== null; one = await listener.accept()) {
        const connection = one
        void (async () => {
          for await (const _ of connection) await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        })().catch(() => undefined)
      }
    }
    void serve()
    assert.equal(await (await session(t, { network }).get('http://a.example/')).text(), 'ok')
    const steps = await walked('http://a.example/', { network })
    assert.deepEqual([steps.get('connect')?.outcome, steps.get('http')?.outcome], ['ok', 'ok'])
  })
})

void suite('errors of the pool', () => {
  void test('a request that waits in vain for a connection says what holds them, and so does one too many', async (t) => {
    const url = await serving(t, () => new Promise(() => undefined))
    const own = session(t, { maxConnectionsPerOrigin: 1, poolTimeoutMs: 100, maxWaiting: 1 })
    const held = own.get(url).catch(() => undefined)
    await session(t)
      .head(url, { responseTimeoutMs: 50 })
      .catch(() => undefined)
    const waiting = own.get(`${url}/second`)
    await assert.rejects(own.get(`${url}/third`), (error) => {
      assert.ok(error instanceof LimitError && error.code === 'ERR_POOL_LIMIT')
      assert.deepEqual([error.details['url'], error.details['phase']], [`${url}/third`, 'pool'])
      assert.match(String(error.details['suggestion']), /raise maxWaiting/)
      return true
    })
    await assert.rejects(waiting, (error) => {
      assert.ok(error instanceof TimeoutError && error.code === 'ERR_POOL_TIMEOUT')
      assert.deepEqual([error.details['url'], error.details['phase']], [`${url}/second`, 'pool'])
      assert.match(String(error.details['suggestion']), /maxConnectionsPerOrigin/)
      return true
    })
    own.destroy()
    await held
  })
})
