import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor, type Environment } from '#src/client/environment.js'

type Row = readonly [name: string, url: string, env: Environment, expected: string | undefined]

const P = 'http://p.example:3128'
const Q = 'socks5h://q.example'

const CHOICE: readonly Row[] = [
  ['nothing set', 'http://a/', {}, undefined],
  ['http_proxy', 'http://a/', { http_proxy: P }, P],
  ['http_proxy is not for https', 'https://a/', { http_proxy: P }, undefined],
  ['HTTP_PROXY', 'http://a/', { HTTP_PROXY: P }, P],
  ['lower case first', 'http://a/', { HTTP_PROXY: P, http_proxy: Q }, Q],
  ['HTTP_PROXY in a CGI program', 'http://a/', { HTTP_PROXY: P, REQUEST_METHOD: 'GET' }, undefined],
  ['http_proxy in a CGI program', 'http://a/', { http_proxy: P, REQUEST_METHOD: 'GET' }, P],
  ['ALL_PROXY in a CGI program', 'http://a/', { HTTP_PROXY: P, ALL_PROXY: Q, REQUEST_METHOD: 'GET' }, Q],
  ['HTTP_PROXY with an empty REQUEST_METHOD', 'http://a/', { HTTP_PROXY: P, REQUEST_METHOD: '' }, P],
  ['HTTPS_PROXY in a CGI program', 'https://a/', { HTTPS_PROXY: P, REQUEST_METHOD: 'GET' }, P],
  ['https_proxy', 'https://a/', { https_proxy: P }, P],
  ['https_proxy is not for http', 'http://a/', { https_proxy: P }, undefined],
  ['HTTPS_PROXY', 'https://a/', { HTTPS_PROXY: P }, P],
  ['ws', 'ws://a/', { http_proxy: P, https_proxy: Q }, P],
  ['wss', 'wss://a/', { http_proxy: P, https_proxy: Q }, Q],
  ['all_proxy', 'http://a/', { all_proxy: P }, P],
  ['ALL_PROXY', 'https://a/', { ALL_PROXY: P }, P],
  ['all_proxy counts last', 'https://a/', { all_proxy: P, HTTPS_PROXY: Q }, Q],
  ['all_proxy for another scheme', 'ftp://a/', { http_proxy: P, all_proxy: Q }, Q],
  ['an empty one is not set', 'http://a/', { http_proxy: '', HTTP_PROXY: P }, P],
  ['space alone is not set', 'http://a/', { http_proxy: ' ' }, undefined],
  ['no scheme', 'http://a/', { http_proxy: 'p.example:3128' }, 'http://p.example:3128'],
  ['no scheme, with a user', 'http://a/', { http_proxy: 'u:p@p.example' }, 'http://u:p@p.example'],
  ['space around', 'http://a/', { http_proxy: ` ${P}\n` }, P],
  ['localhost is not special', 'http://localhost/', { http_proxy: P }, P],
  ['nor is 127.0.0.1', 'http://127.0.0.1/', { http_proxy: P }, P],
  ['NO_PROXY', 'http://a/', { http_proxy: P, NO_PROXY: 'a' }, undefined],
  ['no_proxy', 'http://a/', { http_proxy: P, no_proxy: 'a' }, undefined],
  ['no_proxy before NO_PROXY', 'http://a/', { http_proxy: P, no_proxy: 'b', NO_PROXY: 'a' }, P],
  ['an empty no_proxy is not set', 'http://a/', { http_proxy: P, no_proxy: '', NO_PROXY: 'a' }, undefined],
]

test('proxyFor chooses by its table', () => {
  for (const [name, url, env, expected] of CHOICE) assert.equal(proxyFor(new URL(url), env), expected, name)
})

