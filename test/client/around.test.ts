import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { ClosedError, LimitError, UsageError } from '#src/base/errors.js'
import { digest } from '#src/client/auth.js'
import { BodyError, ProxyError, TlsError } from '#src/client/errors.js'
import { HstsStore } from '#src/client/hsts.js'
import { filePart } from '#src/client/parts.js'
import { toOutgoing } from '#src/client/request-body.js'
import { HttpResponse, json, redirect, text } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { until } from '#src/testing/contract-row.js'
import { raw, serving, session } from './_servers.js'

void suite('what a Session does around a request', () => {
  void test('cookies come back to where they belong, over redirects too, and not with cookies: false', async (t) => {
    const url = await serving(t, ({ path, headers }) =>
      path === '/set'
        ? redirect('/get', {
            headers: [
              ['Set-Cookie', 'a=1; Path=/'],
              ['Set-Cookie', 'b=2; Path=/other'],
            ],
          })
        : text(headers.get('cookie') ?? 'none'),
    )
    const own = session(t)
    assert.equal(await (await own.get(`${url}/set`)).text(), 'a=1')
    assert.equal(await (await own.get(`${url}/other`)).text(), 'b=2; a=1')
    const none = session(t, { cookies: false })
    assert.equal(await (await none.get(`${url}/set`)).text(), 'none')
  })

  void test('compressed bodies are decoded, whole and piece by piece, unless decompress is off', async (t) => {
    const plain = 'hello '.repeat(10_000)
    const url = await serving(t, ({ headers }) =>
      /gzip/.test(headers.get('accept-encoding') ?? '')
        ? new HttpResponse(gzipSync(plain), { headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' } })
        : text('not compressed'),
    )
    const own = session(t)
    assert.equal(await (await own.get(url)).text(), plain)
    let pieces = ''
    for await (const bytes of await own.get(url)) pieces += Buffer.from(bytes).toString('latin1')
    assert.equal(pieces, plain)
    assert.equal(await (await own.get(url, { decompress: false })).text(), 'not compressed')
  })

  void test('a body that expands beyond maxBodyBytes is refused before it is in memory', async (t) => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const url = await serving(t, () => new HttpResponse(bomb, { headers: { 'content-encoding': 'gzip' } }))
    const before = process.memoryUsage().arrayBuffers
    await assert.rejects((await session(t, { maxBodyBytes: 1024 * 1024 }).get(url)).bytes(), LimitError)
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
  })

  void test('multipart sends fields and files with a length, and the server reads the same', async (t) => {
    const url = await serving(t, async (request) => {
      const form = await request.formData()
      const file = form.get('file')
      const content = file === undefined || typeof file === 'string' ? '' : Buffer.from(await file.bytes()).toString()
      return json({
        note: form.get('note'),
        name: typeof file === 'object' ? file.name : '',
        content,
        length: request.headers.get('content-length') ?? 'none',
      })
    })
    const folder = await mkdtemp(join(tmpdir(), 'client-'))
    t.after(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'a.txt'), 'from a file')
    const answer = await session(t).post(url, { multipart: { note: 'new', file: filePart(join(folder, 'a.txt')) } })
    assert.match(
      JSON.stringify(await answer.json()),
      /^{"note":"new","name":"a.txt","content":"from a file","length":"\d+"}$/,
    )
  })

  void test('query is added to what the URL has', async (t) => {
    const url = await serving(t, ({ target }) => text(target))
    const own = session(t)
    assert.equal(await (await own.get(`${url}/a?x=1`, { query: { y: [2, 3], z: undefined } })).text(), '/a?x=1&y=2&y=3')
  })

  void test('baseUrl is what URLs begin with that are not whole', async (t) => {
    const url = await serving(t, ({ path }) => text(path))
    const own = session(t, { baseUrl: `${url}/v1/` })
    assert.equal(await (await own.get('users/7')).text(), '/v1/users/7')
    assert.equal(await (await own.get('/top')).text(), '/top')
  })

  void test('Digest answers the challenge, and needs none for the next request', async (t) => {
    const seen: (string | undefined)[] = []
    const url = await serving(t, ({ headers }) => {
      const sent = headers.get('authorization')
      seen.push(sent?.split(' ')[0])
      return sent === undefined
        ? text('', {
            status: 401,
            headers: { 'www-authenticate': 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256' },
          })
        : text(/username="me"/.test(sent) && /nc=0000000[12]/.test(sent) ? 'in' : 'out')
    })
    const own = session(t, { auth: digest('me', 'secret') })
    assert.equal(await (await own.get(url)).text(), 'in')
    assert.equal(await (await own.get(url)).text(), 'in')
    assert.deepEqual(seen, [undefined, 'Digest', 'Digest'])
  })

  void test('a proxy is sent the whole URL of http:, and http+unix: reaches a socket', async (t) => {
    const proxy = await serving(t, ({ target, headers }) =>
      text(`${target} ${headers.get('proxy-authorization') ?? '-'}`),
    )
    const own = session(t, { proxy: proxy.replace('//', '//u:p@') })
    assert.equal(await (await own.get('http://example.invalid/a?b')).text(), 'http://example.invalid/a?b Basic dTpw')
    const folder = await mkdtemp(join(tmpdir(), 'client-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const server = await serveHttp(`http+unix:${folder}/s.sock`, ({ path, host }) => text(`${host}${path}`))
    t.after(() => server.close({ graceMs: 0 }))
    assert.equal(await (await session(t).get(`http+unix:${folder}/s.sock:/status`)).text(), 'localhost/status')
  })

  void test('a process ends while connections idle', { timeout: 40_000 }, async (t) => {
    // The server would keep the connection for much longer than the test waits.
    const server = await serveHttp('http://127.0.0.1:0', () => text('hello'), { keepAliveTimeoutMs: 600_000 })
    t.after(() => server.close({ graceMs: 0 }))
    const program = `
      import { get } from 'moorage/client'
      await (await get('${server.endpoint}')).text()
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit'],
      cwd: new URL('../../..', import.meta.url),
    })
    t.after(() => child.kill('SIGKILL'))
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })

  void test('a proxy that wants Digest is answered, for http: and for a tunnel', async (t) => {
    const target = await serving(t, () => text('there'))
    const asked: string[] = []
    const proxy = await raw(t, (socket) => {
      let head = ''
      socket.on('data', (bytes) => {
        head += String(bytes)
        if (!head.endsWith('\r\n\r\n')) return
        const request = head
        head = ''
        asked.push(`${request.split('\r\n')[0]} ${/Proxy-Authorization: (\w+)/.exec(request)?.[1] ?? '-'}`)
        if (!request.includes('Proxy-Authorization: Digest username="me"')) {
          socket.write(
            'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm="p", nonce="n", qop="auth"\r\nContent-Length: 0\r\n\r\n',
          )
        } else if (!request.startsWith('CONNECT')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else socket.write('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
      })
    })
    const own = session(t, { proxy: proxy.replace('//', '//me:secret@') })
    assert.equal(await (await own.get(target)).text(), 'ok')
    assert.equal(await (await own.get(target)).text(), 'ok')
    await assert.rejects(own.get('https://example.invalid/'), ProxyError)
    const path = `${target}/`.replace(/\/+$/, '/')
    assert.deepEqual(asked, [
      `GET ${path} HTTP/1.1 Basic`,
      `GET ${path} HTTP/1.1 Digest`,
      `GET ${path} HTTP/1.1 Digest`,
      'CONNECT example.invalid:443 HTTP/1.1 Digest',
    ])
  })

  void test('a host that has said so by TLS is asked by TLS alone', async (t) => {
    const store = new HstsStore()
    store.note('localhost', 'max-age=1000', Date.now(), true)
    const own = session(t, { hsts: store })
    const url = await raw(t, (socket) =>
      socket.once('data', (bytes) => socket.end(bytes[0] === 22 ? '' : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
    )
    const named = url.replace('127.0.0.1', 'localhost')
    await assert.rejects(own.get(named), TlsError)
    assert.equal((await session(t, { hsts: false }).get(named)).status, 200)
  })

  void test('maxConnections is for all origins: one that idles makes room, and one in use is waited for', async (t) => {
    let goOn = (): void => undefined
    const slow = await serving(t, async () => {
      await new Promise<void>((resolve) => (goOn = resolve))
      return text('slow')
    })
    const others = await Promise.all([1, 2, 3].map((i) => serving(t, () => text(String(i)))))
    const own = session(t, { maxConnections: 1 })
    for (const [i, url] of others.entries()) assert.equal(await (await own.get(url)).text(), String(i + 1))
    const first = own.get(slow)
    const second = own.get(others[0] ?? '')
    await new Promise((resolve) => setTimeout(resolve, 50))
    goOn()
    assert.equal(await (await first).text(), 'slow')
    assert.equal(await (await second).text(), '1')
  })

  void test('a body that is not in its coding is a BodyError that names the URL', async (t) => {
    const url = await serving(
      t,
      () =>
        new HttpResponse('this is no gzip', { headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' } }),
    )
    const response = await session(t).get(url)
    await assert.rejects(
      response.text(),
      (error) =>
        error instanceof BodyError && error.code === 'ERR_CONTENT_CODING' && error.details['url'] === response.url,
    )
  })

  void test('requests that cannot be sent cost no connection', async (t) => {
    const url = await serving(t, () => text('ok'))
    const own = session(t, { maxConnectionsPerOrigin: 1, poolTimeoutMs: 200 })
    assert.equal(await (await own.get(url)).text(), 'ok')
    const used = [Buffer.from('x')][Symbol.iterator]()
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(own.get(url, { headers: { 'x-a': 'line\r\nbreak' } }), UsageError)
      assert.equal(await (await own.get(url)).text(), 'ok')
    }
    const body = toOutgoing(used)
    assert.equal(await (await own.post(url, { body: body ?? '' })).text(), 'ok')
    await assert.rejects(own.post(url, { body: body ?? '' }), UsageError)
    assert.equal(await (await own.get(url)).text(), 'ok')
  })

  void test('whoever waits for a body that is discarded hears of it', async (t) => {
    const url = await raw(t, (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'))
    })
    const response = await session(t).get(url)
    const reading = response.text()
    response.discard()
    await assert.rejects(reading, ClosedError)
  })

  void test('credentials that stand where an option wants others are not shown', () => {
    for (const options of [{ auth: 'me:secret' }, { tls: { passphrase: ['secret'] } }, { tls: { passphrase: 12_345 } }])
      assert.throws(
        () => session({ after: () => undefined } as never, options as never),
        (error) => error instanceof UsageError && !/secret|12345/.test(inspect(error, { depth: 9 })),
      )
  })

  void test('no URL that is wrong is shown with its secrets', async (t) => {
    for (const url of ['http://me:se/cret@host/', 'http:me:secret@host:x/', 'ftp://me:secret@host/?token=secret'])
      await assert.rejects(session(t).get(url), (error) => {
        assert.ok(error instanceof UsageError && error.code === 'ERR_URL')
        assert.ok(!/se\/?cret/.test(inspect(error, { depth: 9, showHidden: true })), error.message)
        return true
      })
  })

  void test('a connection that has idled for keepAliveTimeoutMs ends when another comes to rest', async (t) => {
    let ended = 0
    const url = await raw(t, (socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
      socket.once('end', () => (ended += 1))
    })
    const other = await serving(t, () => text('other'))
    const own = session(t, { keepAliveTimeoutMs: 20 })
    assert.equal(await (await own.get(url)).text(), 'ok')
    let count = 0
    await until('it is ended', () => {
      if ((count += 1) % 10 === 0) void own.get(other).then((response) => response.text())
      return ended === 1
    })
  })
})
