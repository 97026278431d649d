import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { Netrc, readNetrc, type NetrcEntry } from '#src/client/netrc.js'

type Row = readonly [name: string, text: string, host: string, expected: NetrcEntry | undefined]
const ab: NetrcEntry = { login: 'a', password: 'b' }

const ROWS: readonly Row[] = [
  ['on one line', 'machine h login a password b', 'h', ab],
  ['on several', 'machine h\n  login a\n\tpassword b\n', 'h', ab],
  ['lines of Windows', 'machine h\r\nlogin a\r\npassword b\r\n', 'h', ab],
  ['a byte order mark', '\ufeffmachine h login a password b', 'h', ab],
  ['password first', 'machine h password b login a', 'h', ab],
  ['account', 'machine h login a account c password b', 'h', { ...ab, account: 'c' }],
  ['user for login', 'machine h user a password b', 'h', ab],
  ['another host', 'machine h login a password b', 'i', undefined],
  ['a host below', 'machine h login a password b', 'x.h', undefined],
  ['case', 'machine Host.Example login a password b', 'HOST.example', ab],
  ['nothing', '', 'h', undefined],
  ['an entry with nothing', 'machine h', 'h', {}],
  ['the second', 'machine g login x\nmachine h login a password b', 'h', ab],
  ['the first of two', 'machine h login a password b machine h login x', 'h', ab],
  ['default', 'machine g login x default login a password b', 'h', ab],
  ['default counts last, wherever it stands', 'default login x machine h login a password b', 'h', ab],
  ['a field twice', 'machine h login x login a password b', 'h', ab],
  ['a comment line', '# machine g\nmachine h # login x\n#\nlogin a password b # c', 'h', ab],
  ['a comment without space', 'machine h login a password b #machine i', 'h', ab],
  ['# in a value', 'machine h login a#b password #b', 'h', { login: 'a#b', password: '#b' }],
  ['a keyword as a value', 'machine h login password password login', 'h', { login: 'password', password: 'login' }],
  ['quotes', 'machine "h" login "a b" password "c#"', 'h', { login: 'a b', password: 'c#' }],
  ['empty quotes', 'machine h login "" password b', 'h', { login: '', password: 'b' }],
  ['escapes', String.raw`machine h login "\"\\\n\r\t\x" password b`, 'h', { login: '"\\\n\r\tx', password: 'b' }],
  ['a quote within a word', 'machine h login a"b password b', 'h', { login: 'a"b', password: 'b' }],
  [
    'a backslash without quotes',
    String.raw`machine h login a\n password b`,
    'h',
    { login: String.raw`a\n`, password: 'b' },
  ],
  ['a macro', 'macdef m\nmachine h login x\n\nmachine h login a password b', 'h', ab],
  ['a macro at the end', 'machine h login a password b\nmacdef m\ncd /\nmachine i login x', 'i', undefined],
  ['a macro within an entry', 'machine g login x\nmacdef init\nput $1\n \t\r\nmachine h login a password b', 'h', ab],
  ['two empty lines behind a macro', 'macdef m\nx\n\n\nmachine h login a password b', 'h', ab],
  ['an empty macro', 'macdef m\n\nmachine h login a password b', 'h', ab],
]

test('Netrc reads its table', () => {
  for (const [name, text, host, expected] of ROWS) assert.deepEqual(new Netrc(text).find(host), expected, name)
})

test('Netrc.find looks for a login', () => {
  const netrc = new Netrc(
    'machine h login a password 1 machine h login b password 2 machine i password 3 default login b',
  )
  assert.equal(netrc.find('h', 'b')?.password, '2')
  assert.equal(netrc.find('h')?.password, '1')
  assert.deepEqual(netrc.find('i', 'c'), { password: '3' })
  assert.deepEqual(netrc.find('x', 'b'), { login: 'b' })
  assert.equal(netrc.find('x', 'c'), undefined)
  assert.equal(netrc.find('h', 'c'), undefined)
})

