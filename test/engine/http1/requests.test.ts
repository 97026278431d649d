import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { serveEveryWay, toBytes, type SeenRequest } from './_requests.js'
import { REFUSED, READ } from './rows.js'

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

suite('requests that are read', () => {
  for (const { name, section, bytes, requests, options, eof, ending = 'need-data' } of READ) {
    test(`${name} (${section})`, () => {
      const seen = serveEveryWay(toBytes(bytes), options, eof)
      assert.equal(seen.ending, ending)
      assert.deepEqual(
        seen.requests,
        requests.map((request) => ({ ...DEFAULTS, ...request })),
      )
    })
  }
})

suite('requests that are refused', () => {
  for (const { name, section, bytes, refused, options, eof, before = 0 } of REFUSED) {
    test(`${name} (${section})`, () => {
      const seen = serveEveryWay(toBytes(bytes), options, eof)
      assert.equal(seen.ending, refused)
      assert.equal(seen.requests.filter(({ whole }) => whole).length, before)
    })
  }
})
