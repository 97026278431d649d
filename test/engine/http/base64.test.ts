import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toBase64, tryFromBase64 } from '#src/engine/http/base64.js'
import { checkTable } from './_table.js'

const BASE64 = 'RFC 4648 §4'

test('tryFromBase64 reads what has its only form', () => {
  checkTable(tryFromBase64, [
    ['nothing', '', new Uint8Array(0), BASE64],
    ['three bytes', '+/9A', Uint8Array.of(0xfb, 0xff, 0x40), BASE64],
    ['a wrong letter, first', '-AAA', undefined, BASE64],
    ['a wrong letter, second', 'A_AA', undefined, BASE64],
    ['a wrong letter, third', 'AA A', undefined, BASE64],
    ['a wrong letter, last', 'AAA\u00e4', undefined, BASE64],
    ['padding in the middle', 'AA==AAAA', undefined, BASE64],
    ['three of padding', 'A===', undefined, BASE64],
    ['a letter too many', 'AAAAA', undefined, BASE64],
  ])
})

test('toBase64 writes as Buffer does, and tryFromBase64 reads it back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const written = toBase64(bytes)
      assert.equal(written, Buffer.from(bytes).toString('base64'))
      assert.deepEqual(tryFromBase64(written), Uint8Array.from(bytes))
    }),
  )
})
