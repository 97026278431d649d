import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatChallenge,
  formatCredentials,
  parseChallenges,
  parseCredentials,
  tryParseChallenges,
  tryParseCredentials,
  type Challenge,
} from '#src/engine/http/authorization.js'
import { checkParsers, checkTable, parametersOf, refused, textOf } from './_table.js'

const CHALLENGE = 'RFC 9110 §11.6.1'
const CREDENTIALS = 'RFC 9110 §11.6.2'
const SYNTAX = 'RFC 9110 §11.2'
const bare = (scheme: string): Challenge => ({ scheme, parameters: parametersOf() })
const withToken = (scheme: string, token68: string): Challenge => ({ scheme, token68, parameters: parametersOf() })
const having = (scheme: string, values: Readonly<Record<string, string>>): Challenge => {
  return { scheme, parameters: parametersOf(values) }
}
const members = (count: number): string => `A ${Array.from({ length: count }, (_, i) => `p${i}=1`).join()}`

test('tryParseChallenges reads its table', () => {
  checkTable(tryParseChallenges, [
    ['a scheme', 'Negotiate', [bare('negotiate')], CHALLENGE],
    ['a token68', 'Negotiate a+/-._~9==', [withToken('negotiate', 'a+/-._~9==')], SYNTAX],
    ['a parameter', 'Basic realm="a, b"', [having('basic', { realm: 'a, b' })], SYNTAX],
    ['parameters', 'Digest Realm="a" , nonce=b,,', [having('digest', { realm: 'a', nonce: 'b' })], SYNTAX],
    ['space around =', 'Basic realm = "a"', [having('basic', { realm: 'a' })], SYNTAX],
    ['space around = of a later one', 'Basic realm=a, b\t= c', [having('basic', { realm: 'a', b: 'c' })], SYNTAX],
    [
      'several challenges',
      'Basic realm="a", charset="UTF-8", Bearer, Negotiate abc=, Digest nonce="b"',
      [
        having('basic', { realm: 'a', charset: 'UTF-8' }),
        bare('bearer'),
        withToken('negotiate', 'abc='),
        having('digest', { nonce: 'b' }),
      ],
      CHALLENGE,
    ],
    [
      'what the standard shows',
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [having('basic', { realm: 'simple' }), having('newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' })],
      CHALLENGE,
    ],
    ['a token68 that looks like a parameter without a value', 'A b=', [withToken('a', 'b=')], SYNTAX],
    ['a token68 before a comma', 'A b=, C', [withToken('a', 'b='), bare('c')], SYNTAX],
    ['a word behind a word is a token68', 'A b', [withToken('a', 'b')], SYNTAX],
    ['empty members', ', ,A,,', [bare('a')], CHALLENGE],
    ['nothing', '', [], CHALLENGE],
    ['a parameter first', 'realm="a"', undefined, CHALLENGE],
    ['a parameter behind a token68', 'A b, c=d', undefined, CHALLENGE],
    ['a parameter twice', 'A b=c, B=d', undefined, SYNTAX],
    ['a parameter of each of two', 'A b=c, D b=c', [having('a', { b: 'c' }), having('d', { b: 'c' })], SYNTAX],
    ['two parameters without a comma', 'A b=c d=e', undefined, SYNTAX],
    ['a quoted string alone', 'A "b"', undefined, SYNTAX],
    ['a quoted string without end', 'A b="c', undefined, SYNTAX],
    ['a token68 with something behind', 'A b== c', undefined, SYNTAX],
    ['an equals sign alone', 'A =', undefined, SYNTAX],
    ['no scheme', '"a"', undefined, CHALLENGE],
    ['something behind a scheme', 'A/b', undefined, CHALLENGE],
    [
      '100 members',
      members(100),
      [having('a', Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, '1'])))],
      CHALLENGE,
    ],
    ['101 members', members(101), undefined, CHALLENGE],
  ])
  checkParsers(tryParseChallenges, parseChallenges, 'A', '"', CHALLENGE)
})

