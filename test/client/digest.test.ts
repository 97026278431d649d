import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { inspect, promisify } from 'node:util'
import { DigestAuth, type DigestOutcome } from '#src/client/digest.js'
import { parseCredentials } from '#src/engine/http/authorization.js'

const MUFASA = { user: 'Mufasa', password: 'Circle of Life' }
const GET = { method: 'GET', target: '/dir/index.html' }
const HTTP_AUTH = 'Digest realm="http-auth@example.org", qop="auth, auth-int"'
const NONCE =
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
const RFC_7616_SHA = `${HTTP_AUTH}, algorithm=SHA-256, ${NONCE}`
const RFC_7616_MD5 = `${HTTP_AUTH}, algorithm=MD5, ${NONCE}`
const RFC_7616_CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'

/** Parameters of what is sent after these challenges. */
function answer(
  challenges: readonly string[],
  { user, password } = MUFASA,
  request: Parameters<DigestAuth['authorize']>[0] = GET,
  cnonce = RFC_7616_CNONCE,
): Readonly<Record<string, string>> {
  const auth = new DigestAuth({ user, password }, () => cnonce)
  assert.equal(auth.receiveChallenges(challenges, undefined), 'answer')
  return Object.fromEntries(parseCredentials(auth.authorize(request) ?? '').parameters)
}

