import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { chance } from '../../../examples/crawler/demo/chance.js'
import { TRAPS } from '../../../examples/crawler/demo/traps.js'
import {
  readBodies,
  readIndex,
  readJournal,
  startCrawl,
  temporaryFolder,
  watchGenerated,
  type Arrival,
} from './_watched-site.js'

const PAGES = 1500
const KILLS = 10
const CONNECTIONS = 4
const seed = Number(process.env['MOORAGE_SEED'] ?? Date.now() % 1_000_000)

const ARGS = [
  ['--delay', '0'],
  ['--per-host', String(CONNECTIONS)],
  ['--max-body-bytes', '1000000'],
  ['--max-per-pattern', '20'],
  ['--max-in-depths', '20'],
  ['--max-pages', '1700'],
].flat()

/** A set without the port, which each server has its own of. */
const withoutOrigin = (folder: string): readonly unknown[] =>
  readIndex(folder).map(({ url, ...line }) => ({ ...line, path: new URL(url).pathname + new URL(url).search }))

test(`${KILLS} times kill -9: what is in the journal is not fetched again, and the set is that of a crawl that nobody disturbed (MOORAGE_SEED=${seed})`, async (context) => {
  // Without the one that ends by time alone: nothing of the set may depend on how fast this machine is.
  const options = { pages: PAGES, seed, traps: TRAPS.filter((trap) => trap !== '/slow') }
  const undisturbed = await watchGenerated(context, options)
  const calmFolder = temporaryFolder(context)
  const calm = startCrawl(context, [undisturbed.origin, '--out', calmFolder, ...ARGS])
  assert.deepEqual(await within('the crawl', calm.exited, 60_000), { code: 0, signal: null }, calm.stderr)

  const { origin, arrivals, arrived } = await watchGenerated(context, options)
  const folder = temporaryFolder(context)
  const args = [origin, '--out', folder, ...ARGS]
  const toUrl = ({ path }: Arrival): string => origin + path
  let recorded: ReadonlySet<string> = new Set()
  let repeated = 0
  const asked = new Set<string>()
  // By the name that each run has: what a killed one sent may come when the next one has begun.
  const nameOf = (run: number): string => `moorage-crawler/${run}`
  const check = (run: number): void => {
    const urls = arrivals.filter(({ agent }) => agent === nameOf(run)).map(toUrl)
    assert.equal(new Set(urls).size, urls.length, 'a run asks for nothing twice')
    assert.deepEqual(
      urls.filter((url) => recorded.has(url)),
      [],
      'a run asks for nothing that is recorded',
    )
    // Those that were under way when a run was killed.
    const again = urls.filter((url) => asked.has(url)).length
    assert.ok(again <= run * CONNECTIONS - repeated, `${again} were asked for again`)
    repeated += again
    for (const url of urls) asked.add(url)
  }
  for (let run = 0; run < KILLS; run += 1) {
    const count = 1 + (chance(seed, 'kill', run) % Math.floor(PAGES / KILLS))
    const reached = arrived(arrivals.length + count)
    const program = startCrawl(context, [...args, '--user-agent', nameOf(run)])
    await within(`request ${count} of run ${run}`, Promise.race([reached, program.exited]), 30_000)
    assert.deepEqual(await program.stop('SIGKILL'), { code: null, signal: 'SIGKILL' }, program.stderr)
    check(run)
    recorded = readJournal(folder)
  }
  const last = startCrawl(context, [...args, '--user-agent', nameOf(KILLS)])
  assert.deepEqual(await within('the last run', last.exited, 60_000), { code: 0, signal: null }, last.stderr)
  check(KILLS)
  assert.deepEqual(withoutOrigin(folder), withoutOrigin(calmFolder))
  assert.deepEqual(readBodies(folder), readBodies(calmFolder))
  context.diagnostic(`${arrivals.length} requests instead of ${undisturbed.arrivals.length}: ${repeated} were repeated`)
})

test('another visit that is killed goes on, by whichever command, and comes to what the site is now', async (context) => {
  const { site, origin, arrivals, arrived } = await watchGenerated(context, { pages: 300, seed: 7, traps: [] })
  const args = [origin, '--delay', '0']
  const crawl = async (folder: string, ...more: readonly string[]): Promise<void> => {
    const program = startCrawl(context, [...args, '--out', folder, ...more])
    assert.deepEqual(await within('the crawl', program.exited, 60_000), { code: 0, signal: null }, program.stderr)
  }
  const folder = temporaryFolder(context)
  await crawl(folder)
  site.revision = 1
  const before = arrivals.length
  for (const count of [1, 40, 120]) {
    const reached = arrived(arrivals.length + count)
    const program = startCrawl(context, [...args, '--out', folder, '--revisit'])
    await within(`request ${count}`, Promise.race([reached, program.exited]), 30_000)
    assert.deepEqual(await program.stop('SIGKILL'), { code: null, signal: 'SIGKILL' }, program.stderr)
  }
  await crawl(folder)
  const asked = arrivals.slice(before)
  const again = asked.length - new Set(asked.map(({ path }) => path)).size
  assert.ok(again <= 3, `${again} were asked for again`)
  assert.ok(asked.filter(({ status }) => status === 304).length > 200)
  const fresh = temporaryFolder(context)
  await crawl(fresh)
  assert.deepEqual(readIndex(folder), readIndex(fresh))
  assert.deepEqual(readBodies(folder), readBodies(fresh))
  assert.deepEqual(readdirSync(folder).sort(), ['bodies', 'index.jsonl', 'journal.jsonl'])
})
