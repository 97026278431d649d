import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import {
  cookiesOfJson,
  formatNetscape,
  MalformedCookies,
  parseCookieFile,
  type StoredCookie,
} from '#src/client/cookie-files.js'
import { CookieJar } from '#src/client/cookies.js'

const run = promisify(execFile)
let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cookies-'))
})
after(async () => {
  await rm(folder, { recursive: true })
})

const plain: StoredCookie = {
  name: 'a',
  value: 'b',
  domain: 'x.example',
  hostOnly: true,
  path: '/',
  secure: false,
  httpOnly: false,
}

test('parseCookieFile reads its table of Netscape lines', () => {
  const rows: readonly (readonly [name: string, text: string, cookies: readonly StoredCookie[]])[] = [
    ['nothing', '', []],
    ['a cookie', 'x.example\tFALSE\t/\tFALSE\t0\ta\tb', [plain]],
    ['for names below', '.x.example\tTRUE\t/\tFALSE\t0\ta\tb', [{ ...plain, hostOnly: false }]],
    ['for names below, without a dot', 'x.example\tTRUE\t/\tFALSE\t0\ta\tb', [{ ...plain, hostOnly: false }]],
    ['a dot without names below', '.x.example\tFALSE\t/\tFALSE\t0\ta\tb', [plain]],
    ['capitals', 'X.Example\tfalse\t/\tTrue\t0\ta\tb', [{ ...plain, secure: true }]],
    [
      'a time',
      'x.example\tFALSE\t/p\tTRUE\t2000000000\ta\tb',
      [{ ...plain, path: '/p', secure: true, expiresMs: 2e12 }],
    ],
    ['a part of a second', 'x.example\tFALSE\t/\tFALSE\t1.5\ta\tb', [{ ...plain, expiresMs: 1500 }]],
    ['a time before 1970', 'x.example\tFALSE\t/\tFALSE\t-1\ta\tb', [{ ...plain, expiresMs: -1000 }]],
    ['no time', 'x.example\tFALSE\t/\tFALSE\t\ta\tb', [plain]],
    ['no value', 'x.example\tFALSE\t/\tFALSE\t0\ta\t', [{ ...plain, value: '' }]],
    ['no tab before it', 'x.example\tFALSE\t/\tFALSE\t0\ta', [{ ...plain, value: '' }]],
    ['a value with space', 'x.example\tFALSE\t/\tFALSE\t0\ta\t b =c ', [{ ...plain, value: ' b =c ' }]],
    ['HttpOnly', '#HttpOnly_x.example\tFALSE\t/\tFALSE\t0\ta\tb', [{ ...plain, httpOnly: true }]],
    [
      'HttpOnly for names below',
      '#HttpOnly_.x.example\tTRUE\t/\tFALSE\t0\ta\tb',
      [{ ...plain, httpOnly: true, hostOnly: false }],
    ],
    [
      'comments and empty lines',
      '# Netscape HTTP Cookie File\n\n#x.example\tFALSE\n  \t\nx.example\tFALSE\t/\tFALSE\t0\ta\tb\n\n',
      [plain],
    ],
    ['lines of Windows', '# c\r\nx.example\tFALSE\t/\tFALSE\t0\ta\tb\r\n', [plain]],
    ['a byte order mark', '\ufeffx.example\tFALSE\t/\tFALSE\t0\ta\tb', [plain]],
    ['JSON', ` {"cookies":[${JSON.stringify(plain)}]}\n`, [plain]],
    ['JSON behind a mark', `\ufeff{"cookies":[]}`, []],
  ]
  for (const [name, text, cookies] of rows) assert.deepEqual(parseCookieFile(text), cookies, name)
})

test('parseCookieFile says in which line a file is wrong', () => {
  const rows: readonly (readonly [name: string, text: string, line: number | undefined])[] = [
    ['words', 'hello', 1],
    ['spaces for tabs', 'x.example FALSE / FALSE 0 a b', 1],
    ['five fields', '# c\n\nx.example\tFALSE\t/\tFALSE\t0', 3],
    ['eight', 'x.example\tFALSE\t/\tFALSE\t0\ta\tb\tc', 1],
    ['another flag', 'x.example\tYES\t/\tFALSE\t0\ta\tb', 1],
    ['another Secure', 'x.example\tFALSE\t/\t1\t0\ta\tb', 1],
    ['another time', 'x.example\tFALSE\t/\tFALSE\tsoon\ta\tb', 1],
    ['no name', 'x.example\tFALSE\t/\tFALSE\t0\t\tb', 1],
    ['half of JSON', '{"cookies":[', undefined],
    ['other JSON', '{"a":1}', undefined],
  ]
  for (const [name, text, line] of rows) {
    const found = parseCookieFile(text)
    assert.ok(found instanceof MalformedCookies, name)
    assert.equal(found.line, line, name)
  }
})