const EXEMPT: readonly (readonly [noProxy: string, url: string, isExempt: boolean])[] = [
  ['*', 'http://a.example/', true],
  ['b, *', 'http://a.example/', true],
  ['*', 'http://[::1]/', true],
  ['a.example', 'http://a.example/', true],
  ['A.Example', 'http://a.EXAMPLE/', true],
  ['a.example.', 'http://a.example/', true],
  ['a.example', 'http://a.example./', true],
  ['a.example', 'http://x.a.example/', true],
  ['a.example', 'http://xa.example/', false],
  ['a.example', 'http://example/', false],
  ['.a.example', 'http://x.a.example/', true],
  ['.a.example', 'http://a.example/', true],
  ['.a.example', 'http://xa.example/', false],
  ['*.a.example', 'http://x.a.example/', true],
  ['*a.example', 'http://xa.example/', false],
  ['.', 'http://a.example/', false],
  ['*.', 'http://a.example/', false],
  ['b,a.example', 'http://a.example/', true],
  ['b a.example', 'http://a.example/', true],
  [' b ,\t a.example ', 'http://a.example/', true],
  [',,', 'http://a.example/', false],
  ['bücher.example', 'http://xn--bcher-kva.example/', true],
  ['bücher.example', 'http://x.bücher.example/', true],
  ['a.example:80', 'http://a.example/', true],
  ['a.example:80', 'http://a.example:8080/', false],
  ['a.example:8080', 'http://a.example:8080/', true],
  ['a.example:443', 'https://a.example/', true],
  ['a.example:443', 'wss://x.a.example/', true],
  ['a.example:80', 'https://a.example/', false],
  ['a.example:080', 'http://a.example/', true],
  ['a.example:x', 'http://a.example/', false],
  ['localhost', 'http://localhost/', true],
  ['localhost', 'http://127.0.0.1/', false],
  ['127.0.0.1', 'http://127.0.0.1/', true],
  ['127.0.0.1', 'http://0x7f.1/', true],
  ['127.0.0.1', 'http://127.0.0.2/', false],
  ['127.0.0.1:80', 'http://127.0.0.1/', true],
  ['127.0.0.1:80', 'http://127.0.0.1:81/', false],
  ['0.0.1', 'http://127.0.0.1/', false],
  ['10.0.0.0/8', 'http://10.255.1.2/', true],
  ['10.0.0.0/8', 'http://11.0.0.0/', false],
  ['10.0.0.0/8', 'http://ten.example/', false],
  ['10.9.9.9/8', 'http://10.0.0.1/', true],
  ['192.168.4.0/23', 'http://192.168.5.255/', true],
  ['192.168.4.0/23', 'http://192.168.6.0/', false],
  ['192.168.4.0/32', 'http://192.168.4.0/', true],
  ['192.168.4.0/32', 'http://192.168.4.1/', false],
  ['192.168.4.0/33', 'http://192.168.4.0/', false],
  ['192.168.4.0/', 'http://192.168.4.0/', false],
  ['192.168.4.0/x', 'http://192.168.4.0/', false],
  ['0.0.0.0/0', 'http://1.2.3.4/', true],
  ['0.0.0.0/0', 'http://[::1]/', false],
  ['10.0.0.0/8:8080', 'http://10.1.1.1:8080/', true],
  ['10.0.0.0/8:8080', 'http://10.1.1.1/', false],
  ['::1', 'http://[::1]/', true],
  ['::1', 'http://[::2]/', false],
  ['[::1]', 'http://[::1]/', true],
  ['[::1]:80', 'http://[::1]/', true],
  ['[::1]:80', 'http://[::1]:81/', false],
  ['0:0:0:0:0:0:0:1', 'http://[::1]/', true],
  ['2001:db8::/32', 'http://[2001:db8:1::5]/', true],
  ['2001:db8::/32', 'http://[2001:db9::]/', false],
  ['2001:DB8::/33', 'http://[2001:db8:8000::]/', false],
  ['::/0', 'http://[::1]/', true],
  ['::/129', 'http://[::]/', false],
  ['::/0', 'http://1.2.3.4/', false],
  ['[2001:db8::/32]:8080', 'http://[2001:db8::1]:8080/', true],
]

test('proxyFor exempts what no_proxy has', () => {
  for (const [list, url, isExempt] of EXEMPT)
    assert.equal(
      proxyFor(new URL(url), { all_proxy: P, no_proxy: list }),
      isExempt ? undefined : P,
      `${list} and ${url}`,
    )
})
