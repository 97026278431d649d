import type { CurlRow } from './_curl-judge.js'

const A = ['-A', 'test']
const TO_B = 'HTTP/1.1 302 Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n'
const TEN_DAYS_ON = new Date(Math.floor(Date.now() / 1000) * 1000 + 864_000_000).toUTCString()

/** TLS, files of cookies, and all that goes wrong. */
export const END_ROWS: readonly CurlRow[] = [
  { name: '--cacert', words: [...A, '--cacert', 'ca.pem', '{url}/'], isTls: true },
  { name: '-k', words: [...A, '-k', '{url}/'], isTls: true },
  { name: '--tlsv1.3', words: [...A, '--tlsv1.3', '-k', '{url}/'], isTls: true },
  { name: '--tlsv1.2', words: [...A, '--tlsv1.2', '-k', '-d', 'x', '{url}/'], isTls: true },
  { name: 'a certificate that nobody trusts', words: [...A, '{url}/'], isTls: true },
  {
    name: 'a certificate for another name',
    words: [...A, '--cacert', 'ca.pem', '--resolve', 'far.example:{port}:127.0.0.1', 'https://far.example:{port}/'],
    isTls: true,
  },
  {
    name: '--connect-to keeps the name for TLS',
    words: [...A, '--cacert', 'ca.pem', '--connect-to', 'localhost:443:127.0.0.1:{port}', 'https://localhost/x'],
    isTls: true,
  },
  {
    name: '-c',
    words: [...A, '-c', 'out/jar', '{url}/a/b'],
    answers: [
      [
        'HTTP/1.1 200 OK',
        'Set-Cookie: first=1; Path=/a',
        'Set-Cookie: second=2; Path=/; HttpOnly',
        `Set-Cookie: third=3; Path=/; Expires=${TEN_DAYS_ON}`,
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n'),
    ],
  },
  { name: '-b file -c', words: [...A, '-b', 'cookies.txt', '-j', '-c', 'out/jar', '{url}/'] },
  { name: '-b file of two cookies for a path', words: [...A, '-b', 'cookies.txt', '-j', '{url}/elsewhere/x'] },
  { name: '-b file and data', words: [...A, '-b', 'cookies.txt', '-j', '-b', 'said=1', '{url}/'] },
  { name: '-K - is stdin', words: [...A, '-K', '-', '{url}/'], stdin: 'header = "X-A: \\"b\\""\n-d x=1\n' },
  { name: '-w @file', words: [...A, '-w', '@f.txt', '{url}/'] },
  { name: '-w of a field', words: [...A, '-w', '%header{content-type} %{content_type}', '{url}/'] },
  { name: '-z with a file that is there', words: [...A, '-z', 'old.txt', '{url}/'] },
  { name: 'no host', words: [...A, 'http://'] },
  { name: 'a port that is none', words: [...A, 'http://127.0.0.1:99999/'] },
  { name: 'a bracket that is not closed', words: [...A, '-g', 'http://[::1/'] },
  { name: '-o into a folder that is not there', words: [...A, '-o', 'none/x', '{url}/'] },
  {
    name: '-d @file that is not there',
    words: [...A, '-d', '@none', '{url}/'],
    explained: {
      why: 'What is to be sent is missing: newer versions of curl end as well, with 26, and send nothing.',
      parts: [
        [
          'POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\nContent-Length: 0\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n',
          '',
        ],
      ],
    },
    printsOther: 'curl 7 goes on',
    onlyCurl7: true,
  },
  { name: '-F @file that is not there', words: [...A, '-F', 'a=@none', '{url}/'] },
  { name: 'an unknown flag', words: [...A, '--unheard', '{url}/'] },
  { name: 'a flag without its value', words: [...A, '{url}/', '-d'] },
  { name: 'no URL', words: [...A, '-d', 'x'] },
  { name: '-d and -F', words: [...A, '-d', 'x', '-F', 'a=b', '{url}/'] },
  { name: '-d and -I', words: [...A, '-d', 'x', '-I', '{url}/'] },
  { name: 'what is no response', words: [...A, '{url}/'], answers: ['nonsense\r\n\r\n'] },
  {
    name: 'chunks that are cut',
    words: [...A, '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nab'],
  },
  {
    name: 'chunks',
    words: [...A, '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  },
  {
    name: 'a body up to the end of the connection',
    words: [...A, '-i', '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nConnection: close\r\nX-Case: Kept\r\n\r\nall of it'],
  },
  {
    name: 'a body without --compressed is shown as it is',
    words: [...A, '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc'],
  },
  {
    name: 'a body that is not coded as it says',
    words: [...A, '-H', 'Accept-Encoding: gzip', '--compressed', '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc'],
  },
  {
    name: 'a response of HTTP/1.0',
    words: [...A, '-i', '{url}/a', '{url}/b'],
    answers: ['HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nold'],
  },
  { name: 'a proxy of SOCKS 5 that is not there', words: [...A, '--socks5', '127.0.0.1:1', '{url}/'] },
  { name: 'a proxy where nobody listens', words: [...A, '-x', 'http://127.0.0.1:1', '{url}/'] },
  { name: 'the exit code is that of the last URL', words: [...A, 'http://127.0.0.1:1/', '{url}/'] },
  { name: '--fail-early ends with the first', words: [...A, '--fail-early', 'http://127.0.0.1:1/', '{url}/'] },
  ...['=https', 'https', '-http', '=http,https', '-all,http', '=HTTP', '=unheard', '-unheard', ''].map(
    (list): CurlRow => ({ name: `--proto "${list}"`, words: [...A, '--proto', list, '{url}/'] }),
  ),
  ...[
    ['--proto-redir', '=https'],
    ['--proto-redir', '-https'],
    ['--proto', '=https', '--proto-redir', '=http'],
  ].map((flags): CurlRow => ({
    name: `-L ${flags.join(' ')}`,
    words: [...A, '-L', ...flags, '{url}/'],
    answers: [TO_B],
  })),
  {
    name: '--proto for a redirect to TLS',
    words: [...A, '-L', '--proto', '=http', '--proto-redir', '=https', '{url}/'],
    answers: [TO_B.replace('/b', 'https://localhost:{port}/b')],
  },
  {
    name: '--next',
    words: [...A, '-H', 'X: 1', '-d', 'a', '{url}/1', '--next', ...A, '{url}/2', '-:', '-d', 'b', ...A, '{url}/3'],
  },
  { name: '--next without a URL before it', words: [...A, '-d', 'x', '--next', '{url}/'] },
  { name: '--next behind what fails', words: ['http://127.0.0.1:1/', '--next', ...A, '{url}/'] },
  { name: '--next --fail-early', words: ['--fail-early', 'http://127.0.0.1:1/', '--next', ...A, '{url}/'] },
  {
    name: '--next goes on with the numbers of URLs',
    words: [...A, '-w', '%{urlnum}', '{url}/1', '{url}/2', '--next', ...A, '-w', '%{urlnum}', '{url}/3'],
  },
  {
    name: '--next keeps cookies, where they are wanted',
    words: [
      ...A,
      '-c',
      'out/jar',
      '{url}/1',
      '--next',
      ...A,
      '{url}/2',
      '--next',
      ...A,
      '-b',
      'none',
      '-c',
      'out/more/jar',
      '{url}/3',
    ],
    answers: ['HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n'],
  },
  { name: 'flags by their first letters', words: [...A, '--max-t', '3', '--netrc-o', '--data-b', 'x', '{url}/'] },
  ...['--re', '--fai', '--no-loc', '--proxy-', '--silent=x'].map((flag): CurlRow => ({
    name: `${flag} is no flag`,
    words: [...A, flag, '{url}/'],
  })),
  { name: '-Z', words: [...A, '-Z', '--parallel-max', '1', '{url}/1', '{url}/2'] },
  {
    name: '-C - where all of it is there',
    words: [...A, '-C', '-', '-o', 'part.txt', '{url}/'],
    answers: ['HTTP/1.1 416 No\r\nContent-Range: bytes */5\r\nContent-Length: 2\r\n\r\nno'],
  },
]
