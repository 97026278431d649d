import { basic } from '#src/client/auth.js'
import { RedirectError } from '#src/client/errors.js'
import { redirect, text } from '#src/http/index.js'
import type { Asked, Bytes } from './_raw-server.js'
import { ok, response, type Row } from './_table.js'

const to = (location: string, status = '302 Found'): Bytes => response(status, 'moved', `Location: ${location}`)
const asked = ({ method, target, body, headers }: Asked): string =>
  `${method} ${target}${body === '' ? '' : ` ${body} as ${headers['content-type'] ?? 'nothing'}`}`

/** RFC 9110 §15.4: what the request behind each is. */
const AFTER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '301 Moved Permanently': { GET: 'GET', HEAD: 'HEAD', POST: 'GET', PUT: 'PUT body', DELETE: 'DELETE' },
  '302 Found': { GET: 'GET', HEAD: 'HEAD', POST: 'GET', PUT: 'PUT body', DELETE: 'DELETE' },
  '303 See Other': { GET: 'GET', HEAD: 'HEAD', POST: 'GET', PUT: 'GET', DELETE: 'GET' },
  '307 Temporary Redirect': { GET: 'GET', HEAD: 'HEAD', POST: 'POST body', PUT: 'PUT body', DELETE: 'DELETE' },
  '308 Permanent Redirect': { GET: 'GET', HEAD: 'HEAD', POST: 'POST body', PUT: 'PUT body', DELETE: 'DELETE' },
}

const BY_STATUS: readonly Row[] = Object.entries(AFTER).flatMap(([status, methods]) =>
  Object.entries(methods).map(([method, behind]): Row => {
    const hasBody = method === 'POST' || method === 'PUT'
    const [next = '', keeps] = behind.split(' ')
    return {
      name: `${status.slice(0, 3)} of ${method} becomes ${next}${keeps === undefined ? '' : ' with its body'}`,
      raw: ({ target, method: now }) => {
        const answer = target === '/' ? to('/end', status) : ok('end')
        return now === 'HEAD' ? Buffer.from(answer).subarray(0, Buffer.from(answer).indexOf('\r\n\r\n') + 4) : answer
      },
      method,
      ...(hasBody ? { options: { json: 1 } } : {}),
      text: method === 'HEAD' ? '' : 'end',
      redirects: 1,
      endsAt: '/end',
      shown: asked,
      seen: [
        `${method} /${hasBody ? ' 1 as application/json' : ''}`,
        `${next} /end${keeps === undefined ? '' : ' 1 as application/json'}`,
      ],
    }
  }),
)

const leads = (name: string, from: string, location: string, end: string, more: Partial<Row> = {}): Row => ({
  name,
  raw: ({ index }) => (index === 0 ? to(location) : ok('end')),
  path: from,
  text: 'end',
  endsAt: end,
  redirects: 1,
  seen: [`GET ${from.replace(/#.*/, '')}`, `GET ${end}`],
  ...more,
})

const stays = (name: string, status: string, lines: readonly string[], more: Partial<Row> = {}): Row => ({
  name,
  raw: () => response(status, 'here', ...lines),
  status: Number(status.slice(0, 3)),
  text: 'here',
  redirects: 0,
  seen: ['GET /'],
  ...more,
})

const secrets = ({ place, headers }: Asked): string =>
  `${place} ${headers['authorization'] ?? '-'} ${headers['cookie'] ?? '-'} ${headers['x-mine'] ?? '-'}`

/** Here leads elsewhere, or to another place here. */
const carries = (
  name: string,
  location: (asked: Asked) => string,
  seen: readonly string[],
  more: Partial<Row> = {},
): Row => ({
  name,
  raw: (was) => (was.index === 0 ? to(location(was), '307 Temporary Redirect') : ok('end')),
  options: { headers: { authorization: 'Bearer t', cookie: 'a=1', 'x-mine': 'yes' } },
  text: 'end',
  redirects: 1,
  shown: secrets,
  seen,
  ...more,
})

async function* once(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('stream')
}

