import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HstsStore, tryParseHsts, type HstsPolicy } from '#src/client/hsts.js'
import { textOf } from '../engine/http/_table.js'

const policy = (maxAgeSeconds: number, includeSubDomains = false): HstsPolicy => ({ maxAgeSeconds, includeSubDomains })
const YEAR = 31_536_000

const ROWS: readonly (readonly [name: string, value: string, expected: HstsPolicy | undefined])[] = [
  ['RFC 6797 §6.2, first', 'max-age=31536000', policy(YEAR)],
  ['second', 'max-age=15768000 ; includeSubDomains', policy(15_768_000, true)],
  ['third', 'max-age="31536000"', policy(YEAR)],
  ['fourth', 'max-age=0', policy(0)],
  ['fifth', 'max-age=0; includeSubDomains', policy(0, true)],
  ['in other letters', 'MAX-AGE=1;INCLUDESUBDOMAINS', policy(1, true)],
  ['in the other order', 'includeSubDomains; max-age=1', policy(1, true)],
  ['space around =', 'max-age = 1', policy(1)],
  ['semicolons', ';; max-age=1;;', policy(1)],
  ['what is not known', 'max-age=1; preload; x="a;b\\""; y=z', policy(1)],
  ['an escape in quotes', String.raw`max-age="\1"`, policy(1)],
  ['a value for includeSubDomains', 'max-age=1; includeSubDomains=x', policy(1, true)],
  ['max-age twice', 'max-age=1; max-age=1', undefined],
  ['includeSubDomains twice', 'max-age=1; includeSubDomains; includesubdomains', undefined],
  ['no max-age', 'includeSubDomains', undefined],
  ['max-age without a value', 'max-age', undefined],
  ['an empty max-age', 'max-age=""', undefined],
  ['a negative one', 'max-age=-1', undefined],
  ['a fraction', 'max-age=1.5', undefined],
  ['two fields joined', 'max-age=1, max-age=2', undefined],
  ['commas for semicolons', 'max-age=1, includeSubDomains', undefined],
  ['quotes without an end', 'max-age="1', undefined],
  ['something behind quotes', 'max-age="1"x', undefined],
  ['nothing', '', undefined],
]

test('tryParseHsts reads its table', () => {
  for (const [name, value, expected] of ROWS) assert.deepEqual(tryParseHsts(value), expected, name)
})

test('tryParseHsts reads any text', () => {
  const text = textOf('max-age=1;" \\includeSubDomains')
  fc.assert(fc.property(text, (value) => void tryParseHsts(value)))
})

test('HstsStore.isSecure goes by name, superdomain and time', () => {
  const store = new HstsStore()
  assert.equal(store.isSecure('a.example', 0), false)
  store.note('a.example', 'max-age=10', 1000, true)
  store.note('B.example.', 'max-age=10; includeSubDomains', 1000, true)
  const rows: readonly (readonly [host: string, nowMs: number, isSecure: boolean])[] = [
    ['a.example', 1000, true],
    ['A.EXAMPLE', 1000, true],
    ['a.example.', 1000, true],
    ['x.a.example', 1000, false],
    ['b.example', 1000, true],
    ['x.b.example', 1000, true],
    ['y.x.b.example', 1000, true],
    ['xb.example', 1000, false],
    ['example', 1000, false],
    ['c.example', 1000, false],
    ['', 1000, false],
    ['a.example', 10_999, true],
    ['a.example', 11_000, false],
    ['x.b.example', 10_999, true],
    ['x.b.example', 11_000, false],
  ]
  for (const [host, nowMs, isSecure] of rows) assert.equal(store.isSecure(host, nowMs), isSecure, `${host} at ${nowMs}`)
  assert.equal(store.size, 0, 'what is over is forgotten when it is looked at')
})

test('HstsStore.note takes nothing without TLS, from an address or malformed', () => {
  const store = new HstsStore()
  store.note('a.example', 'max-age=10', 0, false)
  store.note('a.example', 'max-age', 0, true)
  for (const host of ['127.0.0.1', '::1', '[::1]', '[2001:db8::1]', '', 'a'.repeat(254)])
    store.note(host, 'max-age=10; includeSubDomains', 0, true)
  assert.equal(store.size, 0)
  store.note('a'.repeat(253), 'max-age=10', 0, true)
  assert.equal(store.size, 1)
})

test('HstsStore.note replaces what was said before, and max-age=0 takes it back', () => {
  const store = new HstsStore()
  store.note('a.example', 'max-age=10; includeSubDomains', 0, true)
  store.note('a.example', 'max-age=20', 0, true)
  assert.equal(store.isSecure('x.a.example', 0), false)
  assert.equal(store.isSecure('a.example', 19_999), true)
  store.note('a.example', 'max-age', 0, true)
  assert.equal(store.isSecure('a.example', 0), true, 'a malformed one changes nothing')
  store.note('a.example', 'max-age=0', 0, true)
  assert.equal(store.isSecure('a.example', 0), false)
  store.note('a.example', `max-age=${'9'.repeat(400)}`, 0, true)
  assert.equal(store.isSecure('a.example', 10 * 365 * 86_400_000 - 1), true)
  assert.equal(store.isSecure('a.example', 10 * 365 * 86_400_000), false)
})

test('HstsStore forgets what was noted longest ago when it is full', () => {
  const store = new HstsStore({ maxHosts: 2 })
  for (const host of ['a', 'b', 'a', 'c']) store.note(host, 'max-age=10', 0, true)
  assert.deepEqual(
    ['a', 'b', 'c'].map((host) => store.isSecure(host, 0)),
    [true, false, true],
  )
  assert.equal(store.size, 2)
})

test('HstsStore.fromJSON reads what toJSON gave, and refuses what it cannot have given', () => {
  const store = new HstsStore()
  store.note('a.example', 'max-age=10', 0, true)
  store.note('b.example', 'max-age=20; includeSubDomains', 0, true)
  const json: unknown = JSON.parse(JSON.stringify(store))
  assert.deepEqual(json, {
    hosts: [
      { host: 'a.example', expiresMs: 10_000, includeSubDomains: false },
      { host: 'b.example', expiresMs: 20_000, includeSubDomains: true },
    ],
  })
  assert.deepEqual(HstsStore.fromJSON(json).toJSON(), json)
  assert.equal(HstsStore.fromJSON(json, { maxHosts: 1 }).size, 1)
  assert.equal(HstsStore.fromJSON({ hosts: [{ host: '::1', expiresMs: 1, includeSubDomains: true }] }).size, 0)
  const hosts: readonly unknown[] = [
    null,
    {},
    { host: 'a' },
    { host: 1, expiresMs: 1, includeSubDomains: true },
    { host: 'a', expiresMs: null, includeSubDomains: true },
    { host: 'a', expiresMs: 1, includeSubDomains: 1 },
  ]
  for (const wrong of [null, 1, [], {}, { hosts: 1 }, ...hosts.map((host) => ({ hosts: [host] }))])
    assert.throws(() => HstsStore.fromJSON(wrong), { name: 'UsageError', code: 'ERR_ARGUMENT' })
})
