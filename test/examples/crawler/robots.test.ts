import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRobots } from '../../../examples/crawler/robots.js'

interface Row {
  readonly name: string
  readonly robots: string
  readonly product?: string
  readonly allowed?: readonly string[]
  readonly disallowed?: readonly string[]
}

const ROWS: readonly Row[] = [
  { name: 'nothing is said: all is allowed', robots: '', allowed: ['/', '/a'] },
  {
    name: '§2.2.1: a product token is found in any case',
    robots: 'User-Agent: ExampleBot\nDisallow: /',
    product: 'examplebot',
    disallowed: ['/a'],
  },
  {
    name: '§2.2.1: a version behind the token does not count',
    robots: 'User-agent: examplebot/1.2\nDisallow: /',
    disallowed: ['/a'],
  },
  { name: '§2.2.1: a token is not a part of another', robots: 'User-agent: example\nDisallow: /', allowed: ['/a'] },
  { name: '§2.2.1: a longer token is another', robots: 'User-agent: examplebot-news\nDisallow: /', allowed: ['/a'] },
  {
    name: '§2.2.1: the group of * counts for whoever has none',
    robots: 'User-agent: other\nAllow: /\n\nUser-agent: *\nDisallow: /a',
    disallowed: ['/a'],
    allowed: ['/b'],
  },
  {
    name: '§2.2.1: the group of * does not count for whoever has one',
    robots: 'User-agent: *\nDisallow: /a\nUser-agent: examplebot\nDisallow: /b',
    allowed: ['/a'],
    disallowed: ['/b'],
  },
  {
    name: '§2.2.1: a group without rules allows all',
    robots: 'User-agent: *\nDisallow: /\n\nUser-agent: examplebot\n',
    allowed: ['/a'],
  },
  {
    name: '§2.2.1: groups of the same token are one',
    robots:
      'User-agent: examplebot\nDisallow: /a\nUser-agent: other\nDisallow: /b\nUser-agent: examplebot\nDisallow: /c',
    disallowed: ['/a', '/c'],
    allowed: ['/b'],
  },
  {
    name: '§2.2.1: several tokens share the rules behind them',
    robots: 'User-agent: other\nUser-agent: examplebot\nDisallow: /a',
    disallowed: ['/a'],
  },
  {
    name: '§2.2.1: empty lines and comments do not end a group',
    robots: 'User-agent: examplebot # this one\n\n# and\n\nUser-agent: other\n\nDisallow: /a # not here',
    disallowed: ['/a'],
  },
  {
    name: '§2.2.1: rules before the first group count for nobody',
    robots: 'Disallow: /\nUser-agent: examplebot\nDisallow: /a',
    allowed: ['/b'],
    disallowed: ['/a'],
  },
  {
    name: '§2.2.2: the longest rule counts, in any order',
    robots: 'User-agent: *\nAllow: /example/page/disallowed.gif\nDisallow: /example/page/',
    allowed: ['/example/page/disallowed.gif', '/example'],
    disallowed: ['/example/page/a'],
  },
  {
    name: '§2.2.2: of two as long the one that allows',
    robots: 'User-agent: *\nDisallow: /a\nAllow: /a',
    allowed: ['/a', '/ab'],
  },
  {
    name: '§2.2.2: a path is matched from its beginning, with regard to case',
    robots: 'User-agent: *\nDisallow: /fish',
    disallowed: ['/fish', '/fish.html', '/fishheads/a', '/fish?id=a'],
    allowed: ['/Fish.asp', '/catfish', '/?id=fish'],
  },
  {
    name: '§2.2.2: an empty rule is none',
    robots: 'User-agent: *\nDisallow:\nDisallow: /a',
    allowed: ['/b'],
    disallowed: ['/a'],
  },
  {
    name: '§2.2.2: the query belongs to the path',
    robots: 'User-agent: *\nDisallow: /foo/bar?baz=quz',
    disallowed: ['/foo/bar?baz=quz'],
    allowed: ['/foo/bar', '/foo/bar?baz=other'],
  },
  {
    name: '§2.2.2: what is reserved is as different as it is written',
    robots: 'User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar',
    disallowed: ['/foo/bar?baz=https://foo.bar'],
    allowed: ['/foo/bar?baz=https%3A%2F%2Ffoo.bar'],
  },
  {
    name: '§2.2.2: characters outside of ASCII are compared encoded',
    robots: 'User-agent: *\nDisallow: /foo/bar/ツ',
    disallowed: ['/foo/bar/ツ', '/foo/bar/%E3%83%84', '/foo/bar/%e3%83%84'],
    allowed: ['/foo/bar/%E3%83%85'],
  },
  {
    name: '§2.2.2: an encoded rule matches the character',
    robots: 'User-agent: *\nDisallow: /foo/bar/%E3%83%84',
    disallowed: ['/foo/bar/ツ'],
  },
  {
    name: '§2.2.2: what need not be encoded is the same when it is',
    robots: 'User-agent: *\nDisallow: /foo/bar/%62%61%7A',
    disallowed: ['/foo/bar/baz', '/foo/bar/%62%61%7a'],
  },
  {
    name: '§2.2.2: what need not be encoded is the same in the URL',
    robots: 'User-agent: *\nDisallow: /~joe/',
    disallowed: ['/%7Ejoe/', '/%7ejoe/a', '/~joe/'],
  },
  {
    name: '§2.2.3: * stands for anything',
    robots: 'User-agent: *\nDisallow: /*.gif\nDisallow: /a/*/c',
    disallowed: ['/x.gif', '/x/y.gif?z', '/a/b/c', '/a/b/b/cc', '/a//c'],
    allowed: ['/gif', '/a/c', '/x.GIF'],
  },
  {
    name: '§2.2.3: several * are one',
    robots: 'User-agent: *\nDisallow: /**a***b',
    disallowed: ['/ab', '/xaxb'],
    allowed: ['/ba'],
  },
  {
    name: '§2.2.3: $ is the end',
    robots: 'User-agent: *\nDisallow: /*.php$\nDisallow: /this/path/exactly$',
    disallowed: ['/a.php', '/.php/a.php', '/this/path/exactly'],
    allowed: ['/a.php?b', '/a.php5', '/this/path/exactly/not'],
  },
  {
    name: '§2.2.3: $ behind * says nothing',
    robots: 'User-agent: *\nDisallow: /a*$',
    disallowed: ['/a', '/abc'],
    allowed: ['/b'],
  },
  {
    name: '§2.2.3: $ elsewhere is itself',
    robots: 'User-agent: *\nDisallow: /a$b',
    disallowed: ['/a$b', '/a%24bc'],
    allowed: ['/a'],
  },
  {
    name: '§2.2.3: the special characters themselves are encoded',
    robots: 'User-agent: *\nDisallow: /file-with-a-%2A.html\nDisallow: /foo-%24',
    disallowed: ['/file-with-a-*.html', '/foo-$', '/foo-%24'],
    allowed: ['/file-with-a-b.html', '/foo-'],
  },
  {
    name: '§2.2.3: what stands behind * is not what stood before it',
    robots: 'User-agent: *\nDisallow: /ab*b$',
    disallowed: ['/abb', '/abxb'],
    allowed: ['/ab'],
  },
  {
    name: '§2.2.4: other records do not end a group',
    robots:
      'User-agent: other\nSitemap: https://a.example/s.xml\nUser-agent: examplebot\nCrawl-delay: 3\nUser-agent: third\nDisallow: /a',
    disallowed: ['/a'],
  },
  {
    name: '§2.2: robots.txt itself is always allowed',
    robots: 'User-agent: *\nDisallow: /',
    allowed: ['/robots.txt'],
    disallowed: ['/robots.txt/a'],
  },
  {
    name: '§2.2: lines end by CR, LF or both, and may be indented',
    robots: 'User-agent: *\rDisallow: /a\r\n\tDisallow : /b  \nDisallow:/c',
    disallowed: ['/a', '/b', '/c'],
    allowed: ['/d'],
  },
  {
    name: 'a byte order mark is not part of the first line',
    robots: '\uFEFFUser-agent: *\nDisallow: /a',
    disallowed: ['/a'],
  },
  {
    name: '§2.2: what is no record is passed over',
    robots: '<html>\n:\nUser-agent\nUser-agent: *\nnonsense: 1\nDisallow: /a',
    disallowed: ['/a'],
    allowed: ['/b'],
  },
  // §5.1
  {
    name: '§5.1: the simple example, for a crawler that it names',
    robots: SIMPLE(),
    product: 'foobot',
    allowed: ['/', '/example/page.html', '/example/page.html?a'],
    disallowed: ['/other', '/example/page.htm'],
  },
  {
    name: '§5.1: the simple example, for one of two',
    robots: SIMPLE(),
    product: 'bazbot',
    allowed: ['/', '/other'],
    disallowed: ['/example/page.html'],
  },
  {
    name: '§5.1: the simple example, for one that is shut out',
    robots: SIMPLE(),
    product: 'quxbot',
    allowed: ['/', '/a'],
  },
  {
    name: '§5.1: the simple example, for any other',
    robots: SIMPLE(),
    product: 'any',
    allowed: ['/publications/a', '/'],
    disallowed: ['/example/a', '/a.gif'],
  },
  // §5.2
  {
    name: '§5.2: the longest match',
    robots: 'User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif',
    product: 'foobot',
    allowed: ['/example/page/a'],
    disallowed: ['/example/page/disallowed.gif'],
  },
]

