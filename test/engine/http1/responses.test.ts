import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { RequestStart } from '#src/engine/http1/encode-request.js'
import { toBytes } from './_requests.js'
import { ask1by1, askEveryWay, type SeenResponse } from './_responses.js'
import { READ_RESPONSES, REFUSED_RESPONSES } from './rows/responses.js'

const DEFAULTS: SeenResponse = {
  status: 200,
  reason: 'OK',
  version: '1.1',
  keepAlive: true,
  interim: false,
  fields: [],
  body: '',
  trailers: [],
  whole: true,
}
const BEHIND = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'.repeat(2)
const requestsOf = (asked: readonly Partial<RequestStart>[] = [{}]): RequestStart[] =>
  asked.map((request) => ({ method: 'GET', target: '/', host: 'a', ...request }))

test('every row of responses has a name of its own', () => {
  const names = [...READ_RESPONSES, ...REFUSED_RESPONSES].map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.length >= 60, `${names.length} rows`)
})

suite('responses that are read', () => {
  for (const row of READ_RESPONSES) {
    const { name, section, bytes, asked, responses, options, eof, ending = 'need-data', rest = '' } = row
    test(`${name} (${section})`, () => {
      const seen = askEveryWay(requestsOf(asked), toBytes(bytes), options, eof)
      assert.equal(seen.ending, ending)
      assert.equal(seen.rest, rest)
      assert.deepEqual(
        seen.responses,
        responses.map((response) => ({ ...DEFAULTS, ...response })),
      )
      const last = responses.at(-1)
      assert.equal(seen.isIdle, ending === 'need-data' && last?.whole !== false)
    })
  }
})

suite('responses that are refused', () => {
  for (const { name, section, bytes, asked, refused, options, eof = false, before = 0 } of REFUSED_RESPONSES) {
    test(`${name} (${section})`, () => {
      const requests = requestsOf(asked)
      const seen = askEveryWay(requests, toBytes(bytes), options, eof)
      assert.equal(seen.ending, refused)
      assert.equal(seen.section, section)
      assert.equal(seen.responses.filter(({ whole, interim }) => whole && !interim).length, before)
      assert.equal(seen.isIdle, false)
      if (eof) return
      assert.deepEqual(ask1by1(requests, [toBytes(bytes + BEHIND)], options), seen, 'nothing behind it is delivered')
      assert.deepEqual(ask1by1(requests, [toBytes(bytes), toBytes(BEHIND)], options), seen, 'nor after it')
    })
  }
})
