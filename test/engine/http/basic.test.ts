import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatBasicCredentials, parseBasicCredentials, tryParseBasicCredentials } from '#src/engine/http/basic.js'
import { checkParsers, checkTable, refused } from './_table.js'

const BASIC = 'RFC 7617 §2'
const BASE64 = 'RFC 4648 §3.5'
const basic = (text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string =>
  `Basic ${Buffer.from(text, encoding).toString('base64')}`

test('tryParseBasicCredentials reads its table', () => {
  checkTable(tryParseBasicCredentials, [
    [
      'what the standard shows',
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      { user: 'Aladdin', password: 'open sesame' },
      BASIC,
    ],
    ['UTF-8, as it shows', 'Basic dGVzdDoxMjPCow==', { user: 'test', password: '123\u00a3' }, 'RFC 7617 §2.1'],
    ['another case of the scheme', 'bASIC YTpi', { user: 'a', password: 'b' }, BASIC],
    ['a colon in a password', basic('a:b:c'), { user: 'a', password: 'b:c' }, BASIC],
    ['both empty', basic(':'), { user: '', password: '' }, BASIC],
    ['no colon', basic('a'), undefined, BASIC],
    ['nothing', 'Basic', undefined, BASIC],
    ['a parameter', 'Basic a="b"', undefined, BASIC],
    ['another scheme', 'Bearer YTpi', undefined, BASIC],
    ['Latin-1', basic('a:\xe4', 'latin1'), undefined, 'RFC 7617 §2.1'],
    ['a line break', basic('a:\n'), undefined, BASIC],
    ['NUL', basic('\0:a'), undefined, BASIC],
    ['the last control character', basic('a:\x1f'), undefined, BASIC],
    ['DEL', basic('a:\x7f'), undefined, BASIC],
    ['a space', basic(' : '), { user: ' ', password: ' ' }, BASIC],
    ['no padding', 'Basic YTpiYg', undefined, BASE64],
    ['padded', 'Basic YTpiYg==', { user: 'a', password: 'bb' }, BASE64],
    ['too much padding', 'Basic YTpiYg===', undefined, BASE64],
    ['padding alone', 'Basic a===', undefined, BASE64],
    ['bits that mean nothing, of four', 'Basic YTpiYh==', undefined, BASE64],
    ['bits that mean nothing, of two', 'Basic YTpiYmO=', undefined, BASE64],
    ['letters of base64url', 'Basic YTr_-w==', undefined, BASE64],
    ['the letters for them', 'Basic Oj8/Pj4=', { user: '', password: '??>>' }, BASE64],
  ])
  checkParsers(tryParseBasicCredentials, parseBasicCredentials, basic('a:b'), 'Basic a', BASIC)
})

test('formatBasicCredentials refuses what cannot be read back', () => {
  assert.equal(
    formatBasicCredentials({ user: 'Aladdin', password: 'open sesame' }),
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  )
  for (const user of ['a:b', '\n', '\x7f', '\ud800'])
    assert.throws(() => formatBasicCredentials({ user, password: '' }), refused)
  assert.throws(() => formatBasicCredentials({ user: '', password: '\t' }), refused)
})

test('what formatBasicCredentials writes, Buffer and parseBasicCredentials read', () => {
  const text = fc.string({ unit: 'grapheme' }).map((value) => value.replace(/\p{Cc}/gu, ''))
  fc.assert(
    fc.property(text, text, (name, password) => {
      const user = name.replaceAll(':', '')
      const written = formatBasicCredentials({ user, password })
      assert.equal(written, basic(`${user}:${password}`))
      assert.deepEqual(parseBasicCredentials(written), { user, password })
    }),
  )
})
