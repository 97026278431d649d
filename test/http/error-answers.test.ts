import assert from 'node:assert/strict'
import { request as nodeRequest } from 'node:http'
import { suite, test } from 'node:test'
import { BrokenError } from '#src/base/errors.js'
import { HttpHandler, type HttpFunction } from '#src/http/handlers.js'
import { withRequestIds } from '#src/http/request-ids.js'
import { HttpError, text } from '#src/http/response.js'
import { HttpServer, serveHttp } from '#src/http/server.js'
import { withAccessLog, withFields, type AccessEntry } from '#src/http/wrapping.js'

const TIMEOUT = { timeout: 30_000 }
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

/** A server that keeps what its handler threw. */
async function serveReporting(reported: unknown[], handler: HttpFunction): Promise<HttpServer> {
  class Reporting extends HttpServer {
    override handleError(error: unknown): void {
      reported.push(error)
    }
  }
  const server = new Reporting('http://127.0.0.1:0', handler)
  await server.listen()
  return server
}

suite('what a client is told of an error', () => {
  const rows: readonly (readonly [accept: string | undefined, type: string, body: RegExp])[] = [
    [undefined, 'text/plain; charset=utf-8', /^No <such> thing\n$/],
    ['*/*', 'text/plain; charset=utf-8', /^No <such> thing\n$/],
    ['', 'text/plain; charset=utf-8', /^No <such> thing\n$/],
    ['nonsense', 'text/plain; charset=utf-8', /^No <such> thing\n$/],
    [BROWSER, 'text/html; charset=utf-8', /<h1>404 Not Found<\/h1>\n<p>No &lt;such&gt; thing<\/p>/],
    [
      'application/json',
      'application/problem+json',
      /^\{"title":"Not Found","status":404,"detail":"No <such> thing"\}$/,
    ],
    ['application/problem+json', 'application/problem+json', /"status":404/],
    ['image/png', 'text/plain; charset=utf-8', /^No <such> thing\n$/],
  ]
  for (const [accept, type, body] of rows) {
    test(`to Accept: ${accept ?? '(none)'} it is ${type}`, TIMEOUT, async () => {
      await using server = await serveHttp('http://127.0.0.1:0', () => {
        throw new HttpError(404, 'No <such> thing', { headers: { 'X-Why': 'gone' } })
      })
      // fetch cannot send a request without Accept.
      const answer = await ask(server.endpoint, accept === undefined ? {} : { accept })
      assert.deepEqual([answer.status, answer.headers['content-type'], answer.headers['x-why']], [404, type, 'gone'])
      assert.match(answer.body, body)
    })
  }

  test('an error of the program leaves no words of its own, and is reported', TIMEOUT, async () => {
    const reported: unknown[] = []
    const secret = new Error('the password is 1234')
    await using server = await serveReporting(reported, ({ path }) => {
      if (path === '/wrapped') throw new HttpError(502, 'The back end failed', { cause: secret })
      throw secret
    })
    for (const accept of [BROWSER, 'application/json', '*/*']) {
      const { status, body } = await ask(server.endpoint, { accept })
      assert.equal(status, 500)
      assert.match(body, /Internal Server Error/)
      assert.doesNotMatch(body, /1234|at /)
    }
    const { body } = await ask(`${server.endpoint}/wrapped`, {})
    assert.equal(body, 'The back end failed\n')
    assert.deepEqual(reported, [secret, secret, secret, secret])
  })

  test('an error that cannot be sent is a 500', TIMEOUT, async () => {
    const reported: unknown[] = []
    await using server = await serveReporting(reported, () => {
      throw new HttpError(404, '', { headers: { 'X-Bad': 'a\r\nSet-Cookie: b' } })
    })
    const { status, headers } = await ask(server.endpoint, {})
    assert.deepEqual([status, headers['set-cookie'], reported.length], [500, undefined, 1])
  })

  test('405 names the methods, and is a page for browsers', TIMEOUT, async () => {
    class Only extends HttpHandler {
      override get(): ReturnType<typeof text> {
        return text('here\n')
      }
    }
    await using server = await serveHttp('http://127.0.0.1:0', Only)
    const answer = await ask(server.endpoint, { accept: BROWSER }, 'DELETE')
    assert.deepEqual([answer.status, answer.headers['allow']], [405, 'GET, HEAD, OPTIONS'])
    assert.match(answer.body, /<h1>405 Method Not Allowed<\/h1>/)
    assert.equal((await ask(server.endpoint, {}, 'PROPFIND')).status, 501)
  })
})

suite('request ids', () => {
  test('each request has its own, in the answer, in the log, and in errors', TIMEOUT, async () => {
    const logged: AccessEntry[] = []
    const seen: unknown[] = []
    const handler = withRequestIds(
      withAccessLog(
        (request) => {
          seen.push(request.id)
          if (request.path === '/broken') throw new Error('broken')
          if (request.path === '/later') return Promise.reject(new BrokenError('ERR_PEER_GONE', 'gone'))
          return text('fine\n')
        },
        (entry) => logged.push(entry),
      ),
    )
    await using server = await serveHttp('http://127.0.0.1:0', withFields(handler, { 'X-All': 'yes' }))
    const answers = []
    for (const path of ['/', '/broken', '/later', '/']) answers.push(await ask(server.endpoint + path, {}))
    const ids = answers.map(({ headers }) => headers['x-request-id'])
    assert.deepEqual(ids, seen)
    assert.deepEqual(
      ids,
      logged.map(({ id }) => id),
    )
    assert.equal(new Set(ids).size, 4)
    for (const id of ids) assert.match(String(id), /^[\da-f-]{36}$/)
    assert.deepEqual(
      answers.map(({ headers }) => headers['x-all']),
      ['yes', 'yes', 'yes', 'yes'],
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      logged.map(({ status }) => status),
    )
  })

  test(
    'the one of a client is taken over only where that is asked for, and only when it is short and plain',
    TIMEOUT,
    async () => {
      for (const trust of [false, true]) {
        await using server = await serveHttp(
          'http://127.0.0.1:0',
          withRequestIds(() => text(''), { trust, field: 'Trace' }),
        )
        for (const given of ['abc-1', 'a b', 'x'.repeat(129)]) {
          const { headers } = await ask(server.endpoint, { trace: given })
          assert.equal(headers['trace'] === given, trust && given === 'abc-1')
        }
      }
    },
  )
})

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

function ask(url: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = nodeRequest(url, { headers, method, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    asking.on('error', reject)
    asking.end()
  })
}
