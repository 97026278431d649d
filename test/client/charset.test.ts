import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeText, findCharset } from '#src/client/charset.js'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8')
const HTML = 'text/html'

type Row = readonly [name: string, bytes: Uint8Array, contentType: string | undefined, charset: string, text?: string]

const ROWS: readonly Row[] = [
  ['nothing', utf8(''), undefined, 'utf-8', ''],
  ['ASCII', utf8('abc'), undefined, 'utf-8', 'abc'],
  ['UTF-8 without a word', utf8('€'), undefined, 'utf-8', '€'],
  ['what is not UTF-8, without a word', latin1('\xe4\x80'), undefined, 'windows-1252', 'ä€'],
  ['UTF-8 that ends in a character', utf8('€').subarray(0, 2), undefined, 'windows-1252', 'â‚'],
  ['charset', latin1('\xe4'), 'text/plain; charset=iso-8859-1', 'windows-1252', 'ä'],
  ['charset in quotes and capitals', utf8('ä'), 'text/plain; CharSet="UTF-8"', 'utf-8', 'ä'],
  ['charset in single quotes', utf8('ä'), "text/plain; charset='utf-8'", 'utf-8', 'ä'],
  ['charset in a malformed type', latin1('\xe4'), 'text/plain; x; charset=latin1; charset=utf-8', 'windows-1252', 'ä'],
  ['charset without a type', latin1('\xd6'), '; charset=koi8-r', 'koi8-r', 'ж'],
  ['charset counts before UTF-8', utf8('ä'), 'text/plain; charset=latin1', 'windows-1252', 'Ã¤'],
  ['not UTF-8 where it should be', latin1('a\xe4b'), 'text/plain; charset=utf-8', 'utf-8', 'a\ufffdb'],
  ['an unknown charset', utf8('ä'), 'text/plain; charset=klingon', 'utf-8', 'ä'],
  ['an unknown charset of what is not UTF-8', latin1('\xe4'), 'text/plain; charset=klingon', 'windows-1252', 'ä'],
  ['an empty charset', utf8('ä'), 'text/plain; charset=""', 'utf-8', 'ä'],
  ['Shift_JIS', latin1('\x93\xfa\x96\x7b'), 'text/plain; charset=Shift_JIS', 'shift_jis', '日本'],
  ['EUC-JP', latin1('\xc6\xfc\xcb\xdc'), 'text/plain; charset=euc-jp', 'euc-jp', '日本'],
  ['ISO-2022-JP, short', latin1('\x1b$BF|K\\\x1b(B'), 'text/plain; charset=iso-2022-jp', 'iso-2022-jp', '日本'],
  ['GB 2312', latin1('\xc4\xe3'), 'text/plain; charset=gb2312', 'gbk', '你'],
  ['Big5', latin1('\xa4\xa4'), 'text/plain; charset=big5', 'big5', '中'],
  ['KOI8-R', latin1('\xd6'), 'text/plain; charset=koi8-r', 'koi8-r', 'ж'],
  ['windows-1251', latin1('\xe6'), 'text/plain; charset=cp1251', 'windows-1251', 'ж'],
  ['ISO-8859-15', latin1('\xa4'), 'text/plain; charset=iso-8859-15', 'iso-8859-15', '€'],
  ['UTF-16LE of a charset', latin1('a\0b\0'), 'text/plain; charset=utf-16le', 'utf-16le', 'ab'],
  ['UTF-16BE of a charset', latin1('\0a\0b'), 'text/plain; charset=utf-16be', 'utf-16be', 'ab'],
  ['us-ascii is windows-1252', latin1('\x80'), 'text/plain; charset=us-ascii', 'windows-1252', '€'],
  ['a mark of UTF-8', utf8('\ufeffä'), undefined, 'utf-8', 'ä'],
  ['a mark alone', utf8('\ufeff'), undefined, 'utf-8', ''],
  ['two marks', utf8('\ufeff\ufeff'), undefined, 'utf-8', '\ufeff'],
  ['a mark before charset', utf8('\ufeffä'), 'text/plain; charset=latin1', 'utf-8', 'ä'],
  ['a mark before what is not UTF-8', latin1('\xef\xbb\xbf\xe4'), undefined, 'utf-8', '\ufffd'],
  ['a mark of UTF-16LE', latin1('\xff\xfea\0'), 'text/plain; charset=utf-8', 'utf-16le', 'a'],
  ['a mark of UTF-16BE', latin1('\xfe\xff\0a'), undefined, 'utf-16be', 'a'],
  ['half a mark', latin1('\xef\xbb'), undefined, 'windows-1252', 'ï»'],
  ['a meta charset', latin1('<meta charset=koi8-r>\xd6'), HTML, 'koi8-r', '<meta charset=koi8-r>ж'],
  ['in quotes', latin1('<!doctype html><META CHARSET="KOI8-R" />'), HTML, 'koi8-r'],
  ['in single quotes', latin1("<meta charset = 'koi8-r'>"), HTML, 'koi8-r'],
  ['behind a slash', latin1('<meta/charset=koi8-r>'), HTML, 'koi8-r'],
  ['a meta without a type', latin1('<meta charset=koi8-r>'), undefined, 'koi8-r'],
  ['of XHTML', latin1('<meta charset=koi8-r>'), 'application/xhtml+xml', 'koi8-r'],
  ['of plain text', latin1('<meta charset=koi8-r>\xd6'), 'text/plain', 'windows-1252'],
  ['of JSON', utf8('"<meta charset=koi8-r>"'), 'application/json', 'utf-8'],
  ['charset counts before a meta', latin1('<meta charset=koi8-r>\xe6'), 'text/html; charset=cp1251', 'windows-1251'],
  ['an unknown charset does not', latin1('<meta charset=koi8-r>'), 'text/html; charset=x', 'koi8-r'],
  ['http-equiv', latin1('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">'), HTML, 'koi8-r'],
  [
    'http-equiv, the other way',
    latin1(`<meta content='text/html;charset="koi8-r"' http-equiv=content-type>`),
    HTML,
    'koi8-r',
  ],
  ['content without http-equiv', latin1('<meta content="text/html; charset=koi8-r">'), HTML, 'utf-8'],
  ['another http-equiv', latin1('<meta http-equiv=refresh content="0; charset=koi8-r">'), HTML, 'utf-8'],
  ['the second meta', latin1('<meta name=x content="a>b"><meta charset=koi8-r>'), HTML, 'koi8-r'],
  ['an unknown one first', latin1('<meta charset=x><meta charset=koi8-r>'), HTML, 'koi8-r'],
  ['the first of two attributes', latin1('<meta charset=koi8-r charset=utf-8>'), HTML, 'koi8-r'],
  ['in a comment', latin1('<!-- <meta charset=koi8-r> -->'), HTML, 'utf-8'],
  ['behind a comment', latin1('<!-- <meta charset=cp1251> --><meta charset=koi8-r>'), HTML, 'koi8-r'],
  ['another element', latin1('<metal charset=koi8-r>'), HTML, 'utf-8'],
  ['a meta without an end', latin1('<meta charset=koi8-r'), HTML, 'utf-8'],
  ['a meta of UTF-16 is UTF-8', utf8('<meta charset=utf-16le>ä'), HTML, 'utf-8', '<meta charset=utf-16le>ä'],
  ['a meta within 1,024 bytes', latin1(`${' '.repeat(1003)}<meta charset=koi8-r>`), HTML, 'koi8-r'],
  ['one past them', latin1(`${' '.repeat(1004)}<meta charset=koi8-r>`), HTML, 'utf-8'],
  ['XML', latin1('<?xml version="1.0" encoding="koi8-r"?>'), 'application/xml', 'koi8-r'],
  [
    'XML in single quotes',
    latin1("<?xml version='1.0' encoding = 'koi8-r' standalone='no'?>"),
    'image/svg+xml',
    'koi8-r',
  ],
  ['XML without a type', latin1('<?xml version="1.0" encoding="koi8-r"?>'), undefined, 'koi8-r'],
  ['XML that is HTML', latin1('<?xml version="1.0" encoding="koi8-r"?>'), HTML, 'utf-8'],
  ['XML that is text', latin1('<?xml version="1.0" encoding="koi8-r"?>'), 'text/plain', 'utf-8'],
  ['XML that says nothing', utf8('<?xml version="1.0"?><a encoding="koi8-r"/>ä'), 'text/xml', 'utf-8'],
  ['XML behind space', latin1(' <?xml version="1.0" encoding="koi8-r"?>'), 'text/xml', 'utf-8'],
  ['XML in an unknown charset', utf8('<?xml version="1.0" encoding="x"?>'), 'text/xml', 'utf-8'],
  ['XML of UTF-16 is UTF-8', utf8('<?xml version="1.0" encoding="UTF-16"?>ä'), 'text/xml', 'utf-8'],
  [
    'XML in XHTML counts before a meta',
    latin1('<?xml version="1.0" encoding="koi8-r"?><meta charset=cp1251>'),
    'application/xhtml+xml',
    'koi8-r',
  ],
]

