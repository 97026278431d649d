import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Admission, patternOf, type Refusal } from '../../../examples/crawler/admission.js'
import { HashTable } from '../../../examples/crawler/hash-table.js'
import { DEFAULTS, type Bounds } from '../../../examples/crawler/options.js'
import { UrlQueue, type Entry } from '../../../examples/crawler/url-queue.js'
import { temporaryFolder } from './_watched-site.js'

const entry = (number: number): Entry => ({
  url: `http://a.example/${number}`,
  kind: (['page', 'sitemap', 'robots'] as const)[number % 3] ?? 'page',
  depth: number % 7,
  redirects: number % 5,
})

test('UrlQueue gives what it got in its order, whatever comes between', (context) => {
  const folder = temporaryFolder(context)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9000, max: 9000 }), { maxLength: 12 }), (steps) => {
      const path = join(folder, 'queue')
      const queue = new UrlQueue(path)
      let [pushed, taken] = [0, 0]
      for (const step of steps) {
        for (let i = 0; i < step; i += 1) queue.push(entry(pushed++))
        for (let i = 0; i < -step && taken < pushed; i += 1) assert.deepEqual(queue.shift(), entry(taken++))
        assert.equal(queue.size, pushed - taken)
      }
      while (taken < pushed) assert.deepEqual(queue.shift(), entry(taken++))
      assert.equal(queue.shift(), undefined)
      queue.close()
      assert.equal(existsSync(path), false)
    }),
    { numRuns: 25 },
  )
})

test('HashTable has what a Map has', () => {
  const table = new HashTable()
  const map = new Map<string, number>()
  for (let i = 0; i < 20_000; i += 1) {
    const key = String((i * 7919) % 12_000)
    table.set(key, i)
    map.set(key, i)
  }
  assert.equal(table.size, map.size)
  for (const [key, value] of map) assert.equal(table.get(key), value)
  for (let i = 12_000; i < 13_000; i += 1) assert.equal(table.has(String(i)), false)
})

/** URLs that are offered one after the other, and what comes of the last. */
const ROWS: readonly {
  readonly name: string
  readonly bounds?: Partial<Bounds>
  readonly urls: readonly string[]
  readonly depth?: number
  readonly redirects?: number
  readonly isListed?: boolean
  readonly refusal?: Refusal
}[] = [
  { name: 'a URL', urls: ['/a'] },
  { name: 'a URL that is known', urls: ['/a', '/a'], refusal: 'known' },
  { name: 'a URL as deep as may be', urls: ['/a'], depth: 25 },
  { name: 'a URL that is deeper', urls: ['/a'], depth: 26, refusal: 'too deep' },
  { name: 'as many redirects as may be', urls: ['/a'], redirects: 10 },
  { name: 'one redirect more', urls: ['/a'], redirects: 11, refusal: 'too many redirects' },
  { name: 'a URL as long as may be', bounds: { maxUrlLength: 20 }, urls: ['/abc'] },
  { name: 'a URL that is longer', bounds: { maxUrlLength: 20 }, urls: ['/abcd'], refusal: 'too long' },
  { name: 'as many segments as may be', bounds: { maxSegments: 3 }, urls: ['/a/b/c/'] },
  { name: 'one segment more', bounds: { maxSegments: 3 }, urls: ['/a/b/c/d'], refusal: 'too many segments' },
  { name: 'a segment twice', urls: ['/a/b/a'] },
  { name: 'a segment three times', urls: ['/a/b/a/a'], refusal: 'repeated segments' },
  { name: 'the last page of a site', bounds: { maxPages: 2 }, urls: ['/a', '/b'] },
  { name: 'one page more', bounds: { maxPages: 2 }, urls: ['/a', '/b', '/c'], refusal: 'too many pages' },
  { name: 'the last one of a pattern', bounds: { maxPerPattern: 2 }, urls: ['/c/2026/1', '/c/2026/2'] },
  {
    name: 'one more of a pattern',
    bounds: { maxPerPattern: 2 },
    urls: ['/c/2026/1', '/c/2026/2', '/c/1999/10'],
    refusal: 'too many of its pattern',
  },
  {
    name: 'one more of a pattern, which a sitemap lists',
    bounds: { maxPerPattern: 2 },
    urls: ['/c/2026/1', '/c/2026/2', '/c/1999/10'],
    isListed: true,
  },
  {
    name: 'one more with other values of the same parameters',
    bounds: { maxPerPattern: 2 },
    urls: ['/c?a=1&b=x', '/c?a=2&b=y', '/c?a=3&b=z'],
    refusal: 'too many of its pattern',
  },
  { name: 'other parameters', bounds: { maxPerPattern: 2 }, urls: ['/c?a=1', '/c?a=2', '/c?b=1'] },
  { name: 'the last set of parameters', bounds: { maxQueryKinds: 2 }, urls: ['/c?a', '/c?b', '/c'] },
  {
    name: 'one set of parameters more',
    bounds: { maxQueryKinds: 2 },
    urls: ['/c?a', '/c?b', '/c?a&b'],
    refusal: 'too many kinds of query',
  },
  { name: 'the last one far below a folder', bounds: { maxInDepths: 1 }, urls: ['/a/b/c/d', '/a/b/c/d/e'] },
  {
    name: 'one more far below a folder',
    bounds: { maxInDepths: 1 },
    urls: ['/a/b/c/d/e', '/a/b/x/y/z/'],
    refusal: 'too many in its depths',
  },
  { name: 'one far below another folder', bounds: { maxInDepths: 1 }, urls: ['/a/b/c/d/e', '/a/x/c/d/e'] },
]

for (const { name, bounds, urls, depth = 0, redirects = 0, isListed = false, refusal } of ROWS) {
  test(`Admission: ${name} is ${refusal === undefined ? 'asked for' : 'not asked for'}`, () => {
    const admission = new Admission({ ...DEFAULTS, ...bounds })
    const answers = urls.map((url) => admission.admit({ url: `http://a.example${url}`, depth, redirects, isListed }))
    assert.deepEqual(answers, [...urls.slice(1).map(() => undefined), refusal])
  })
}

test('patternOf takes words with digits for one', () => {
  assert.equal(patternOf('/news/2026/11/22/ships-and-13-pearls'), '/news/0/0/0/ships-and-0-pearls')
  assert.equal(patternOf('/s/9f3cA71b/x'), patternOf('/s/00/x'))
  assert.equal(patternOf('/a/b-c'), '/a/b-c')
})
