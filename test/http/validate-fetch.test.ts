import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { H3 } from 'h3'
import { Hono } from 'hono'
import type { UsageError } from '#src/base/errors.js'
import { fetchHandler, type FetchFunction } from '#src/http/fetch-adapter.js'
import { serveHttp } from '#src/http/server.js'
import { validateFetch, type ValidateFetchOptions } from '#src/http/validate-fetch.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'

type Body = string | Uint8Array | ReadableStream<Uint8Array> | null

const TEXT = { 'Content-Type': 'text/plain' }
const get = (headers: Record<string, string> = {}): Request => new Request('http://localhost/a', { headers })
const post = (body: Body = 'hello'): Request =>
  new Request('http://localhost/a', { method: 'POST', body, duplex: 'half' })

/** What no constructor makes. */
function faked<T extends object>(value: T, properties: Partial<T>): T {
  for (const [name, held] of Object.entries(properties)) Object.defineProperty(value, name, { value: held })
  return value
}

function pieces(...chunks: readonly unknown[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk as Uint8Array)
      controller.close()
    },
  })
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const ok = (): Response => new Response('fine')
const answers =
  (body: Body, init: ResponseInit = {}): FetchFunction =>
  () =>
    new Response(body, init)
const withFields = (headers: Record<string, string>, status = 200): FetchFunction =>
  answers('fine', { status, headers: { ...TEXT, ...headers } })

function used(response: Response): Response {
  void response.text()
  return response
}

function locked(response: Response): Response {
  response.body?.getReader()
  return response
}

/** One planted fault each: the rule that finds it, its code, and who makes it. */
interface Fault {
  readonly name: string
  readonly rule: string
  readonly code: string
  readonly request?: () => Request
  readonly fetch: FetchFunction
}

const request = (name: string, rule: string, made: () => Request): Fault => ({
  ...{ name, rule, code: 'ERR_FETCH_REQUEST', request: made, fetch: ok },
})
const response = (name: string, rule: string, fetch: FetchFunction, made?: () => Request): Fault => ({
  ...{ name, rule, code: 'ERR_FETCH_RESPONSE', fetch, ...(made === undefined ? {} : { request: made }) },
})
const field = (name: string, rule: string, fetch: FetchFunction, made?: () => Request): Fault => ({
  ...response(name, rule, fetch, made),
  code: 'ERR_FETCH_FIELD',
})
const body = (name: string, rule: string, fetch: FetchFunction, made?: () => Request): Fault => ({
  ...response(name, rule, fetch, made),
  code: 'ERR_FETCH_BODY',
})

const head = (): Request => new Request('http://localhost/a', { method: 'HEAD' })
const notAResponse =
  (value: unknown): FetchFunction =>
  () =>
    value as Response
const ranged = (): Request => get({ Range: 'bytes=0-3' })