test('decodeText and findCharset go by their table', () => {
  for (const [name, bytes, contentType, charset, text] of ROWS) {
    assert.equal(findCharset(bytes, contentType), charset, name)
    assert.equal(decodeText(bytes, contentType), text ?? new TextDecoder(charset).decode(bytes), name)
  }
})

test('decodeText has all of windows-1252', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  const text = decodeText(bytes, 'text/plain; charset=windows-1252')
  assert.equal(text.length, 256)
  assert.equal(text.slice(0x80, 0xa0), '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ')
  assert.equal(
    text.slice(0, 0x80) + text.slice(0xa0),
    Buffer.from(bytes.filter((i) => i < 0x80 || i >= 0xa0)).toString('latin1'),
  )
})

test('decodeText of UTF-8 is what TextDecoder gives, short or long, right or not', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Uint8Array.from(utf8(text))),
  )
  fc.assert(
    fc.property(bytes, (given) => {
      fc.pre(!(given[0] === 0xff && given[1] === 0xfe) && !(given[0] === 0xfe && given[1] === 0xff))
      assert.equal(decodeText(given, 'text/plain; charset=utf-8'), new TextDecoder().decode(given))
    }),
    { numRuns: 2000 },
  )
  for (const length of [31, 32, 33]) assert.equal(decodeText(utf8('a'.repeat(length)), undefined).length, length)
})

test('decodeText keeps few types of many', () => {
  for (let i = 0; i < 1000; i += 1) assert.equal(decodeText(utf8('ä'), `text/x${i}; charset=utf-8`), 'ä')
})

test('decodeText takes no long time over a page that is made to', () => {
  for (const text of ['<meta '.repeat(400), '<!--'.repeat(600), `<meta ${'a="'.repeat(800)}`, '<?xml '.repeat(400)])
    assert.equal(decodeText(utf8(text), HTML), text)
})
