import { createHash } from 'node:crypto'
import assert from 'node:assert/strict'
import { digest } from '#src/client/auth.js'
import type { SessionOptions } from '#src/client/session-options.js'
import { parseCredentials } from '#src/engine/http/authorization.js'
import type { Asked } from './_raw-server.js'
import { ok, response, type Row } from './_table.js'

const REALM = 'http-auth@example.org'
const NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'
const OPAQUE = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS'
/** RFC 7616 §3.9.1. */
const RFC_7616 = `realm="${REALM}", qop="auth, auth-int", nonce="${NONCE}", opaque="${OPAQUE}"`
const PASSWORD = 'Circle of Life'
const asUser = (user: string, password: string) => (): SessionOptions => ({ auth: digest(user, password) })

const wants = (...challenges: readonly string[]): ReturnType<typeof ok> =>
  response('401 Unauthorized', 'no', ...challenges.map((challenge) => `WWW-Authenticate: ${challenge}`))

const parametersOf = ({ headers }: Asked): ReadonlyMap<string, string> =>
  parseCredentials(headers['authorization'] ?? 'none').parameters

const HASHES: Readonly<Record<string, string>> = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' }

/** RFC 7616 §3.4.1, as a server does it: whether the response is the right one for what the request says of itself. */
function isRight(asked: Asked, user = 'Mufasa', password = PASSWORD, realm = REALM): boolean {
  const sent = parametersOf(asked)
  const of = (name: string): string => sent.get(name) ?? ''
  const algorithm = of('algorithm') === '' ? 'MD5' : of('algorithm')
  const hash = (text: string): string =>
    createHash(HASHES[algorithm.replace(/-sess$/, '')] ?? 'none')
      .update(Buffer.from(text, 'latin1'))
      .digest('hex')
  const secret = hash(
    Buffer.from(`${user}:`).toString('latin1') + realm + Buffer.from(`:${password}`).toString('latin1'),
  )
  const key = algorithm.endsWith('-sess') ? hash(`${secret}:${of('nonce')}:${of('cnonce')}`) : secret
  const body = of('qop') === 'auth-int' ? `:${hash(asked.body)}` : ''
  const proof = of('qop') === '' ? of('nonce') : `${of('nonce')}:${of('nc')}:${of('cnonce')}:${of('qop')}`
  assert.equal(of('uri'), asked.target, 'uri')
  assert.equal(of('realm'), realm, 'realm')
  return of('response') === hash(`${key}:${proof}:${hash(`${asked.method}:${asked.target}${body}`)}`)
}

/** Wants Digest, and lets in whom it knows. */
const guarded =
  (challenge: string, ...knows: readonly [user?: string, password?: string, realm?: string]) =>
  (asked: Asked): ReturnType<typeof ok> =>
    asked.headers['authorization'] === undefined
      ? wants(`Digest ${challenge}`)
      : isRight(asked, ...knows)
        ? ok('in')
        : wants(`Digest ${challenge}`)

const shown = (asked: Asked): string =>
  asked.headers['authorization'] === undefined
    ? 'nobody'
    : ['algorithm', 'qop', 'nc', 'opaque', 'userhash', 'username*']
        .filter((name) => parametersOf(asked).has(name))
        .map((name) => `${name}=${parametersOf(asked).get(name) ?? ''}`)
        .join(' ')

const row = (name: string, challenge: string, answered: string, more: Partial<Row> = {}): Row => ({
  name,
  raw: guarded(challenge),
  path: '/dir/index.html',
  session: asUser('Mufasa', PASSWORD),
  text: 'in',
  shown,
  seen: ['nobody', answered],
  ...more,
})

const COMMON = `nc=00000001 opaque=${OPAQUE}`