const FAULTS: readonly Fault[] = [
  request(
    'an object that is like a request',
    'no-request',
    () => ({ url: 'http://localhost/', method: 'GET' }) as never,
  ),
  request('an address of another scheme', 'url-scheme', () => new Request('ftp://localhost/a')),
  request('an address with a fragment', 'url-fragment', () => new Request('http://localhost/a#b')),
  request('a method in small letters', 'method-case', () => new Request('http://localhost/a', { method: 'patch' })),
  request('GET with a body', 'request-body', () => faked(post(), { method: 'GET' })),
  request('a body that was read', 'request-body-used', () => {
    const made = post()
    void made.text()
    return made
  }),
  request('a length that is no number', 'request-length', () => get({ 'Content-Length': '-1' })),
  request('a length with a plus', 'request-length', () => get({ 'Content-Length': '+1' })),
  { ...request('text among the bytes', 'request-chunk', () => post(pieces('text'))), fetch: readAndAnswer },

  response('an object that is like a response', 'no-response', notAResponse({ status: 200, headers: new Headers() })),
  response('nothing', 'no-response', notAResponse(undefined)),
  response('a string', 'no-response', notAResponse('hello')),
  response('Response.error()', 'response-error', () => Response.error()),
  response('a body that was read', 'response-body-used', () => used(ok())),
  response('a body that is locked', 'response-body-used', () => locked(ok())),
  response('304 without a condition', 'unasked-304', answers(null, { status: 304 })),
  response('304 to POST', 'unasked-304', answers(null, { status: 304 }), () => {
    const made = post(null)
    made.headers.set('If-None-Match', '"a"')
    return made
  }),
  response('206 without a range', 'unasked-206', withFields({ 'Content-Range': 'bytes 0-3/10' }, 206)),

  field('Connection', 'hop-by-hop', withFields({ Connection: 'close' })),
  field('Keep-Alive', 'hop-by-hop', withFields({ 'Keep-Alive': 'timeout=5' })),
  field('Transfer-Encoding', 'hop-by-hop', withFields({ 'Transfer-Encoding': 'chunked' })),
  field('Upgrade', 'hop-by-hop', withFields({ Upgrade: 'websocket' })),
  field('a control character', 'field-value', withFields({ 'X-Note': 'a\u0001b' })),
  field('a length that is no number', 'field-content-length', withFields({ 'Content-Length': '4, 4' })),
  field('a body without a type', 'needs-content-type', answers(bytes('fine'))),
  field('a type without a body', 'unneeded-content-type', answers(null, { headers: TEXT })),
  field('a type that is none', 'field-content-type', withFields({ 'Content-Type': 'text' })),
  field('301 without Location', 'needs-location', answers(null, { status: 301 })),
  field('308 without Location', 'needs-location', answers(null, { status: 308 })),
  field('a Location with a space', 'field-location', answers(null, { status: 302, headers: { Location: '/a b' } })),
  field('401 without a challenge', 'needs-www-authenticate', withFields({}, 401)),
  field('a challenge that is none', 'field-www-authenticate', withFields({ 'WWW-Authenticate': '"Basic"' }, 401)),
  field('407 without a challenge', 'needs-proxy-authenticate', withFields({}, 407)),
  field('405 without Allow', 'needs-allow', withFields({}, 405)),
  field('Allow with what is no method', 'field-allow', withFields({ Allow: 'GET; HEAD' }, 405)),
  field('206 without Content-Range', 'needs-content-range', withFields({}, 206), ranged),
  field(
    'several ranges with Content-Range',
    'needs-content-range',
    withFields({ 'Content-Type': 'multipart/byteranges; boundary=a', 'Content-Range': 'bytes 0-3/10' }, 206),
    ranged,
  ),
  field('a range behind the end', 'field-content-range', withFields({ 'Content-Range': 'bytes 0-10/10' }, 206), ranged),
  field('a cookie without a name', 'field-set-cookie', withFields({ 'Set-Cookie': 'value' })),
  field('a tag without quotes', 'field-etag', withFields({ ETag: 'abc' })),
  field('a tag with a small w', 'field-etag', withFields({ ETag: 'w/"abc"' })),
  field('a date of ISO 8601', 'field-date', withFields({ Date: '2026-11-21T10:00:00Z' })),
  field(
    'a date in an old form',
    'field-last-modified',
    withFields({ 'Last-Modified': 'Sunday, 06-Nov-94 08:49:37 GMT' }),
  ),
  field('Retry-After with a unit', 'field-retry-after', withFields({ 'Retry-After': '5s' }, 503)),
  field('Vary with a space', 'field-vary', withFields({ Vary: 'Accept Cookie' })),

  body('204 with a body', 'status-body', () => faked(ok(), { status: 204 })),
  body('205 with a body', 'status-body', () => faked(ok(), { status: 205 })),
  body(
    '304 with a body',
    'status-body',
    () => faked(ok(), { status: 304 }),
    () => get({ 'If-None-Match': '"a"' }),
  ),
  body('HEAD with a body', 'head-body', ok, head),
  body('a length without a body', 'length', answers(null, { headers: { 'Content-Length': '4' } })),
  body('204 with a length', 'length', answers(null, { status: 204, headers: { 'Content-Length': '0' } })),
  body('one byte more than announced', 'length', withFields({ 'Content-Length': '3' })),
  body('one byte less than announced', 'length', withFields({ 'Content-Length': '5' })),
  body('text among the bytes', 'chunk', () => new Response(pieces(bytes('a'), 'text'), { headers: TEXT })),
]

