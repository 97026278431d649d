import { gzipSync } from 'node:zlib'
import type { CurlRow } from './_curl-judge.js'

const A = ['-A', 'test']
const redirect = (status: number, location = '/to'): string =>
  `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
const UNKNOWN = 'RFC 3986 §2: what no URL may have is encoded; strict servers answer 400 otherwise.'

const WRITE_OUT =
  '%{http_code} %{response_code} %{url_effective} %{num_redirects} %{content_type} %{http_version} %{method} %{size_download} %{remote_ip} %{remote_port} %{local_ip} %{exitcode} %{scheme} %{num_headers} %{size_header} %{filename_effective} %{urlnum} %{url} %%\\t%{stderr}%{stdout}\\n'

/** URLs, redirects, proxies, and what is done with answers. */
export const WAY_ROWS: readonly CurlRow[] = [
  { name: 'a host alone', words: [...A, '127.0.0.1:{port}'] },
  { name: 'a query without a path', words: [...A, '{url}?a/../b'] },
  { name: 'an empty query', words: [...A, '{url}/?'] },
  { name: 'a fragment', words: [...A, '{url}/a#b?c'] },
  { name: 'dots in the path', words: [...A, '{url}/a/./b/../c//d/..'] },
  { name: '--path-as-is', words: [...A, '--path-as-is', '{url}/a/./b/../c'] },
  { name: 'encoded dots stay', words: [...A, '{url}/a/%2E%2e/b%2f'] },
  { name: 'a path in UTF-8', words: [...A, '{url}/ä/☃'] },
  { name: 'characters that need no encoding', words: [...A, "{url}/a|b^c`d'e~!$&()*+,;=:@?q='|^`"] },
  { name: '-g takes braces and brackets', words: [...A, '-g', '{url}/a{b}[c]?q={x}[y]'] },
  {
    name: 'quotes and angles in a path',
    words: [...A, '{url}/a"b<c>'],
    explained: { why: UNKNOWN, parts: [['/a"b<c>', '/a%22b%3cc%3e']] },
  },
  {
    name: 'a backslash in a path',
    words: [...A, '{url}/a\\b'],
    explained: { why: UNKNOWN, parts: [['/a\\b', '/a%5cb']] },
  },
  {
    name: 'a query in UTF-8',
    words: [...A, '{url}/?q=ä'],
    explained: { why: UNKNOWN, parts: [['?q=\u00c3\u00a4', '?q=%c3%a4']] },
  },
  { name: 'sets in a URL', words: [...A, '{url}/{a,b}/{c,d}'] },
  { name: 'ranges in a URL', words: [...A, '{url}/[08-10]/[a-b]?[1-5:2]'] },
  { name: 'the parts of a pattern in the name of a file', words: [...A, '-o', 'out/#1-#2-#3', '{url}/{a,b}/[1-2]'] },
  { name: 'brackets with nothing in them', words: [...A, '{url}/[]?a[]=1&b[]=2'] },
  { name: 'a set of nothing', words: [...A, '{url}/{}'] },
  { name: 'a bracket that is no pattern', words: [...A, '{url}/[a'] },
  { name: 'a range that goes down', words: [...A, '{url}/[5-1]'] },
  { name: 'an escaped brace', words: [...A, '{url}/\\{a\\}'] },
  { name: 'a space in a URL', words: [...A, '{url}/a b'] },
  { name: 'another protocol', words: [...A, 'unheard://127.0.0.1:{port}/'] },
  { name: 'a host in capitals', words: [...A, 'http://LocalHost:{port}/'] },
  { name: 'two URLs', words: [...A, '{url}/a', '{url}/b'] },
  { name: '--url', words: [...A, '--url', '{url}/a'] },
  ...[301, 302, 303, 307, 308].flatMap((status): readonly CurlRow[] => [
    { name: `-L behind ${status}`, words: [...A, '-L', '{url}/a'], answers: [redirect(status)] },
    { name: `-L -d behind ${status}`, words: [...A, '-L', '-d', 'x', '{url}/a'], answers: [redirect(status)] },
    {
      name: `-L -X POST -d behind ${status}`,
      words: [...A, '-L', '-X', 'POST', '-d', 'x', '{url}/a'],
      answers: [redirect(status)],
      ...(status < 307
        ? {
            explained: {
              why: 'RFC 9110 §8.6: a POST that has no content any more says so.',
              parts: [
                [
                  'POST /to HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\n',
                  'POST /to HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\nContent-Length: 0\r\n',
                ],
              ],
            },
          }
        : {}),
    },
  ]),
  { name: '-L -I behind 303', words: [...A, '-L', '-I', '{url}/a'], answers: [redirect(303)] },
  {
    name: '-L -T behind 303',
    words: [...A, '-L', '-H', 'Expect:', '-T', 'f.txt', '{url}/a'],
    answers: [redirect(303)],
  },
  {
    name: '-L -T behind 302',
    words: [...A, '-L', '-H', 'Expect:', '-T', 'f.txt', '{url}/a'],
    answers: [redirect(302)],
  },
  { name: '-L -F behind 307', words: [...A, '-L', '-F', 'a=b', '{url}/a'], answers: [redirect(307)] },
  { name: '-L --post301', words: [...A, '-L', '--post301', '-d', 'x', '{url}/a'], answers: [redirect(301)] },
  { name: '-L --post302', words: [...A, '-L', '--post302', '-d', 'x', '{url}/a'], answers: [redirect(302)] },
  { name: '-L --post303', words: [...A, '-L', '--post303', '-d', 'x', '{url}/a'], answers: [redirect(303)] },
  {
    name: '-L -d with a type',
    words: [...A, '-L', '-H', 'Content-Type: q', '-d', 'x', '{url}/a'],
    answers: [redirect(301)],
  },
  ...['javascript:1', 'mailto:a@b', 'a:b', 'localhost:80/x', 'http:b', './a:b'].flatMap(
    (location): readonly CurlRow[] => [
      { name: `-L to ${location}`, words: [...A, '-L', '{url}/x/y'], answers: [redirect(302, location)] },
    ],
  ),
  {
    name: 'a redirect to another protocol that is not followed',
    words: [...A, '-w', '%{redirect_url}', '{url}/x'],
    answers: [redirect(302, 'javascript:1')],
  },
  { name: '-L to another path', words: [...A, '-L', '{url}/a/b/c?q'], answers: [redirect(302, '../d?e=f#g')] },
  { name: '-L to a query', words: [...A, '-L', '{url}/a/b?q'], answers: [redirect(302, '?other')] },
  { name: '-L to a URL with a space', words: [...A, '-L', '{url}/a'], answers: [redirect(302, '/b c')] },
  { name: '-L to a URL in UTF-8', words: [...A, '-L', '{url}/a'], answers: [redirect(302, '/b\u00c3\u00a4')] },
  { name: '-L -e ;auto', words: [...A, '-L', '-e', ';auto', '{url}/a'], answers: [redirect(302)] },
  { name: '-L -e url;auto', words: [...A, '-L', '-e', 'http://x.example/;auto', '{url}/a'], answers: [redirect(302)] },
  {
    name: '-L gives no credentials to another host',
    words: [...A, '-L', '-u', 'a:b', '-H', 'X: y', '{url}/a'],
    answers: [redirect(302, 'http://localhost:{port}/b')],
  },
  {
    name: '-L gives no fields of credentials to another host',
    words: [...A, '-L', '-H', 'Authorization: x', '-H', 'Cookie: q=r', '{url}/a'],
    answers: [redirect(302, 'http://localhost:{port}/b')],
  },
  {
    name: '-L -b gives cookies that were said to any host',
    words: [...A, '-L', '-b', 'c=d', '{url}/a'],
    answers: [redirect(302, 'http://localhost:{port}/b')],
  },
  {
    name: '--location-trusted does',
    words: [...A, '--location-trusted', '-u', 'a:b', '{url}/a'],
    answers: [redirect(302, 'http://localhost:{port}/b')],
  },
  {
    name: '--max-redirs',
    words: [...A, '-L', '--max-redirs', '1', '{url}/a'],
    answers: [redirect(302), redirect(302)],
  },
  {
    name: 'a redirect without -L',
    words: [...A, '{url}/a'],
    answers: [redirect(302).replace('0\r\n\r\n', '2\r\n\r\nhi')],
  },
  { name: '-L --digest', words: [...A, '-L', '--digest', '-u', 'a:b', '{url}/a'], answers: [redirect(302)] },
  { name: '-x', words: [...A, '-x', '{url}', 'http://far.example/x?y'] },
  { name: 'HTTP_PROXY in capitals', words: [...A, '{url}/'], env: { HTTP_PROXY: '127.0.0.1:1' } },
  { name: 'http_proxy', words: [...A, 'http://far.example/'], env: { http_proxy: '{url}' } },
  { name: 'ALL_PROXY', words: [...A, 'http://far.example/'], env: { ALL_PROXY: '{url}' } },
  { name: '-x beside NO_PROXY', words: [...A, '-x', '127.0.0.1:1', '{url}/'], env: { NO_PROXY: '127.0.0.1' } },
  { name: '-x beside no_proxy', words: [...A, '-x', '127.0.0.1:1', '{url}/'], env: { no_proxy: '*' } },
  {
    name: '-x --noproxy with nothing beside no_proxy',
    words: [...A, '-x', '127.0.0.1:1', '--noproxy', '', '{url}/'],
    env: { no_proxy: '*' },
  },
  {
    name: '-x with a password that has a % of its own',
    words: [...A, '-x', 'http://u:sec%zz@127.0.0.1:{port}', 'http://far.example/'],
  },
  { name: '-x without a scheme', words: [...A, '-x', '127.0.0.1:{port}', 'http://far.example/'] },
  { name: '-x -U', words: [...A, '-x', '{url}', '-U', 'a:b', 'http://far.example/'] },
  { name: '-x with a user', words: [...A, '-x', 'http://a:b%20c@127.0.0.1:{port}', 'http://far.example/'] },
  { name: '-x -d', words: [...A, '-x', '{url}', '-d', 'x', 'http://far.example:8080/'] },
  {
    name: '-x without Proxy-Connection',
    words: [...A, '-x', '{url}', '-H', 'Proxy-Connection:', 'http://far.example/'],
  },
  { name: '-x --noproxy', words: [...A, '-x', 'http://127.0.0.1:1', '--noproxy', '127.0.0.1', '{url}/'] },
  {
    name: '-x --proxy-digest',
    words: [...A, '-x', '{url}', '--proxy-digest', '-U', 'a:b', 'http://far.example/x'],
    answers: [
      'HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm="r", nonce="n", qop="auth", opaque="o", algorithm=MD5\r\nContent-Length: 0\r\n\r\n',
    ],
    explained: {
      why: 'RFC 7616 §3.4: uri is what stands in the first line, which is the whole URL for a proxy.',
      parts: [['uri="/x"', 'uri="http://far.example/x"']],
    },
  },
  {
    name: '-x for https: opens a tunnel',
    words: [...A, '-x', '{url}', '-U', 'a:b', 'https://far.example/x'],
    answers: ['HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
  },
  {
    name: '-x --proxy-header for https:',
    words: [...A, '-x', '{url}', '--proxy-header', 'X-P: 1', 'https://far.example:444/x'],
    answers: ['HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
  },
  {
    name: '-x --proxy-digest for https:',
    words: [...A, '-x', '{url}', '--proxy-digest', '-U', 'a:b', 'https://far.example/x'],
    answers: [
      'HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm="r", nonce="n", qop="auth", opaque="o", algorithm=MD5\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    ],
  },
  ...['--socks4', '--socks4a', '--socks5', '--socks5-hostname'].map((flag): CurlRow => ({
    name: flag,
    words: [...A, flag, '{proxy}', '-d', 'x', '{url}/'],
  })),
  { name: '--socks5 with a user', words: [...A, '--socks5', '{proxy}', '-U', 'a:b', '{url}/'] },
  { name: '--socks5 with a wrong password', words: [...A, '--socks5', '{proxy}', '-U', 'a:wrong', '{url}/'] },
  { name: '-x socks5h:', words: [...A, '-x', 'socks5h://{proxy}', 'http://localhost:{port}/'] },
  { name: '-x with a tunnel', words: [...A, '-k', '-x', '{proxy}', '-d', 'x', '{url}/'], isTls: true },
  { name: '-x -U with a tunnel', words: [...A, '-k', '-x', 'http://{proxy}', '-U', 'a:b', '{url}/'], isTls: true },
  { name: '--resolve', words: [...A, '--resolve', 'far.example:{port}:127.0.0.1', 'http://far.example:{port}/'] },
  { name: '--connect-to', words: [...A, '--connect-to', 'far.example:80:127.0.0.1:{port}', 'http://far.example/x'] },
  { name: '--connect-to for any', words: [...A, '--connect-to', '::127.0.0.1:{port}', 'http://far.example:81/x'] },
  { name: '-4', words: [...A, '-4', 'http://localhost:{port}/'] },
  {
    name: '--http2 without TLS',
    words: [...A, '--http2', '{url}/'],
    explained: {
      why: 'RFC 9113 §3.1: the upgrade to HTTP/2 without TLS is given up; over TLS the server chooses.',
      parts: [
        ['Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n', ''],
      ],
    },
  },
  { name: '--http1.1', words: [...A, '--http1.1', '{url}/'] },
  { name: '-i', words: [...A, '-i', '{url}/'] },
  { name: '-i -L shows all heads', words: [...A, '-i', '-L', '{url}/a'], answers: [redirect(302)] },
  {
    name: '-i shows what came before the response',
    words: [...A, '-i', '-H', 'Expect: 100-continue', '-d', 'x', '{url}/'],
  },
  { name: '-D', words: [...A, '-D', 'out/heads', '{url}/'] },
  { name: '-o', words: [...A, '-o', 'out/body', '{url}/'] },
  {
    name: '-o --output-dir --create-dirs',
    words: [...A, '--output-dir', 'new/er', '--create-dirs', '-o', 'x', '{url}/'],
  },
  { name: '-O', words: [...A, '-O', '{url}/a/page.bin?q'] },
  { name: '-O keeps what is encoded', words: [...A, '-O', '{url}/echo/a%20b%2Fc.txt'] },
  { name: '-O without a name', words: [...A, '-O', '{url}/a/'] },
  {
    name: '-O -J',
    words: [...A, '-O', '-J', '{url}/x'],
    answers: [
      'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="../named.txt"\r\nContent-Length: 1\r\n\r\n!',
    ],
  },
  { name: '-o of two URLs', words: [...A, '{url}/a', '-o', 'out/a', '{url}/b', '-o', 'out/b'] },
  { name: '--no-clobber', words: [...A, '--no-clobber', '-o', 'f.txt', '{url}/'] },
  ...[[], ['-f'], ['--fail-with-body']].map((flags): CurlRow => ({
    name: `404 with ${flags.join('') || 'no flag'}`,
    words: [...A, ...flags, '{url}/'],
    answers: ['HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone'],
  })),
  { name: 'an empty reply', words: [...A, '{url}/'], answers: [''] },
  {
    name: 'a body that is cut',
    words: [...A, '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\ncut'],
  },
  { name: 'nobody listens', words: [...A, 'http://127.0.0.1:1/'] },
  { name: 'no such host', words: [...A, 'http://no-such-host.invalid/'] },
  { name: 'a proxy that is not there', words: [...A, '-x', 'http://no-such-host.invalid:1', '{url}/'] },
  { name: 'no such file', words: [...A, '-T', 'none', '{url}/'] },
  {
    name: '-m',
    words: [...A, '-m', '1', 'http://127.0.0.1:{port}/'],
    answers: ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'],
  },
  {
    name: '--retry',
    words: [...A, '--retry', '1', '--retry-delay', '1', '{url}/'],
    answers: ['HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'],
  },
  {
    name: '-w',
    words: [...A, '-L', '-o', 'out/x', '-w', WRITE_OUT, '{url}/a'],
    answers: [redirect(302)],
  },
  {
    name: '-w of a redirect',
    words: [...A, '-w', '%{redirect_url} %{num_redirects} %header{location}\\n', '{url}/a'],
    answers: [redirect(302, 'b')],
  },
  {
    name: '-w of what is not known',
    words: [...A, '-w', 'a%{nope}b%{__proto__}c%{toString}d%{constructor}\\n', '{url}/'],
  },
  {
    name: '-w of two URLs over one connection',
    words: [
      ...[...A, '-e', 'http://r.example/', '-w'],
      '%{num_connects} %{referer} %{size_request} %{proxy_ssl_verify_result} %{http_connect}\\n',
      ...['{url}/', '{url}/b'],
    ],
  },
  {
    name: '-w of what is sent',
    words: [...A, '-d', 'abc', '-w', '%{size_request} %{size_upload}', '{url}/'],
  },
  {
    name: '-w of what is sent behind a redirect',
    words: [...A, '-L', '-d', 'abc', '-w', '%{size_request} %{size_upload} %{num_connects}', '{url}/a'],
    answers: [redirect(302)],
  },
  {
    name: '-w of what is sent twice, over two connections',
    words: [...A, '-L', '-d', 'abc', '-w', '%{size_request} %{size_upload} %{num_connects}', '{url}/a'],
    answers: [redirect(307).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
  },
  {
    name: '-w of a form that is sent',
    words: [...A, '-F', 'a=b', '-w', '%{size_request} %{size_upload}', '{url}/a'],
  },
  { name: '-w of the URLs of a pattern', words: [...A, '-w', '%{urlnum} ', '{url}/{a,b,c}', '{url}/d'] },
  { name: '-w of all fields', words: [...A, '-w', '%{header_json}', '{url}/'] },
  {
    name: '-w of a body that is decoded',
    words: [...A, '-H', 'Accept-Encoding: gzip', '--compressed', '-w', '%{size_download}', '{url}/'],
    answers: [
      `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n${gzipSync('a'.repeat(1000)).toString('latin1')}`,
    ],
  },
  {
    name: '-w of a server that says nothing',
    words: [...A, '-w', '%{num_connects} %{size_request} %{http_code} %{scheme} %{num_headers}', '{url}/'],
    answers: [''],
  },
  {
    name: '-w where nobody listens',
    words: [
      ...A,
      '-w',
      '%{num_connects} %{size_request} %{http_code} %{scheme} %{url_effective}',
      'http://127.0.0.1:1/',
    ],
  },
  {
    name: '-w of a tunnel that is refused',
    words: [...A, '-x', '{url}', '-w', '%{http_connect} %{http_code} %{num_connects}', 'https://far.example/x'],
    answers: ['HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
  },
  {
    name: '-w of a tunnel that ends',
    words: [...A, '-x', '{url}', '-w', '%{http_connect} %{http_code}', 'https://far.example/x'],
    answers: ['HTTP/1.1 200 Yes\r\n\r\n'],
  },
  ...[['-k'], ['--cacert', 'ca.pem'], []].map((flags): CurlRow => ({
    name: `-w of the certificate with ${flags[0] ?? 'nothing'}`,
    words: [...A, ...flags, '-w', '%{ssl_verify_result} %{num_connects}', '{url}/'],
    isTls: true,
  })),
  {
    name: '-w of an error',
    words: [...A, '-f', '-w', '%{exitcode} %{response_code} %{onerror}oh', '{url}/'],
    answers: ['HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'],
  },
]
