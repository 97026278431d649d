import type { CurlRow } from './_curl-judge.js'

const A = ['-A', 'test']
/** `part.txt` has five bytes. */
const ON = ['-C', '-', '-o', 'part.txt', '{url}/']
const RETRY = ['--retry', '1', '--retry-delay', '1']
const PUT = ['-H', 'Expect:', '-T']

/** Files that are gone on with, written again, named by servers, and read from stdin. */
export const FILE_ROWS: readonly CurlRow[] = [
  { name: '-C - where there is an error', words: [...A, ...ON], answers: [answer(404, 'gone')] },
  { name: '-C - where there is an error and no body', words: [...A, ...ON], answers: [answer(404, '')] },
  { name: '-C - --fail-with-body', words: [...A, '--fail-with-body', ...ON], answers: [answer(404, 'gone')] },
  { name: '-C - -f', words: [...A, '-f', ...ON], answers: [answer(404, 'gone')] },
  { name: '-C - -f where all of it is there', words: [...A, '-f', ...ON], answers: [answer(416, 'no')] },
  {
    name: '-C - where a redirect is not followed',
    words: [...A, ...ON],
    answers: [answer(302, 'elsewhere', 'Location: /b\r\n')],
  },
  {
    name: '-C - -L',
    words: [...A, '-L', ...ON],
    answers: [answer(302, 'elsewhere', 'Location: /b\r\n'), partial(5, '56789')],
  },
  { name: '-C - with a part from elsewhere', words: [...A, ...ON], answers: [partial(3, '3456')] },
  { name: '-C - with a part from nowhere', words: [...A, ...ON], answers: [answer(206, '5678')] },
  { name: '-C - where the whole is not longer', words: [...A, ...ON], answers: [answer(200, '01234')] },
  { name: '-C - with nothing', words: [...A, ...ON], answers: [answer(200, '')] },
  { name: '-C - -i', words: [...A, '-i', ...ON], answers: [partial(5, '56789')] },
  { name: '-C 5 to stdout with an error', words: [...A, '-C', '5', '{url}/'], answers: [answer(404, 'gone')] },
  { name: '-C - -I', words: [...A, '-I', ...ON], answers: ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'] },
  { name: '-C - --retry behind an error', words: [...A, ...RETRY, ...ON], answers: [answer(503, 'busy')] },
  {
    name: '-C - --retry behind a body that is late',
    words: [...A, '-m', '1', '--retry', '2', '--retry-delay', '1', ...ON],
    answers: [partial(5, '56789').slice(0, -2), partial(5, '56789')],
  },
  {
    name: '-C 5 --retry-all-errors behind a body that is cut',
    words: [...A, ...RETRY, '--retry-all-errors', '-C', '5', '-o', 'part.txt', '{url}/'],
    answers: [partial(5, '56789', 'Connection: close\r\n').slice(0, -2), partial(5, '56789')],
  },
  {
    name: '--retry writes a file anew',
    words: [...A, ...RETRY, '-o', 'f.txt', '{url}/'],
    answers: [answer(503, 'busy')],
  },
  {
    name: '--retry --no-clobber makes one file',
    words: [...A, ...RETRY, '--no-clobber', '-o', 'f.txt', '{url}/'],
    answers: [answer(503, 'busy')],
  },
  {
    name: '--retry -D has all heads',
    words: [...A, ...RETRY, '-D', 'out/heads', '-o', 'f.txt', '{url}/'],
    answers: [answer(503, 'busy')],
  },
  {
    name: 'a body of nothing that is cut leaves a file as it was',
    words: [...A, '-o', 'f.txt', '{url}/'],
    answers: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n'],
  },
  { name: '-d @- for all URLs', words: [...A, '-d', '@-', '{url}/1', '{url}/2'], stdin: 'piped' },
  { name: '-H @- for all URLs', words: [...A, '-H', '@-', '{url}/1', '{url}/2'], stdin: 'X-A: 1\nX-B: 2\n' },
  { name: '-w @- for all URLs', words: [...A, '-w', '@-', '{url}/1', '{url}/2'], stdin: '%{http_code}\r\n;\n' },
  {
    name: '--data-binary @- --retry',
    words: [...A, ...RETRY, '--data-binary', '@-', '{url}/'],
    stdin: 'a\nb',
    answers: [answer(503, '')],
  },
  {
    name: '-F <- --retry',
    words: [...A, ...RETRY, '-F', 'a=<-', '{url}/'],
    stdin: 'piped',
    answers: [answer(503, '')],
  },
  {
    name: '--retry-max-time is shorter than Retry-After',
    words: [...A, ...RETRY, '--retry-max-time', '3', '{url}/'],
    answers: [answer(503, '', 'Retry-After: 100000\r\n')],
  },
  { name: '-O -J does not overwrite', words: [...A, '-O', '-J', '{url}/x'], answers: [named('f.txt')] },
  { name: '-O -J --clobber does', words: [...A, '-O', '-J', '--clobber', '{url}/x'], answers: [named('f.txt')] },
  { name: '-O -J --no-clobber', words: [...A, '-O', '-J', '--no-clobber', '{url}/x'], answers: [named('f.txt')] },
  { name: '-O -J where the server has no name', words: [...A, '-O', '-J', '{url}/f.txt'] },
  { name: '-o -J has the name of -o', words: [...A, '-o', 'out/x', '-J', '{url}/x'], answers: [named('new.txt')] },
  {
    name: '-O -J --retry',
    words: [...A, ...RETRY, '-O', '-J', '{url}/x'],
    answers: [named('new.txt', 503), named('new.txt')],
  },
  ...['-i', '-I'].map((flag): CurlRow => ({ name: `-O -J ${flag}`, words: [...A, '-O', '-J', flag, '{url}/x'] })),
  { name: '-O -J -C', words: [...A, '-O', '-J', '-C', '-', '{url}/x'] },
  ...['/d/?x=/a/', '/d/?x=1', '/d/#x', '?x=1', '/d?x=/'].map((path): CurlRow => ({
    name: `-T to ${path}`,
    words: [...A, ...PUT, 'f.txt', `{url}${path}`],
  })),
  { name: '-T of a name that is encoded', words: [...A, ...PUT, "odd(1)!'*~.txt", '{url}/d/'] },
  { name: '-T of a set of files', words: [...A, ...PUT, '{f.txt,page.html}', '{url}/d/'] },
  { name: '-T of a set of files to a set of URLs', words: [...A, ...PUT, '{f.txt,page.html}', '{url}/{d,e}/'] },
  { name: '-T -g', words: [...A, '-g', ...PUT, '{f.txt,page.html}', '{url}/d/'] },
  {
    name: '-b file with lines that are no cookies',
    words: [...A, '-b', 'some-cookies.txt', '-c', 'out/jar', '{url}/'],
  },
  { name: '-b of a folder', words: [...A, '-b', '.', '{url}/'] },
  { name: '-b - is stdin', words: [...A, '-b', '-', '{url}/'], stdin: '127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n' },
  { name: '-b file of heads', words: [...A, '-b', 'heads.txt', '{url}/0'] },
  { name: '-b file of heads -c', words: [...A, '-b', 'heads.txt', '-c', 'out/jar', '{url}/1'] },
  {
    name: '-b file of heads is for the first host',
    words: [...A, '-L', '-b', 'heads.txt', '{url}/0'],
    answers: [answer(302, '', 'Location: http://localhost:{port}/\r\n')],
  },
  { name: '-c into a folder that is not there', words: [...A, '-c', 'none/jar', '{url}/'] },
  { name: '-w of a file that is not there', words: [...A, '-w', '@none', '{url}/'] },
  { name: '-w @file leaves line ends out', words: [...A, '-w', '@lines.txt', '{url}/'] },
  { name: '--stderr into a folder that is not there', words: [...A, '--stderr', 'none/e', '{url}/'] },
  {
    name: '--etag-save into a folder that is not there',
    words: [...A, '--etag-save', 'none/e', '-o', 'out/a', '{url}/a', '-o', 'out/b', '{url}/b'],
  },
  { name: '--etag-save without an ETag', words: [...A, '--etag-save', 'out/e', '{url}/'] },
  { name: '-o of a folder', words: [...A, '-o', 'out', '{url}/a', '-o', 'b', '{url}/b'] },
  { name: '-K of a file that names itself', words: ['-K', 'self.txt', '{url}/'] },
  { name: '-K of a file that is not there', words: [...A, '-K', 'none', '{url}/'] },
  ...[
    ['-H', '@none'],
    ['-K', '.'],
    ['--etag-compare', '.'],
  ].map((flags): CurlRow => ({
    name: `${flags.join(' ')} cannot be read`,
    words: [...A, ...flags, '{url}/'],
    explained: {
      why: 'What is to be sent is missing: nothing is, as with -d.',
      parts: [
        [
          `GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\n${flags[0] === '--etag-compare' ? 'If-None-Match: ""\r\n' : ''}\r\n`,
          '',
        ],
      ],
    },
    printsOther: 'curl goes on',
  })),
  {
    name: '-d @ of a folder',
    words: [...A, '-d', '@out', '{url}/'],
    explained: {
      why: 'What is to be sent is missing: nothing is.',
      parts: [
        [
          'POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\nContent-Length: 0\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n',
          '',
        ],
      ],
    },
    printsOther: 'curl goes on',
  },
  {
    name: '-F with what is not known behind a ;',
    words: [...A, '-F', 'a=b;c=d', '{url}/'],
    explained: {
      why: 'Half of a value is none: curl leaves out what it does not know, with a warning.',
      parts: [
        [
          'POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test\r\nAccept: */*\r\nContent-Length: 137\r\nContent-Type: multipart/form-data; boundary=<boundary>\r\n\r\n--<boundary>\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--<boundary>--\r\n',
          '',
        ],
      ],
    },
    printsOther: 'it is refused with 2',
  },
  { name: '--cacert of a file that is not there', words: [...A, '--cacert', 'none', '{url}/'], isTls: true },
  { name: '--cacert of what is none', words: [...A, '--cacert', 'f.txt', '{url}/'], isTls: true },
  { name: '--cacert of a file that is not there, without TLS', words: [...A, '--cacert', 'none', '{url}/'] },
  { name: '--cert of a file that is not there', words: [...A, '-k', '--cert', 'none', '{url}/'], isTls: true },
  { name: '--cert of what is none', words: [...A, '-k', '--cert', 'f.txt', '{url}/'], isTls: true },
  { name: '--cert without its key', words: [...A, '-k', '--cert', 'ca.pem', '{url}/'], isTls: true },
  { name: '--key that is not there', words: [...A, '-k', '--cert', 'ca.pem', '--key', 'none', '{url}/'], isTls: true },
  {
    name: '--cert of a file that is not there leaves other URLs alone',
    words: [...A, '-k', '--cert', 'none', '{url}/', 'http://127.0.0.1:1/'],
    isTls: true,
  },
  { name: '-C 2 -T', words: [...A, '-C', '2', ...PUT, 'part.txt', '{url}/x'] },
  { name: '-C - -T', words: [...A, '-C', '-', ...PUT, 'part.txt', '{url}/x'] },
  { name: '-C - -T -o', words: [...A, '-C', '-', '-o', 'part.txt', ...PUT, 'part.txt', '{url}/x'] },
  { name: '-C 5 -T where all is sent', words: [...A, '-C', '5', ...PUT, 'part.txt', '{url}/x'] },
  { name: '-r -T', words: [...A, '-r', '2-3', ...PUT, 'part.txt', '{url}/x'] },
  { name: '-C 2 -d', words: [...A, '-C', '2', '-d', 'abc', '{url}/x'] },
  { name: '-C 2 -F', words: [...A, '-C', '2', '-F', 'a=b', '{url}/x'] },
  {
    name: '-C 2 -T -',
    words: [...A, '-C', '2', ...PUT, '-', '{url}/x'],
    stdin: '01234',
    explained: {
      why: 'How long stdin is is not known: what curl says of it, bytes 2-0/1, is no range (RFC 9110 §14.4).',
      parts: [
        [
          'PUT /x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Range: bytes 2-0/1\r\nUser-Agent: test\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n234\r\n0\r\n\r\n',
          '',
        ],
      ],
    },
    printsOther: 'it is refused with 2',
  },
]

function answer(status: number, body: string, fields: string = ''): string {
  return `HTTP/1.1 ${status} Said\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
}

function partial(from: number, body: string, fields: string = ''): string {
  const last = from + body.length - 1
  return answer(206, body, `Content-Range: bytes ${from}-${last}/${last + 1}\r\n${fields}`)
}

function named(name: string, status: number = 200): string {
  return answer(status, '!', `Content-Disposition: attachment; filename="${name}"\r\n`)
}
