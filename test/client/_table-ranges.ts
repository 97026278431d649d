import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { BodyError, ResponseError, StatusError } from '#src/client/errors.js'
import type { RequestOptions } from '#src/client/session-options.js'
import type { HttpHandlerObject } from '#src/http/index.js'
import { files } from '#src/static/index.js'
import { patternBytes } from '#src/testing/contract-row.js'
import type { Asked, Bytes, Reply } from './_raw-server.js'
import { ok, response, type Failure, type Row, type Step, type Trial } from './_table.js'
import { BIG } from './_table-nginx.js'

const DIGITS = '0123456789'
const folders: string[] = []
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-ranges-'))
  folders.push(folder)
  return folder
}

const served = makeFolder()
writeFileSync(join(served, 'digits.txt'), DIGITS)
writeFileSync(join(served, 'big.bin'), BIG)
const own: HttpHandlerObject = files(served)

const get = (range: string, more: Readonly<Record<string, string>> = {}): { readonly options: RequestOptions } => ({
  options: { decompress: false, headers: { range, ...more } },
})

/** The same of our own server and of nginx. */
const both = (name: string, step: Step): readonly Row[] => [
  { name: `${name}, by our own server`, own, ...step, path: '/digits.txt' },
  { name: `${name}, by nginx`, nginx: 'http', ...step, path: '/digits.txt' },
]

async function validator({ session, url }: Trial): Promise<string> {
  const response = await session.head(`${url}/digits.txt`)
  return response.headers.get('etag') ?? ''
}

const ifRange = (name: string, given: (etag: string) => string, status: number, text: string): readonly Row[] =>
  [{ own }, { nginx: 'http' as const }].map((place) => ({
    name: `${name}, by ${'own' in place ? 'our own server' : 'nginx'}`,
    ...place,
    run: async (trial) => {
      const etag = await validator(trial)
      const answer = await trial.session.get(
        `${trial.url}/digits.txt`,
        get('bytes=2-3', { 'if-range': given(etag) }).options,
      )
      assert.equal(answer.status, status)
      assert.equal(await answer.text(), text)
    },
  }))

/** A download of a whole file, by what is sent for its parts. */
const download = (
  name: string,
  raw: (asked: Asked) => Bytes | Reply,
  wanted: {
    readonly content?: string
    readonly resumed?: number
    readonly error?: Failure
    readonly seen: readonly string[]
    readonly part?: string
  },
): Row => ({
  name,
  raw,
  isWhole: true,
  run: async ({ session, url }) => {
    const path = join(makeFolder(), 'file')
    if (wanted.part !== undefined) leavePart(path, `${url}/file`, wanted.part)
    const saving = session.download(`${url}/file`, path, { attempts: 2 })
    if (wanted.error !== undefined) {
      const [kind, code] = wanted.error
      await assert.rejects(saving, (error) => error instanceof kind && 'code' in error && error.code === code)
      return
    }
    const report = await saving
    assert.equal(readFileSync(path, 'latin1'), wanted.content)
    assert.equal(report.resumed, wanted.resumed ?? 0)
  },
  shown: ({ headers }) => `${headers['range'] ?? '-'} ${headers['if-range'] ?? '-'}`,
  seen: wanted.seen,
})

function leavePart(path: string, url: string, part: string): void {
  writeFileSync(`${path}.part`, part)
  const facts = { url: createHash('sha256').update(url).digest('hex'), validator: '"v1"', total: DIGITS.length }
  writeFileSync(`${path}.part.json`, JSON.stringify(facts))
}

const cut = (body: string, count: number, ...lines: readonly string[]): Reply => {
  const all = Buffer.from(ok(body, ...lines))
  return { bytes: all.subarray(0, all.length - body.length + count), ending: 'end' }
}

const rest = (from: number, ...lines: readonly string[]): Bytes =>
  response('206 Partial Content', DIGITS.slice(from), `Content-Range: bytes ${from}-9/10`, ...lines)

