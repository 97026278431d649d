import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLanguage } from '#src/engine/http/language.js'
import { checkTable, refused, type Row } from './_table.js'

const FIELD = 'RFC 9110 §12.5.4'
const FILTER = 'RFC 4647 §3.3.1'
const LOOKUP = 'RFC 4647 §3.4'

const ROWS: readonly Row<readonly [string | undefined, readonly string[]], string | undefined>[] = [
  ['no field', [undefined, ['en', 'de']], 'en', FIELD],
  ['an empty field', ['', ['en', 'de']], 'en', FIELD],
  ['a malformed weight', ['de;q=x', ['en', 'de']], 'en', FIELD],
  ['a malformed range', ['de, e_n', ['en', 'de']], 'en', 'RFC 4647 §2.1'],
  ['a subtag of eight', ['abcdefgh', ['en', 'abcdefgh']], 'abcdefgh', 'RFC 4647 §2.1'],
  ['a subtag of nine', ['abcdefghi', ['en', 'abcdefgh']], 'en', 'RFC 4647 §2.1'],
  ['64 characters', [`de${'-a'.repeat(31)}`, ['en', 'de']], 'de', 'RFC 5646 §4.4.1'],
  ['65 characters', [`deu${'-a'.repeat(31)}`, ['en', 'deu']], 'en', 'RFC 5646 §4.4.1'],
  ['the one that is wanted', ['de', ['en', 'de']], 'de', FILTER],
  ['capitals', ['DE-ch', ['en', 'de-CH']], 'de-CH', FILTER],
  ['a range matches what is longer', ['de', ['en', 'de-CH-1996']], 'de-CH-1996', FILTER],
  ['but not what only begins so', ['de', ['en', 'den']], undefined, FILTER],
  ['the highest weight', ['en;q=0.4, de;q=0.5', ['en', 'de']], 'de', FIELD],
  ['equal wishes: the order offered', ['en, de', ['de', 'en']], 'de', FIELD],
  ['the longest range decides', ['de, de-CH;q=0.1, en;q=0.5', ['de-CH', 'en']], 'en', FILTER],
  ['in any order', ['de-CH;q=0.1, de, en;q=0.5', ['de-CH', 'en']], 'en', FILTER],
  ['a range twice: the first', ['de;q=0.1, de, en;q=0.5', ['de', 'en']], 'en', FILTER],
  ['any', ['*', ['fr', 'de']], 'fr', FILTER],
  ['any but', ['*, fr;q=0', ['fr', 'de']], 'de', FILTER],
  ['any, least', ['fr;q=0.9, *;q=0.1', ['de', 'fr']], 'fr', FILTER],
  ['shortened', ['de-CH', ['en', 'de']], 'de', LOOKUP],
  ['shortened by two, with a single letter', ['zh-Hant-x-a', ['en', 'zh-Hant']], 'zh-Hant', LOOKUP],
  ['shortened from the most wanted on', ['en-US;q=0.5, de-CH', ['en', 'de']], 'de', LOOKUP],
  ['filtering counts before lookup', ['de-CH, en;q=0.1', ['de', 'en']], 'en', FILTER],
  ['lookup finds nothing that is refused', ['de-CH, de;q=0', ['de']], undefined, LOOKUP],
  ['a range that is refused is not looked up', ['de-CH;q=0, fr', ['de']], undefined, LOOKUP],
  ['nothing', ['fr', ['en', 'de']], undefined, FIELD],
  ['nothing offered', ['fr', []], undefined, FIELD],
]

test('chooseLanguage chooses as its table says', () => {
  checkTable(([wanted, offered]) => chooseLanguage(wanted, offered), ROWS)
  for (const offer of ['', '*', 'e_n', 'en-', '1'])
    assert.throws(() => chooseLanguage('en', ['en', offer]), refused, offer)
})