export const REDIRECT_ROWS: readonly Row[] = [
  ...BY_STATUS,
  leads('a path', '/a/b?c', '/d', '/d'),
  leads('a name beside it', '/a/b?c', 'd', '/a/d'),
  leads('"../" goes up, and not past the root', '/a/b/c', '../../../d', '/d'),
  leads('a query alone', '/a/b?c', '?d=e', '/a/b?d=e'),
  leads('a fragment alone', '/a?b', '#c', '/a?b'),
  leads('a fragment is not sent', '/a#mine', '/b#theirs', '/b'),
  leads('spaces and UTF-8 are encoded', '/', '/a b/\xc3\xa4?\xc3\xb6', '/a%20b/%C3%A4?%C3%B6'),
  leads('what is encoded stays so', '/', '/a%2Fb%20%c3%a4?x=%26', '/a%2Fb%20%c3%a4?x=%26'),
  leads('a backslash is a slash, as in browsers', '/', String.raw`\d`, '/d'),
  leads('dots are resolved before it is sent', '/', '/a/../b/./c', '/b/c'),
  leads('white space around it', '/', '  /d\t', '/d'),
  {
    name: 'a URL without a scheme keeps that of the request',
    raw: ({ place, origins }) => (place === 'here' ? to(origins.elsewhere.replace('http:', '') + '/d') : ok('end')),
    text: 'end',
    shown: ({ place, target }) => `${place} ${target}`,
    seen: ['here /', 'elsewhere /d'],
  },
  {
    name: 'a whole URL of another port',
    raw: ({ place, origins }) => (place === 'here' ? to(`${origins.elsewhere}/d?e`) : ok('end')),
    text: 'end',
    shown: ({ place, target, headers, origins }) =>
      `${place} ${target} ${headers['host'] === new URL(origins[place]).host ? 'its host' : (headers['host'] ?? '')}`,
    seen: ['here / its host', 'elsewhere /d?e its host'],
  },
  {
    name: 'https: leads to http:, without credentials',
    at: 'tls',
    raw: ({ place, origins }) => (place === 'tls' ? to(`${origins.here}/d`) : ok('end')),
    options: { auth: basic('me', 'secret') },
    text: 'end',
    shown: secrets,
    seen: [`tls Basic ${btoa('me:secret')} - -`, 'here - - -'],
  },
  stays('300 has choices, and leads nowhere by itself', '300 Multiple Choices', ['Location: /d']),
  stays('305 is deprecated', '305 Use Proxy', ['Location: /d']),
  stays('201 names what was made', '201 Created', ['Location: /d']),
  stays('302 without Location', '302 Found', []),
  stays('302 with an empty one', '302 Found', ['Location:']),
  stays('followRedirects: false', '302 Found', ['Location: /d'], { options: { followRedirects: false } }),
  {
    name: 'Refresh is for browsers',
    raw: () => ok('here', 'Refresh: 0; url=/d'),
    text: 'here',
    seen: ['GET /'],
  },
  {
    name: 'a circle ends at maxRedirects',
    raw: () => to('/'),
    options: { maxRedirects: 3 },
    error: [RedirectError, 'ERR_REDIRECT'],
    seen: ['GET /', 'GET /', 'GET /', 'GET /'],
  },
  {
    name: 'as many as maxRedirects are followed',
    raw: ({ index }) => (index < 3 ? to(`/${index + 1}`) : ok('end')),
    options: { maxRedirects: 3 },
    text: 'end',
    redirects: 3,
    connections: 1,
  },
  {
    name: 'maxRedirects: 0 follows none',
    raw: () => to('/d'),
    options: { maxRedirects: 0 },
    error: [RedirectError, 'ERR_REDIRECT'],
    seen: ['GET /'],
  },
  ...['ftp://127.0.0.1/', 'javascript:alert(1)', 'file:///etc/passwd', 'http://', 'http://[::1', 'http://a:b:c/'].map(
    (location): Row => ({
      name: `to ${location} it cannot be followed`,
      raw: () => to(location),
      error: [RedirectError, 'ERR_REDIRECT'],
      seen: ['GET /'],
    }),
  ),
  carries('on the same origin all fields go along', () => '/d', ['here Bearer t a=1 yes', 'here Bearer t a=1 yes']),
  carries('to another port goes no Authorization, and no Cookie', ({ origins }) => origins.elsewhere, [
    'here Bearer t a=1 yes',
    'elsewhere - - yes',
  ]),
  carries(
    'auth goes along on the same origin',
    () => '/d',
    [`here Basic ${btoa('me:secret')} - -`, `here Basic ${btoa('me:secret')} - -`],
    {
      options: { auth: basic('me', 'secret') },
    },
  ),
  carries(
    'auth does not come back from another origin',
    ({ origins }) => `${origins.elsewhere}/back`,
    [`here Basic ${btoa('me:secret')} - -`, 'elsewhere - - -', 'here - - -'],
    {
      raw: ({ place, index, origins }) =>
        place === 'elsewhere' ? to(`${origins.here}/d`) : index === 0 ? to(`${origins.elsewhere}/`) : ok('end'),
      options: { auth: basic('me', 'secret') },
      redirects: 2,
    },
  ),
  carries(
    'user and password of Location are for where it leads',
    ({ origins }) => origins.elsewhere.replace('//', '//u:p@'),
    ['here - - -', `elsewhere Basic ${btoa('u:p')} - -`],
    {
      options: {},
      check: ({ url }) => {
        if (url.includes('u:p')) throw new Error(url)
      },
    },
  ),
  {
    name: '307 sends a body of bytes again, elsewhere too',
    raw: ({ place, origins }) => (place === 'here' ? to(`${origins.elsewhere}/`, '307 Temporary Redirect') : ok('end')),
    method: 'PUT',
    options: { body: new Uint8Array([104, 105]), headers: { 'content-type': 'text/x' } },
    text: 'end',
    shown: asked,
    seen: ['PUT / hi as text/x', 'PUT / hi as text/x'],
  },
  {
    name: '307 of a stream is the answer: it cannot be sent again',
    raw: () => to('/d', '307 Temporary Redirect'),
    method: 'POST',
    options: () => ({ body: once() }),
    status: 307,
    text: 'moved',
    shown: asked,
    seen: ['POST / stream as nothing'],
  },
  {
    name: '303 of a stream needs none',
    raw: ({ index }) => (index === 0 ? to('/d', '303 See Other') : ok('end')),
    method: 'POST',
    options: () => ({ body: once() }),
    text: 'end',
    shown: asked,
    seen: ['POST / stream as nothing', 'GET /d'],
  },
  {
    name: 'fields of a body do not outlive it',
    raw: ({ index }) => (index === 0 ? to('/d', '303 See Other') : ok('end')),
    method: 'POST',
    options: {
      body: 'x',
      headers: { 'content-type': 'a/b', 'content-language': 'de', 'content-encoding': 'x', 'x-mine': 'y' },
    },
    text: 'end',
    shown: ({ headers }) =>
      Object.keys(headers)
        .filter((name) => name.startsWith('content-') || name === 'x-mine')
        .join(' '),
    seen: ['content-type content-language content-encoding x-mine content-length', 'x-mine'],
  },
  {
    name: 'a redirect with a long body does not hold the next request up',
    raw: ({ index }) => (index === 0 ? response('302 Found', 'x'.repeat(3_000_000), 'Location: /d') : ok('end')),
    text: 'end',
  },
  {
    name: 'a redirect whose body never ends is not waited for',
    raw: ({ index }) =>
      index === 0 ? 'HTTP/1.1 302 Found\r\nLocation: /d\r\nContent-Length: 99\r\n\r\nno' : ok('end'),
    text: 'end',
    isWhole: true,
    connections: 2,
  },
  {
    name: 'our own server: redirect() and back',
    own: ({ path }) => (path === '/' ? redirect('/end', { status: 308 }) : text(path)),
    text: '/end',
    redirects: 1,
  },
  {
    name: 'nginx: the slash behind a folder',
    nginx: 'http',
    path: '/folder',
    text: 'index of the folder',
    endsAt: '/folder/',
    redirects: 1,
  },
  {
    name: 'nginx: return 307 keeps a body',
    nginx: 'http',
    method: 'POST',
    path: '/temporary',
    options: { body: 'kept' },
    text: 'POST kept',
    redirects: 1,
  },
]
