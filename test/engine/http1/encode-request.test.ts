import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { UsageError } from '#src/base/errors.js'
import { encodeRequestHead, type RequestStart } from '#src/engine/http1/encode-request.js'

const encode = (start: Partial<RequestStart>): string =>
  encodeRequestHead({ method: 'GET', target: '/', host: 'a', ...start })

suite('encodeRequestHead writes', () => {
  const rows: readonly (readonly [name: string, start: Partial<RequestStart>, head: string])[] = [
    ['Host first', { fields: { X: 'b' } }, 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n'],
    ['a field for each value', { fields: { X: ['b', 'c'] } }, 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\nX: c\r\n\r\n'],
    ['a length of 0 with POST', { method: 'POST' }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
    ['no length of 0 with DELETE', { method: 'DELETE' }, 'DELETE / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a length', { bodyLength: 5 }, 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n'],
    ['chunked', { bodyLength: 'chunked' }, 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [
      'an expectation only with a body',
      { bodyLength: 5, expectsContinue: true },
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    ],
    ['no expectation without a body', { expectsContinue: true }, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['close', { close: true }, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    [
      'an upgrade, named in Connection',
      { upgrade: 'websocket', close: true },
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n',
    ],
    [
      'that trailers are wanted, named in Connection',
      { wantsTrailers: true, upgrade: 'h9', close: true },
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h9\r\nTE: trailers\r\nConnection: Upgrade, TE, close\r\n\r\n',
    ],
    ['an absolute target', { target: 'http://A/b' }, 'GET http://A/b HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'what it makes where it is given with that value',
      { bodyLength: 5, fields: { 'content-length': '5', X: 'b' }, close: true },
      'GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\nX: b\r\nConnection: close\r\n\r\n',
    ],
    [
      'all that it makes where it is given',
      {
        bodyLength: 'chunked',
        expectsContinue: true,
        close: true,
        fields: { Connection: 'close', Expect: '100-continue', 'Transfer-Encoding': 'chunked', X: 'b' },
      },
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\nX: b\r\n\r\n',
    ],
    [
      'what is so without a word',
      { fields: { 'Content-Length': '0', Connection: 'keep-alive', 'Proxy-Connection': 'Keep-Alive' } },
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: keep-alive\r\nProxy-Connection: Keep-Alive\r\n\r\n',
    ],
    ['nothing behind the colon of an empty value', { fields: { X: '' } }, 'GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n'],
    ['an empty host', { host: '' }, 'GET / HTTP/1.1\r\nHost: \r\n\r\n'],
  ]
  for (const [name, start, head] of rows) test(name, () => assert.equal(encode(start), head))
})

suite('encodeRequestHead refuses', () => {
  const rows: readonly (readonly [name: string, start: Partial<RequestStart>])[] = [
    ['a line break in a method', { method: 'GET / HTTP/1.1\r\nX: b\r\n\r\nGET' }],
    ['a space in a method', { method: 'GET /' }],
    ['an empty method', { method: '' }],
    ['a line break in a target', { target: '/ HTTP/1.1\r\nHost: b\r\n\r\nGET /' }],
    ['a space in a target', { target: '/a b' }],
    ['a fragment', { target: '/a#b' }],
    ['a character above ASCII in a target', { target: '/\u010d' }],
    ['a character that would be cut to a line break', { target: '/\u010a' }],
    ['a backslash in a path', { target: '/a\\b' }],
    ['an empty target', { target: '' }],
    ['a target that is no path', { target: 'a' }],
    ['an asterisk with GET', { target: '*' }],
    ['CONNECT with a path', { method: 'CONNECT' }],
    ['an absolute target of another host', { target: 'http://b/' }],
    ['a user in a target', { target: 'http://b@a/' }],
    ['a line break in a host', { host: 'a\r\nX: b' }],
    ['a path in a host', { host: 'a/b' }],
    ['a space in a host', { host: 'a b' }],
    ['a line break in a name', { fields: { 'X: b\r\nY': 'c' } }],
    ['a space in a name', { fields: { 'X ': 'c' } }],
    ['an empty name', { fields: { '': 'c' } }],
    ['a line break in a value', { fields: { X: 'b\r\nY: c' } }],
    ['a CR in a value', { fields: { X: 'b\rc' } }],
    ['an LF in a value', { fields: { X: 'b\nc' } }],
    ['a NUL in a value', { fields: { X: 'b\x00c' } }],
    ['a character that would be cut to a line break in a value', { fields: { X: 'b\u010ac' } }],
    ['a space at the end of a value', { fields: { X: 'b ' } }],
    ['a second Host', { fields: { host: 'b' } }],
    ['a Content-Length', { fields: [['Content-Length', '5']] }],
    ['a Transfer-Encoding', { fields: { 'transfer-encoding': 'chunked' } }],
    ['a Connection', { fields: { Connection: 'close' } }],
    ['an Upgrade', { fields: { Upgrade: 'b' } }],
    ['a TE', { fields: { TE: 'trailers' } }],
    ['an Expect', { fields: { Expect: '100-continue' } }],
    ['a length that is another', { bodyLength: 5, fields: { 'Content-Length': '6' } }],
    ['a length of 0 with a body', { bodyLength: 'chunked', fields: { 'Content-Length': '0' } }],
    ['a length beside chunks', { bodyLength: 'chunked', fields: { 'Content-Length': '5' } }],
    ['a length twice', { bodyLength: 5, fields: { 'Content-Length': ['5', '5'] } }],
    ['a length of 0 twice', { method: 'POST', fields: { 'Content-Length': ['0', '0'] } }],
    ['an empty length', { bodyLength: 5, fields: { 'Content-Length': '' } }],
    ['keep-alive with close', { close: true, fields: { Connection: 'keep-alive' } }],
    ['keep-alive of a proxy with close', { close: true, fields: { 'Proxy-Connection': 'keep-alive' } }],
    ['close of a proxy', { fields: { 'Proxy-Connection': 'close' } }],
    ['an empty name without a value', { fields: { '': '' } }],
    ['a line break in a name without a value', { fields: { 'X\r\nY': '' } }],
    ['a line break in an upgrade', { upgrade: 'b\r\nX: c' }],
    ['a negative length', { bodyLength: -1 }],
    ['a length that is no whole number', { bodyLength: 1.5 }],
    ['a length that is not finite', { bodyLength: Infinity }],
    ['a body with TRACE', { method: 'TRACE', bodyLength: 1 }],
    ['a body with CONNECT', { method: 'CONNECT', target: 'a:1', host: 'a:1', bodyLength: 'chunked' }],
  ]
  for (const [name, start] of rows)
    test(name, () =>
      assert.throws(
        () => encode(start),
        (error) => error instanceof UsageError && error.code === 'ERR_ARGUMENT',
      ),
    )
})

suite('what encodeRequestHead says of a field that it refuses', () => {
  const rows: readonly (readonly [value: string, says: string])[] = [
    ['SECRET\n', 'a line break at index 6'],
    ['SECRET\r\nX: b', 'a line break at index 6'],
    ['SECRET\0', 'a control character at index 6'],
    ['SECRET\x7f', 'a control character at index 6'],
    ['SECRET\u0100', 'a character above U+00FF at index 6'],
    [' SECRET', 'a space at its beginning at index 0'],
    ['SECRET ', 'a space at its end at index 6'],
  ]
  for (const [value, says] of rows)
    test(`is its name, and ${says}, and nothing of its value`, () => {
      const error = errorOf(() => encode({ fields: { Authorization: value } }))
      assert.ok(error.message.includes('Authorization') && error.message.includes(says), error.message)
      assert.doesNotMatch(error.message, /SECRET/)
    })
  test('is no more of a name than what could be one: a value may have slipped into it', () => {
    const { message } = errorOf(() => encode({ fields: { 'Authorization: Bearer SECRET': '' } }))
    assert.match(message, /"Authorization"/)
    assert.doesNotMatch(message, /SECRET/)
  })
})

function errorOf(work: () => unknown): UsageError {
  try {
    work()
  } catch (error) {
    if (error instanceof UsageError) return error
  }
  throw new Error('it was not refused')
}
