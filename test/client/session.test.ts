import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { suite, test } from 'node:test'
import { BrokenError, LimitError, TimeoutError } from '#src/base/errors.js'
import { basic, bearer } from '#src/client/auth.js'
import { BodyError, ConnectError, RedirectError, ResponseError, StatusError } from '#src/client/errors.js'
import { request } from '#src/client/request.js'
import { json, redirect, stream, text } from '#src/http/index.js'
import { raw, serving, session } from './_servers.js'

void suite('Session', () => {
  void test('get gives status, fields and text', async (t) => {
    const url = await serving(t, ({ method, path, headers }) =>
      text(`${method} ${path} ${headers.get('user-agent')}`, { headers: { 'x-one': '1' } }),
    )
    const response = await session(t).get(`${url}/a?b=c`)
    assert.equal(response.status, 200)
    assert.equal(response.ok, true)
    assert.equal(response.headers.get('X-One'), '1')
    assert.equal(response.url, `${url}/a?b=c`)
    assert.equal(await response.text(), 'GET /a moorage')
  })

  void test('one connection serves request after request, and a body that is not read holds it', async (t) => {
    const peers = new Set<number>()
    const url = await serving(t, ({ remote }) => {
      if (remote.kind === 'ip') peers.add(remote.port)
      return text('hello')
    })
    const own = session(t)
    for (let i = 0; i < 20; i += 1) assert.equal(await (await own.get(url)).text(), 'hello')
    assert.equal(peers.size, 1)
  })

  void test('requests beyond maxConnectionsPerOrigin wait for one, and maxWaiting refuses', async (t) => {
    const waiting: (() => void)[] = []
    const url = await serving(t, async () => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return text('done')
    })
    const own = session(t, { maxConnectionsPerOrigin: 2, maxWaiting: 3 })
    const all = [1, 2, 3].map(async () => (await own.get(url)).text())
    await assert.rejects(own.get(url), LimitError)
    const freed = setInterval(() => waiting.shift()?.(), 5)
    t.after(() => clearInterval(freed))
    assert.deepEqual(await Promise.all(all), ['done', 'done', 'done'])
  })

  void test('a type that is given takes the place of the one that a body has', async (t) => {
    const url = await serving(t, ({ headers }) => text(headers.getAll('content-type').join()))
    const response = await session(t).post(url, { body: '{}', headers: { 'Content-Type': 'application/ld+json' } })
    assert.equal(await response.text(), 'application/ld+json')
  })

  void test('json, form and bytes are sent with their type and length', async (t) => {
    const url = await serving(t, async ({ headers, body }) =>
      json({
        type: headers.get('content-type') ?? '',
        length: headers.get('content-length') ?? '',
        text: (await body?.text()) ?? '',
      }),
    )
    const own = session(t)
    assert.deepEqual(await (await own.post(url, { json: { a: [1] } })).json(), {
      type: 'application/json',
      length: '9',
      text: '{"a":[1]}',
    })
    assert.deepEqual(await (await own.post(url, { form: { a: 'ä b', c: [1, 2] } })).json(), {
      type: 'application/x-www-form-urlencoded',
      length: '18',
      text: 'a=%C3%A4+b&c=1&c=2',
    })
    assert.deepEqual(await (await own.put(url, { body: new Uint8Array([104, 105]) })).json(), {
      type: '',
      length: '2',
      text: 'hi',
    })
    assert.deepEqual(await (await own.post(url)).json(), { type: '', length: '0', text: '' })
  })

  void test('a stream is sent in chunks, at the pace of the server', async (t) => {
    const url = await serving(t, async ({ body }) => text(String((await body?.bytes())?.length ?? 0)))
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 64; i += 1) yield Buffer.alloc(10_000, i)
    }
    assert.equal(await (await session(t).post(url, { body: pieces() })).text(), '640000')
  })

  void test('a reader that is behind stops the server, and all bytes come', async (t) => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    let sent = 0
    async function* much(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 512; i += 1) {
        sent += piece.length
        yield piece
      }
    }
    const url = await serving(t, () => stream(much()))
    const response = await session(t).get(url)
    for (let last = -1; last !== sent; await new Promise((resolve) => setTimeout(resolve, 50))) last = sent
    assert.ok(sent < 16 * 1024 * 1024, `the server sent ${sent} bytes to nobody`)
    let received = 0
    for await (const bytes of response) received += bytes.length
    assert.equal(received, 512 * 64 * 1024)
  })

  void test('redirects are followed by the rules of RFC 9110, and tell no other origin who one is', async (t) => {
    const seen: string[] = []
    const elsewhere = await serving(t, ({ method, headers }) => {
      seen.push(`${method} ${headers.get('authorization') ?? 'nobody'} ${headers.get('cookie') ?? 'none'}`)
      return text('there')
    })
    const url = await serving(t, async ({ path, method, body, headers }) => {
      const content = (await body?.text()) ?? ''
      seen.push(`${method} ${path} ${content} ${headers.get('content-type') ?? '-'}`)
      if (path === '/303') return redirect('/end', { status: 303 })
      if (path === '/307') return redirect('/end', { status: 307 })
      if (path === '/301') return redirect('/end', { status: 301 })
      if (path === '/away') return redirect(`${elsewhere}/`, { status: 302 })
      return text('end')
    })
    const own = session(t, { auth: basic('me', 'secret'), headers: { cookie: 'a=b' } })
    const answer = await own.post(`${url}/303`, { json: 1 })
    assert.equal(answer.url, `${url}/end`)
    assert.deepEqual(
      answer.history.map(({ status }) => status),
      [303],
    )
    await (await own.post(`${url}/307`, { json: 1 })).text()
    await (await own.post(`${url}/301`, { json: 1 })).text()
    await (await own.get(`${url}/away`)).text()
    assert.deepEqual(seen, [
      'POST /303 1 application/json',
      'GET /end  -',
      'POST /307 1 application/json',
      'POST /end 1 application/json',
      'POST /301 1 application/json',
      'GET /end  -',
      'GET /away  -',
      'GET nobody none',
    ])
  })

  void test('a circle of redirects, and one to nowhere, are errors that say so', async (t) => {
    const url = await serving(t, ({ path }) =>
      redirect(path === '/nowhere' ? 'ftp://example/' : '/again', { status: 302 }),
    )
    const own = session(t, { maxRedirects: 3 })
    await assert.rejects(own.get(url), (error) => error instanceof RedirectError && error.code === 'ERR_REDIRECT')
    await assert.rejects(own.get(`${url}/nowhere`), RedirectError)
    const first = await own.get(url, { followRedirects: false })
    assert.equal(first.status, 302)
  })

  void test('raiseForStatus makes an error of 404, whose response can still be read', async (t) => {
    const url = await serving(t, () => text('there is no such page', { status: 404 }))
    const response = await session(t).get(url)
    assert.throws(
      () => response.raiseForStatus(),
      (error) => error instanceof StatusError && error.response === response && error.details['status'] === 404,
    )
    assert.equal(await response.text(), 'there is no such page')
  })

  void test('a connection that the server ended while it idled is replaced, and nobody notices', async (t) => {
    const url = await raw(t, (socket) => {
      let count = 0
      socket.on('data', () => {
        count += 1
        // The second request meets a reset: the server has just ended the connection.
        if (count === 2) socket.resetAndDestroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const own = session(t)
    for (let i = 0; i < 5; i += 1) assert.equal(await (await own.get(url)).text(), 'ok')
    await assert.rejects(own.post(url), (error) => error instanceof ResponseError)
  })

  void test('Keep-Alive of the server retires the connection before it ends', async (t) => {
    let connections = 0
    const url = await raw(t, (socket) => {
      connections += 1
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'))
    })
    const own = session(t)
    assert.equal(await (await own.get(url)).text(), 'ok')
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(await (await own.get(url)).text(), 'ok')
    assert.equal(connections, 2)
  })

  void test('each phase has its time: the response, the body, all of it', async (t) => {
    const url = await raw(t, (socket) => {
      socket.on('data', (bytes) => {
        if (String(bytes).startsWith('GET /body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf')
      })
    })
    const own = session(t, { responseTimeoutMs: 50, bodyTimeoutMs: 50 })
    await assert.rejects(
      own.get(url),
      (error) => error instanceof TimeoutError && error.code === 'ERR_RESPONSE_TIMEOUT',
    )
    const response = await own.get(`${url}/body`)
    await assert.rejects(response.text(), (error) => error instanceof TimeoutError && error.code === 'ERR_BODY_TIMEOUT')
    await assert.rejects(
      own.get(url, { responseTimeoutMs: 60_000, timeoutMs: 60 }),
      (error) => error instanceof TimeoutError && error.code === 'ERR_TOTAL_TIMEOUT',
    )
  })

  void test('responseTimeoutMs bounds the head as a whole, with what comes before it, and bodyTimeoutMs only silence', async (t) => {
    const drip = (socket: Socket, text: string, then = (): void => undefined): void => {
      let at = 0
      const timer = setInterval(() => {
        socket.write(text.charAt(at % text.length))
        at += 1
        if (at === text.length) then()
      }, 5)
      socket.on('close', () => clearInterval(timer))
    }
    const url = await raw(t, (socket) => {
      socket.once('data', (bytes) => {
        const [, path = ''] = String(bytes).split(' ')
        if (path === '/head') drip(socket, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2000)}`)
        else if (path === '/interim') drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')
        else {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')
          drip(socket, 'x'.repeat(100), () => socket.destroy())
        }
      })
    })
    const own = session(t, { responseTimeoutMs: 200, bodyTimeoutMs: 400, timeoutMs: 20_000 })
    for (const path of ['/head', '/interim'])
      await assert.rejects(
        own.get(url + path),
        (error) => error instanceof TimeoutError && error.code === 'ERR_RESPONSE_TIMEOUT',
      )
    assert.equal((await (await own.get(`${url}/body`)).text()).length, 100)
  })

  void test('a signal ends the request with its reason, in every phase', async (t) => {
    const url = await raw(t, (socket) => {
      socket.on('data', (bytes) => {
        if (String(bytes).startsWith('GET /body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf')
      })
    })
    const own = session(t)
    const reason = new Error('enough')
    await assert.rejects(own.get(url, { signal: AbortSignal.abort(reason) }), reason)
    const waits = new AbortController()
    const waiting = own.get(url, { signal: waits.signal })
    setTimeout(() => waits.abort(reason), 20)
    await assert.rejects(waiting, reason)
    const reads = new AbortController()
    const response = await own.get(`${url}/body`, { signal: reads.signal })
    setTimeout(() => reads.abort(reason), 20)
    await assert.rejects(response.text(), reason)
  })

  void test('what a server may not send, and what is cut, are errors of their phase', async (t) => {
    const answers = [
      'nonsense\r\n\r\n',
      '',
      'HTTP/1.1 200 OK\r\nContent-Le',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ]
    const url = await raw(t, (socket) => {
      socket.once('data', (bytes) => {
        const [, index = '0'] = /^GET \/(\d)/.exec(String(bytes)) ?? []
        socket.end(answers[Number(index)] ?? '')
      })
    })
    const own = session(t)
    for (const i of [0, 1, 2])
      await assert.rejects(
        own.get(`${url}/${i}`),
        (error) => error instanceof ResponseError && 'suggestion' in error.details,
      )
    for (const i of [3, 4]) await assert.rejects((await own.get(`${url}/${i}`)).text(), BodyError)
  })

  void test('a refused connection says what was tried, without a secret', async (t) => {
    const own = session(t)
    await assert.rejects(own.get('http://me:secret@127.0.0.1:1/'), (error) => {
      assert.ok(error instanceof ConnectError)
      assert.ok(!JSON.stringify([error.message, error.details]).includes('secret'))
      assert.equal(error.details['url'], 'http://127.0.0.1:1/')
      return true
    })
  })

  void test('user and password of a URL are sent as Basic; a bearer token that is refused is asked for again', async (t) => {
    const url = await serving(t, ({ headers }) => {
      const authorization = headers.get('authorization') ?? ''
      return authorization === 'Bearer new' || authorization.startsWith('Basic')
        ? text(authorization)
        : text('', { status: 401, headers: { 'www-authenticate': 'Bearer' } })
    })
    const own = session(t)
    assert.equal(await (await own.get(url.replace('//', '//a:b@'))).text(), 'Basic YTpi')
    const token = bearer((isRefused) => (isRefused ? 'new' : 'old'))
    assert.equal(await (await own.get(url, { auth: token })).text(), 'Bearer new')
  })

  void test('503 is tried again, with what Retry-After says; a POST is not', async (t) => {
    let count = 0
    const url = await serving(t, () => {
      count += 1
      return count % 2 === 1 ? text('', { status: 503, headers: { 'retry-after': '0' } }) : text('now')
    })
    const own = session(t, { retries: 2 })
    assert.equal(await (await own.get(url)).text(), 'now')
    count = 0
    assert.equal((await own.post(url)).status, 503)
  })

  void test('maxBodyBytes bounds what is held, and not what is streamed', async (t) => {
    const url = await serving(t, () => text('x'.repeat(5000)))
    const own = session(t, { maxBodyBytes: 4999 })
    await assert.rejects((await own.get(url)).text(), LimitError)
    let received = 0
    for await (const bytes of await own.get(url)) received += bytes.length
    assert.equal(received, 5000)
    assert.equal((await (await own.get(url, { maxBodyBytes: 5000 })).text()).length, 5000)
  })

  void test('a server that breaks off a body is told of, and the session goes on', async (t) => {
    const url = await raw(t, (socket, count) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
        if (count === 1) setTimeout(() => socket.resetAndDestroy(), 10)
        else socket.write('ok')
      })
    })
    const own = session(t)
    await assert.rejects(
      (await own.get(url)).text(),
      (error) => error instanceof BodyError || error instanceof BrokenError,
    )
    assert.equal(await (await own.get(url)).text(), 'ok')
  })

  void test('a request that took too long is not sent again by itself', async (t) => {
    const asked: string[] = []
    const url = await raw(t, (socket) => {
      socket.on('data', (bytes) => {
        const [line = ''] = String(bytes).split('\r\n')
        asked.push(line)
        if (line.startsWith('GET')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const own = session(t)
    assert.equal(await (await own.get(url)).text(), 'ok')
    await assert.rejects(own.put(url, { body: 'x', responseTimeoutMs: 100 }), TimeoutError)
    assert.equal(asked.filter((line) => line.startsWith('PUT')).length, 1)
  })

  void test('request refuses an option that it has not', async () => {
    const misspelt = { methd: 'POST', timeoutMs: 1000 }
    await assert.rejects(request('http://127.0.0.1:1/', misspelt), { code: 'ERR_OPTION_UNKNOWN' })
  })

  void test('a baseUrl is what the others begin with, with and without a slash at its end', async (t) => {
    const url = await serving(t, ({ target }) => text(target))
    for (const base of ['/v1', '/v1/'])
      assert.equal(await (await session(t, { baseUrl: url + base }).get('users?a=b')).text(), '/v1/users?a=b')
    assert.equal(await (await session(t, { baseUrl: `${url}/v1` }).get('/users')).text(), '/users')
  })
})