/** Ends in the middle, by the signal of the caller, and goes on with the next call. */
async function stopAndGoOn(t: TestContext, { session, url }: Trial, place: string): Promise<void> {
  const path = join(makeFolder(), 'big')
  const stops = new AbortController()
  t.after(() => stops.abort())
  const first = session.download(`${url}${place}`, path, {
    signal: stops.signal,
    onProgress: ({ received }) => {
      if (received > 100_000) stops.abort(new Error('enough'))
    },
  })
  await assert.rejects(first, { message: 'enough' })
  const { resumed, bytes } = await session.download(`${url}${place}`, path)
  assert.ok(resumed > 0 && resumed < BIG.length, `${resumed} bytes were there`)
  assert.equal(bytes, BIG.length)
  assert.ok(readFileSync(path).equals(BIG))
}

export const RANGE_ROWS: readonly Row[] = [
  ...both('the first bytes', {
    ...get('bytes=0-3'),
    status: 206,
    text: '0123',
    fields: { 'content-range': 'bytes 0-3/10' },
  }),
  ...both('from a byte on', {
    ...get('bytes=7-'),
    status: 206,
    text: '789',
    fields: { 'content-range': 'bytes 7-9/10' },
  }),
  ...both('the last bytes', {
    ...get('bytes=-2'),
    status: 206,
    text: '89',
    fields: { 'content-range': 'bytes 8-9/10' },
  }),
  ...both('more than there are', { ...get('bytes=8-99'), status: 206, text: '89' }),
  ...both('none of those that there are', {
    ...get('bytes=10-'),
    status: 416,
    fields: { 'content-range': 'bytes */10' },
  }),
  ...both('a range of something else', { ...get('lines=1-2'), status: 200, text: DIGITS }),
  ...both('several parts', {
    ...get('bytes=0-1,8-9'),
    status: 206,
    check: async (answer) => {
      const boundary = /^multipart\/byteranges; ?boundary="?([^"]+)/.exec(answer.headers.get('content-type') ?? '')?.[1]
      const parts = (await answer.text()).split(`--${boundary ?? '?'}`).map((part) => part.trim().split('\r\n\r\n'))
      assert.deepEqual(
        parts.slice(1, -1).map(([, body]) => body),
        ['01', '89'],
      )
    },
  }),
  {
    name: 'HEAD of a range has none (RFC 9110 §14.2), by our own server',
    own,
    ...get('bytes=0-3'),
    method: 'HEAD',
    path: '/digits.txt',
    text: '',
    fields: { 'content-length': '10' },
  },
  {
    name: 'HEAD of a range has one, by nginx',
    nginx: 'http',
    ...get('bytes=0-3'),
    method: 'HEAD',
    path: '/digits.txt',
    status: 206,
    text: '',
    fields: { 'content-length': '4' },
  },
  ...ifRange('If-Range of the same file', (etag) => etag, 206, '23'),
  ...ifRange('If-Range of another', () => '"another"', 200, DIGITS),
  {
    name: 'max_ranges 0 of nginx ignores them',
    nginx: 'http',
    path: '/whole/hello.txt',
    ...get('bytes=0-3'),
    text: 'hello, nginx',
  },
  {
    name: 'max_ranges 1 of nginx takes no more',
    nginx: 'http',
    path: '/single/hello.txt',
    ...get('bytes=0-0,2-2'),
    status: 200,
    text: 'hello, nginx',
  },
  { name: '206 that nobody asked for is what it is', raw: () => rest(3), status: 206, text: '3456789' },
  {
    name: '416 with a body',
    raw: () => response('416 Range Not Satisfiable', 'no', 'Content-Range: bytes */10'),
    ...get('bytes=20-'),
    status: 416,
    text: 'no',
  },
  {
    name: '206 that is cut',
    raw: () => ({ bytes: Buffer.from(rest(3)).subarray(0, -2), ending: 'end' }),
    status: 206,
    bodyError: [BodyError, 'ERR_UNEXPECTED_END'],
  },
  download('a download in one go', () => ok(DIGITS), { content: DIGITS, seen: ['- -'] }),
  download(
    'one that is cut goes on where it was',
    ({ index }) => (index === 0 ? cut(DIGITS, 4, 'ETag: "v1"') : rest(4)),
    {
      content: DIGITS,
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  download(
    'cut again and again',
    ({ headers }) => {
      const from = Number(/\d+/.exec(headers['range'] ?? '0')?.[0])
      const bytes = Buffer.from(from === 0 ? ok(DIGITS, 'ETag: "v1"') : rest(from))
      return { bytes: from > 7 ? bytes : bytes.subarray(0, bytes.length - (10 - from) + 3), ending: 'end' }
    },
    { content: DIGITS, seen: ['- -', 'bytes=3- "v1"', 'bytes=6- "v1"', 'bytes=9- "v1"'] },
  ),
  download(
    'by its date, where it has no strong tag',
    ({ index }) =>
      index === 0 ? cut(DIGITS, 4, 'ETag: W/"v1"', 'Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT') : rest(4),
    {
      content: DIGITS,
      seen: ['- -', 'bytes=4- Sat, 01 Jan 2000 00:00:00 GMT'],
    },
  ),
  download('without either it does not go on', () => cut(DIGITS, 4), {
    error: [BodyError, 'ERR_UNEXPECTED_END'],
    seen: ['- -'],
  }),
  download(
    'a file that has changed begins anew',
    ({ index }) => (index === 0 ? cut(DIGITS, 4, 'ETag: "v1"') : ok('abcdefghij', 'ETag: "v2"')),
    {
      content: 'abcdefghij',
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  download(
    'another range than was asked for is refused',
    ({ index }) => (index === 0 ? cut(DIGITS, 4, 'ETag: "v1"') : rest(5)),
    {
      error: [BodyError, 'ERR_BODY'],
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  download(
    'and one of another length',
    ({ index }) =>
      index === 0
        ? cut(DIGITS, 4, 'ETag: "v1"')
        : response('206 Partial Content', '456789', 'Content-Range: bytes 4-9/11'),
    {
      error: [BodyError, 'ERR_BODY'],
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  download(
    'and one that does not say which it is',
    ({ index }) => (index === 0 ? cut(DIGITS, 4, 'ETag: "v1"') : response('206 Partial Content', '456789')),
    {
      error: [BodyError, 'ERR_BODY'],
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  download('what an earlier call left is not fetched again', () => rest(6), {
    part: '012345',
    content: DIGITS,
    resumed: 6,
    seen: ['bytes=6- "v1"'],
  }),
  download('all of it was left', () => response('416 Range Not Satisfiable', '', 'Content-Range: bytes */10'), {
    part: DIGITS,
    content: DIGITS,
    resumed: 10,
    seen: ['bytes=10- "v1"'],
  }),
  download(
    'more was left than there is now',
    ({ index }) => (index === 0 ? response('416 Range Not Satisfiable', '', 'Content-Range: bytes */5') : ok('abcde')),
    {
      part: DIGITS,
      content: 'abcde',
      resumed: 10,
      seen: ['bytes=10- "v1"', '- -'],
    },
  ),
  download(
    '404 behind the first part',
    ({ index }) => (index === 0 ? cut(DIGITS, 4, 'ETag: "v1"') : response('404 Not Found', '')),
    {
      error: [StatusError, 'ERR_STATUS'],
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  download(
    'nonsense behind the first part',
    ({ index }) => (index === 0 ? cut(DIGITS, 4, 'ETag: "v1"') : { bytes: 'nonsense\r\n\r\n', ending: 'end' }),
    {
      error: [ResponseError, 'ERR_HTTP_START_LINE'],
      seen: ['- -', 'bytes=4- "v1"'],
    },
  ),
  {
    name: 'a download from our own server is stopped, and goes on',
    own,
    run: (trial) => stopAndGoOn(trial.t, trial, '/big.bin'),
  },
  {
    name: 'a download from nginx is stopped, and goes on',
    nginx: 'http',
    run: (trial) => stopAndGoOn(trial.t, trial, '/slow/big.bin'),
  },
  {
    name: 'a part of 2 MB from nginx is those bytes',
    nginx: 'http',
    path: '/big.bin',
    ...get('bytes=1000000-1999999'),
    status: 206,
    check: async (answer) =>
      assert.ok(Buffer.from(await answer.bytes()).equals(Buffer.from(patternBytes(BIG.length)).subarray(1_000_000))),
  },
]
