import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeadReader } from '#src/engine/http1/head-reader.js'
import { HTTP1_OPTIONS } from '#src/engine/http1/options.js'
import { readOptions } from '#src/base/options.js'
import { ServerConnection } from '#src/engine/http1/server-connection.js'
import { countBytesTouched } from '../framing/_bytes-touched.js'
import { Pair, type Body, type Exchange, type Pairs } from './_both-ends.js'
import { latin1, toBytes } from './_requests.js'

const value = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 12,
  })
  .map((text) => text.replaceAll(/^ +| +$/g, ''))
const pairs: fc.Arbitrary<Pairs> = fc.array(
  fc.tuple(fc.constantFrom('X-A', 'x-b', 'Content-Type', "!#$%&'*+-.^_`|~", 'Set-Cookie'), value),
  { maxLength: 4 },
)
const part = fc.string({
  unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 40,
})
const body = (...framings: Body['framing'][]): fc.Arbitrary<Body> =>
  fc.record({ parts: fc.array(part, { maxLength: 4 }), framing: fc.constantFrom(...framings), trailers: pairs })

const exchange: fc.Arbitrary<Exchange> = fc.record({
  request: fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'get', 'M-SEARCH'),
    target: fc.constantFrom('/', '/a?b=\\c', '//x/%2e', 'http://a:80/b', 'http://a:80'),
    host: fc.constant('a:80'),
    fields: pairs,
    expectsContinue: fc.boolean(),
  }),
  sent: body('known', 'chunked'),
  informational: fc.array(fc.tuple(fc.constantFrom(100, 102, 103, 199), pairs), { maxLength: 2 }),
  status: fc.constantFrom(200, 204, 205, 304, 404, 500, 599),
  fields: pairs,
  answered: body('known', 'chunked'),
  close: fc.constant(false),
})
const ending: fc.Arbitrary<Pick<Exchange, 'answered' | 'close'>> = fc.record({
  answered: body('known', 'chunked', 'until-end'),
  close: fc.boolean(),
})
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 })

/** Cuts the text in pieces of these sizes, again and again. */
function cut(text: string, pieceSizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, i = 0; at < text.length; i += 1) {
    const size = pieceSizes[i % pieceSizes.length] ?? 1
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

const FRAMING = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'expect'])
const plain = (fields: Pairs): Pairs => fields.filter(([name]) => !FRAMING.has(name.toLowerCase()))
const trailersOf = ({ framing, trailers }: Body): Pairs => (framing === 'chunked' ? trailers : [])

/** What was told by one end is what the other end saw. */
function compare(pair: Pair, index: number, told: Exchange): void {
  const { request, sent, status, answered } = told
  const asked = pair.requests[index]
  assert.equal(asked?.first, `${request.method} ${request.target} ${request.host}`)
  assert.deepEqual(plain(asked.fields), request.fields)
  assert.equal(asked.body, sent.parts.join(''))
  assert.deepEqual(asked.trailers, trailersOf(sent))
  assert.ok(asked.whole)
  const seen = pair.responses[index]
  const hasBody = request.method !== 'HEAD' && status !== 204 && status !== 304
  assert.equal(seen?.first, String(status))
  assert.deepEqual(
    seen.interim,
    told.informational.map(([early, fields]) => `${early} ${JSON.stringify(fields)}`),
  )
  assert.deepEqual(plain(seen.fields), told.fields)
  assert.equal(seen.body, hasBody ? answered.parts.join('') : '')
  assert.deepEqual(seen.trailers, hasBody ? trailersOf(answered) : [])
  assert.ok(seen.whole)
}

test('ClientConnection and ServerConnection agree on every exchange, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 1, maxLength: 5 }), ending, sizes, sizes, (all, last, there, back) => {
      const exchanges = all.map((each, i) => (i === all.length - 1 ? { ...each, ...last } : each))
      const pair = new Pair()
      for (const [i, each] of exchanges.entries()) {
        const text = pair.serve(cut(pair.ask(each), there), () => pair.answer(each))
        const closes = !pair.server.persists
        pair.read(cut(text, back), closes)
        compare(pair, i, each)
        assert.equal(pair.client.persists, !closes, 'both ends know whether it goes on')
        if (!closes) assert.ok(pair.client.isIdle && pair.server.isIdle)
      }
    }),
    { numRuns: 400 },
  )
})

test('ServerConnection answers pipelined requests in their order, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 2, maxLength: 5 }), sizes, (exchanges, there) => {
      const pair = new Pair()
      // Each request is made by a client of its own: one client sends one at a time.
      const clients = exchanges.map(() => new Pair())
      const text = exchanges.map((each, i) => clients[i]?.ask(each)).join('')
      const answers: string[] = []
      pair.serve(cut(text, there), (i) => {
        const answer = pair.answer(exchanges[i] ?? assert.fail())
        answers.push(answer)
        return answer
      })
      let rest = answers.join('')
      for (const [i, each] of exchanges.entries()) {
        const client = clients[i] ?? assert.fail()
        client.read([rest], false)
        rest = latin1(client.client.takeRest(), 0, Infinity)
        client.requests.push(pair.requests[i] ?? assert.fail())
        compare(client, 0, each)
      }
      assert.equal(rest, '')
    }),
    { numRuns: 200 },
  )
})

const settings = readOptions('Http1', HTTP1_OPTIONS, { maxFieldsBytes: 100_000, maxFields: 10_000 })
const HEAD = `GET /${'a'.repeat(4000)}?${'\\'.repeat(4000)} HTTP/1.1\r\nHost: a\r\n${'X: b\r\n'.repeat(5000)}`

test('ServerConnection moves each byte a bounded number of times, however they are cut', () => {
  const chunks = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${'1;a\r\nb\r\n'.repeat(1000)}0\r\n${'X: b\r\n'.repeat(32)}\r\n`
  for (const size of [1, 7, 1000, chunks.length]) {
    const pieces = cut(chunks, [size]).map(toBytes)
    let decoded = 0
    const engine = new ServerConnection(settings, (bytes, from, to) => {
      decoded += to - from
      return latin1(bytes, from, to)
    })
    let [calls, isWhole] = [0, false]
    const touched = countBytesTouched(() => {
      for (const piece of pieces) {
        engine.receive(piece)
        for (let type = ''; type !== 'need-data' && type !== 'paused'; calls += 1) {
          type = engine.nextEvent().type
          isWhole ||= type === 'message-end'
        }
      }
    })
    assert.ok(isWhole)
    assert.ok(touched + decoded <= chunks.length * 6, `${touched + decoded} bytes touched for ${chunks.length} given`)
    assert.ok(calls <= pieces.length * 2 + 1010, `${calls} events of ${pieces.length} pieces`)
  }
})

test('HeadReader looks at each byte a bounded number of times when they come one by one', () => {
  const text = `${HEAD}\r\n`
  let reads = 0
  const counted = new Proxy(toBytes(text), {
    get(bytes, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1
      const found: unknown = Reflect.get(bytes, key)
      return typeof found === 'function' ? found.bind(bytes) : found
    },
  })
  const reader = new HeadReader('request', settings)
  let end = -1
  for (let to = 1; end === -1 && to <= text.length; to += 1) end = reader.read(counted, 0, to)
  assert.equal(end, text.length)
  assert.ok(reads >= text.length && reads <= text.length * 4, `${reads} reads of ${text.length} bytes`)
})
