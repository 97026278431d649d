import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { TRAPS } from '../../../examples/crawler/demo/traps.js'
import { countPaths, readBodies, readIndex, startCrawl, temporaryFolder, watchGenerated } from './_watched-site.js'

const PAGES = 10_000
/** Of a trap that makes one page of numbers after the other, and of one that is deep. */
const PER_PATTERN = 40
const IN_DEPTHS = 100

const ALL_AT_ONCE = [
  ['--delay', '0'],
  ['--per-host', '8'],
  ['--max-body-bytes', '1000000'],
  ['--max-per-pattern', String(PER_PATTERN)],
  ['--max-in-depths', String(IN_DEPTHS)],
].flat()

/** The one that ends by time alone has a test of its own. */
const traps = TRAPS.filter((trap) => trap !== '/slow')

test(`a site of ${PAGES} pages with traps: each page is fetched once, what must not be fetched never, and the traps let go`, async (context) => {
  const { site, origin, arrivals } = await watchGenerated(context, { pages: PAGES, seed: 7, traps })
  const folder = temporaryFolder(context)
  const args = [origin, '--out', folder, '--json', ...ALL_AT_ONCE]
  const program = startCrawl(context, args)
  assert.deepEqual(await within('the crawl', program.exited, 120_000), { code: 0, signal: null }, program.stderr)

  const counts = countPaths(arrivals)
  const twice = [...counts].filter(([, count]) => count !== 1)
  assert.deepEqual(twice, [], 'fetched more than once')
  const index = new Map(readIndex(folder).map((line) => [line.url, line]))
  const numbers = Array.from({ length: PAGES }, (_, number) => number)
  const outcomeOf = (path: string): string | undefined => index.get(origin + path)?.outcome
  await context.test('every page is in the set, those that only a sitemap has as well', () => {
    const wrong = numbers.filter(
      (number) => outcomeOf(site.pathOf(number)) !== (site.isHidden(number) ? 'noindex' : 'kept'),
    )
    assert.deepEqual(wrong, [])
    assert.ok(numbers.some((number) => site.isOnlyListed(number)))
  })
  await context.test(
    'what robots.txt and nofollow forbid was never asked for, and what it allows among that was',
    () => {
      const forbidden = [...counts.keys()].filter((path) => /^\/private\/|\.secret$/.test(path))
      assert.deepEqual(forbidden, ['/private/open'])
    },
  )
  await context.test('the same content under several URLs is kept once', () => {
    const lines = [...index.values()]
    const hashes = new Set(lines.flatMap(({ hash }) => hash ?? []))
    assert.deepEqual(readBodies(folder), [...hashes].sort())
    const doubles = numbers.filter((number) => site.hasDouble(number) && !site.isHidden(number))
    assert.ok(doubles.length > 50)
    for (const number of doubles) {
      const path = site.pathOf(number)
      const [one, other] = [index.get(origin + path), index.get(`${origin + path}?print=1`)]
      assert.equal(one?.hash, other?.hash, path)
      assert.equal(Number(one?.isDuplicate ?? false) + Number(other?.isDuplicate ?? false), 1, path)
    }
    const named = lines.filter(({ url }) => url.includes('?ref='))
    assert.ok(named.length > 50)
    assert.deepEqual([...new Set(named.map(({ outcome }) => outcome))], ['elsewhere'])
  })
  await context.test('each trap was tried, and none for long', () => {
    const fetched = new Map<string, number>()
    for (const path of counts.keys()) {
      const name = `/${path.split(/[/?]/)[1] ?? ''}`
      fetched.set(name, (fetched.get(name) ?? 0) + 1)
    }
    for (const trap of traps) {
      const name = `/${trap.split('/')[1] ?? ''}`
      const count = fetched.get(name) ?? 0
      assert.ok(count >= 1 && count <= IN_DEPTHS + PER_PATTERN, `${name}: ${count}`)
    }
    assert.equal(fetched.get('/loop'), 2)
    assert.equal(fetched.get('/hop'), 11)
    assert.deepEqual(['/huge', '/endless', '/bomb'].map(outcomeOf), ['too-large', 'too-large', 'too-large'])
  })

  const before = arrivals.length
  await context.test('run again, it asks for nothing, and comes to the same', async (inner) => {
    const again = startCrawl(inner, args)
    assert.deepEqual(await within('the second run', again.exited, 60_000), { code: 0, signal: null }, again.stderr)
    assert.equal(arrivals.length, before)
    const { fetched, known } = JSON.parse(again.stdout) as { fetched: number; known: number }
    assert.deepEqual({ fetched, known }, { fetched: 0, known: index.size })
    assert.deepEqual(readIndex(folder), [...index.values()])
  })
})

test('on another visit only what has changed is sent, and what is no more is swept', async (context) => {
  const pages = 2000
  const { site, origin, arrivals } = await watchGenerated(context, { pages, seed: 7, traps })
  const folder = temporaryFolder(context)
  const args = [origin, '--out', folder, ...ALL_AT_ONCE]
  const program = startCrawl(context, args)
  assert.deepEqual(await within('the crawl', program.exited, 60_000), { code: 0, signal: null }, program.stderr)
  const index = new Map(readIndex(folder).map((line) => [line.url, line]))
  const before = arrivals.length
  site.revision += 1
  const revisit = startCrawl(context, [...args, '--revisit'])
  assert.deepEqual(await within('the visit', revisit.exited, 60_000), { code: 0, signal: null }, revisit.stderr)
  const asked = arrivals.slice(before)
  assert.deepEqual(
    [...countPaths(asked)].filter(([, count]) => count !== 1),
    [],
  )
  const numbers = Array.from({ length: pages }, (_, number) => number)
  const statusOf = new Map(asked.map(({ path, status }) => [path, status]))
  const wrong = numbers.filter((number) => statusOf.get(site.pathOf(number)) !== (site.isChanging(number) ? 200 : 304))
  assert.deepEqual(wrong, [])
  const now = new Map(readIndex(folder).map((line) => [line.url, line]))
  assert.deepEqual([...now.keys()], [...index.keys()])
  const changed = [...now.values()].filter(({ url, hash }) => index.get(url)?.hash !== hash)
  const changing = new Set(numbers.filter((number) => site.isChanging(number)).map((number) => site.pathOf(number)))
  assert.ok(changed.length > pages / 20)
  assert.deepEqual(
    changed.filter(({ url }) => !changing.has(new URL(url).pathname)),
    [],
  )
  const hashes = new Set([...now.values()].flatMap(({ hash }) => hash ?? []))
  assert.deepEqual(readBodies(folder), [...hashes].sort())
})

test(
  'a page that never ends slowly is given up at the timeout, and not tried again',
  { timeout: 60_000 },
  async (context) => {
    const { origin, arrivals } = await watchGenerated(context, { pages: 2, seed: 7, traps: ['/slow'] })
    const folder = temporaryFolder(context)
    const program = startCrawl(context, [origin, '--out', folder, '--delay', '0', '--timeout', '3000'])
    assert.deepEqual(await within('the crawl', program.exited, 40_000), { code: 0, signal: null }, program.stderr)
    assert.equal(countPaths(arrivals).get('/slow'), 1)
    assert.equal(readIndex(folder).find(({ url }) => url === `${origin}/slow`)?.outcome, 'failed')
  },
)
