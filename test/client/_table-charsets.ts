import { text } from '#src/http/index.js'
import { ok, type Row } from './_table.js'

/** `bytes` are in Latin-1. */
const row = (
  name: string,
  type: string | undefined,
  bytes: string | Uint8Array,
  said: string,
  more: Partial<Row> = {},
): Row => ({
  name,
  raw: () => ok(bytes, ...(type === undefined ? [] : [`Content-Type: ${type}`])),
  text: said,
  ...more,
})

const utf16 = (said: string, isBig: boolean): Uint8Array => {
  const bytes = Buffer.from(said, 'utf16le')
  return isBig ? bytes.swap16() : bytes
}

export const CHARSET_ROWS: readonly Row[] = [
  row('UTF-8 of the field', 'text/plain; charset=utf-8', Buffer.from('ä€𝄞'), 'ä€𝄞'),
  row('nothing said: UTF-8', undefined, Buffer.from('ä€'), 'ä€'),
  row('nothing said, and no UTF-8: windows-1252', undefined, '\xe4\x80', 'ä€'),
  row('iso-8859-1 is windows-1252', 'text/plain; charset=ISO-8859-1', '\xe4\x80', 'ä€'),
  row('iso-8859-15', 'text/plain; charset=iso-8859-15', '\xa4', '€'),
  row('windows-1251', 'text/plain; charset=windows-1251', '\xcf\xf0\xe8\xe2\xe5\xf2', 'Привет'),
  row('koi8-r', 'text/plain; charset=koi8-r', '\xf0\xd2\xc9\xd7\xc5\xd4', 'Привет'),
  row('gb18030, with four bytes', 'text/html; charset=gb18030', '\xc4\xe3\xba\xc3\x94\x39\xda\x33', '你好💩'),
  row('gbk is read as gb18030', 'text/html; charset=gbk', '\xc4\xe3\xba\xc3', '你好'),
  row('big5', 'text/html; charset=big5', '\xa7\x41\xa6\x6e', '你好'),
  row('shift_jis', 'text/html; charset=Shift_JIS', '\x82\xb1\x82\xf1\x83\x5c', 'こんソ'),
  row('euc-jp', 'text/html; charset=euc-jp', '\xa4\xb3\xa4\xf3', 'こん'),
  row('iso-2022-jp', 'text/html; charset=iso-2022-jp', '\x1b$B$3$s\x1b(B!', 'こん!'),
  row('euc-kr', 'text/html; charset=euc-kr', '\xbe\xc8\xb3\xe7', '안녕'),
  row('utf-16le of the field', 'text/plain; charset=utf-16le', utf16('aä€', false), 'aä€'),
  row('utf-16 of the field is little-endian', 'text/plain; charset=utf-16', utf16('aä€', false), 'aä€'),
  row('utf-16be of the field', 'text/plain; charset=utf-16be', utf16('aä€', true), 'aä€'),
  row(
    'a mark of UTF-16 says its order',
    'text/plain',
    Buffer.concat([Buffer.from([0xfe, 0xff]), utf16('aä€', true)]),
    'aä€',
  ),
  row('a mark counts more than the field', 'text/plain; charset=iso-8859-1', Buffer.from('\ufeffä'), 'ä'),
  row(
    'a mark of UTF-16 counts more than UTF-8 of the field',
    'text/plain; charset=utf-8',
    Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('ä', false)]),
    'ä',
  ),
  row('a charset in quotes, behind other parameters', 'text/html; level=1; Charset="windows-1251"; x=y', '\xcf', 'П'),
  row('an unknown charset is passed over', 'text/plain; charset=klingon', Buffer.from('ä'), 'ä'),
  row('a charset of nothing', 'text/plain; charset=', Buffer.from('ä'), 'ä'),
  row('a malformed type', 'text; charset=koi8-r;;', '\xf0', 'П'),
  row(
    '<meta charset>',
    'text/html',
    '<!doctype html><meta charset="windows-1251">\xcf',
    '<!doctype html><meta charset="windows-1251">П',
  ),
  row(
    '<meta http-equiv>',
    'text/html',
    "<meta http-equiv=content-type content='text/html; charset=shift_jis'>\x83\x5c",
    "<meta http-equiv=content-type content='text/html; charset=shift_jis'>ソ",
  ),
  row(
    'the field counts more than <meta>',
    'text/html; charset=utf-8',
    Buffer.from('<meta charset=koi8-r>ä'),
    '<meta charset=koi8-r>ä',
  ),
  row(
    'XML says it in its first line',
    'application/xml',
    '<?xml version="1.0" encoding="euc-kr"?><a>\xbe\xc8</a>',
    '<?xml version="1.0" encoding="euc-kr"?><a>안</a>',
  ),
  row(
    'of Atom, too',
    'application/atom+xml',
    "<?xml version='1.0' encoding='iso-8859-1'?>\xe4",
    "<?xml version='1.0' encoding='iso-8859-1'?>ä",
  ),
  row('bytes that mean nothing are replaced', 'text/plain; charset=utf-8', 'a\xffb\xe2\x82', 'a\ufffdb\ufffd'),
  row('a character that pieces cut in two', 'text/plain; charset=utf-8', '', 'ä', {
    raw: () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\xc3\r\n1\r\n\xa4\r\n0\r\n\r\n',
  }),
  row('two Content-Types: the last that is whole counts', 'text/plain; charset=utf-8', Buffer.from('ä'), 'ä', {
    raw: () => ok(Buffer.from('ä'), 'Content-Type: text/plain', 'Content-Type: text/plain; charset=utf-8'),
  }),
  {
    name: 'our own server says UTF-8',
    own: () => text('ä€'),
    text: 'ä€',
    fields: { 'content-type': 'text/plain; charset=utf-8' },
  },
  {
    name: 'nginx says windows-1251',
    nginx: 'http',
    path: '/cyrillic/page.txt',
    text: 'Привет',
    fields: { 'content-type': 'text/plain; charset=windows-1251' },
  },
]