test('formatNetscape writes what parseCookieFile reads', () => {
  assert.equal(
    formatNetscape([
      plain,
      { ...plain, hostOnly: false, httpOnly: true, secure: true, expiresMs: 2_000_000_000_999, createdMs: 1 },
    ]),
    '# Netscape HTTP Cookie File\n\nx.example\tFALSE\t/\tFALSE\t0\ta\tb\n#HttpOnly_.x.example\tTRUE\t/\tTRUE\t2000000000\ta\tb\n',
  )
  assert.equal(
    formatNetscape([
      { ...plain, name: 'a\tb' },
      { ...plain, value: 'a\nb' },
    ]),
    formatNetscape([]),
    'what it has no room for',
  )
  assert.deepEqual(
    parseCookieFile(formatNetscape([{ ...plain, expiresMs: 0 }])),
    [{ ...plain, expiresMs: 1000 }],
    '0 would be the session',
  )
  const text = fc.string({ unit: fc.constantFrom('a', 'B', '#', '=', '"', ' ', 'ä'), minLength: 1 })
  const cookie = fc.record(
    {
      name: text,
      value: text,
      domain: fc.constantFrom('x.example', '127.0.0.1', '::1'),
      hostOnly: fc.boolean(),
      path: text.map((path) => `/${path}`),
      secure: fc.boolean(),
      httpOnly: fc.boolean(),
      expiresMs: fc.integer({ min: 1, max: 4e9 }).map((seconds) => seconds * 1000),
    },
    { requiredKeys: ['name', 'value', 'domain', 'hostOnly', 'path', 'secure', 'httpOnly'] },
  )
  fc.assert(
    fc.property(fc.array(cookie), (cookies) => {
      assert.deepEqual(
        parseCookieFile(formatNetscape(cookies)),
        cookies.map((one) => ({ ...one })),
      )
      assert.deepEqual(
        cookiesOfJson(JSON.parse(JSON.stringify({ cookies }))),
        cookies.map((one) => ({ ...one })),
      )
    }),
  )
})

const filled = async (): Promise<CookieJar> => {
  const jar = new CookieJar()
  await jar.store('https://www.example.com/a/b', [
    's=session; Path=/',
    'h=1; HttpOnly; Max-Age=1000',
    'd=2; Domain=example.com; Secure; Path=/; Max-Age=1000',
  ])
  return jar
}

test('CookieJar.save and load keep a jar in both kinds of files', async () => {
  const jar = await filled()
  const { cookies } = jar.toJSON()
  for (const [name, options, isJson] of [
    ['jar.json', {}, true],
    ['cookies.txt', {}, false],
    ['other', {}, false],
    ['named.txt', { format: 'json' }, true],
    ['named.json', { format: 'netscape' }, false],
  ] as const) {
    const path = join(folder, name)
    await jar.save(path, options)
    assert.equal((await readFile(path, 'utf8')).startsWith('{'), isJson, name)
    const copy = new CookieJar()
    assert.equal(await copy.load(path), 3)
    const read = copy.toJSON().cookies
    assert.ok(read.every(({ createdMs }) => createdMs !== undefined))
    // A Netscape file has whole seconds, and no beginning.
    const kept = (cookie: StoredCookie): object =>
      isJson ? cookie : { ...cookie, createdMs: 0, expiresMs: Math.floor((cookie.expiresMs ?? 0) / 1000) }
    assert.deepEqual(read.map(kept), cookies.map(kept), name)
    assert.equal(
      copy.cookieHeaderNow('https://www.example.com/a/b'),
      jar.cookieHeaderNow('https://www.example.com/a/b'),
    )
  }
})

