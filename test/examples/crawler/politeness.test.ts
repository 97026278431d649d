import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { html, HttpResponse, text, type HttpRequest } from '#src/http/index.js'
import { Politeness } from '../../../examples/crawler/politeness.js'
import { startCrawl, temporaryFolder, watch, type WatchedSite } from './_watched-site.js'

const NEVER = new AbortController().signal

/** Who came in, and when. */
class Door {
  readonly clock = new FakeClock()
  readonly entries: (readonly [host: string, at: number])[] = []
  readonly #politeness: Politeness

  constructor(delayMs: number, connectionsPerHost: number, concurrency: number) {
    this.#politeness = new Politeness(this.clock, { delayMs, connectionsPerHost, concurrency })
  }

  get politeness(): Politeness {
    return this.#politeness
  }

  /** Asks to come in, and stays for so long. */
  async visit(host: string, stayMs: number): Promise<void> {
    await this.#politeness.enter(host, NEVER)
    this.entries.push([host, this.clock.now()])
    await new Promise<void>((resolve) => void this.clock.after(stayMs, resolve))
    this.#politeness.leave(host)
  }
}

test('Politeness leaves a host alone for its delay before the first request, and behind each answer', async () => {
  const door = new Door(100, 1, 10)
  const visits = [10, 50, 0].map((stay) => door.visit('a', stay))
  await door.clock.advance(1000)
  await Promise.all(visits)
  assert.deepEqual(door.entries, [
    ['a', 100],
    ['a', 210],
    ['a', 360],
  ])
  assert.equal(door.clock.pending, 0)
})

test('Politeness: over several connections there is still the delay between the beginnings', async () => {
  const door = new Door(100, 2, 10)
  const visits = [1000, 3000, 0].map((stay) => door.visit('a', stay))
  await door.clock.advance(5000)
  await Promise.all(visits)
  assert.deepEqual(
    door.entries.map(([, at]) => at),
    [100, 200, 1200],
  )
})

test('Politeness: hosts do not wait for each other, but for the bound of all of them, and take turns', async () => {
  const door = new Door(10, 1, 2)
  const visits = ['a', 'a', 'b', 'c'].map((host) => door.visit(host, 100))
  await door.clock.advance(1000)
  await Promise.all(visits)
  assert.deepEqual(door.entries, [
    ['a', 10],
    ['b', 10],
    ['c', 110],
    ['a', 120],
  ])
})

test('Politeness: a host that says later, or wants a longer delay, is given it', async () => {
  const door = new Door(10, 1, 10)
  door.politeness.slowDown('a', 300)
  door.politeness.slowDown('a', 200)
  door.politeness.pause('b', 5000)
  const visits = ['a', 'a', 'b', 'b'].map((host) => door.visit(host, 0))
  await door.clock.advance(10_000)
  await Promise.all(visits)
  assert.deepEqual(door.entries, [
    ['a', 300],
    ['a', 600],
    ['b', 5000],
    ['b', 5010],
  ])
})

test('Politeness: who gives up waiting is not let in', async () => {
  const door = new Door(100, 1, 10)
  const stop = new AbortController()
  const given = assert.rejects(door.politeness.enter('a', stop.signal), { message: 'enough' })
  stop.abort(new Error('enough'))
  await given
  const visit = door.visit('a', 0)
  await door.clock.advance(1000)
  await visit
  assert.deepEqual(door.entries, [['a', 100]])
})

const DELAY_MS = 60
const CRAWL_DELAY_MS = 150
const PAGES = 12
/** What the clocks of two processes may differ by. */
const SLACK_MS = 2

/** A chain of pages, each with all the others. */
function chain(robots: string, onRequest: (request: HttpRequest) => HttpResponse | undefined = () => undefined) {
  return (request: HttpRequest): HttpResponse => {
    if (request.path === '/robots.txt') return text(robots)
    const special = onRequest(request)
    if (special !== undefined) return special
    return html(
      `<h1>${request.path}</h1>${Array.from({ length: PAGES }, (_, i) => `<a href="/page/${i}">x</a>`).join('')}`,
    )
  }
}

const gaps = ({ arrivals }: WatchedSite): readonly number[] =>
  arrivals.slice(1).map(({ at }, i) => at - (arrivals[i]?.at ?? 0))

test(
  'the crawler keeps its delay for each of several hosts, and the one that a robots.txt wants',
  { timeout: 60_000 },
  async (context) => {
    let underWay = 0
    let most = 0
    const slow = async (request: HttpRequest): Promise<HttpResponse> => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise((resolve) => void setTimeout(resolve, 20))
      underWay -= 1
      return chain('')(request)
    }
    const [plain, wanting, slowly] = await Promise.all([
      watch(context, chain('')),
      watch(context, chain(`User-agent: *\nCrawl-delay: ${CRAWL_DELAY_MS / 1000}`), '127.0.0.2'),
      watch(context, slow, '127.0.0.3'),
    ])
    const sites = [plain, wanting, slowly]
    const args = ['--out', temporaryFolder(context), '--delay', String(DELAY_MS)]
    const program = startCrawl(context, [...sites.map(({ origin }) => origin), ...args])
    assert.deepEqual(await within('the crawl', program.exited, 40_000), { code: 0, signal: null }, program.stderr)
    for (const { arrivals } of sites) {
      // robots.txt, sitemap.xml, the start and its pages.
      assert.equal(arrivals.length, PAGES + 3)
      assert.equal(arrivals[0]?.path, '/robots.txt')
    }
    for (const [site, delay] of [
      [plain, DELAY_MS],
      [wanting, CRAWL_DELAY_MS],
      [slowly, DELAY_MS + 20],
    ] as const) {
      const shortest = Math.min(...gaps(site))
      assert.ok(shortest >= delay - SLACK_MS, `${shortest} ms on ${site.origin}`)
    }
    assert.equal(most, 1)
  },
)

test('the crawler does not come sooner when it is stopped and started again', { timeout: 60_000 }, async (context) => {
  const site = await watch(context, chain(''))
  const args = [site.origin, '--out', temporaryFolder(context), '--delay', '300']
  const first = startCrawl(context, args)
  await site.arrived(3)
  assert.deepEqual(await first.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
  const second = startCrawl(context, args)
  await site.arrived(6)
  assert.deepEqual(await second.stop('SIGINT'), { code: 130, signal: null })
  assert.ok(Math.min(...gaps(site)) >= 300 - SLACK_MS, String(gaps(site)))
})

test('Retry-After holds for the whole host, and the page is fetched again', { timeout: 60_000 }, async (context) => {
  let refusals = 0
  const site = await watch(
    context,
    chain('', ({ path }) => {
      if (path !== '/page/3' || refusals > 0) return undefined
      refusals += 1
      return new HttpResponse('later', { status: 503, headers: { 'Retry-After': '1' } })
    }),
  )
  const args = ['--out', temporaryFolder(context), '--delay', '0', '--retry-wait', '0', '--json']
  const program = startCrawl(context, [site.origin, ...args])
  assert.deepEqual(await within('the crawl', program.exited, 30_000), { code: 0, signal: null }, program.stderr)
  const at = site.arrivals.findIndex(({ path }) => path === '/page/3')
  assert.ok((gaps(site)[at] ?? 0) >= 1000 - SLACK_MS, String(gaps(site)))
  assert.equal(site.arrivals[at + 1]?.path, '/page/3')
  const { outcomes } = JSON.parse(program.stdout) as { outcomes: object }
  assert.deepEqual(outcomes, { kept: PAGES + 1, sitemap: 1 })
})