function SIMPLE(): string {
  return `User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/$

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot

EOF`
}

for (const { name, robots, product = 'examplebot', allowed = [], disallowed = [] } of ROWS) {
  test(`parseRobots: ${name}`, () => {
    const rules = parseRobots(robots, product)
    const allows = (path: string): boolean => rules.allows(new URL(path, 'http://a.example'))
    assert.deepEqual(
      allowed.filter((path) => !allows(path)),
      [],
      'allowed',
    )
    assert.deepEqual(disallowed.filter(allows), [], 'disallowed')
  })
}

test('parseRobots finds sitemaps anywhere, and the delay of the group', () => {
  const text = `Sitemap: https://a.example/1.xml
User-agent: *
Crawl-delay: 2.5
Disallow: /a
User-agent: examplebot
Crawl-delay: nonsense
Crawl-delay:
Crawl-delay: -1
Sitemap: https://a.example/2.xml`
  assert.deepEqual(parseRobots(text, 'examplebot').sitemaps, ['https://a.example/1.xml', 'https://a.example/2.xml'])
  assert.equal(parseRobots(text, 'examplebot').crawlDelayMs, undefined)
  assert.equal(parseRobots(text, 'other').crawlDelayMs, 2500)
})

test('Robots: a rule of many stars is matched in linear work', () => {
  const rules = parseRobots(`User-agent: *\nDisallow: /${'*a'.repeat(20_000)}b$`, 'examplebot')
  assert.equal(rules.allows(new URL(`http://a.example/${'a'.repeat(100_000)}`)), true)
})