export const DIGEST_ROWS: readonly Row[] = [
  row('SHA-256, RFC 7616 §3.9.1', `${RFC_7616}, algorithm=SHA-256`, `algorithm=SHA-256 qop=auth ${COMMON}`),
  row('MD5, RFC 7616 §3.9.1', `${RFC_7616}, algorithm=MD5`, `algorithm=MD5 qop=auth ${COMMON}`),
  row('no algorithm is MD5', RFC_7616, `qop=auth ${COMMON}`),
  row(
    'SHA-512-256, a user in UTF-8 and hashed, RFC 7616 §3.9.2',
    'realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, userhash=true',
    'algorithm=SHA-512-256 qop=auth nc=00000001 userhash=true',
    {
      path: '/doe.json',
      session: asUser('Jäsøn Doe', 'Secret, or not?'),
      raw: guarded(
        'realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, userhash=true',
        'Jäsøn Doe',
        'Secret, or not?',
        'api@example.org',
      ),
    },
  ),
  row(
    'a user in UTF-8 goes in username*',
    `${RFC_7616}, charset=UTF-8`,
    `qop=auth ${COMMON} username*=UTF-8''J%C3%A4s%C3%B8n`,
    {
      session: asUser('Jäsøn', PASSWORD),
      raw: guarded(`${RFC_7616}, charset=UTF-8`, 'Jäsøn'),
    },
  ),
  row(
    'auth-int hashes the body',
    `realm="${REALM}", qop="auth-int", nonce="n", algorithm=SHA-256`,
    'algorithm=SHA-256 qop=auth-int nc=00000001',
    {
      method: 'POST',
      options: { json: { a: 'ä' } },
    },
  ),
  row('auth-int of no body', `realm="${REALM}", qop="auth-int", nonce="n"`, 'qop=auth-int nc=00000001'),
  row(
    'MD5-sess',
    `realm="${REALM}", qop="auth", nonce="n", algorithm=MD5-sess`,
    'algorithm=MD5-sess qop=auth nc=00000001',
  ),
  row('no qop is RFC 2069', `realm="${REALM}", nonce="n"`, ''),
  row(
    'parameters without quotes, with spaces around "="',
    `Realm = "${REALM}" ,nonce = n, qop=auth, algorithm = MD5`,
    'algorithm=MD5 qop=auth nc=00000001',
  ),
  row(
    'a realm with quotes, commas and backslashes',
    String.raw`realm="a \"b\", \\c", nonce="n", qop="auth"`,
    'qop=auth nc=00000001',
    {
      raw: guarded(String.raw`realm="a \"b\", \\c", nonce="n", qop="auth"`, 'Mufasa', PASSWORD, String.raw`a "b", \c`),
    },
  ),
  row(
    'an empty opaque goes back',
    `realm="${REALM}", nonce="n", qop="auth", opaque=""`,
    'qop=auth nc=00000001 opaque=',
  ),
  row('the query is part of uri', RFC_7616, `qop=auth ${COMMON}`, { path: '/dir?a=b&c=%20' }),
  row('the strongest of several fields, behind an unknown one', '', `algorithm=SHA-256 qop=auth ${COMMON}`, {
    raw: (asked) =>
      asked.headers['authorization'] === undefined
        ? wants(
            `Digest ${RFC_7616}, algorithm=SHA3-512`,
            'Negotiate',
            `Digest ${RFC_7616}, algorithm=MD5`,
            `Digest ${RFC_7616}, algorithm=SHA-256`,
          )
        : ok(isRight(asked) ? 'in' : 'out'),
  }),
  row('Basic beside it in one field is not taken', '', `qop=auth ${COMMON}`, {
    raw: (asked) =>
      asked.headers['authorization'] === undefined
        ? wants(`Basic realm="b, Digest", Digest ${RFC_7616}, Bearer`)
        : ok(isRight(asked) ? 'in' : 'out'),
  }),
  row('an unknown algorithm alone leaves the 401', `${RFC_7616}, algorithm=SHA3-512`, '', {
    status: 401,
    text: 'no',
    seen: ['nobody'],
  }),
  row('an unknown qop alone leaves the 401', `realm="${REALM}", nonce="n", qop="auth-conf"`, '', {
    status: 401,
    text: 'no',
    seen: ['nobody'],
  }),
  row('a challenge without a nonce leaves the 401', `realm="${REALM}", qop="auth"`, '', {
    status: 401,
    text: 'no',
    seen: ['nobody'],
  }),
  row('a wrong password is refused once', RFC_7616, `qop=auth ${COMMON}`, {
    session: asUser('Mufasa', 'wrong'),
    status: 401,
    text: 'no',
  }),
  {
    name: 'the nonce counts, and needs no second challenge',
    raw: guarded(RFC_7616),
    session: asUser('Mufasa', PASSWORD),
    steps: [{ text: 'in' }, { text: 'in', path: '/b' }, { text: 'in', method: 'PUT', options: { body: 'x' } }],
    shown: (asked) => parametersOf(asked).get('nc') ?? 'nobody',
    seen: ['nobody', '00000001', '00000002', '00000003'],
    connections: 1,
  },
  {
    name: 'nextnonce is the nonce of what follows',
    raw: (asked) =>
      asked.headers['authorization'] === undefined
        ? wants(`Digest ${RFC_7616}`)
        : ok(isRight(asked) ? 'in' : 'out', `Authentication-Info: nextnonce="next${asked.index}", qop=auth`),
    session: asUser('Mufasa', PASSWORD),
    steps: [{ text: 'in' }, { text: 'in' }, { text: 'in' }],
    shown: (asked) => `${parametersOf(asked).get('nonce') ?? 'nobody'} ${parametersOf(asked).get('nc') ?? ''}`,
    seen: ['nobody ', `${NONCE} 00000001`, 'next1 00000001', 'next2 00000001'],
  },
  {
    name: 'a nonce that has grown stale between two requests is made anew',
    raw: (asked) => {
      const nonce = parametersOf(asked).get('nonce')
      const wanted = asked.index < 2 ? 'one' : 'two'
      return nonce === wanted && isRight(asked)
        ? ok('in')
        : wants(`Digest realm="${REALM}", qop="auth", nonce="${wanted}"${nonce === undefined ? '' : ', stale=TRUE'}`)
    },
    session: asUser('Mufasa', PASSWORD),
    steps: [{ text: 'in' }, { text: 'in' }],
    shown: (asked) => `${parametersOf(asked).get('nonce') ?? 'nobody'} ${parametersOf(asked).get('nc') ?? ''}`,
    seen: ['nobody ', 'one 00000001', 'one 00000002', 'two 00000001'],
  },
  {
    name: 'a nonce that is stale when it is first used is made anew',
    raw: (asked) => {
      const nonce = parametersOf(asked).get('nonce')
      if (nonce === 'two') return ok(isRight(asked) ? 'in' : 'out')
      return nonce === undefined
        ? wants(`Digest realm="${REALM}", qop="auth", nonce="one"`)
        : wants(`Digest realm="${REALM}", qop="auth", nonce="two", stale=true`)
    },
    session: asUser('Mufasa', PASSWORD),
    text: 'in',
    shown: (asked) => parametersOf(asked).get('nonce') ?? 'nobody',
    seen: ['nobody', 'one', 'two'],
  },
  {
    name: 'a server whose nonces are always stale is not asked for ever',
    raw: (asked) => wants(`Digest realm="${REALM}", qop="auth", nonce="n${asked.index}", stale=true`),
    session: asUser('Mufasa', PASSWORD),
    status: 401,
    text: 'no',
    check: () => undefined,
    shown: (asked) => parametersOf(asked).get('nonce') ?? 'nobody',
    seen: ['nobody', 'n0', 'n1'],
  },
  {
    name: 'a stream is not sent twice: the 401 is the answer',
    raw: guarded(RFC_7616),
    method: 'POST',
    options: () => ({
      auth: digest('Mufasa', PASSWORD),
      body: (async function* () {
        yield Buffer.from('once')
      })(),
    }),
    status: 401,
    text: 'no',
    shown: ({ body }) => body,
    seen: ['once'],
  },
  {
    name: 'another origin is told nothing',
    raw: (asked) =>
      asked.place === 'elsewhere'
        ? wants(`Digest ${RFC_7616}`)
        : asked.headers['authorization'] === undefined
          ? wants(`Digest ${RFC_7616}`)
          : response('302 Found', '', `Location: ${asked.origins.elsewhere}/`),
    session: asUser('Mufasa', PASSWORD),
    status: 401,
    text: 'no',
    shown: (asked) => `${asked.place} ${asked.headers['authorization']?.slice(0, 6) ?? 'nobody'}`,
    seen: ['here nobody', 'here Digest', 'elsewhere nobody'],
  },
  {
    name: 'a proxy that names much before Digest is answered, for a tunnel',
    raw: (asked) =>
      asked.headers['proxy-authorization']?.startsWith('Digest ') === true
        ? response('502 Bad Gateway', '')
        : response(
            '407 Proxy Authentication Required',
            '',
            'Proxy-Authenticate: Negotiate',
            `Proxy-Authenticate: NTLM ${'A'.repeat(200)}`,
            `Proxy-Authenticate: Digest realm="${'a long name of a proxy '.repeat(20)}", nonce="n", qop="auth"`,
          ),
    run: async ({ session, url }) => {
      const proxy = url.replace('//', '//me:secret@')
      await assert.rejects(session.get('https://example.invalid/', { proxy }), { code: 'ERR_TUNNEL_REFUSED' })
    },
    shown: ({ method, target, headers }) => `${method} ${target} ${headers['proxy-authorization']?.slice(0, 6) ?? '-'}`,
    seen: ['CONNECT example.invalid:443 Basic ', 'CONNECT example.invalid:443 Digest'],
  },
]
