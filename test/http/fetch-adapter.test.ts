import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { H3 } from 'h3'
import { Hono } from 'hono'
import { fetchHandler } from '#src/http/fetch-adapter.js'
import type { HttpHandlerSource } from '#src/http/handlers.js'
import { serveHttp } from '#src/http/server.js'
import { within } from '#src/testing/contract-row.js'

const TIMEOUT = { timeout: 30_000 }

/** The same application, in each of its forms. */
const hono = new Hono()
  .get('/', (context) => context.text('hello'))
  .get('/users/:id', (context) =>
    context.json({ id: context.req.param('id'), agent: context.req.header('user-agent') }),
  )
  .post('/echo', (context) => new Response(context.req.raw.body))
  .get('/cookies', (context) => {
    context.header('Set-Cookie', 'a=1', { append: true })
    context.header('Set-Cookie', 'b=2', { append: true })
    return context.body(null, 204)
  })
  .get('/throws', () => {
    throw new Error('a secret')
  })

const h3 = new H3()
  .get('/', () => 'hello')
  .get('/users/:id', (event) => ({ id: event.context.params?.['id'], agent: event.req.headers.get('user-agent') }))
  .post('/echo', (event) => new Response(event.req.body))
  .get('/cookies', () => {
    const headers = new Headers()
    headers.append('Set-Cookie', 'a=1')
    headers.append('Set-Cookie', 'b=2')
    return new Response(null, { status: 204, headers })
  })
  .get('/throws', () => {
    throw new Error('a secret')
  })

const handlers: readonly (readonly [string, HttpHandlerSource])[] = [
  ['Hono, by its fetch', fetchHandler(hono.fetch)],
  ['Hono, as it is', hono],
  ['h3, by its fetch', fetchHandler((request) => h3.fetch(request))],
]

for (const [name, handler] of handlers) {
  suite(`a fetch-style application: ${name}`, () => {
    const serving = (body: (url: string) => Promise<void>) => async (): Promise<void> => {
      await using server = await serveHttp('http://127.0.0.1:0', handler, { maxBodyBytes: 1e9 })
      await body(server.endpoint)
    }
    test('answers, with parameters and fields', TIMEOUT, () =>
      serving(async (url) => {
        assert.equal(await (await fetch(url)).text(), 'hello')
        const answer = await fetch(`${url}/users/7`, { headers: { 'User-Agent': 'test' } })
        assert.deepEqual(await answer.json(), { id: '7', agent: 'test' })
        assert.equal((await fetch(`${url}/users/7`, { method: 'HEAD' })).status, 200)
        const nothing = await fetch(`${url}/cookies`)
        assert.deepEqual([nothing.status, nothing.headers.getSetCookie()], [204, ['a=1', 'b=2']])
      })(),
    )
    test('an error of the application is its own 500', TIMEOUT, () =>
      serving(async (url) => {
        const answer = await fetch(`${url}/throws`)
        assert.equal(answer.status, 500)
        assert.ok(!(await answer.text()).includes('secret'))
      })(),
    )
    test('bodies stream both ways, the first bytes before the last are sent', TIMEOUT, () =>
      serving(async (url) => {
        let goOn = (): void => undefined
        const first = new Promise<void>((resolve) => (goOn = resolve))
        const body = new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(Buffer.from('first '))
            await first
            controller.enqueue(Buffer.from('last'))
            controller.close()
          },
        })
        const answer = await fetch(`${url}/echo`, { method: 'POST', body, duplex: 'half' })
        const reader = answer.body?.getReader()
        const begun = await within('the first bytes', Promise.resolve(reader?.read()))
        assert.equal(Buffer.from(begun?.value ?? []).toString(), 'first ')
        goOn()
        const rest = await within('the last bytes', Promise.resolve(reader?.read()))
        assert.equal(Buffer.from(rest?.value ?? []).toString(), 'last')
      })(),
    )
  })
}
