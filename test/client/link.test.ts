import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_LINKS, parseLinks } from '#src/client/link.js'
import { textOf } from '../engine/http/_table.js'

type Row = readonly [
  name: string,
  value: string,
  links: readonly (readonly [target: string, rel: string, params?: Readonly<Record<string, string>>])[],
]

const ROWS: readonly Row[] = [
  ['one', '</a>; rel=next', [['/a', 'next']]],
  ['in quotes', '</a>; rel="next"', [['/a', 'next']]],
  ['in capitals', '</a>; REL="Next"', [['/a', 'next']]],
  [
    'what GitHub sends',
    '<https://api.example/r?page=2>; rel="next", <https://api.example/r?page=5>; rel="last"',
    [
      ['https://api.example/r?page=2', 'next'],
      ['https://api.example/r?page=5', 'last'],
    ],
  ],
  [
    'no space',
    '</a>;rel=next,</b>;rel=prev',
    [
      ['/a', 'next'],
      ['/b', 'prev'],
    ],
  ],
  [
    'space everywhere',
    ' < /a > ; rel = "next" , </b> ;\trel=prev ',
    [
      ['/a', 'next'],
      ['/b', 'prev'],
    ],
  ],
  [
    'two relations',
    '</a>; rel="start HTTP://example.net/X"',
    [
      ['/a', 'start'],
      ['/a', 'http://example.net/x'],
    ],
  ],
  ['a relation twice', '</a>; rel="next next"', [['/a', 'next']]],
  ['rel twice: the first counts (§3.3)', '</a>; rel=next; rel=prev', [['/a', 'next']]],
  ['no rel', '</a>', [['/a', '']]],
  ['an empty rel', '</a>; rel=""', [['/a', '']]],
  ['an empty target', '<>; rel=self', [['', 'self']]],
  ['comma and semicolon in a target', '</a,b;c>; rel=next', [['/a,b;c', 'next']]],
  ['comma in quotes', '</a>; title="b, <c>"; rel=next', [['/a', 'next', { title: 'b, <c>' }]]],
  ['an escape', String.raw`</a>; title="b\"c\\"; rel=next`, [['/a', 'next', { title: String.raw`b"c\ `.trim() }]]],
  [
    'other parameters',
    '</a>; rel=preload; as=style; crossorigin',
    [['/a', 'preload', { as: 'style', crossorigin: '' }]],
  ],
  ['an anchor', '</a>; rel=next; anchor="#x"', [['/a', 'next', { anchor: '#x' }]]],
  ['type twice: the first counts (§3.4.1)', '</a>; type=b; type=c', [['/a', '', { type: 'b' }]]],
  [
    'title* counts before title (§3.4.1)',
    `</a>; title=x; title*=UTF-8'de'n%c3%a4chstes%20Kapitel`,
    [['/a', '', { title: 'nächstes Kapitel' }]],
  ],
  ['title* before title', `</a>; title*=utf-8''%e2%82%ac; title=x`, [['/a', '', { title: '€' }]]],
  ['a title* that is not UTF-8', `</a>; title=x; title*=UTF-8''%ff`, [['/a', '', { title: 'x' }]]],
  ['a title* in another charset', `</a>; title=x; title*=ISO-8859-1''%e4`, [['/a', '', { title: 'x' }]]],
  ['empty members', ',, </a>; rel=next,,', [['/a', 'next']]],
  ['empty parameters', '</a>;; rel=next;', [['/a', 'next']]],
  ['a parameter without a name', '</a>; =x; rel=next', [['/a', 'next']]],
  ['quotes without an end', '</a>; rel="next', [['/a', 'next']]],
  ['quotes that end with a backslash', '</a>; rel="next\\', [['/a', 'next']]],
  ['a target without an end', '</a>; rel=next, </b', [['/a', 'next']]],
  ['a word between', '</a>; rel=next, b, </c>', [['/a', 'next']]],
  ['something behind quotes', '</a>; rel="next"x; title=y, </b>', [['/a', 'next']]],
  ['no link', 'a', []],
  ['nothing', '', []],
]

test('parseLinks reads its table', () => {
  for (const [name, value, links] of ROWS)
    assert.deepEqual(
      parseLinks(value),
      links.map(([target, rel, params = {}]) => ({ target, rel, params: new Map(Object.entries(params)) })),
      name,
    )
})

test('parseLinks reads 256 links and no more', () => {
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `<${i}>; rel="a"`).join()
  assert.equal(MAX_LINKS, 256)
  assert.equal(parseLinks(many(256)).length, 256)
  assert.equal(parseLinks(many(257)).at(-1)?.target, '255')
  assert.equal(parseLinks('<a>; rel="b c", '.repeat(200)).length, 256)
})

test('parseLinks reads any text, and what it wrote', () => {
  fc.assert(fc.property(textOf('<>;,="\\ \tarel*'), (text) => void parseLinks(text)))
  const word = textOf('abc/:', { minLength: 1 })
  const title = textOf('ab ,;<>="\\')
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word, title), { maxLength: 5 }), (links) => {
      const written = links.map(
        ([target, rel, text]) => `<${target}>; rel=${rel}; title="${text.replace(/["\\]/g, String.raw`\$&`)}"`,
      )
      assert.deepEqual(
        parseLinks(written.join(', ')),
        links.map(([target, rel, text]) => ({ target, rel, params: new Map([['title', text]]) })),
      )
    }),
  )
})