test('CookieJar.save replaces a file whole, for its owner alone, and leaves nothing beside', async () => {
  const own = join(folder, 'own')
  const path = join(folder, 'own.txt')
  await writeFile(path, '# a comment\nx.example\tFALSE\t/\tFALSE\t0\ta\tb\n')
  await chmod(path, 0o644)
  const jar = await filled()
  await jar.load(path)
  await jar.save(path)
  const text = await readFile(path, 'utf8')
  assert.ok(text.includes('x.example\tFALSE\t/\tFALSE\t0\ta\tb\n') && !text.includes('comment'))
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await Promise.all(Array.from({ length: 10 }, () => jar.save(path)))
  assert.equal(await readFile(path, 'utf8'), text)
  const failed = { name: 'NetError', code: 'ERR_COOKIE_FILE', details: { path: folder } }
  await assert.rejects(jar.save(folder), failed)
  await assert.rejects(jar.save(join(own, 'missing', 'x')), { code: 'ERR_COOKIE_FILE' })
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('CookieJar.load says what is wrong with a file, and takes nothing of it', async () => {
  const jar = new CookieJar()
  const path = join(folder, 'wrong')
  await assert.rejects(jar.load(path), (error: Error) => {
    assert.equal((error as { readonly code?: unknown }).code, 'ERR_COOKIE_FILE')
    return (error.cause as { readonly code?: unknown }).code === 'ENOENT'
  })
  await writeFile(path, 'x.example\tFALSE\t/\tFALSE\t0\ta\ts3cret\nx.example s3cret')
  await assert.rejects(jar.load(path), (error: Error) => {
    const { code, details } = error as Error & { readonly code: unknown; readonly details: unknown }
    assert.deepEqual([code, details], ['ERR_COOKIE_FILE', { path, line: 2 }])
    return !error.message.includes('s3cret')
  })
  await writeFile(path, '{"cookies": s3cret}')
  await assert.rejects(jar.load(path), (error: Error) => !error.message.includes('s3cret') && error.cause === undefined)
  assert.equal(jar.isEmpty, true)
  await writeFile(path, '#'.repeat(16 * 1024 * 1024))
  assert.equal(await jar.load(path), 0)
  await writeFile(path, '#'.repeat(16 * 1024 * 1024 + 1))
  await assert.rejects(jar.load(path), { code: 'ERR_COOKIE_FILE' })
})

test('CookieJar.load passes over what has ended, and drops what is for a public suffix', async () => {
  const path = join(folder, 'old')
  await writeFile(
    path,
    'x.example\tFALSE\t/\tFALSE\t1\ta\tb\n.com\tTRUE\t/\tFALSE\t0\tc\td\nx.example\tFALSE\t/\tFALSE\t0\te\tf\n',
  )
  const jar = new CookieJar()
  assert.equal(await jar.load(path), 3)
  assert.equal(jar.dropped, 1)
  assert.deepEqual(
    jar.toJSON().cookies.map(({ name }) => name),
    ['e'],
  )
})

test('curl sends what CookieJar.save wrote, and CookieJar.load reads what curl wrote', async () => {
  let received: string | undefined
  const server = createServer((request, response) => {
    received = request.headers.cookie
    response.setHeader('set-cookie', ['t=1; Max-Age=1000; HttpOnly', 'u=2; Path=/p; Domain=127.0.0.1', 'v=x y"z'])
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  const url = `http://127.0.0.1:${port}/p/q`
  try {
    const [ours, theirs] = [join(folder, 'ours.txt'), join(folder, 'theirs.txt')]
    const jar = new CookieJar()
    await jar.store(url, ['a=1', 'b=2; HttpOnly; Path=/; Max-Age=1000', 'c=x=y z'])
    await jar.save(ours)
    await run('curl', ['-s', '-b', ours, url])
    const sorted = (header = ''): string[] => header.split('; ').sort()
    assert.deepEqual(sorted(received), sorted(jar.cookieHeaderNow(url)))
    await run('curl', ['-s', '-c', theirs, url])
    const read = new CookieJar()
    assert.equal(await read.load(theirs), 3)
    await run('curl', ['-s', '-b', theirs, url])
    assert.deepEqual(sorted(read.cookieHeaderNow(url)), sorted(received))
  } finally {
    server.close()
  }
})

test('Python reads what CookieJar.save wrote, and CookieJar.load reads what Python wrote', async () => {
  const [ours, theirs] = [join(folder, 'for-python.txt'), join(folder, 'from-python.txt')]
  const jar = await filled()
  await jar.save(ours)
  // Python writes nothing for the end of a cookie of the session, and takes the 0 that curl writes for a time.
  const script = `
import http.cookiejar, sys
jar = http.cookiejar.MozillaCookieJar(sys.argv[1])
jar.load(ignore_discard=True, ignore_expires=True)
print(sorted((c.name, c.value, c.domain, c.path, c.secure, c.expires == 0) for c in jar))
jar.save(sys.argv[2], ignore_discard=True, ignore_expires=True)`
  const { stdout } = await run('python3', ['-c', script, ours, theirs])
  assert.equal(
    stdout.trim(),
    "[('d', '2', '.example.com', '/', True, False), ('h', '1', 'www.example.com', '/a', False, False), ('s', 'session', 'www.example.com', '/', False, True)]",
  )
  const read = new CookieJar()
  assert.equal(await read.load(theirs), 3)
  const key = ({ name, value, domain, hostOnly, path, secure, httpOnly }: StoredCookie): string =>
    JSON.stringify([name, value, domain, hostOnly, path, secure, httpOnly])
  assert.deepEqual(read.toJSON().cookies.map(key).sort(), jar.toJSON().cookies.map(key).sort())
})
