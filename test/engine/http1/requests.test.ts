import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readOptions } from '#src/base/options.js'
import { HTTP1_OPTIONS } from '#src/engine/http1/options.js'
import { ServerConnection } from '#src/engine/http1/server-connection.js'
import { latin1, MAX_CUTS, serve, serveEveryWay, toBytes, type SeenRequest } from './_requests.js'
import { READ, REFUSED } from './rows/all.js'

const DEFAULTS: SeenRequest = {
  method: 'GET',
  target: '/',
  version: '1.1',
  host: 'a',
  keepAlive: true,
  expectsContinue: false,
  upgrade: '',
  fields: [['Host', 'a']],
  body: '',
  trailers: [],
  whole: true,
}
const BEHIND = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2)

test('every row has a name of its own', () => {
  const names = [...READ, ...REFUSED].map(({ name }) => name)
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
  assert.ok(names.length >= 170, `${names.length} rows`)
})

suite('requests that are read', () => {
  for (const { name, section, bytes, requests, options, eof, ending = 'need-data' } of READ) {
    test(`${name} (${section})`, () => {
      const { seen, cuts } = serveEveryWay(toBytes(bytes), options, eof)
      assert.ok(cuts >= Math.min(bytes.length - 1, MAX_CUTS))
      assert.equal(seen.ending, ending)
      assert.deepEqual(
        seen.requests,
        requests.map((request) => ({ ...DEFAULTS, ...request })),
      )
    })
  }
})

suite('requests that are refused', () => {
  for (const { name, section, advisory, bytes, refused, options, eof = false, before = 0 } of REFUSED) {
    test(`${name} (${[section, advisory].filter(Boolean).join(', ')})`, () => {
      const { seen, cuts } = serveEveryWay(toBytes(bytes), options, eof)
      assert.ok(cuts >= Math.min(bytes.length - 1, MAX_CUTS))
      assert.equal(seen.ending, refused)
      assert.equal(seen.section, section)
      assert.equal(seen.requests.filter(({ whole }) => whole).length, before)
      // What came before the end of the peer is all there is.
      if (eof) return
      assert.deepEqual(serve([toBytes(bytes + BEHIND)], options), seen, 'nothing behind it is delivered')
      assert.deepEqual(serve([toBytes(bytes), toBytes(BEHIND)], options), seen, 'nothing after it is delivered')
    })
  }
})

test('ServerConnection reads nothing twice when bytes are received before it has said need-data', () => {
  const bytes = toBytes('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const engine = new ServerConnection(readOptions('Http1', HTTP1_OPTIONS, undefined), latin1)
  engine.receive(bytes.subarray(0, 10))
  assert.equal(engine.nextEvent().type, 'need-data')
  engine.receive(bytes.subarray(10))
  assert.deepEqual([engine.nextEvent().type, engine.nextEvent().type], ['request', 'message-end'])
  engine.respond({ status: 204, fields: '', bodyLength: 0 })
  engine.end()
  assert.ok(engine.isIdle)
  engine.receive(bytes.subarray(0, 10))
  assert.equal(engine.nextEvent().type, 'need-data')
})
