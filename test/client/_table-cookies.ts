import assert from 'node:assert/strict'
import { bearer } from '#src/client/auth.js'
import { CookieJar } from '#src/client/cookies.js'
import { HttpCache } from '#src/client/http-cache.js'
import { redirect, text } from '#src/http/index.js'
import type { Asked } from './_raw-server.js'
import { ok, response, type Row, type Step } from './_table.js'

const sent = ({ headers }: Asked): string => headers['cookie'] ?? '-'

/** The first response sets these; the requests behind it tell what came back. */
const row = (name: string, set: readonly string[], seen: readonly string[], more: Partial<Row> = {}): Row => ({
  name,
  raw: ({ index }) => (index === 0 ? ok('set', ...set.map((cookie) => `Set-Cookie: ${cookie}`)) : ok('then')),
  steps: [{}, ...seen.slice(1).map((): Step => ({}))],
  shown: sent,
  seen,
  ...more,
})

export const COOKIE_ROWS: readonly Row[] = [
  row('one comes back', ['a=1'], ['-', 'a=1', 'a=1']),
  row('several of one response come back in one field', ['a=1', 'b=2', 'c=3'], ['-', 'a=1; b=2; c=3']),
  row('one of the same name takes its place', ['a=1', 'a=2'], ['-', 'a=2']),
  row('quotes, "=" and spaces in a value stay', ['a="x y"', 'b=c=d=='], ['-', 'a="x y"; b=c=d==']),
  row(
    'attributes that nobody knows, and of any case',
    ['a=1; Foo=bar; hTTpoNLy; SameSite=Strict; Partitioned'],
    ['-', 'a=1'],
  ),
  row(
    'Max-Age counts more than Expires',
    [
      'a=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'b=2; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=0',
    ],
    ['-', 'a=1'],
  ),
  row(
    'dates of the past, in old forms, delete',
    ['a=1; Expires=Thursday, 01-Jan-70 00:00:00 GMT', 'b=1; expires=Thu Jan  1 00:00:01 1970', 'c=1; Expires=nonsense'],
    ['-', 'c=1'],
  ),
  row(
    'Domain of somebody else is not taken',
    ['a=1; Domain=example.com', 'b=2; Domain=.com', 'c=3; Domain=0.0.1'],
    ['-', '-'],
  ),
  row('the address itself as Domain is taken', ['a=1; Domain=127.0.0.1'], ['-', 'a=1']),
  row(
    '__Host- and __Secure- without Secure are not taken',
    ['__Host-a=1; Path=/', '__Secure-b=2', '__Host-c=3; Secure; Path=/x'],
    ['-', '-'],
  ),
  row('Secure from this machine comes back to it', ['a=1; Secure'], ['-', 'a=1']),
  row('an empty value, and no name', ['a=', '=x'], ['-', 'a=']),
  row('Set-Cookie of 404 and 500 counts as well', [], ['-', 'a=1', 'a=1; b=2'], {
    raw: ({ index }) =>
      [response('404 Not Found', '', 'Set-Cookie: a=1'), response('500 Oh', '', 'Set-Cookie: b=2'), ok('')][index] ??
      '',
    steps: [{ status: 404 }, { status: 500 }, {}],
  }),
  row('that of 103 does not', [], ['-', '-'], {
    raw: () => Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=1\r\n\r\n'), Buffer.from(ok(''))]),
  }),
  row('nor that of trailers', [], ['-', '-'], {
    raw: () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSet-Cookie: a=1\r\n\r\n',
  }),
  row(
    'Path is a folder, and not a beginning of a name',
    ['a=1; Path=/a', 'b=2; Path=/a/', 'c=3'],
    ['-', 'a=1; c=3', 'b=2; a=1; c=3', 'c=3', 'c=3'],
    {
      steps: [{ path: '/x' }, { path: '/a' }, { path: '/a/b' }, { path: '/ab' }, { path: '/A/b' }],
    },
  ),
  row('without Path it is the folder of the request', ['a=1'], ['-', 'a=1', '-', 'a=1'], {
    steps: [{ path: '/x/y?z=/' }, { path: '/x/' }, { path: '/' }, { path: '/x/z/w' }],
  }),
  row('a deleted one is not sent again', [], ['-', 'a=1', '-'], {
    raw: ({ index }) => ok('', `Set-Cookie: a=1${index === 0 ? '' : '; Max-Age=0'}`),
  }),
  row('a redirect sets one for where it leads', [], ['/ -', '/b a=1'], {
    raw: ({ target }) => (target === '/' ? response('302 Found', '', 'Location: /b', 'Set-Cookie: a=1') : ok('')),
    steps: [{}],
    shown: (asked) => `${asked.target} ${sent(asked)}`,
  }),
  row('another port is the same host (RFC 6265 §8.5)', [], ['here -', 'elsewhere a=1'], {
    raw: ({ place, origins }) =>
      place === 'here' ? response('302 Found', '', `Location: ${origins.elsewhere}/`, 'Set-Cookie: a=1') : ok(''),
    steps: [{}],
    shown: (asked) => `${asked.place} ${sent(asked)}`,
  }),
  row('another name of this machine is another host', [], ['localhost a=1', '127.0.0.1 -'], {
    raw: ({ headers, origins }) =>
      headers['host']?.startsWith('localhost') === true
        ? response('302 Found', '', `Location: ${origins.here}/`)
        : ok(''),
    run: async ({ session, url }) => {
      await session.cookies?.store(url.replace('127.0.0.1', 'localhost'), ['a=1'])
      await (await session.get(url.replace('127.0.0.1', 'localhost'))).text()
    },
    steps: [],
    shown: (asked) => `${asked.headers['host']?.replace(/:.*/, '') ?? ''} ${sent(asked)}`,
  }),
  row('cookies: false keeps none, and sends those of the request', ['a=1'], ['-', '-', 'own=1'], {
    session: { cookies: false },
    steps: [{}, {}, { options: { headers: { cookie: 'own=1' } } }],
  }),
  row('those of the request are sent with those of the jar', ['a=1'], ['own=0', 'own=1; a=1'], {
    steps: [{ options: { headers: { cookie: 'own=0' } } }, { options: { headers: { cookie: 'own=1' } } }],
  }),
  row('where both have a name, that of the request counts', ['a=1', 'b=2'], ['-', 'a=9; b=2', 'a=1; b=2'], {
    steps: [{}, { options: { headers: { cookie: 'a=9' } } }, {}],
  }),
  ...[undefined, 'a cache'].map((cache) =>
    row(
      `a 401 sets a newer one for its answer${cache === undefined ? '' : `, with ${cache}`}`,
      [],
      ['-', 'own=1; a=1', 'own=1; a=2'],
      {
        raw: ({ index }) => (index === 1 ? response('401 No', '', 'Set-Cookie: a=2') : ok('', 'Set-Cookie: a=1')),
        session: () => ({ auth: bearer(() => 't'), ...(cache === undefined ? {} : { cache: new HttpCache() }) }),
        steps: [{}, { options: { headers: { cookie: 'own=1' } } }],
      },
    ),
  ),
  {
    name: 'a jar that was saved is sent by another session',
    own: ({ headers, path }) =>
      path === '/set'
        ? text('', { headers: { 'set-cookie': 'a=1; Max-Age=100' } })
        : text(headers.get('cookie') ?? '-'),
    run: async ({ session, url }) => {
      await (await session.get(`${url}/set`)).text()
      const kept = await CookieJar.fromJSON(JSON.parse(JSON.stringify(session.cookies)))
      assert.equal(await kept.cookieHeader(url), 'a=1')
    },
  },
  {
    name: 'our own server sets two, and reads them behind a redirect',
    own: ({ path, headers }) =>
      path === '/login'
        ? redirect('/home', {
            status: 303,
            headers: [
              ['Set-Cookie', 'session=s; HttpOnly; SameSite=Lax'],
              ['Set-Cookie', 'theme=dark; Path=/home'],
            ],
          })
        : text(headers.get('cookie') ?? '-'),
    method: 'POST',
    path: '/login',
    options: { form: { user: 'me' } },
    text: 'theme=dark; session=s',
    redirects: 1,
  },
  {
    name: 'nginx sets one with add_header, and tells what came back',
    nginx: 'http',
    steps: [
      { path: '/cookie', text: 'cookie: ' },
      { path: '/cookie', text: 'cookie: visit=1' },
    ],
  },
]