test('tryParseCredentials reads its table', () => {
  checkTable(tryParseCredentials, [
    ['a token68', 'Bearer abc', withToken('bearer', 'abc'), CREDENTIALS],
    ['more than one space', 'Bearer  abc', withToken('bearer', 'abc'), CREDENTIALS],
    ['parameters', 'Digest username="a", qop=auth', having('digest', { username: 'a', qop: 'auth' }), CREDENTIALS],
    ['an empty parameter', 'Digest a=b,', having('digest', { a: 'b' }), SYNTAX],
    ['a scheme alone', 'Negotiate', bare('negotiate'), CREDENTIALS],
    ['two', 'Bearer abc, Basic def', undefined, CREDENTIALS],
    ['a comma behind a token68', 'Bearer abc,', undefined, CREDENTIALS],
    ['a comma first', ', Bearer abc', undefined, CREDENTIALS],
    ['a space first', ' Bearer abc', undefined, CREDENTIALS],
    ['two words', 'Bearer abc def', undefined, CREDENTIALS],
    ['nothing', '', undefined, CREDENTIALS],
  ])
  checkParsers(tryParseCredentials, parseCredentials, 'A b', 'A b c', CREDENTIALS)
})

test('an error of parseCredentials tells nothing of them', () => {
  assert.throws(
    () => parseCredentials('Bearer s3cret x'),
    (error: Error) => !error.message.includes('s3cret'),
  )
})

test('formatChallenge and formatCredentials quote as Digest needs it', () => {
  const values = { realm: 'a', algorithm: 'SHA-256', qop: 'auth', stale: 'true', nc: '00000001' }
  assert.equal(
    formatChallenge(having('Digest', values)),
    'Digest realm="a", algorithm=SHA-256, qop="auth", stale=true, nc="00000001"',
  )
  assert.equal(
    formatCredentials(having('Digest', values)),
    'Digest realm="a", algorithm=SHA-256, qop=auth, stale="true", nc=00000001',
  )
  const extended = having('Digest', { 'username*': "UTF-8''J%C3%A4s%C3%B8n" })
  assert.equal(formatCredentials(extended), "Digest username*=UTF-8''J%C3%A4s%C3%B8n")
  assert.equal(formatChallenge(having('Digest', { Algorithm: 'MD5' })), 'Digest Algorithm=MD5')
  assert.equal(formatChallenge(bare('Negotiate')), 'Negotiate')
  assert.equal(formatCredentials(withToken('Bearer', 'abc==')), 'Bearer abc==')
})

test('formatChallenge refuses what cannot be read back', () => {
  for (const scheme of ['', 'a b', 'a,']) assert.throws(() => formatChallenge(bare(scheme)), refused)
  for (const token of ['', 'a b', '=', 'a=b', 'a,', 'a ', 'ä'])
    assert.throws(() => formatChallenge(withToken('A', token)), refused)
  assert.throws(() => formatChallenge({ ...withToken('A', 'b'), parameters: parametersOf({ c: 'd' }) }), refused)
  assert.throws(() => formatChallenge(having('A', { 'b c': 'd' })), refused)
  assert.throws(() => formatChallenge(having('A', { b: '\n' })), refused)
})

test('what formatChallenge writes is read back, several in one field', () => {
  const token = textOf('abz09-._~', { minLength: 1, maxLength: 5 })
  const value = textOf('aZ ,="\\\xe4;', { maxLength: 6 })
  const challenge: fc.Arbitrary<Challenge> = fc.oneof(
    fc.tuple(token, token, fc.constantFrom('', '=', '==')).map(([scheme, text, end]) => withToken(scheme, text + end)),
    fc
      .tuple(token, fc.uniqueArray(fc.tuple(token, value), { maxLength: 4, selector: ([name]) => name }))
      .map(([scheme, pairs]) => ({ scheme, parameters: new Map(pairs) })),
  )
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 5 }), (challenges) => {
      assert.deepEqual(parseChallenges(challenges.map(formatChallenge).join(', ')), challenges)
    }),
  )
})
