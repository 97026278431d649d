import type { CurlRow } from './_curl-judge.js'

const A = ['-A', 'test']

const CHALLENGE =
  'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth", opaque="o", algorithm=MD5\r\nContent-Length: 0\r\n\r\n'

/** Fields, credentials, cookies. */
export const HEAD_ROWS: readonly CurlRow[] = [
  { name: 'a URL', words: [...A, '{url}/'] },
  {
    name: 'a URL, and no name for the client',
    words: ['{url}/'],
    explained: {
      why: 'A server is told what it talks to: moorage calls itself so. -A gives another name.',
      parts: [['User-Agent: curl/{version}\r\n', 'User-Agent: moorage\r\n']],
    },
  },
  { name: '-A with nothing', words: ['-A', '', '{url}/'] },
  { name: '-H', words: [...A, '-H', 'X-A: 1', '-H', 'x-b: two words', '{url}/'] },
  { name: '-H twice', words: [...A, '-H', 'X-A: 1', '-H', 'X-A: 2', '{url}/'] },
  { name: '-H in UTF-8', words: [...A, '-H', 'X-A: Jürgen', '{url}/'] },
  { name: '-H Name; is empty', words: [...A, '-H', 'X-Empty;', '{url}/'] },
  { name: '-H Name: takes away', words: [...A, '-H', 'Accept:', '-H', 'X-None:', '{url}/'] },
  { name: '-H in place of its own', words: [...A, '-H', 'Accept: text/html', '-H', 'User-Agent: other', '{url}/'] },
  { name: '-H without a colon is passed over', words: [...A, '-H', 'nonsense', '{url}/'] },
  { name: '-H @file', words: [...A, '-H', '@headers.txt', '{url}/'] },
  { name: '-H Host', words: [...A, '-H', 'Host: other.example', '{url}/'] },
  { name: '-H Connection: close', words: [...A, '-H', 'Connection: close', '{url}/'] },
  { name: '-H Connection: keep-alive', words: [...A, '-H', 'Connection: keep-alive', '{url}/'] },
  {
    name: '-H Host: with nothing',
    words: [...A, '-H', 'Host:', '{url}/'],
    explained: {
      why: 'RFC 9112 §3.2: a request without Host is malformed, and is not sent.',
      parts: [['HTTP/1.1\r\nUser', 'HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser']],
    },
  },
  {
    name: '-H with other space',
    words: [...A, '-H', 'X-A:1', '-H', 'X-B:   2', '{url}/'],
    explained: {
      why: 'RFC 9112 §5: one space stands behind the colon; space there is no part of the value.',
      parts: [
        ['X-A:1\r\n', 'X-A: 1\r\n'],
        ['X-B:   2\r\n', 'X-B: 2\r\n'],
      ],
    },
  },
  { name: '-e', words: [...A, '-e', 'http://from.example/', '{url}/'] },
  { name: '-e with nothing', words: [...A, '-e', '', '{url}/'] },
  { name: '-I', words: [...A, '-I', '{url}/'], answers: ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX: y\r\n\r\n'] },
  { name: '-X', words: [...A, '-X', 'OPTIONS', '{url}/'] },
  {
    name: '-X POST without a body',
    words: [...A, '-X', 'POST', '{url}/'],
    explained: {
      why: 'RFC 9110 §8.6: a POST that has no content says so; some servers answer 411 otherwise.',
      parts: [['*/*\r\n', '*/*\r\nContent-Length: 0\r\n']],
    },
  },
  { name: '--request-target', words: [...A, '-X', 'OPTIONS', '--request-target', '*', '{url}/'] },
  { name: '-r', words: [...A, '-r', '0-1', '{url}/'] },
  { name: '-r with several', words: [...A, '-r', '0-1,5-6,-3', '{url}/'] },
  { name: '-C with an offset', words: [...A, '-C', '5', '-o', 'out/x', '{url}/'], answers: [partial(5, 'more')] },
  { name: '-C - goes on', words: [...A, '-C', '-', '-o', 'part.txt', '{url}/'], answers: [partial(5, '56789')] },
  { name: '-C - without a file', words: [...A, '-C', '-', '-o', 'new.txt', '{url}/'] },
  {
    name: '-C - where all of it is sent',
    words: [...A, '-C', '-', '-o', 'part.txt', '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789'],
  },
  { name: '-z with a date', words: [...A, '-z', '1 Jan 2020 10:00', '{url}/'] },
  { name: '-z with a short date', words: [...A, '-z', '20200101', '{url}/'] },
  {
    name: '-z with a date of ISO 8601',
    words: [...A, '-z', '2020-01-01', '{url}/'],
    explained: {
      why: 'curl does not know this form of a date, and asks without it.',
      parts: [['*/*\r\n', '*/*\r\nIf-Modified-Since: Wed, 01 Jan 2020 00:00:00 GMT\r\n']],
    },
    printsOther: 'curl warns',
  },
  { name: '-z for what is older', words: [...A, '-z', '-Sat, 01 Jan 2022 00:00:00 GMT', '{url}/'] },
  { name: '--etag-compare', words: [...A, '--etag-compare', 'etag.txt', '-H', 'X: 1', '{url}/'] },
  { name: '--etag-compare of no file', words: [...A, '--etag-compare', 'none.txt', '{url}/'] },
  {
    name: '--etag-save',
    words: [...A, '--etag-save', 'out/etag', '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nETag: "xyz"\r\nContent-Length: 0\r\n\r\n'],
  },
  {
    name: '--compressed',
    words: [...A, '--compressed', '{url}/'],
    explained: {
      why: 'What is asked for is what this version of Node can decode, the best first for most servers.',
      parts: [['Accept-Encoding: deflate, gzip, br, zstd\r\n', 'Accept-Encoding: {codings}\r\n']],
    },
  },
  { name: '-u', words: [...A, '-u', 'ann:se:cret', '{url}/'] },
  { name: '-u without a password behind the colon', words: [...A, '-u', 'ann:', '{url}/'] },
  { name: '-u in UTF-8', words: [...A, '-u', 'jürgen:ß', '{url}/'] },
  { name: '-u beside -H Authorization', words: [...A, '-u', 'a:b', '-H', 'Authorization: own', '{url}/'] },
  { name: 'a user in the URL', words: [...A, 'http://us%20er:p%3Aw@127.0.0.1:{port}/'] },
  { name: 'a password in the URL that has a % of its own', words: [...A, 'http://u:sec%zz%20@127.0.0.1:{port}/'] },
  { name: 'a user in the URL without a password', words: [...A, 'http://ann@127.0.0.1:{port}/'] },
  { name: '--oauth2-bearer', words: [...A, '--oauth2-bearer', 'token', '{url}/'] },
  { name: '--netrc-file', words: [...A, '--netrc-file', 'netrc.txt', '{url}/'] },
  {
    name: '--netrc-file has the host of a redirect',
    words: [...A, '-L', '--netrc-file', 'netrc-two.txt', '{url}/'],
    answers: ['HTTP/1.1 302 Go\r\nLocation: http://localhost:{port}/b\r\nContent-Length: 0\r\n\r\n'],
  },
  {
    name: '--netrc-file has the user of a redirect',
    words: [...A, '-L', '--netrc-file', 'netrc-two.txt', '{url}/'],
    answers: ['HTTP/1.1 302 Go\r\nLocation: http://c@localhost:{port}/b\r\nContent-Length: 0\r\n\r\n'],
  },
  {
    name: '-u is for one host, whatever --netrc-file has',
    words: [...A, '-L', '-u', 'x:y', '--netrc-file', 'netrc-two.txt', '{url}/'],
    answers: ['HTTP/1.1 302 Go\r\nLocation: http://localhost:{port}/b\r\nContent-Length: 0\r\n\r\n'],
  },
  {
    name: '--netrc-file that is not there',
    words: [...A, '--netrc-file', 'none', '{url}/'],
    explained: {
      why: 'Who one is is missing: newer versions of curl end as well, with 26, and send nothing.',
      parts: [['GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n', '']],
    },
    printsOther: 'curl 7 goes on',
    onlyCurl7: true,
  },
  { name: '-n', words: [...A, '-n', '{url}/'] },
  { name: '--basic is what is done anyway', words: [...A, '--basic', '-u', 'a:b', '{url}/'] },
  ...['GET', 'POST', 'PUT', 'FORM'].map((kind): CurlRow => {
    const body = { GET: [], POST: ['-d', 'x'], PUT: ['-T', 'f.txt', '-H', 'Expect:'], FORM: ['-F', 'a=b'] }[kind] ?? []
    return {
      name: `--digest with ${kind}`,
      words: [...A, '--digest', '-u', 'a:b', ...body, '{url}/x?y'],
      answers: [CHALLENGE],
    }
  }),
  { name: '--digest where nothing is wanted', words: [...A, '--digest', '-u', 'a:b', '-d', 'x', '{url}/'] },
  {
    name: '--digest by SHA-256',
    words: [...A, '--digest', '-u', 'a:b', '{url}/'],
    answers: [CHALLENGE.replace('MD5', 'SHA-256')],
  },
  { name: '--anyauth by Digest', words: [...A, '--anyauth', '-u', 'a:b', '-d', 'x', '{url}/'], answers: [CHALLENGE] },
  {
    name: '--anyauth by Basic',
    words: [...A, '--anyauth', '-u', 'a:b', '{url}/'],
    answers: ['HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="b"\r\nContent-Length: 0\r\n\r\n'],
  },
  { name: '-b data', words: [...A, '-b', 'a=b; c=d', '{url}/'] },
  { name: '-b data beside -H Cookie', words: [...A, '-b', 'a=b', '-H', 'Cookie: own=1', '{url}/'] },
  { name: '-b of no file', words: [...A, '-b', 'none.txt', '{url}/'] },
  { name: '-b file of one cookie', words: [...A, '-b', 'cookies.txt', '-j', '{url}/'] },
  {
    name: '-L -b keeps what comes',
    words: [...A, '-L', '-b', '', '{url}/a'],
    answers: ['HTTP/1.1 302 Go\r\nSet-Cookie: k=v; Path=/\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n'],
  },
  { name: '-K', words: [...A, '-K', 'config.txt', '{url}/'] },
  { name: 'short flags joined', words: ['-sSLAtest', '-XPUT', '-dx', '{url}/'] },
]

function partial(from: number, text: string): string {
  const last = from + text.length - 1
  return `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${from}-${last}/${last + 1}\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}
