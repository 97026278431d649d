import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { chance } from '../../../examples/crawler/demo/chance.js'
import { Frontier, type Numbered } from '../../../examples/crawler/frontier.js'
import { DEFAULTS } from '../../../examples/crawler/options.js'
import type { FetchRecord } from '../../../examples/crawler/record.js'
import { Tally } from '../../../examples/crawler/tally.js'
import { temporaryFolder } from './_watched-site.js'

const ORIGIN = 'http://a.example'

/** A page of a site that has no end: some have the content of others, some redirect, some link elsewhere. */
function answer(url: string): FetchRecord {
  const about = (what: string): number => chance(1, url, what)
  const link = (i: number): string => `/${['a', 'b', 'c'][about(`folder${i}`) % 3]}/${about(`page${i}`) % 100}`
  const links = [0, 1, 2, 3].map(link)
  const begun = { url, at: 0, status: 200 }
  if (about('kind') % 7 === 0) return { ...begun, outcome: 'redirect', links: links.slice(0, 1) }
  if (about('kind') % 7 === 1) links.push(`http://b.example/${about('away') % 5}`)
  return { ...begun, outcome: 'kept', hash: String(about('content') % 40), links }
}

/** What a frontier comes to when answers come in the order that `choose` makes of those that are under way. */
function crawl(queuePath: string, choose: (count: number) => number): readonly unknown[] {
  const settled: unknown[] = []
  const frontier = new Frontier(ORIGIN, {
    options: { ...DEFAULTS, maxPerPattern: 30, maxPages: 80, maxDepth: 6 },
    tally: new Tally(),
    queuePath,
    isSite: (origin) => origin === 'http://b.example',
    settled: ({ url, depth }, { outcome }, isDuplicate) => settled.push([url, depth, outcome, isDuplicate]),
  })
  frontier.offer({ url: `${ORIGIN}/`, depth: 0, redirects: 0, isListed: true })
  const underWay: Numbered[] = []
  for (;;) {
    const next = underWay.length < 8 ? frontier.take() : undefined
    if (next !== undefined) {
      underWay.push(next)
      continue
    }
    const [one] = underWay.splice(choose(underWay.length), 1)
    if (one === undefined) break
    frontier.settle(one, answer(one.entry.url))
  }
  frontier.close()
  return [...settled, ...frontier.takeLinksAway()]
}

test('Frontier comes to the same set in whatever order answers come', (context) => {
  const queuePath = join(temporaryFolder(context), 'queue')
  const inOrder = crawl(queuePath, () => 0)
  assert.ok(inOrder.length > 60, String(inOrder.length))
  fc.assert(
    fc.property(fc.array(fc.nat(7), { minLength: 10, maxLength: 100 }), (choices) => {
      let i = 0
      const choose = (count: number): number => (choices[i++ % choices.length] ?? 0) % Math.max(1, count)
      assert.deepEqual(crawl(queuePath, choose), inOrder)
    }),
  )
})

test('Frontier gives no more while 256 answers wait for an earlier one', (context) => {
  const frontier = new Frontier(ORIGIN, {
    options: DEFAULTS,
    tally: new Tally(),
    queuePath: join(temporaryFolder(context), 'queue'),
    isSite: () => false,
    settled: () => undefined,
  })
  for (let i = 0; i < 300; i += 1) frontier.offer({ url: `${ORIGIN}/${i}`, depth: 0, redirects: 0, isListed: true })
  const taken = Array.from({ length: 300 }, () => frontier.take()).filter((one) => one !== undefined)
  assert.equal(taken.length, 256)
  for (const one of taken.slice(1)) frontier.settle(one, undefined)
  assert.equal(frontier.take(), undefined)
  if (taken[0] !== undefined) frontier.settle(taken[0], undefined)
  assert.equal(frontier.take()?.number, 256)
  frontier.close()
})
