import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLinks, readRobotsTags } from '../../../examples/crawler/page-links.js'
import { parseSitemap } from '../../../examples/crawler/sitemap.js'

const read = (html: string, maxLinks = 100) => readLinks(html, { maxLinks, product: 'examplebot' })

test('readLinks finds what leads to a page, each once, in its order', () => {
  const { links } = read(`<!doctype html><title>x</title>
    <a href=" /a ">a</a><A HREF='/b?x=1&amp;y=2'>b</A><map><area href=c></map><iframe src="/d"></iframe><frame src=/e>
    <a href="/a">again</a><a name="x">no link</a><link rel="stylesheet" href="/style.css"><img src="/i.png">
    <link rel="Next" href="/f"><script>document.write('<a href="/no">')</script><!-- <a href="/not"> -->`)
  assert.deepEqual(links, ['/a', '/b?x=1&y=2', 'c', '/d', '/e', '/f'])
})

test('readLinks leaves what is marked nofollow', () => {
  assert.deepEqual(read('<a rel="external NoFollow" href="/a">a</a><a rel="external" href="/b">b</a>').links, ['/b'])
})

test('readLinks reads what a page says of itself', () => {
  const page = read(`<base href="/x/"><base href="/y/"><link rel="canonical" href="/c"><link rel=canonical href=/d>
    <meta http-equiv="Refresh" content="5; URL='/next'"><meta name="ROBOTS" content="noindex, NoFollow">
    <meta name="otherbot" content="none"><meta name="examplebot" content="noarchive">`)
  assert.deepEqual(page, {
    links: [],
    base: '/x/',
    canonical: '/c',
    refresh: '/next',
    directives: new Set(['noindex', 'nofollow', 'noarchive']),
  })
})

test('readLinks keeps no more links than it is told to', () => {
  const html = ['/a', '/b', '/c'].map((to) => `<a href="${to}">`).join('')
  assert.deepEqual(read(html, 3).links, ['/a', '/b', '/c'])
  assert.deepEqual(read(html, 2).links, ['/a', '/b'])
})

test('readLinks reads what no program has checked', () => {
  assert.deepEqual(read('<a href="/a"<a href=/b><p></a></div><a href="/c').links.slice(0, 1), ['/a'])
  assert.deepEqual(read('').links, [])
})

test('readRobotsTags reads what is said to all, and to this one', () => {
  const tags = (...fields: string[]): readonly string[] => [...readRobotsTags(fields, 'examplebot')]
  assert.deepEqual(tags('noindex, NOFOLLOW'), ['noindex', 'nofollow'])
  assert.deepEqual(tags('otherbot: noindex, nofollow'), [])
  assert.deepEqual(tags('otherbot: noindex', 'examplebot: nofollow'), ['nofollow'])
  assert.deepEqual(tags('unavailable_after: 25 Jun 2027 15:00:00 PST'), ['unavailable_after: 25 jun 2027 15:00:00 pst'])
})

const SITEMAP = `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url><loc> http://a.example/a?x=1&amp;y=2 </loc><lastmod>2026-01-01</lastmod>
    <image:image><image:loc>http://a.example/i.png</image:loc></image:image></url>
  <url><loc><![CDATA[http://a.example/b]]></loc></url><url><loc>/relative</loc></url>
</urlset>`

test('parseSitemap reads pages, and not their pictures', () => {
  assert.deepEqual(parseSitemap(SITEMAP), { pages: ['http://a.example/a?x=1&y=2', 'http://a.example/b'], sitemaps: [] })
})

test('parseSitemap reads an index', () => {
  const text = '<sitemapindex><sitemap><loc>http://a.example/1.xml.gz</loc></sitemap></sitemapindex>'
  assert.deepEqual(parseSitemap(text), { pages: [], sitemaps: ['http://a.example/1.xml.gz'] })
})

test('parseSitemap reads a list of lines, and nothing of what is neither', () => {
  assert.deepEqual(parseSitemap('http://a.example/a\r\nhttp://a.example/b\n').pages, [
    'http://a.example/a',
    'http://a.example/b',
  ])
  assert.deepEqual(parseSitemap('<html><a href="http://a.example/">').pages, [])
  assert.deepEqual(parseSitemap('<urlset><url><loc>http://a.example/a</loc></url><url><loc>http://a.ex').pages, [
    'http://a.example/a',
  ])
})

test('parseSitemap reads 50,000 pages, and no more', () => {
  const lines = Array.from({ length: 50_001 }, (_, i) => `http://a.example/${i}`)
  assert.equal(parseSitemap(lines.join('\n')).pages.length, 50_000)
  assert.equal(
    parseSitemap(`<urlset>${lines.map((url) => `<url><loc>${url}</loc></url>`).join('')}</urlset>`).pages.length,
    50_000,
  )
})