async function readAndAnswer(asked: Request): Promise<Response> {
  await readAll(asked.body)
  return ok()
}

async function readAll(stream: ReadableStream<Uint8Array> | null): Promise<void> {
  for await (const _ of stream ?? []);
}

/** Asks, and reads the answer to its end. */
async function exchange(fetch: FetchFunction, made: Request): Promise<void> {
  const answer = await fetch(made)
  if (answer instanceof Response && !answer.bodyUsed && answer.body?.locked !== true) await readAll(answer.body)
}

const ruleOf = ({ code, details }: UsageError): string => `${code} ${String(details['rule'])}`

suite('validateFetch finds', () => {
  for (const { name, rule, code, request: made = get, fetch } of FAULTS) {
    test(`${code} ${rule}: ${name}`, async () => {
      await assert.rejects(exchange(validateFetch(fetch), made()), (error: UsageError) => {
        assert.equal(ruleOf(error), `${code} ${rule}`, error.stack ?? '')
        assert.match(error.message, /\((?:RFC \d+(?:bis)?|Fetch) §\d+(?:\.\d+)*\)$/)
        return true
      })
      const reported: string[] = []
      // What is wrong goes on as far as it can, and may fail then for itself.
      const report = (found: UsageError): void => void reported.push(ruleOf(found))
      await exchange(validateFetch(fetch, { report }), made()).catch(() => undefined)
      assert.ok(reported.includes(`${code} ${rule}`), String(reported))
      assert.equal(new Set(reported).size, 1, String(reported))
    })
  }

  test('every rule by a row of its own', () => assert.ok(FAULTS.length > 50))

  test('the same response twice', async () => {
    const one = new Response(null, { status: 204 })
    const fetch = validateFetch(() => one)
    await fetch(get())
    await assert.rejects(fetch(get()), {
      code: 'ERR_FETCH_RESPONSE',
      details: { rule: 'response-twice', section: 'Fetch §5.5' },
    })
  })

  test('an answer that does not come in its time, and cancels it when it comes', async () => {
    const clock = new FakeClock()
    let answer = (_response: Response): void => undefined
    const never = new Promise<Response>((resolve) => (answer = resolve))
    const asked = validateFetch(() => never, { clock, timeoutMs: 100 })(get())
    const refused = assert.rejects(asked, { code: 'ERR_FETCH_TIME' })
    await clock.advance(100)
    await refused
    const cancelled = new Promise<unknown>((resolve) => {
      answer(new Response(new ReadableStream({ cancel: resolve }), { headers: TEXT }))
    })
    assert.equal(((await cancelled) as UsageError).code, 'ERR_FETCH_TIME')
    assert.equal(clock.pending, 0)
  })

  test('no fault in an answer just in time', async () => {
    const clock = new FakeClock()
    const slow = validateFetch(
      () => new Promise((resolve) => void clock.after(99, () => resolve(new Response(null)))),
      { clock, timeoutMs: 100 },
    )
    const asked = slow(get())
    await clock.advance(99)
    assert.equal((await asked).status, 200)
    assert.equal(clock.pending, 0)
  })

  test('a body that its caller leaves, as a warning, and ends it', async () => {
    const clock = new FakeClock()
    const answer = await validateFetch(ok, { clock, idleBodyTimeoutMs: 100 })(get())
    const warned = once(process, 'warning')
    await clock.advance(100)
    const [warning] = (await warned) as [UsageError]
    assert.equal(ruleOf(warning), 'ERR_FETCH_STREAM left-body')
    await assert.rejects(answer.text(), { code: 'ERR_FETCH_STREAM' })
  })

  test('a body that is left in the middle, to whom it reports', async () => {
    const clock = new FakeClock()
    const reported: string[] = []
    const report = (found: UsageError): void => void reported.push(ruleOf(found))
    const options: ValidateFetchOptions = { clock, idleBodyTimeoutMs: 100, report }
    const answer = await validateFetch(answers(pieces(bytes('a'), bytes('b')), { headers: TEXT }), options)(get())
    const reader = answer.body?.getReader()
    await clock.advance(99)
    await reader?.read()
    await clock.advance(99)
    assert.deepEqual(reported, [])
    await clock.advance(1)
    assert.deepEqual(reported, ['ERR_FETCH_STREAM left-body'])
  })

  test('no fault in a body that is cancelled, or waits for its source', async () => {
    const clock = new FakeClock()
    const options: ValidateFetchOptions = { clock, idleBodyTimeoutMs: 100 }
    let reason: unknown
    const source = (): Response =>
      new Response(new ReadableStream({ cancel: (why) => void (reason = why) }), { headers: TEXT })
    const waiting = (await validateFetch(source, options)(get())).body?.getReader()
    const read = waiting?.read()
    await clock.advance(1000)
    await waiting?.cancel('enough')
    assert.deepEqual([await read, reason], [{ done: true, value: undefined }, 'enough'])
    assert.equal(clock.pending, 0)
  })

  test('a request body that is read when the response is over', async () => {
    let later = (): Promise<string> => Promise.resolve('')
    const fetch = validateFetch((asked) => {
      later = () => asked.text()
      return new Response(null, { status: 202 })
    })
    await fetch(post())
    await assert.rejects(later(), { code: 'ERR_FETCH_STREAM' })
  })
})

