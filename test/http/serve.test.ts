import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect as netConnect } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { errorCodeOf, UsageError } from '#src/base/errors.js'
import { RequestBody } from '#src/http/request-body.js'
import type { HttpRequest } from '#src/http/request.js'
import { HttpResponse, text } from '#src/http/response.js'
import { HttpServer, serveHttp } from '#src/http/server.js'
import { concurrent, processes, serial, threads, type Model } from '#src/server/models/model.js'
import { readAll } from '#src/testing/connection-pair.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { reasonToSkip } from '../fixtures/supported-models.js'

const run = promisify(execFile)
const handler = new URL('../fixtures/web.js', import.meta.url)
const TIMEOUT = { timeout: 30_000 }

/** Sends bytes, ends, and resolves with all that comes. */
async function exchange(server: HttpServer, bytes: string): Promise<string> {
  const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
  await connection.write(Buffer.from(bytes, 'latin1'))
  await connection.closeWrite()
  const answer = await within('the answer', readAll(connection))
  await connection.close()
  return Buffer.from(answer)
    .toString('latin1')
    .replaceAll(/Date: [^\r]+\r\n/g, '')
}

const GET = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

const named: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'concurrent()', model: concurrent() },
  { name: 'serial()', model: serial() },
  { name: 'threads()', model: threads({ size: 2 }) },
  { name: 'processes()', model: processes({ size: 2 }) },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }) },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared' }) },
]
const models = await Promise.all(named.map(async (way) => ({ ...way, skip: await reasonToSkip(way.model) })))

for (const { name, model, skip } of models) {
  suite(`HTTP under ${name}`, { skip }, () => {
    let server: HttpServer
    before(async () => {
      server = await serveHttp('http://127.0.0.1:0', handler, { model })
    })
    after(() => server.close({ graceMs: 100 }))

    test('a request is answered, and the connection takes the next one', TIMEOUT, async () => {
      const answer =
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, world!\n'
      assert.equal(await exchange(server, GET('/') + GET('/')), answer + answer)
    })
    test('answers come in the order of their requests, whichever is ready first', TIMEOUT, async () => {
      const answers = await exchange(server, GET('/late?ms=30') + GET('/') + GET('/late?ms=1') + GET('/bye') + GET('/'))
      const bodies = answers
        .split('\r\n\r\n')
        .slice(1)
        .map((part) => part.split('HTTP/1.1')[0])
      assert.deepEqual(bodies, ['late\n', 'Hello, world!\n', 'late\n', 'bye\n'])
    })
    test('HEAD is answered with the same head and no body', TIMEOUT, async () => {
      const answer = await exchange(server, GET('/bye').replace('GET', 'HEAD'))
      assert.equal(
        answer,
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\n',
      )
    })
    test('HTTP/1.0 gets what it knows: no chunks, and the end when it did not ask for more', TIMEOUT, async () => {
      assert.equal(
        await exchange(server, 'GET /lines?count=2 HTTP/1.0\r\n\r\n'),
        'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nline 1\nline 2\n',
      )
    })
    test('a stream is sent in chunks', TIMEOUT, async () => {
      assert.equal(
        await exchange(server, GET('/lines?count=2', 'Connection: close\r\n')),
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n7\r\nline 1\n\r\n7\r\nline 2\n\r\n0\r\n\r\n',
      )
    })
    test('a handler that throws is a 500 that tells nothing, and the connection goes on', TIMEOUT, async () => {
      const answers = await exchange(server, GET('/throws') + GET('/rejects') + GET('/missing') + GET('/bye'))
      assert.deepEqual(
        [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
        ['500', '418', '404', '200'],
      )
      assert.ok(!answers.includes('secret'))
      assert.ok(answers.includes('X-Kind: teapot\r\n') && answers.includes('I am a teapot\n'))
    })
    test('what is no request is refused with its status, and the connection closed', TIMEOUT, async () => {
      assert.match(
        await exchange(server, 'GET / HTTP/1.1\r\n\r\n'),
        /^HTTP\/1\.1 400 Bad Request\r\n.*Connection: close\r\n/s,
      )
      assert.match(await exchange(server, 'GET / HTTP/2.0\r\n\r\n'), /^HTTP\/1\.1 505 /)
      assert.match(
        await exchange(server, GET('/') + 'nonsense\r\n\r\n' + GET('/')),
        /Hello, world!\nHTTP\/1\.1 400 [^]*Bad Request\n$/,
      )
    })
    test('curl sends and gets bodies, large ones and chunked ones too', TIMEOUT, async () => {
      const url = server.endpoint
      const big = 'x'.repeat(3_000_000)
      const post = async (path: string, ...options: readonly string[]): Promise<string> => {
        const curl = run('curl', ['-sS', '--max-time', '20', ...options, '--data-binary', '@-', url + path], {
          maxBuffer: 1e8,
        })
        curl.child.stdin?.end(big)
        return (await curl).stdout
      }
      assert.equal(await post('/echo'), big)
      assert.equal(await post('/same', '-H', 'Transfer-Encoding: chunked'), big)
      assert.equal(await post('/same', '-H', 'Expect: 100-continue'), big)
    })
    test('fetch of the runtime reads what is sent', TIMEOUT, async () => {
      const answer = await fetch(`${server.endpoint}/json`, { method: 'POST', body: '{"a":[1,"ü"]}' })
      assert.deepEqual([answer.status, await answer.json()], [200, { a: [1, 'ü'] }])
      const bad = await fetch(`${server.endpoint}/json`, { method: 'POST', body: '{' })
      assert.deepEqual([bad.status, await bad.text()], [400, 'Bad Request\n'])
      const nothing = await fetch(`${server.endpoint}/nothing`)
      assert.deepEqual([nothing.status, nothing.headers.has('content-length'), await nothing.text()], [204, false, ''])
    })
  })
}

test('close() answers what was begun, says so, and ends idle connections', TIMEOUT, async () => {
  let begun = 0
  const server = await serveHttp('http://127.0.0.1:0', async ({ path }) => {
    begun += 1
    if (path === '/late') await new Promise((resolve) => setTimeout(resolve, 100))
    return text(path === '/late' ? 'late\n' : 'Hello, world!\n')
  })
  const plain = server.endpoint.replace('http:', 'tcp:')
  const idle = await connect(plain)
  await idle.write(GET('/'))
  await within('an answer', idle.readUntil('Hello, world!\n'))
  const busy = await connect(plain)
  await busy.write(GET('/late?ms=100'))
  await until('both requests to be read', () => begun === 2)
  const closing = server.close({ graceMs: 5000 })
  assert.equal(await within('the end', idle.read()), null)
  await idle.close()
  const last = Buffer.from(await within('the answer', readAll(busy))).toString()
  assert.match(last, /Connection: close\r\n\r\nlate\n$/)
  await busy.close()
  const report = await closing
  assert.deepEqual([report.drained, report.cutCount], [2, 0])
})

test('a body over its limit is 413, however it is sent, and the connection is closed', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', handler, { maxBodyBytes: 1000 })
  const body = (count: number): string => 'x'.repeat(count)
  const known = (count: number): string =>
    `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${count}\r\n\r\n${body(count)}`
  const chunked = (count: number): string =>
    `POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${count.toString(16)}\r\n${body(count)}\r\n0\r\n\r\n`
  for (const send of [known, chunked]) {
    assert.match(
      await exchange(server, send(1000) + GET('/bye')),
      /^HTTP\/1\.1 200 [^]*x{1000}HTTP\/1\.1 200 [^]*bye\n$/,
    )
    assert.match(
      await exchange(server, send(1001) + GET('/bye')),
      /^HTTP\/1\.1 413 [^]*Connection: close\r\n\r\nContent Too Large\n$/,
    )
  }
})

