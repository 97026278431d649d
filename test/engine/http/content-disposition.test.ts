import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatContentDisposition,
  parseContentDisposition,
  tryParseContentDisposition,
} from '#src/engine/http/content-disposition.js'
import { checkParsers, checkTable, refused } from './_table.js'

const FIELD = 'RFC 6266 §4.1'
const NAME = 'RFC 6266 §4.3'
const EXTENDED = 'RFC 8187 §3.2'
const FORM = 'RFC 7578 §4.2'
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
/** Type, name of the field, name of the file. */
const read = (value: string): readonly (string | undefined)[] | undefined => {
  const found = tryParseContentDisposition(value)
  return found === undefined ? undefined : [found.type, found.name, found.fileName]
}
const attachment = (fileName?: string): readonly (string | undefined)[] => ['attachment', undefined, fileName]

test('tryParseContentDisposition reads its table', () => {
  checkTable(read, [
    ['a type', 'Attachment', attachment(), FIELD],
    ['a token', 'attachment; filename=a.txt', attachment('a.txt'), FIELD],
    ['a quoted string', 'attachment;FILENAME="a \\"b\\".txt"', attachment('a "b".txt'), FIELD],
    ['no type', '; filename=a', undefined, FIELD],
    ['nothing', '', undefined, FIELD],
    ['a parameter twice', 'attachment; filename=a; filename=b', undefined, FIELD],
    ['a name with a space', 'attachment; filename=a b', undefined, FIELD],
    ['an extended name', "attachment; filename*=utf-8'en'%e2%82%AC%20a", attachment('\u20ac a'), EXTENDED],
    ['both, in any order', "attachment; filename*=UTF-8''b; filename=a", attachment('b'), NAME],
    ['both, the other way', "attachment; filename=a; filename*=UTF-8''b", attachment('b'), NAME],
    ['another charset', "attachment; filename=a; filename*=ISO-8859-1''b", attachment('a'), EXTENDED],
    ['not UTF-8', "attachment; filename=a; filename*=UTF-8''%ff", attachment('a'), EXTENDED],
    ['half an escape', "attachment; filename=a; filename*=UTF-8''%e", attachment('a'), EXTENDED],
    ['one apostrophe', "attachment; filename=a; filename*=UTF-8'b", attachment('a'), EXTENDED],
    ['a character that must be encoded', 'attachment; filename=a; filename*="UTF-8\'\'b c"', attachment('a'), EXTENDED],
    ['an empty extended name', "attachment; filename=a; filename*=UTF-8''", attachment(), NAME],
    ['UTF-8 as it is', `attachment; filename="${latin1('ä€')}"`, attachment('ä€'), FORM],
    ['Latin-1', 'attachment; filename="\xe4"', attachment('\xe4'), FIELD],
    ['beyond Latin-1', 'attachment; filename="\u20ac"', undefined, FIELD],
    ['folders', 'attachment; filename="/etc/a.txt"', attachment('a.txt'), NAME],
    ['folders of another system', 'attachment; filename="C:\\\\x\\\\a.txt"', attachment('a.txt'), NAME],
    ['both kinds', 'attachment; filename="a\\\\b/c"', attachment('c'), NAME],
    ['encoded folders', "attachment; filename*=UTF-8''..%2fa%5Cb", attachment('b'), NAME],
    ['the folder itself', 'attachment; filename="."', attachment(), NAME],
    ['the folder above', 'attachment; filename="a/.."', attachment(), NAME],
    ['three dots', 'attachment; filename="..."', attachment('...'), NAME],
    ['a folder alone', 'attachment; filename="a/"', attachment(), NAME],
    ['an empty name', 'attachment; filename=""', attachment(), NAME],
    ['NUL, encoded', "attachment; filename*=UTF-8''a%00", attachment(), NAME],
    ['a tab', 'attachment; filename="a\tb"', attachment(), NAME],
    ['a form', 'form-data; name="a"; filename="b"', ['form-data', 'a', 'b'], FORM],
    ['a field of a form', `form-data; name="${latin1('ä')}"`, ['form-data', 'ä', undefined], FORM],
    ['an extended name in a form', "form-data; name=a; filename=b; filename*=UTF-8''c", ['form-data', 'a', 'b'], FORM],
    ['a name outside of a form', 'attachment; name=a', attachment(), FORM],
  ])
  checkParsers(tryParseContentDisposition, parseContentDisposition, 'inline', '', FIELD)
})

test('formatContentDisposition writes names of plain ASCII once, others twice', () => {
  checkTable(
    (name: string) => formatContentDisposition('attachment', name),
    [
      ['plain', 'a b.txt', 'attachment; filename="a b.txt"', FIELD],
      [
        'beyond ASCII',
        '€ä.txt',
        `attachment; filename="__.txt"; filename*=UTF-8''%E2%82%AC%C3%A4.txt`,
        'RFC 6266 appendix D',
      ],
      ['a character of two halves', '😀', `attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80`, EXTENDED],
      ['a quote', 'a"b', `attachment; filename="a_b"; filename*=UTF-8''a%22b`, 'RFC 6266 appendix D'],
      ['a backslash', 'a\\b', `attachment; filename="a_b"; filename*=UTF-8''a%5Cb`, 'RFC 6266 appendix D'],
      ['a percent sign', 'a%41', `attachment; filename="a_41"; filename*=UTF-8''a%2541`, 'RFC 6266 appendix D'],
      [
        'what a URL leaves bare',
        "ä'()*",
        `attachment; filename="_'()*"; filename*=UTF-8''%C3%A4%27%28%29%2A`,
        EXTENDED,
      ],
    ],
  )
  assert.equal(formatContentDisposition('inline'), 'inline')
  for (const name of ['', 'a/b', 'a\nb', 'a\x7f', '\ud800'])
    assert.throws(() => formatContentDisposition('attachment', name), refused, JSON.stringify(name))
  assert.throws(() => formatContentDisposition('a b' as 'inline'), refused)
})

test('what formatContentDisposition writes is read back', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replace(/[/\\\p{Cc}]/gu, ''))
  fc.assert(
    fc.property(
      name.filter((text) => !['', '.', '..'].includes(text)),
      (text) => {
        assert.equal(parseContentDisposition(formatContentDisposition('attachment', text)).fileName, text)
      },
    ),
  )
})