test('validateFetch passes on what a handler throws', async () => {
  const error = new Error('its own')
  const throws = validateFetch(() => {
    throw error
  })
  await assert.rejects(throws(get()), (thrown) => thrown === error)
  await assert.rejects(validateFetch(() => Promise.reject(error))(get()), (thrown) => thrown === error)
})

test('validateFetch refuses options that there are not', () => {
  assert.throws(() => validateFetch(ok, { timeout: 1 } as never), { code: 'ERR_OPTION_UNKNOWN' })
  assert.throws(() => validateFetch(ok, { report: 'x' } as never), { code: 'ERR_OPTION_VALUE' })
})

const hono = new Hono()
  .get('/', (context) => context.text('hello'))
  .get('/json', (context) => context.json({ a: 1 }))
  .get('/elsewhere', (context) => context.redirect('/json'))
  .get('/cookies', (context) => {
    context.header('Set-Cookie', 'a=1; Path=/; HttpOnly', { append: true })
    context.header('Set-Cookie', 'b=2', { append: true })
    return context.body(null, 204)
  })
  .post('/echo', (context) => new Response(context.req.raw.body, { headers: TEXT }))

const h3 = new H3()
  .get('/', () => 'hello')
  .get('/json', () => ({ a: 1 }))
  .get('/elsewhere', () => new Response(null, { status: 302, headers: { Location: '/json' } }))
  .get('/cookies', () => {
    const headers = new Headers([
      ['Set-Cookie', 'a=1; Path=/; HttpOnly'],
      ['Set-Cookie', 'b=2'],
    ])
    return new Response(null, { status: 204, headers })
  })
  .post('/echo', (event) => new Response(event.req.body, { headers: TEXT }))

const applications: readonly (readonly [string, FetchFunction])[] = [
  ['Hono', (asked) => hono.fetch(asked)],
  ['h3', (asked) => h3.fetch(asked)],
]

for (const [name, fetchApplication] of applications) {
  test(`validateFetch finds no fault in ${name}, behind the server`, { timeout: 30_000 }, async () => {
    const reported: string[] = []
    const report = (found: UsageError): void => void reported.push(found.message)
    const handler = fetchHandler(validateFetch(fetchApplication, { report }))
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    const ask = async (path: string, init: RequestInit = {}): Promise<readonly [number, string]> => {
      const answer = await fetch(server.endpoint + path, init)
      return [answer.status, await answer.text()]
    }
    assert.deepEqual(await ask('/'), [200, 'hello'])
    assert.deepEqual(await ask('/', { method: 'HEAD' }), [200, ''])
    assert.deepEqual(await ask('/json'), [200, '{"a":1}'])
    assert.deepEqual(await ask('/elsewhere'), [200, '{"a":1}'])
    assert.deepEqual(await ask('/cookies'), [204, ''])
    const long = 'long '.repeat(100_000)
    assert.deepEqual(await ask('/echo', { method: 'POST', body: long }), [200, long])
    assert.equal((await ask('/none'))[0], 404)
    assert.deepEqual(reported, [])
  })
}