test('an error of Netrc has the line, and nothing of what stands there', () => {
  const rows: readonly (readonly [name: string, text: string, line: number])[] = [
    ['an unknown word', 'machine h\nlogin a\npassword b s3cret', 3],
    ['an unknown word first', 's3cret', 1],
    ['login before machine', '\n\nlogin s3cret', 3],
    ['no host', 'machine h\n\nmachine', 3],
    ['no login', 'machine h\nlogin', 2],
    ['no password', 'machine h password\n', 2],
    ['no name of a macro', 'macdef', 1],
    ['quotes without an end', 'machine h\nlogin "s3cret\n"', 2],
    ['quotes that end with a backslash', 'machine h\npassword "s3cret\\', 2],
    ['something behind quotes', 'machine h\npassword "a"s3cret', 2],
  ]
  for (const [name, text, line] of rows) {
    assert.throws(
      () => new Netrc(text, 'x.netrc'),
      (error: Error) => {
        const { code, details } = error as Error & { readonly code: string; readonly details: object }
        assert.deepEqual(
          { name: error.name, code, details },
          { name: 'NetError', code: 'ERR_NETRC', details: { path: 'x.netrc', line } },
          name,
        )
        return !error.message.includes('s3cret')
      },
    )
  }
})

test('a Netrc that is printed shows no password', () => {
  const netrc = new Netrc('machine h login a password s3cret')
  assert.ok(!inspect(netrc, { depth: 9, showHidden: true }).includes('s3cret'))
  assert.equal(JSON.stringify(netrc), '{}')
})

test('Netrc reads any text, and any value in quotes', () => {
  const word = fc.constantFrom('machine', 'login', 'password', 'default', 'macdef', '#', '"', '\\', '\n', ' ', 'a')
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        new Netrc(words.join('')).find('a')
      } catch (error) {
        assert.equal((error as { readonly code?: string }).code, 'ERR_NETRC')
      }
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const quoted = `"${text.replace(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`
      assert.equal(new Netrc(`machine h password ${quoted}`).find('h')?.password, text)
    }),
  )
})

test('readNetrc finds its file', async () => {
  const home = await mkdtemp(join(tmpdir(), 'netrc-'))
  try {
    const other = join(home, 'other')
    assert.equal(await readNetrc({}, home), undefined)
    assert.equal(await readNetrc({}, undefined), undefined)
    await writeFile(join(home, '.netrc'), 'machine h login a')
    assert.equal((await readNetrc({}, home))?.find('h')?.login, 'a')
    assert.equal((await readNetrc({ NETRC: '' }, home))?.find('h')?.login, 'a')
    const missing = { name: 'NetError', code: 'ERR_NETRC', details: { path: other } }
    await assert.rejects(readNetrc({ NETRC: other }, home), missing)
    await writeFile(other, 'machine h login b')
    assert.equal((await readNetrc({ NETRC: other }, home))?.find('h')?.login, 'b')
    assert.equal((await readNetrc({ NETRC: other }, undefined))?.find('h')?.login, 'b')
    assert.equal((await readNetrc({ NETRC: '/dev/null' }, home))?.find('h'), undefined)
    await writeFile(other, 'machine\n')
    await assert.rejects(readNetrc({ NETRC: other }, home), { code: 'ERR_NETRC', details: { path: other, line: 2 } })
    await writeFile(other, '#'.repeat(1024 * 1024))
    assert.equal((await readNetrc({ NETRC: other }, home))?.find('h'), undefined)
    await writeFile(other, '#'.repeat(1024 * 1024 + 1))
    await assert.rejects(readNetrc({ NETRC: other }, home), missing)
    await assert.rejects(readNetrc({ NETRC: home }, home), { code: 'ERR_NETRC', details: { path: home } })
  } finally {
    await rm(home, { recursive: true })
  }
})