test('DigestAuth gives what RFC 7616 §3.9.1 shows', () => {
  const common = {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    nc: '00000001',
    cnonce: RFC_7616_CNONCE,
    qop: 'auth',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  }
  const sha = { algorithm: 'SHA-256', response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1' }
  const md5 = { algorithm: 'MD5', response: '8ca523f5e9506fed4657c9700eebdbec' }
  assert.deepEqual(answer([RFC_7616_SHA]), { ...common, ...sha })
  assert.deepEqual(answer([RFC_7616_MD5]), { ...common, ...md5 })
  assert.deepEqual(answer([RFC_7616_MD5, RFC_7616_SHA]), { ...common, ...sha }, 'the strongest, wherever it stands')
  assert.deepEqual(answer([`Basic realm="x", ${RFC_7616_MD5}, ${RFC_7616_SHA}, Bearer`]), { ...common, ...sha })
})

test('DigestAuth gives what RFC 7616 §3.9.2 shows, with its erratum', () => {
  const challenge =
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
  const user = { user: 'Jäsøn Doe', password: 'Secret, or not?' }
  const request = { method: 'GET', target: '/doe.json' }
  assert.deepEqual(answer([challenge], user, request, 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v'), {
    username: '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
    realm: 'api@example.org',
    uri: '/doe.json',
    algorithm: 'SHA-512-256',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    nc: '00000001',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    qop: 'auth',
    response: '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
    opaque: 'HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS',
    userhash: 'true',
  })
})

test('DigestAuth gives what RFC 2617 §3.5 shows, and RFC 2069 with its erratum', () => {
  const challenge =
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
  const user = { user: 'Mufasa', password: 'Circle Of Life' }
  const sent = answer([`${challenge}, qop="auth,auth-int"`], user, GET, '0a4f113b')
  assert.equal(sent['response'], '6629fae49393a05397450978507c4ef1')
  assert.equal('algorithm' in sent, false, 'only named where the server names it')
  const old = { user: 'Mufasa', password: 'CircleOfLife' }
  assert.deepEqual(answer([challenge], old), {
    username: 'Mufasa',
    realm: 'testrealm@host.com',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    uri: '/dir/index.html',
    response: '1949323746fe6a43ef61f9606e7febea',
    opaque: '5ccc069c403ebaf9f0171e9517f40e41',
  })
})

const asking = (parameters: string): string => `Digest realm="r", nonce="n", ${parameters}`
const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

test('DigestAuth.receiveChallenges chooses by its table', () => {
  const rows: readonly (readonly [
    name: string,
    values: readonly string[],
    algorithm: string | undefined,
    qop?: string,
  ])[] = [
    ['SHA-256 before SHA-256-sess', [asking('algorithm=SHA-256-sess'), asking('algorithm=SHA-256')], 'SHA-256'],
    [
      'SHA-256-sess before SHA-512-256',
      [asking('algorithm=SHA-512-256, Digest realm="r", nonce="n", algorithm=SHA-256-sess')],
      'SHA-256-sess',
    ],
    ['SHA-512-256 before MD5', [asking('algorithm=MD5'), asking('algorithm=SHA-512-256')], 'SHA-512-256'],
    ['MD5 before MD5-sess', [asking('algorithm=MD5-sess'), asking('algorithm=md5')], 'md5'],
    ['what is not known', [asking('algorithm=SHA-3'), asking('algorithm=MD5-sess')], 'MD5-sess'],
    ['in quotes', [asking('algorithm="SHA-256"')], 'SHA-256'],
    ['the first of two alike', [asking('algorithm=MD5, opaque=1'), asking('algorithm=MD5, opaque=2')], 'MD5'],
    ['a malformed field beside', ['"', asking('algorithm=MD5')], 'MD5'],
    ['auth before auth-int', [asking('algorithm=MD5, qop="auth-int,auth"')], 'MD5', 'auth'],
    ['qop in other letters', [asking('algorithm=MD5, qop="x, AUTH"')], 'MD5', 'auth'],
    ['qop as a token', [asking('algorithm=MD5, qop=auth')], 'MD5', 'auth'],
    ['an empty qop', [asking('algorithm=MD5, qop=""')], 'MD5'],
    ['none', [], undefined],
    ['Basic', ['Basic realm="r"'], undefined],
    ['no nonce', ['Digest realm="r"'], undefined],
    ['no realm', ['Digest nonce="n"'], undefined],
    ['an unknown qop', [asking('qop="x"')], undefined],
    ['only unknown algorithms', [asking('algorithm=SHA-3'), asking('algorithm=token')], undefined],
  ]
  for (const [name, values, algorithm, qop] of rows) {
    const auth = new DigestAuth(MUFASA)
    assert.equal(auth.authorize(GET), undefined)
    assert.equal(auth.receiveChallenges(values, undefined), algorithm === undefined ? 'unsupported' : 'answer', name)
    const sent = auth.authorize(GET)
    const parameters = sent === undefined ? undefined : parseCredentials(sent).parameters
    assert.deepEqual([parameters?.get('algorithm'), parameters?.get('qop')], [algorithm, qop], name)
    if (name.includes('first')) assert.equal(parameters?.get('opaque'), '1')
  }
})

test('DigestAuth counts the uses of a nonce, from one again with each new one', () => {
  let made = 0
  const auth = new DigestAuth(MUFASA, () => `c${(made += 1)}`)
  const next = (): (string | undefined)[] => {
    const { parameters } = parseCredentials(auth.authorize(GET) ?? '')
    return [parameters.get('nonce'), parameters.get('nc')]
  }
  auth.receiveInfo('nextnonce="early"')
  assert.equal(auth.authorize(GET), undefined)
  auth.receiveChallenges([asking('qop=auth')], undefined)
  assert.deepEqual(next(), ['n', '00000001'])
  assert.deepEqual(next(), ['n', '00000002'])
  auth.receiveChallenges([asking('qop=auth')], undefined)
  assert.deepEqual(next(), ['n', '00000003'], 'the same nonce, for a request that was on its way')
  auth.receiveInfo('rspauth="x", cnonce="y", nc=00000003, qop=auth')
  auth.receiveInfo('"')
  assert.deepEqual(next(), ['n', '00000004'])
  auth.receiveInfo('qop=auth, nextnonce="m"')
  assert.deepEqual(next(), ['m', '00000001'])
  for (let i = 2; i < 255; i += 1) next()
  assert.deepEqual(next(), ['m', '000000ff'])
})

test('DigestAuth.receiveChallenges knows when it was refused', () => {
  const rows: readonly (readonly [
    name: string,
    challenge: string,
    sent: string | undefined,
    outcome: DigestOutcome,
  ])[] = [
    ['nothing was sent', asking('qop=auth'), undefined, 'answer'],
    ['something else was sent', asking('qop=auth'), 'Basic YTpi', 'answer'],
    ['Digest was sent', asking('qop=auth'), 'Digest username="a"', 'refused'],
    ['a nonce was too old', asking('qop=auth, stale=true'), 'Digest username="a"', 'answer'],
    ['in quotes and capitals', asking('qop=auth, stale="TRUE"'), 'digest username="a"', 'answer'],
    ['it was not', asking('qop=auth, stale=false'), 'Digest username="a"', 'refused'],
    ['another scheme is asked for', 'Bearer', 'Digest username="a"', 'unsupported'],
  ]
  for (const [name, challenge, sent, outcome] of rows)
    assert.equal(new DigestAuth(MUFASA).receiveChallenges([challenge], sent), outcome, name)
})

test('DigestAuth hashes a body where nothing but auth-int is taken', () => {
  const auth = new DigestAuth({ user: 'u', password: 'p' }, () => 'c')
  assert.equal(auth.neededBodyHash, undefined)
  auth.receiveChallenges([asking('qop="auth-int"')], undefined)
  assert.equal(auth.neededBodyHash, 'md5')
  assert.equal(auth.authorize({ method: 'PUT', target: '/' }), undefined)
  const { parameters } = parseCredentials(auth.authorize({ method: 'PUT', target: '/', bodyHash: md5('body') }) ?? '')
  assert.equal(parameters.get('nc'), '00000001', 'what was not sent does not count')
  assert.equal(parameters.get('response'), md5(`${md5('u:r:p')}:n:00000001:c:auth-int:${md5(`PUT:/:${md5('body')}`)}`))
  auth.receiveChallenges([asking('qop="auth-int", algorithm=SHA-256')], undefined)
  assert.equal(auth.neededBodyHash, 'sha256')
})

test('DigestAuth keeps its cnonce for a session algorithm, as its key has it', () => {
  let made = 0
  const auth = new DigestAuth({ user: 'u', password: 'p' }, () => `c${(made += 1)}`)
  auth.receiveChallenges([asking('qop=auth, algorithm=MD5-sess')], undefined)
  for (const count of ['00000001', '00000002']) {
    const { parameters } = parseCredentials(auth.authorize({ method: 'GET', target: '/' }) ?? '')
    assert.equal(parameters.get('cnonce'), 'c1')
    const key = md5(`${md5('u:r:p')}:n:c1`)
    assert.equal(parameters.get('response'), md5(`${key}:n:${count}:c1:auth:${md5('GET:/')}`))
  }
  auth.receiveInfo('nextnonce="m"')
  assert.equal(parseCredentials(auth.authorize(GET) ?? '').parameters.get('cnonce'), 'c2')
  auth.receiveChallenges([asking('algorithm=MD5-sess')], undefined)
  const { parameters } = parseCredentials(auth.authorize(GET) ?? '')
  assert.equal(parameters.get('cnonce'), 'c3', 'also without qop, which could not be checked otherwise')
  assert.equal(parameters.has('nc'), false)
})

test('DigestAuth sends a user in every alphabet', () => {
  const user = { user: 'Jäsøn (x)', password: 'p€' }
  assert.equal(answer([asking('charset=UTF-8')], user)['username*'], `UTF-8''J%C3%A4s%C3%B8n%20%28x%29`)
  assert.equal(answer([asking('qop=auth')], user)['username'], Buffer.from('Jäsøn (x)').toString('latin1'))
  assert.equal(answer([asking('charset=UTF-8')], { user: 'a"\\b', password: '' })['username'], 'a"\\b')
  const sent = answer([asking('userhash=true, charset=UTF-8')], user)
  assert.equal(sent['username'], md5('Jäsøn (x):r'))
  assert.equal(sent['response'], md5(`${md5('Jäsøn (x):r:p€')}:n:${md5('GET:/dir/index.html')}`))
  const realm = answer(['Digest realm="\xe4 \\"x\\"", nonce=n'], { user: 'u', password: 'p' })
  assert.equal(realm['realm'], '\xe4 "x"')
  const key = createHash('md5').update(Buffer.from('u:\xe4 "x":p', 'latin1')).digest('hex')
  assert.equal(realm['response'], md5(`${key}:n:${md5('GET:/dir/index.html')}`))
})

test('DigestAuth refuses a user that cannot be sent, and shows no secret', () => {
  const auth = new DigestAuth({ user: 'u\n', password: 's3cret' })
  auth.receiveChallenges([asking('qop=auth')], undefined)
  assert.throws(() => auth.authorize(GET), { name: 'UsageError', code: 'ERR_ARGUMENT' })
  assert.ok(!inspect(auth, { depth: 9, showHidden: true }).includes('s3cret'))
})

test('DigestAuth sends what curl sends', async () => {
  // Without SHA-512-256, for which older versions of curl take SHA-256.
  const challenges: readonly string[] = [
    asking('qop="auth"'),
    asking('qop="auth", algorithm=MD5, opaque="o"'),
    asking('qop="auth,auth-int", algorithm=SHA-256'),
    asking('qop="auth", algorithm=MD5-sess'),
    asking('qop="auth", algorithm=SHA-256, userhash=true'),
    asking('opaque="o"'),
    asking('qop="auth", algorithm=SHA-256-sess, opaque=""'),
    'Digest realm="a \\"b\\" c", nonce="n/+=", qop="auth"',
  ]
  let challenge = ''
  let received: string | undefined
  const server = createServer((request, response) => {
    received = request.headers.authorization
    response.writeHead(received === undefined ? 401 : 200, { 'www-authenticate': challenge }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  try {
    for (challenge of challenges) {
      const url = `http://127.0.0.1:${port}/a/b?c=d`
      await promisify(execFile)('curl', ['-s', '--digest', '-u', 'us"er\\x:p:ä', url])
      assert.ok(received !== undefined, challenge)
      const theirs = received
      const cnonce = parseCredentials(theirs).parameters.get('cnonce') ?? ''
      const ours = new DigestAuth({ user: 'us"er\\x', password: 'p:ä' }, () => cnonce)
      ours.receiveChallenges([challenge], undefined)
      assert.equal(ours.authorize({ method: 'GET', target: '/a/b?c=d' }), theirs, challenge)
    }
  } finally {
    server.close()
  }
})