test(
  'a client that ends in the middle of a body: the handler hears of it, and its answer is the last',
  TIMEOUT,
  async () => {
    let failure: unknown
    await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
      await request.bytes().catch((error: unknown) => {
        failure = error
        throw error
      })
      return text('never')
    })
    const answer = await exchange(server, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    assert.match(answer, /^HTTP\/1\.1 400 [^]*Connection: close\r\n/)
    assert.equal(errorCodeOf(failure), 'ERR_UNEXPECTED_END')
  },
)

test('a body in chunks of one byte is held in a bounded number of pieces, and comes whole', TIMEOUT, async () => {
  const pushed: Uint8Array[] = []
  let resumed = 0
  const body = new RequestBody(
    {
      wanted: () => undefined,
      pause: () => undefined,
      resume: () => (resumed += 1),
      limit: () => undefined,
      inform: () => undefined,
    },
    1e6,
  )
  while (!body.isPaused && pushed.length < 5000) {
    pushed.push(Uint8Array.of(pushed.length & 0xff))
    body.push(pushed.at(-1) ?? Buffer.alloc(0))
  }
  assert.equal(pushed.length, 1024)
  // Small pieces come as one: a reader that looks at all it has for each would take for ever.
  assert.equal((await body.read())?.length, 1024)
  assert.equal(resumed, 1)
  const large = Buffer.alloc(100_000)
  body.push(large)
  body.push(large)
  assert.deepEqual([(await body.read())?.length, (await body.read())?.length], [100_000, 100_000])

  let goOn = (): void => undefined
  const waiting = new Promise<void>((resolve) => (goOn = resolve))
  await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
    await waiting
    return text(await request.text(), { close: true })
  })
  const count = 100_000
  const asked = exchange(
    server,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`,
  )
  await until('the request', () => server.metrics.active === 1)
  goOn()
  const answer = await asked
  assert.equal(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'x'.repeat(count))
})

test('a read of a body that waits when the request is answered is rejected', TIMEOUT, async () => {
  let reading: Promise<unknown> = Promise.resolve()
  await using server = await serveHttp('http://127.0.0.1:0', (request) => {
    reading = request.bytes().catch((error: unknown) => errorCodeOf(error))
    return text('enough\n')
  })
  const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
  await connection.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
  await within('the answer', connection.readUntil('enough\n'))
  assert.equal(await within('the end of the reading', reading), 'ERR_CLOSED')
  connection.destroy()
})

test('what an application does wrong ends its connection at most, never the server', TIMEOUT, async () => {
  const locked = new ReadableStream<Uint8Array>()
  locked.getReader()
  const nothing: AsyncIterator<string> = { next: () => new Promise(() => undefined) }
  const answers: Readonly<Record<string, () => HttpResponse | Promise<HttpResponse>>> = {
    '/undefined': () => Reflect.construct(HttpResponse, [undefined]),
    '/locked': () => new HttpResponse(locked),
    '/locked-later': () => Promise.resolve(new HttpResponse(locked)),
    '/no-iterator': () =>
      new HttpResponse({
        [Symbol.asyncIterator]() {
          throw new Error('no iterator')
        },
      }),
    // The return of an iterator that is written by hand need not be async.
    '/endless': () =>
      new HttpResponse({ [Symbol.asyncIterator]: () => Object.assign(Object.create(nothing), { return: () => 1 }) }),
    '/fine': () => text('fine\n'),
  }
  for (const wait of [false, true]) {
    const reported: unknown[] = []
    class Reporting extends HttpServer {
      override handleError(error: unknown): void {
        reported.push(error)
      }
    }
    const respond = ({ path }: HttpRequest): HttpResponse | Promise<HttpResponse> =>
      answers[path]?.() ?? text('a tunnel?\n')
    await using server = new Reporting(
      'http://127.0.0.1:0',
      wait ? async (request) => Promise.resolve(respond(request)) : respond,
    )
    await server.listen()
    assert.match(await exchange(server, GET('/undefined') + GET('/fine')), /^HTTP\/1\.1 500 [^]*fine\n$/)
    for (const path of ['/locked', '/locked-later', '/no-iterator']) assert.equal(await torn(server, path), '')
    assert.equal(reported.length, 4)
    assert.match(await exchange(server, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'), /^HTTP\/1\.1 501 /)
    const leaving = netConnect(Number(new URL(server.endpoint).port), '127.0.0.1')
    leaving.write(GET('/endless'))
    await once(leaving, 'data')
    leaving.resetAndDestroy()
    await until('the connections to end', () => server.metrics.active === 0)
    assert.match(await exchange(server, GET('/fine')), /fine\n$/)
  }
})

/** What comes before the connection is cut. */
async function torn(server: HttpServer, path: string): Promise<string> {
  const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
  await connection.write(GET(path))
  const got = await within('the end', readAll(connection)).catch(() => Buffer.alloc(0))
  connection.destroy()
  return Buffer.from(got).toString()
}

test('what is no endpoint, and an option that is meant by another name, are told so', () => {
  const rows: readonly (readonly [args: readonly unknown[], code: string, nearest?: string])[] = [
    [[8000], 'ERR_ENDPOINT'],
    [[undefined], 'ERR_ENDPOINT'],
    [[null], 'ERR_ENDPOINT'],
    [['http://127.0.0.1:0', () => text(''), { keepAliveTimeout: 5 }], 'ERR_OPTION_UNKNOWN', 'keepAliveTimeoutMs'],
    [['http://127.0.0.1:0', () => text(''), { maxConnection: 5 }], 'ERR_OPTION_UNKNOWN', 'maxConnections'],
  ]
  for (const [args, code, nearest] of rows)
    assert.throws(
      () => Reflect.construct(HttpServer, args),
      (error) => error instanceof UsageError && error.code === code && error.details['nearest'] === nearest,
    )
})

test('a part of a body that is neither text nor bytes ends the connection, and is reported', TIMEOUT, async () => {
  const reported: unknown[] = []
  class Reporting extends HttpServer {
    override handleError(error: unknown): void {
      reported.push(error)
    }
  }
  const parts = async function* (): AsyncGenerator<string> {
    yield 'a'
    yield JSON.parse('5')
  }
  const server = new Reporting('http://127.0.0.1:0', () => new HttpResponse(parts()))
  await server.listen()
  try {
    assert.doesNotMatch(await torn(server, '/'), /\r\n0\r\n/)
    assert.ok(reported[0] instanceof TypeError)
  } finally {
    await server.close({ graceMs: 100 })
  }
})

test('a host that is no address is 400 for a handler that asks for the URL', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', ({ url }) => text(url.href))
  const answer = await exchange(server, 'GET / HTTP/1.1\r\nHost: 1.2.3.999\r\nConnection: close\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 400 /)
})

test('a client that is slow with its head, its body or its reading is dropped by its timeout', TIMEOUT, async () => {
  const server = await serveHttp('http://127.0.0.1:0', handler, {
    headerTimeoutMs: 80,
    keepAliveTimeoutMs: 120,
    bodyTimeoutMs: 80,
    minBodyBytesPerSecond: 1_000_000,
    writeTimeoutMs: 80,
    maxBodyBytes: 100_000_000,
  })
  const plain = server.endpoint.replace('http:', 'tcp:')
  const begun = async (bytes: string): Promise<string> => {
    const connection = await connect(plain)
    await connection.write(bytes)
    const answer = Buffer.from(await within('the end', readAll(connection))).toString()
    connection.destroy()
    return answer
  }
  try {
    const [nothing, head, body, idle] = await Promise.all([
      begun(''),
      begun('GET / HT'),
      begun('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc'),
      begun(GET('/')),
    ])
    assert.equal(nothing, '')
    assert.match(head, /^HTTP\/1\.1 408 /)
    assert.match(body, /^HTTP\/1\.1 408 [^]*Connection: close\r\n/)
    assert.match(idle, /Hello, world!\n$/)
    const deaf = await connect(plain)
    await deaf.write(GET('/flood'))
    await until('it to be cut', () => server.metrics.active === 0)
    deaf.destroy()
  } finally {
    await server.close({ graceMs: 100 })
  }
})

test(
  'a handler may allow itself a longer body, or a shorter one; who does not read it is answered all the same',
  TIMEOUT,
  async () => {
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      async (request) => {
        if (request.path === '/none') return text('not read\n')
        await new Promise((resolve) => setImmediate(resolve))
        request.limitBody(Number(request.query.get('max')))
        return text(`${(await request.bytes()).length}\n`)
      },
      { maxBodyBytes: 1000 },
    )
    const post = (target: string, count: number, more: string = ''): string =>
      `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${count}\r\n${more}\r\n${'x'.repeat(count)}`
    assert.match(
      await exchange(server, post('/?max=5000', 5000) + GET('/none')),
      /^HTTP\/1\.1 200 [^]*\r\n\r\n5000\nHTTP\/1\.1 200 [^]*not read\n$/,
    )
    assert.match(await exchange(server, post('/?max=5000', 5001)), /^HTTP\/1\.1 413 [^]*Connection: close/)
    assert.match(await exchange(server, post('/?max=10', 11)), /^HTTP\/1\.1 413 /)
    assert.match(await exchange(server, post('/?max=10', 10)), /^HTTP\/1\.1 200 /)
    assert.match(
      await exchange(server, post('/none', 5000)),
      /^HTTP\/1\.1 200 [^]*Connection: close\r\n\r\nnot read\n$/,
    )
    assert.match(await exchange(server, post('/?max=-1', 5)), /^HTTP\/1\.1 500 /)
    const chunked = 'POST /?max=5000 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    assert.match(
      await exchange(server, `${chunked}bb8\r\n${'x'.repeat(3000)}\r\n0\r\n\r\n`),
      /^HTTP\/1\.1 200 [^]*3000\n/,
    )
    assert.match(await exchange(server, `${chunked}bb8\r\n${'x'.repeat(3000)}\r\nbb8\r\n`), /^HTTP\/1\.1 413 /)
  },
)

test(
  'a body that turns out to be malformed behind its answer ends the connection, and nothing else',
  TIMEOUT,
  async () => {
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
    await connection.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    await within('the answer', connection.readUntil('Hello, world!\n'))
    await connection.write('x\r\n')
    assert.equal(await within('the end', connection.read()), null)
    await connection.close()
    assert.match(await exchange(server, GET('/bye')), /bye\n$/)
  },
)

test('an answer before the answer is sent at once, with its fields', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
    request.inform(103, { Link: '</a.css>' })
    return text(`${(await request.bytes()).length}\n`)
  })
  const asked = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx'
  assert.match(
    await exchange(server, asked),
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 [^]*\r\n\r\n1\n$/,
  )
  assert.match(await exchange(server, asked.replace('1.1', '1.0')), /^HTTP\/1\.1 200 /)
})
