import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { addPairs, type FieldPair } from '#src/http/added-fields.js'
import { HttpError, HttpResponse, html, redirect, text } from '#src/http/response.js'
import { serveHttp } from '#src/http/server.js'
import { withFields } from '#src/http/wrapping.js'

const TIMEOUT = { timeout: 20_000 }

const rows: readonly (readonly [name: string, own: FieldPair[], added: FieldPair[], expected: FieldPair[]])[] = [
  [
    'nothing in common',
    [['A', '1']],
    [['B', '2']],
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  [
    'one of the same name',
    [
      ['Cache-Control', 'no-cache'],
      ['ETag', '"a"'],
    ],
    [['cache-control', 'max-age=5']],
    [
      ['ETag', '"a"'],
      ['cache-control', 'max-age=5'],
    ],
  ],
  [
    'a name that begins as another',
    [
      ['X-A', '1'],
      ['X-AB', '2'],
    ],
    [['X-A', '3']],
    [
      ['X-AB', '2'],
      ['X-A', '3'],
    ],
  ],
  [
    'cookies',
    [['Set-Cookie', 'a=1']],
    [['Set-Cookie', 'b=2']],
    [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ],
  ],
  [
    'links',
    [['Link', '<a>']],
    [['Link', '<b>']],
    [
      ['Link', '<a>'],
      ['Link', '<b>'],
    ],
  ],
  [
    'policies',
    [['Content-Security-Policy', "default-src 'none'"]],
    [['Content-Security-Policy', "img-src 'self'"]],
    [
      ['Content-Security-Policy', "default-src 'none'"],
      ['Content-Security-Policy', "img-src 'self'"],
    ],
  ],
  ['Vary', [['Vary', 'Accept, Origin']], [['vary', 'origin, Cookie']], [['vary', 'Accept, Origin, Cookie']]],
  [
    'Vary of everything',
    [
      ['Vary', 'Accept'],
      ['Vary', '*'],
    ],
    [['Vary', 'Accept']],
    [['Vary', 'Accept, *']],
  ],
  [
    'two that were asked for',
    [['A', '1']],
    [
      ['A', '2'],
      ['A', '3'],
    ],
    [
      ['A', '2'],
      ['A', '3'],
    ],
  ],
]

suite('fields that are added to an answer', () => {
  for (const [name, own, added, expected] of rows) {
    test(name, () => {
      assert.deepEqual(addPairs(own, added), expected)
      const lines = expected.map((pair) => `${pair[0]}: ${pair[1]}\r\n`).join('')
      assert.equal(new HttpResponse('', { headers: own }).with(added).fields, lines)
    })
  }
  test('the type of a page is replaced, and a redirect keeps its address', () => {
    assert.equal(text('a').with({ 'Content-Type': 'text/css' }).fields, 'Content-Type: text/css\r\n')
    assert.match(
      redirect('/b', { headers: { 'Content-Type': 'text/plain', Location: '/a' } }).fields,
      /^Content-Type: text\/plain\r\nLocation: \/b\r\n$/,
    )
  })
  test('withFields gives no answer a field twice, nor an error, which says its own type', TIMEOUT, async () => {
    const added = {
      'Cache-Control': 'max-age=5',
      'Content-Type': 'text/css',
      'X-Content-Type-Options': 'nosniff',
      Vary: 'Origin',
    }
    const handler = withFields(({ path }) => {
      const headers = { 'Cache-Control': 'no-store', Vary: 'Accept' }
      if (path === '/thrown') throw new HttpError(404, '', { headers })
      return html('<p>', { headers })
    }, added)
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    for (const accept of ['text/html', 'application/json', '*/*']) {
      for (const path of ['/', '/thrown']) {
        const { headers, status } = await fetch(server.endpoint + path, { headers: { accept } })
        const type =
          accept === '*/*'
            ? 'text/plain; charset=utf-8'
            : accept === 'text/html'
              ? 'text/html; charset=utf-8'
              : 'application/problem+json'
        assert.deepEqual(
          ['cache-control', 'x-content-type-options', 'vary', 'content-type'].map((name) => headers.get(name)),
          ['max-age=5', 'nosniff', 'Accept, Origin', status === 200 ? 'text/css' : type],
        )
      }
    }
  })
})
