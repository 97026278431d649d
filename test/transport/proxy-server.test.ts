import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { parseProxy } from '#src/transport/proxy-server.js'
import type { SocksRequest } from '#src/engine/socks/index.js'

const target = { host: 'example.net', port: 443 }

test('parseProxy reads the URL of each kind of proxy, with its port or the usual one', () => {
  const rows: readonly (readonly [url: string, shown: string])[] = [
    ['http://proxy.example', 'http://proxy.example:80'],
    ['http://proxy.example/', 'http://proxy.example:80'],
    ['HTTPS://proxy.example', 'https://proxy.example:443'],
    ['socks4://10.0.0.1', 'socks4://10.0.0.1:1080'],
    ['socks4a://ada@10.0.0.1:9', 'socks4a://10.0.0.1:9'],
    ['socks5://[::1]', 'socks5://[::1]:1080'],
    ['socks5h://ada:love@[2001:db8::1]:65535', 'socks5h://[2001:db8::1]:65535'],
    ['http://@proxy.example:3128', 'http://proxy.example:3128'],
  ]
  for (const [url, shown] of rows) {
    const proxy = parseProxy(url)
    assert.equal(String(proxy), shown)
    assert.equal(parseProxy(proxy), proxy)
  }
  assert.equal(parseProxy('socks5://[::1]').host, '::1')
})

test('parseProxy takes user and password out of the URL, with %-escapes, for the protocol of the proxy', () => {
  const requestOf = (url: string): SocksRequest => parseProxy(url).socksRequest(target)
  assert.deepEqual(requestOf('socks5://a%40b:%C3%BC%3A%2F@h'), {
    version: 5,
    target,
    credentials: { user: 'a@b', password: 'ü:/' },
  })
  assert.deepEqual(requestOf('socks5h://ada@h'), { version: 5, target, credentials: { user: 'ada', password: '' } })
  assert.deepEqual(requestOf('socks5h://h'), { version: 5, target, credentials: undefined })
  assert.deepEqual(requestOf('socks4a://ada@h'), { version: '4a', target, user: 'ada' })
  assert.deepEqual(requestOf('socks4://h'), { version: 4, target, user: undefined })
  const basic = ['Proxy-Authorization', `Basic ${Buffer.from('ada:l:ve').toString('base64')}`]
  assert.deepEqual(parseProxy('http://ada:l:ve@h').headers, [basic])
  const headers = { 'user-agent': 'test', 'x-list': ['1', '2'] }
  const listed = [
    ['user-agent', 'test'],
    ['x-list', '1'],
    ['x-list', '2'],
  ]
  assert.deepEqual(parseProxy({ url: 'http://h', headers }).headers, listed)
  assert.deepEqual(parseProxy({ url: 'http://ada:l%3Ave@h', headers }).headers, [basic, ...listed])
  const own = { 'proxy-authorization': 'Bearer token' }
  assert.deepEqual(parseProxy({ url: 'http://ada@h', headers: own }).headers, [['proxy-authorization', 'Bearer token']])
})

test('parseProxy refuses what is no proxy, names the part that is wrong, and shows no password', () => {
  const rows: readonly (readonly [given: unknown, says: RegExp])[] = [
    ['', /scheme/],
    ['proxy.example:3128', /scheme/],
    ['ada:secret@proxy.example:3128', /scheme/],
    ['ada:secret', /scheme/],
    ['http:/ada:secret@h', /scheme/],
    ['ftp://ada:secret@h', /scheme "ftp" is unknown/],
    ['socks6://ada:secret@h', /did you mean "socks/],
    ['http://ada:secret@', /the host is missing/],
    ['http://ada:secret@:80', /the host is missing/],
    ['http://ada:secret', /port/],
    ['http://ada:secret@h:', /port/],
    ['http://ada:secret@h:0', /port/],
    ['http://ada:secret@h:65536', /port/],
    ['http://ada:secret@h:80x', /port/],
    ['http://ada:secret@h o', /no host/],
    ['http://ada:secret@b\u00fccher.example', /no host/],
    ['http://ada:secret@[h]', /no host/],
    ['http://ada:secret@::1', /brackets/],
    ['http://ada:sec@ret@h', /%-escape/],
    ['http://ada:sec/ret@h', /%-escape/],
    ['http://ada:sec?ret@h', /%-escape/],
    ['http://ada:secret%@h', /malformed %-escape/],
    ['http://ada:secret%ff@h', /malformed %-escape/],
    ['http://ada:secret@h/path', /path/],
    ['http://ada:secret@h?query', /query/],
    ['http://ada:secret@h#fragment', /fragment/],
    ['socks4://ada:secret@h', /no password/],
    [{ url: 'socks5://ada:secret@h', headers: { a: 'b' } }, /SOCKS has no headers/],
    [{ url: 'http://h', headers: { 'proxy-authorization': 'secret\r\n' } }, /cannot be sent/],
    [17, /neither a URL nor/],
    [null, /neither a URL nor/],
    [{}, /url is missing/],
  ]
  for (const [given, says] of rows) {
    assert.throws(
      () => parseProxy(given),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_PROXY_URL', inspect(given))
        assert.match(error.message, says)
        assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }).replace(/at .*/g, ''), /sec\W?ret/)
        return true
      },
    )
  }
})

test('parseProxy refuses what cannot be said to the proxy before any connection is made', () => {
  const coded =
    (code: string): ((error: Error & { code?: string }) => boolean) =>
    (error) =>
      error.code === code && !inspect(error, { depth: 9 }).includes('secret')
  assert.throws(() => parseProxy('http://a%3Ab:secret@h'), coded('ERR_ARGUMENT'))
  assert.throws(() => parseProxy('http://ada:secret%0a@h'), coded('ERR_ARGUMENT'))
  assert.throws(() => parseProxy('socks5://:secret@h'), coded('ERR_ARGUMENT'))
  assert.throws(() => parseProxy(`socks5://ada:secret${'x'.repeat(250)}@h`), coded('ERR_ARGUMENT'))
  assert.throws(() => parseProxy({ url: 'http://h', headers: { host: 'secret' } }), coded('ERR_ARGUMENT'))
  assert.throws(() => parseProxy({ url: 'http://h', headers: { 'a b': 'secret' } }), coded('ERR_ARGUMENT'))
  assert.throws(() => parseProxy({ url: 'http://h', header: {} }), coded('ERR_OPTION_UNKNOWN'))
  assert.throws(() => parseProxy({ url: 'http://h', tls: { verfy: true } }), coded('ERR_OPTION_UNKNOWN'))
})

test('a proxy that is printed tells nothing of its secrets', () => {
  const proxy = parseProxy({ url: 'http://ada:secret@h', headers: { 'x-key': 'secret' } })
  assert.doesNotMatch(
    inspect(proxy, { depth: 9, showHidden: true }) + JSON.stringify(proxy) + String(proxy),
    /secret|ada/,
  )
})
