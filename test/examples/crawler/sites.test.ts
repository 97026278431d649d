import assert from 'node:assert/strict'
import { readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { html, HttpResponse, redirect, text, type HttpRequest } from '#src/http/index.js'
import {
  countPaths,
  readBodies,
  readIndex,
  startCrawl,
  temporaryFolder,
  watch,
  type WatchedSite,
} from './_watched-site.js'

type Answers = Readonly<Record<string, (request: HttpRequest) => HttpResponse | Promise<HttpResponse>>>

const links = (...to: readonly string[]): HttpResponse =>
  html(to.map((href) => `<a href="${href}">${href}</a>`).join(' '))

/** A site of few paths; the others are not there. */
const serve = (context: TestContext, answers: Answers): Promise<WatchedSite> =>
  watch(context, (request) => answers[request.target]?.(request) ?? new HttpResponse('', { status: 404 }))

interface Crawled {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function crawl(context: TestContext, folder: string, ...args: readonly string[]): Promise<Crawled> {
  const program = startCrawl(context, ['--out', folder, '--delay', '0', '--retry-wait', '0', ...args])
  const { code } = await within('the crawl', program.exited, 30_000)
  return { code, stdout: program.stdout, stderr: program.stderr }
}

const paths = ({ arrivals }: WatchedSite): readonly string[] => arrivals.map(({ path }) => path)

test('the crawler follows links between its sites, and to where a start redirects, and to no other site', async (context) => {
  const other = await serve(context, { '/': () => links('/') })
  const home: WatchedSite = await serve(context, {
    '/': () => links('/in', `${other.origin}/`, `${second.origin}/from-home`, 'mailto:a@b.example'),
    '/in': () => links('/'),
    '/from-second': () => links(),
  })
  const second: WatchedSite = await serve(context, {
    '/': () => links(`${home.origin}/from-second`),
    '/from-home': () => links('/further'),
    '/further': () => text('the end'),
  })
  const front = await serve(context, { '/': () => redirect(`${home.origin}/`, { status: 301 }) })
  const folder = temporaryFolder(context)
  const { code, stderr } = await crawl(context, folder, `${front.origin}/`, `${second.origin}/`)
  assert.equal(code, 0, stderr)
  assert.deepEqual([...paths(home)].sort(), ['/', '/from-second', '/in', '/robots.txt', '/sitemap.xml'])
  assert.deepEqual([...paths(second)].sort(), ['/', '/from-home', '/further', '/robots.txt', '/sitemap.xml'])
  assert.deepEqual(paths(other), [])
  const depths = readIndex(folder).map(({ url, depth }) => [url, depth])
  assert.deepEqual(new Map(depths as [string, number][]).get(`${second.origin}/further`), 2)
})

test('a robots.txt that the server cannot give forbids everything, and the next run goes on', async (context) => {
  let isMended = false
  const site = await serve(context, {
    '/robots.txt': () => (isMended ? text('') : new HttpResponse('', { status: 503 })),
    '/': () => text('here'),
  })
  const folder = temporaryFolder(context)
  const first = await crawl(context, folder, site.origin)
  assert.equal(first.code, 1)
  assert.match(first.stderr, /robots\.txt cannot be read/)
  assert.deepEqual([...new Set(paths(site))], ['/robots.txt'])
  isMended = true
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  assert.equal(paths(site).at(-2), '/')
})

for (const [redirects, isObeyed] of [
  [5, true],
  [6, false],
] as const)
  test(`RFC 9309 §2.3.1.2: a robots.txt behind ${redirects} redirects is ${isObeyed ? 'obeyed' : 'not there'}`, async (context) => {
    const rules = 'User-agent: *\nDisallow: /no'
    const site = await watch(context, ({ path }) => {
      const number = Number(/^\/r(\d+)$/.exec(path)?.[1] ?? 0)
      if (path === '/robots.txt' || number > 0) return number < redirects ? redirect(`/r${number + 1}`) : text(rules)
      return path === '/' ? links('/no') : text(path)
    })
    assert.equal((await crawl(context, temporaryFolder(context), site.origin)).code, 0)
    assert.equal(paths(site).includes('/no'), !isObeyed)
  })

test('RFC 9309 §2.5: of a robots.txt the first 500 KiB count, without a line that is cut', async (context) => {
  const begin = 'User-agent: *\nDisallow: /a\n'
  const padding = `${'#'.repeat(500 * 1024 - begin.length - 'Disallow: /b'.length - 1)}\n`
  const site = await serve(context, {
    '/robots.txt': () => text(`${begin}${padding}Disallow: /bb\nDisallow: /c\n`),
    '/': () => links('/a', '/b', '/c'),
  })
  assert.equal((await crawl(context, temporaryFolder(context), site.origin)).code, 0)
  assert.deepEqual(paths(site).slice(-2), ['/b', '/c'])
})

test('what a page and its fields say to robots is obeyed, and what is no HTML is kept as it is', async (context) => {
  const hidden = { headers: { 'X-Robots-Tag': 'noindex' } }
  const closed = { headers: { 'X-Robots-Tag': 'nofollow, otherbot: none' } }
  const site = await serve(context, {
    '/': () => links('/hidden', '/closed', '/none', '/data.json', '/other'),
    '/hidden': () => html('<a href="/behind-hidden">x</a>', hidden),
    '/behind-hidden': () => text('1'),
    '/closed': () => html('<a href="/never">x</a>', closed),
    '/none': () => html('<meta name=robots content=none><a href="/never">x</a>'),
    '/data.json': () => text('"<a href=/never>"'),
    '/other': () => html('other', { headers: { 'X-Robots-Tag': 'otherbot: noindex' } }),
  })
  const folder = temporaryFolder(context)
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  const outcomes = Object.fromEntries(readIndex(folder).map(({ url, outcome }) => [new URL(url).pathname, outcome]))
  assert.deepEqual(outcomes, {
    '/': 'kept',
    '/behind-hidden': 'kept',
    '/closed': 'kept',
    '/data.json': 'kept',
    '/hidden': 'noindex',
    '/none': 'noindex',
    '/other': 'kept',
    '/sitemap.xml': 'status',
  })
  assert.equal(readBodies(folder).length, 5)
  assert.equal(paths(site).includes('/never'), false)
})

test('a page that names another URL of its site is known by that, and by one of another site is not', async (context) => {
  const site = await serve(context, {
    '/': () => links('/a?x=1', '/b', '/c'),
    '/a?x=1': () => html('<link rel=canonical href="/a"><a href="/never">x</a>'),
    '/a': () => html('<link rel=canonical href="/a">a'),
    '/b': () => text('b', { headers: { Link: '</next>; rel=next, </B>; rel="canonical"' } }),
    '/B': () => text('b'),
    '/c': () => html('<link rel=canonical href="http://b.example/c">c'),
  })
  const folder = temporaryFolder(context)
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  const outcomes = Object.fromEntries(
    readIndex(folder).map(({ url, outcome }) => [url.slice(site.origin.length), outcome]),
  )
  assert.deepEqual(outcomes, {
    '/': 'kept',
    '/B': 'kept',
    '/a': 'kept',
    '/a?x=1': 'elsewhere',
    '/b': 'elsewhere',
    '/c': 'kept',
    '/sitemap.xml': 'status',
  })
})

test('a validator that no request can carry does not keep a page from being visited again', async (context) => {
  const site = await serve(context, { '/': () => text('here', { headers: { ETag: '"ü"', 'Last-Modified': 'never' } }) })
  const folder = temporaryFolder(context)
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  assert.equal((await crawl(context, folder, site.origin, '--revisit')).code, 0)
  assert.deepEqual(
    readIndex(folder).map(({ outcome }) => outcome),
    ['kept', 'status'],
  )
})

test('a site of which nothing is kept can be visited again', async (context) => {
  const site = await serve(context, {})
  const folder = temporaryFolder(context)
  for (const more of [[], ['--revisit'], ['--revisit']]) {
    const { code, stderr } = await crawl(context, folder, site.origin, ...more)
    assert.equal(code, 0, stderr)
  }
  assert.deepEqual(readBodies(folder), [])
  assert.equal(countPaths(site.arrivals).get('/'), 3)
})

test('a site that cannot be reached does not keep the others from being crawled', async (context) => {
  const site = await serve(context, { '/': () => text('here') })
  const folder = temporaryFolder(context)
  const { code, stderr } = await crawl(context, folder, 'http://127.0.0.1:1/', site.origin)
  assert.equal(code, 1)
  assert.match(stderr, /^crawler: Cannot crawl http:\/\/127\.0\.0\.1:1: .+$/m)
  assert.ok(paths(site).includes('/'))
})

test('what failed is asked for again with --retry-failed, and only that', async (context) => {
  let isMended = false
  const site = await serve(context, {
    '/': () => links('/ill', '/well'),
    '/ill': () => (isMended ? text('mended') : new HttpResponse('', { status: 502 })),
    '/well': () => text('well'),
  })
  const folder = temporaryFolder(context)
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  assert.equal(countPaths(site.arrivals).get('/ill'), 3)
  isMended = true
  const before = site.arrivals.length
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  assert.equal(site.arrivals.length, before)
  assert.equal((await crawl(context, folder, site.origin, '--retry-failed')).code, 0)
  assert.deepEqual(paths(site).slice(before), ['/ill'])
  assert.equal(readIndex(folder).find(({ url }) => url.endsWith('/ill'))?.outcome, 'kept')
})

test('SIGINT ends a crawl behind what is under way, and the next run asks for nothing twice', async (context) => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const site = await watch(context, async ({ path }) => {
    if (path === '/robots.txt') return text('')
    if (path === '/page/5') await held
    const number = Number(path.split('/')[2] ?? 0)
    return number < 10 ? links(`/page/${number + 1}`) : text(path)
  })
  const folder = temporaryFolder(context)
  const args = [site.origin, '--out', folder, '--delay', '0', '--per-host', '2']
  const first = startCrawl(context, args)
  await within('the page that is held', site.arrived(8))
  const stopped = first.stop('SIGINT')
  await context.test('another one is not let into the folder meanwhile', async (inner) => {
    const { code, stderr } = await crawl(inner, folder, site.origin)
    assert.equal(code, 2)
    assert.match(stderr, /^crawler: Cannot crawl: process \d+ .+\n$/)
  })
  release()
  assert.deepEqual(await stopped, { code: 130, signal: null }, first.stderr)
  assert.equal(paths(site).at(-1), '/page/5')
  const second = await crawl(context, folder, site.origin)
  assert.equal(second.code, 0, second.stderr)
  assert.deepEqual(
    [...countPaths(site.arrivals)].filter(([, count]) => count !== 1),
    [],
  )
  assert.equal(readIndex(folder).length, 12)
})

test('a body that is gone or cut is fetched again', async (context) => {
  const site = await serve(context, { '/': () => links('/a', '/b'), '/a': () => text('a'), '/b': () => text('b') })
  const folder = temporaryFolder(context)
  assert.equal((await crawl(context, folder, site.origin)).code, 0)
  const hash = readIndex(folder).find(({ url }) => url.endsWith('/a'))?.hash ?? ''
  const path = join(folder, 'bodies', hash.slice(0, 2), hash)
  for (const damage of [() => truncateSync(path, 0), () => rmSync(path)]) {
    damage()
    const before = site.arrivals.length
    assert.equal((await crawl(context, folder, site.origin)).code, 0)
    assert.deepEqual(paths(site).slice(before), ['/a'])
    assert.equal(readFileSync(path, 'utf8'), 'a')
  }
})
