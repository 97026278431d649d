import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalUrl } from '../../../examples/crawler/canonical-url.js'

const BASE = 'http://a.example/dir/page?x=1'

const ROWS: readonly (readonly [name: string, href: string, canonical: string | undefined])[] = [
  ['relative to its page', '../b', 'http://a.example/b'],
  ['no fragment', 'b#part', 'http://a.example/dir/b'],
  ['no user', 'http://me:secret@a.example/b', 'http://a.example/b'],
  ['scheme and host in lower case, and a path', 'HTTP://A.Example', 'http://a.example/'],
  ['no default port', 'https://a.example:443/b', 'https://a.example/b'],
  ['another port stays', 'https://a.example:8443/b', 'https://a.example:8443/b'],
  ['no dot behind the host', 'http://a.example./b', 'http://a.example/b'],
  ['no dot behind the host, before a port', 'http://a.example.:81/b', 'http://a.example:81/b'],
  ['an international name in ASCII', 'http://bücher.example/', 'http://xn--bcher-kva.example/'],
  ['dots in a path are walked', '/a/./b/../c', 'http://a.example/a/c'],
  ['what need not be encoded is not', '/%7Ejoe/%61', 'http://a.example/~joe/a'],
  ['what must be is, in upper case', '/a%2fb c/ü', 'http://a.example/a%2Fb%20c/%C3%BC'],
  ['a percent sign that encodes nothing stays', '/100%', 'http://a.example/100%'],
  ['parameters in order', '?b=2&a=1', 'http://a.example/dir/page?a=1&b=2'],
  ['equal parameters as they stood', '?b=2&a=9&b=1', 'http://a.example/dir/page?a=9&b=2&b=1'],
  ['no parameters that track', '?utm_source=x&a=1&UTM_Medium=y&gclid=z&fbclid=', 'http://a.example/dir/page?a=1'],
  ['no session', '/b;jsessionid=1A2B?PHPSESSID=x&session_id=y', 'http://a.example/b'],
  ['no session of ASP.NET', '/(S(abc123))/b', 'http://a.example/b'],
  ['no empty query', '/b?', 'http://a.example/b'],
  ['no empty parameters', '/b?&a&&', 'http://a.example/b?a'],
  ['a parameter that only begins like one that tracks stays', '/b?utmost=1&sid=2', 'http://a.example/b?sid=2&utmost=1'],
  ['an index page is not its folder', '/index.html', 'http://a.example/index.html'],
  ['a slash at the end stays', '/b/', 'http://a.example/b/'],
  ['double slashes stay', '/a//b', 'http://a.example/a//b'],
  ['mail', 'mailto:a@b.example', undefined],
  ['script', 'javascript:void(0)', undefined],
  ['files', 'file:///etc/passwd', undefined],
  ['what is no URL', 'http://[nonsense', undefined],
]

for (const [name, href, canonical] of ROWS) {
  test(`canonicalUrl: ${name}`, () => assert.equal(canonicalUrl(href, BASE, { sortsQuery: true }), canonical))
}

test('canonicalUrl keeps the order of parameters where it is told to', () => {
  assert.equal(canonicalUrl('?b=2&utm_x=1&a=1', BASE, { sortsQuery: false }), 'http://a.example/dir/page?b=2&a=1')
})

test('canonicalUrl of what it gave is the same', () => {
  const rules = { sortsQuery: true }
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      const once = canonicalUrl(url, undefined, rules)
      assert.ok(once !== undefined)
      assert.equal(canonicalUrl(once, undefined, rules), once)
    }),
  )
})
