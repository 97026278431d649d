import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { HttpHandler } from '#src/http/handlers.js'
import { json, text, type HttpResponse } from '#src/http/response.js'
import { Routes } from '#src/http/routes.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { withCode } from '#src/testing/contract-row.js'

class Counter extends HttpHandler {
  static count = 0
  override get(): HttpResponse {
    return text(`${Counter.count}`)
  }
  override async put(): Promise<HttpResponse> {
    Counter.count = Number(await this.request.text())
    return text('set')
  }
}

const inner = new Routes()
  .get('/', ({ base }) => text(`inner at ${base}`))
  .get('/:x', ({ params }) => text(`inner ${params.x}`))
const routes = new Routes()
  .get('/', () => text('home'))
  .get('/users/me', () => text('me'))
  .get('/users/:id', ({ params }) => text(`user ${params.id}`))
  .get('/users/:id/posts/:post', ({ params }) => json(params))
  .post('/users', (request) => request.text().then((name) => text(`made ${name}`, { status: 201 })))
  .get('/users/:name/files', () => text('files'))
  .get('/files/*path', ({ params }) => text(`file ${params.path}`))
  .all('/counter', Counter)
  .mount('/in', inner)

/** Method, path, status, body or a field that must be there. */
const rows: readonly (readonly [method: string, path: string, status: number, says: string])[] = [
  ['GET', '/', 200, 'home'],
  ['GET', '/?a=1', 200, 'home'],
  ['GET', '/users/me', 200, 'me'],
  ['GET', '/users/you', 200, 'user you'],
  ['GET', '/users/a%20%C3%BC', 200, 'user a ü'],
  ['GET', '/users/a%2Fb', 200, 'user a/b'],
  ['GET', '/users/%ff', 400, 'The path is not encoded as it should be\n'],
  ['GET', '/users/', 404, 'Not Found\n'],
  ['GET', '/users/me/files', 200, 'files'],
  ['GET', '/users/1/posts/2', 200, '{"id":"1","post":"2"}'],
  ['GET', '/users/1/posts', 404, 'Not Found\n'],
  ['POST', '/users', 201, 'made it'],
  ['GET', '/users', 405, 'POST, OPTIONS'],
  ['DELETE', '/users/1', 405, 'GET, HEAD, OPTIONS'],
  ['OPTIONS', '/users/1', 204, 'GET, HEAD, OPTIONS'],
  ['HEAD', '/users/1', 200, ''],
  ['BREW', '/users/1', 501, 'Not Implemented\n'],
  ['GET', '/files/a/b.txt', 200, 'file a/b.txt'],
  ['GET', '/files/', 200, 'file '],
  ['GET', '/files', 404, 'Not Found\n'],
  ['GET', '/counter', 200, '0'],
  ['PUT', '/counter', 200, 'set'],
  ['HEAD', '/counter', 200, ''],
  ['OPTIONS', '/counter', 204, 'GET, PUT, HEAD, OPTIONS'],
  ['PATCH', '/counter', 405, 'GET, PUT, HEAD, OPTIONS'],
  ['BREW', '/counter', 501, 'Not Implemented\n'],
  ['GET', '/in', 200, 'inner at /in'],
  ['GET', '/in/', 200, 'inner at /in'],
  ['GET', '/in/side', 200, 'inner side'],
  ['GET', '/inside', 404, 'Not Found\n'],
]

suite('Routes', () => {
  let server: HttpServer
  before(async () => {
    server = await serveHttp('http://127.0.0.1:0', routes)
  })
  after(() => server.close({ graceMs: 100 }))

  for (const [method, path, status, says] of rows) {
    test(`${method} ${path} is ${status}`, { timeout: 10_000 }, async () => {
      const hasBody = method === 'POST' || method === 'PUT'
      const answer = await fetch(server.endpoint + path, { method, ...(hasBody ? { body: 'it' } : {}) })
      const body = await answer.text()
      assert.deepEqual([answer.status, answer.headers.get('allow') ?? body], [status, says])
    })
  }

  const wrong: readonly (readonly [string, () => unknown])[] = [
    ['a pattern without a slash', () => new Routes().get('users', () => text(''))],
    ['a rest that is not last', () => new Routes().get('/*a/b', () => text(''))],
    ['a name twice', () => new Routes().get('/:a/:a', () => text(''))],
    ['a route twice', () => new Routes().get('/:a', () => text('')).get('/:b', () => text(''))],
  ]
  for (const [name, make] of wrong) test(`${name} is refused`, () => assert.throws(make, withCode('ERR_ARGUMENT')))
})
